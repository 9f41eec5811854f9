/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli.h"

#include <errno.h>
#include <libgen.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLI_STREAM_MAX = 1 << 20 /* bytes that may wait for a client */ };
enum { CLI_CLIENTS = 16, CLI_DEADLINE_MS = 5000, CLI_BACKLOG = 16 };

struct cli {
	struct cli_config config;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	uv_pipe_t pipe;
	struct cli_request *clients; /* connected ones */
	uint32_t count;
	uint32_t alive; /* requests not freed, and 1 for the listening handle */
	bool closing;
};

/** A client and its one request. Freed when both handles are closed and no handler holds it. */
struct cli_request {
	struct cli *cli;
	struct cli_request *next;
	uv_pipe_t pipe;
	uv_timer_t timer;
	uv_write_t write;
	char *answer;
	cli_gone *gone; /* of a stream; NULL: the client is there, or it was told */
	void *gone_context;
	bool streams;
	char heard[64];	  /* what the client says meanwhile */
	uint32_t handles; /* not closed yet */
	bool running;	  /* a handler holds it */
	bool answered;
	bool closing;
	uint32_t len;
	uint32_t words;
	const char *word[CLI_WORDS_MAX];
	char line[CLI_REQUEST_MAX];
};

/* ---- end of life --------------------------------------------------------------------------- */

static void cli_drop_reference(struct cli *cli)
{
	if (--cli->alive == 0)
		free(cli);
}

static void request_free_if_done(struct cli_request *r)
{
	struct cli *cli = r->cli;

	if (r->handles > 0 || r->running)
		return;
	free(r->answer);
	OPENSSL_cleanse(r, sizeof(*r)); /* there may be a token in it */
	free(r);
	cli_drop_reference(cli);
}

static void request_closed(uv_handle_t *handle)
{
	struct cli_request *r = handle->data;

	r->handles--;
	request_free_if_done(r);
}

static void request_close(struct cli_request *r)
{
	struct cli_request **link = &r->cli->clients;

	if (r->closing)
		return;
	r->closing = true;
	while (*link != r)
		link = &(*link)->next;
	*link = r->next;
	r->cli->count--;
	uv_close((uv_handle_t *)&r->pipe, request_closed);
	uv_close((uv_handle_t *)&r->timer, request_closed);
}

/* ---- answers ------------------------------------------------------------------------------- */

static void request_written(uv_write_t *write, int status)
{
	request_close(write->data);
}

static void request_deadline(uv_timer_t *timer);

/** Sends the document once; what comes after the first answer is nobody's. */
static void request_answer(struct cli_request *r, json_t *answer_owned)
{
	uv_buf_t buffer;

	if (r->answered || r->closing || r->cli->closing) {
		json_decref(answer_owned);
		return;
	}
	r->answered = true;
	if (r->streams) { /* it has no longer to read the end than others their answer */
		r->gone = NULL;
		uv_read_stop((uv_stream_t *)&r->pipe);
		uv_timer_start(&r->timer, request_deadline, r->cli->config.deadline_ms, 0);
	}
	r->answer = json_dumps(answer_owned, JSON_COMPACT);
	json_decref(answer_owned);
	if (r->answer == NULL) {
		request_close(r);
		return;
	}
	/* a client that does not read is let go at the deadline */
	uv_timer_again(&r->timer);
	buffer = uv_buf_init(r->answer, (unsigned)strlen(r->answer));
	r->write.data = r;
	if (uv_write(&r->write, (uv_stream_t *)&r->pipe, &buffer, 1, request_written) != 0)
		request_close(r);
}

static json_t *cli_error(const char *text)
{
	return json_pack("{s:s}", "error", text);
}

void cli_reply(struct cli_request *request, json_t *answer_owned)
{
	request->running = false;
	request_answer(request, answer_owned);
	request_free_if_done(request);
}

void cli_fail(struct cli_request *request, const char *text)
{
	cli_reply(request, cli_error(text));
}

const char *cli_word(const struct cli_request *request, uint32_t i)
{
	return i < request->words ? request->word[i] : NULL;
}

uint32_t cli_deadline_ms(const struct cli_request *request)
{
	return request->cli->config.deadline_ms;
}

void cli_wait(struct cli_request *request)
{
	if (!request->closing && !request->answered)
		uv_timer_stop(&request->timer);
}

static void request_deadline(uv_timer_t *timer)
{
	struct cli_request *r = timer->data;

	if (r->running && !r->answered)
		request_answer(r, cli_error("busy"));
	else
		request_close(r);
}

/* ---- streams ------------------------------------------------------------------------------- */

struct cli_written {
	uv_write_t write;
	struct cli_request *request;
	char *text;
};

/** Tells who makes the stream, once. */
static void stream_gone(struct cli_request *r)
{
	cli_gone *gone = r->gone;

	r->gone = NULL;
	if (gone != NULL)
		gone(r->gone_context);
}

static void stream_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct cli_request *r = handle->data;

	*buffer = uv_buf_init(r->heard, sizeof(r->heard));
}

static void stream_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	if (n >= 0)
		return;
	uv_read_stop(stream);
	stream_gone(stream->data);
}

void cli_stream(struct cli_request *request, cli_gone *gone, void *context)
{
	request->streams = true;
	request->gone = gone;
	request->gone_context = context;
	if (request->closing || request->answered)
		return;
	uv_timer_stop(&request->timer);
	uv_read_start((uv_stream_t *)&request->pipe, stream_room, stream_read);
}

static void stream_written(uv_write_t *write, int status)
{
	struct cli_written *written = write->data;

	if (status != 0 && !written->request->closing)
		stream_gone(written->request);
	free(written->text);
	free(written);
}

/** The document and a line end; NULL: no memory. */
static char *line_text(const json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT), *whole = NULL;

	if (text != NULL && asprintf(&whole, "%s\n", text) < 0)
		whole = NULL;
	free(text);
	return whole;
}

bool cli_line(struct cli_request *request, json_t *line_owned)
{
	struct cli_written *written = calloc(1, sizeof(*written));
	uv_stream_t *stream = (uv_stream_t *)&request->pipe;
	char *text = line_text(line_owned);
	uv_buf_t buffer;

	json_decref(line_owned);
	if (written == NULL || text == NULL || request->closing || request->answered ||
	    uv_stream_get_write_queue_size(stream) + strlen(text) > CLI_STREAM_MAX)
		goto free_both;
	*written = (struct cli_written){.request = request, .text = text};
	written->write.data = written;
	buffer = uv_buf_init(text, (unsigned)strlen(text));
	if (uv_write(&written->write, stream, &buffer, 1, stream_written) == 0)
		return true;
free_both:
	free(text);
	free(written);
	return false;
}

/* ---- requests ------------------------------------------------------------------------------ */

static const struct cli_command *cli_find(const struct cli *cli, const char *name)
{
	for (uint32_t i = 0; i < cli->config.command_count; i++)
		if (strcmp(cli->config.commands[i].name, name) == 0)
			return &cli->config.commands[i];
	return NULL;
}

/** Cuts the line, len bytes, into words. False: it has other bytes than words, or too many. */
static bool request_split(struct cli_request *r, uint32_t len)
{
	bool inside = false;

	for (uint32_t i = 0; i < len; i++) {
		char c = r->line[i];

		if (c == ' ' || c == '\r') {
			r->line[i] = '\0';
			inside = false;
			continue;
		}
		if (c < '!' || c > '~')
			return false;
		if (!inside && r->words == CLI_WORDS_MAX)
			return false;
		if (!inside)
			r->word[r->words++] = &r->line[i];
		inside = true;
	}
	r->line[len] = '\0';
	return r->words > 0;
}

/** Whether the process that connected ran as root or as the node's own user then. */
static bool request_is_admin(const struct cli_request *r)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	uv_os_fd_t fd;

	if (uv_fileno((const uv_handle_t *)&r->pipe, &fd) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	return peer.uid == 0 || peer.uid == r->cli->config.owner;
}

static void request_run(struct cli_request *r, uint32_t len)
{
	const struct cli_command *command = NULL;

	uv_read_stop((uv_stream_t *)&r->pipe);
	uv_timer_again(&r->timer);
	r->running = true;
	if (!request_split(r, len)) {
		cli_fail(r, "malformed request");
		return;
	}
	command = cli_find(r->cli, r->word[0]);
	if (command == NULL)
		cli_fail(r, "unknown command");
	else if (r->words - 1 > command->words_max)
		cli_fail(r, "too many arguments");
	else if (command->role == CLI_ADMIN && !request_is_admin(r))
		cli_fail(r, "not allowed: this command is for root and the node's own user");
	else
		command->run(r, r->cli->config.context);
}

static void request_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct cli_request *r = handle->data;

	/* one byte is kept for the terminator */
	*buffer = uv_buf_init(r->line + r->len, (unsigned)sizeof(r->line) - 1 - r->len);
}

static void request_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct cli_request *r = stream->data;
	const char *end;

	if (n == UV_ENOBUFS) {
		uv_read_stop(stream);
		r->running = true;
		cli_fail(r, "request too long");
		return;
	}
	if (n < 0) {
		request_close(r);
		return;
	}
	end = memchr(r->line + r->len, '\n', (size_t)n);
	r->len += (uint32_t)n;
	if (end != NULL)
		request_run(r, (uint32_t)(end - r->line));
}

static void cli_accept(uv_stream_t *server, int status)
{
	struct cli *cli = server->data;
	struct cli_request *r;

	if (status != 0)
		return;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return;
	r->cli = cli;
	r->handles = 2;
	cli->alive++;
	uv_pipe_init(cli->config.loop, &r->pipe, 0);
	uv_timer_init(cli->config.loop, &r->timer);
	r->pipe.data = r;
	r->timer.data = r;
	r->next = cli->clients;
	cli->clients = r;
	cli->count++;
	if (uv_accept(server, (uv_stream_t *)&r->pipe) != 0 ||
	    cli->count > cli->config.clients_max ||
	    uv_timer_start(&r->timer, request_deadline, cli->config.deadline_ms,
			   cli->config.deadline_ms) != 0 ||
	    uv_read_start((uv_stream_t *)&r->pipe, request_room, request_read) != 0)
		request_close(r);
}

/* ---- the socket ---------------------------------------------------------------------------- */

/** Whether a process listens on the socket at path. */
static bool cli_somebody_listens(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool listens;

	if (fd < 0)
		return false;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	/* EAGAIN: it listens, and its queue is full */
	listens = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN;
	close(fd);
	return listens;
}

static enum gw_err cli_fault(enum gw_err err, const char *text, char *why, size_t why_size)
{
	snprintf(why, why_size, "%s", text);
	return err;
}

static enum gw_err cli_clear_place(const char *path, char *why, size_t why_size)
{
	char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	struct stat about;

	snprintf(folder, sizeof(folder), "%s", path);
	if (mkdir(dirname(folder), 0755) == 0)
		(void)chmod(folder, 0755); /* the umask of the process keeps others out of it */
	else if (errno != EEXIST)
		return cli_fault(GW_SYSTEM, strerrordesc_np(errno), why, why_size);
	if (lstat(path, &about) != 0)
		return GW_OK;
	if (!S_ISSOCK(about.st_mode))
		return cli_fault(GW_CONFIG, "not a socket", why, why_size);
	if (cli_somebody_listens(path))
		return cli_fault(GW_BUSY, "another process listens on it", why, why_size);
	if (unlink(path) != 0)
		return cli_fault(GW_SYSTEM, strerrordesc_np(errno), why, why_size);
	return GW_OK;
}

/** Binds with permissions for nobody else, then opens it as far as configured. */
static int cli_bind(struct cli *cli)
{
	mode_t mask = umask(0177);
	int err = uv_pipe_bind(&cli->pipe, cli->path);

	umask(mask);
	if (err != 0)
		return err;
	if (chmod(cli->path, cli->config.mode) != 0)
		return uv_translate_sys_error(errno);
	return uv_listen((uv_stream_t *)&cli->pipe, CLI_BACKLOG, cli_accept);
}

static void cli_closed(uv_handle_t *handle)
{
	cli_drop_reference(handle->data);
}

enum gw_err cli_open(const struct cli_config *config, struct cli **opened, char *why,
		     size_t why_size)
{
	struct cli *cli = calloc(1, sizeof(*cli));
	enum gw_err err;
	int uv_err;

	if (cli == NULL)
		return cli_fault(GW_NO_MEMORY, "no memory", why, why_size);
	cli->config = *config;
	if (cli->config.clients_max == 0)
		cli->config.clients_max = CLI_CLIENTS;
	if (cli->config.deadline_ms == 0)
		cli->config.deadline_ms = CLI_DEADLINE_MS;
	snprintf(cli->path, sizeof(cli->path), "%s", config->path);
	err = cli_clear_place(cli->path, why, why_size);
	if (err != GW_OK) {
		free(cli);
		return err;
	}
	cli->alive = 1;
	uv_pipe_init(config->loop, &cli->pipe, 0);
	cli->pipe.data = cli;
	uv_err = cli_bind(cli);
	if (uv_err != 0) {
		uv_close((uv_handle_t *)&cli->pipe, cli_closed);
		return cli_fault(GW_SYSTEM, uv_strerror(uv_err), why, why_size);
	}
	*opened = cli;
	return GW_OK;
}

void cli_close(struct cli *cli)
{
	if (cli == NULL || cli->closing)
		return;
	cli->closing = true;
	while (cli->clients != NULL)
		request_close(cli->clients);
	uv_close((uv_handle_t *)&cli->pipe, cli_closed);
}
