/* SPDX-License-Identifier: BSD-3-Clause */
#include "audit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	AUDIT_BUFFER = 256 * 1024,
	AUDIT_LINE_MAX = 2048, /* three identities and some hundred bytes */
	AUDIT_WAIT_MS = 1000,  /* for a pipe that nobody reads */
};

/** What the thread does: it alone touches the file while it is at it. */
struct errand_write {
	uv_work_t work;
	bool open; /* path anew */
	char path[PATH_MAX];
	int fd;	   /* -1: none */
	bool torn; /* half a line is the last thing in it */
	uint8_t *bytes;
	uint32_t len;
	uint64_t lost; /* lines of bytes that are not in the file */
	int error;     /* errno of the last failure; 0: none */
};

struct audit {
	struct audit_config config;
	struct errand_write write;
	bool busy; /* the thread is at it */
	bool closing;
	bool reopen;
	char path[PATH_MAX]; /* "": nowhere */
	uint8_t *filling;    /* config.buffer_bytes; write.bytes is as long */
	uint32_t len;
	uint64_t lost, lost_told, lost_logged; /* told: in the stream itself */
};

/* ---- the thread ------------------------------------------------------------------------------ */

static void write_open(struct errand_write *w)
{
	bool standard = strcmp(w->path, "stderr") == 0;

	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	w->torn = false;
	if (w->path[0] == '\0')
		return;
	w->fd = standard ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)
			 : open(w->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK,
				0640);
	if (w->fd < 0)
		w->error = errno;
}

/** As many whole lines as a pipe takes at once. */
static uint32_t write_some(struct span lines)
{
	uint32_t n = lines.len < PIPE_BUF ? lines.len : PIPE_BUF;

	while (n > 0 && lines.at[n - 1] != '\n')
		n--;
	return n;
}

static uint64_t count_lines(struct span lines)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < lines.len; i++)
		count += lines.at[i] == '\n';
	return count;
}

/** Ends what is left of a line that did not fit. */
static void write_mend(struct errand_write *w)
{
	if (w->torn && write(w->fd, "\n", 1) == 1)
		w->torn = false;
}

/** How many bytes of lines are in the file now. */
static uint32_t write_once(struct errand_write *w, struct span lines)
{
	struct pollfd ready = {.fd = w->fd, .events = POLLOUT};
	ssize_t n = -1;

	errno = EAGAIN;
	write_mend(w);
	if (!w->torn && poll(&ready, 1, AUDIT_WAIT_MS) == 1)
		n = write(w->fd, lines.at, lines.len);
	if (n == (ssize_t)lines.len)
		return lines.len;
	w->error = n < 0 ? errno : ENOSPC;
	w->torn = w->torn || (n > 0 && lines.at[n - 1] != '\n');
	return n < 0 ? 0 : (uint32_t)n;
}

static void write_work(uv_work_t *work)
{
	struct errand_write *w = work->data;
	struct span rest = span_of(w->bytes, w->len);

	w->lost = 0;
	w->error = 0;
	if (w->open)
		write_open(w);
	while (rest.len > 0 && w->fd >= 0 && w->error == 0) {
		uint32_t n = write_some(rest);
		uint32_t written = write_once(w, span_cut(rest, 0, n));

		w->lost += count_lines(span_cut(rest, written, n - written));
		rest = span_from(rest, n);
	}
	w->lost += count_lines(rest);
}

/* ---- control --------------------------------------------------------------------------------- */

static void audit_free(struct audit *audit)
{
	if (audit->write.fd >= 0)
		close(audit->write.fd);
	free(audit->write.bytes);
	free(audit->filling);
	free(audit);
}

/** error: errno, 0: none. */
static void audit_log(struct audit *audit, int error)
{
	struct log_line line;

	if (error == 0 && audit->lost == audit->lost_logged)
		return;
	audit->lost_logged = audit->lost;

	log_begin(audit->config.log, &line, LOG_LEVEL_ERROR, "audit_failed");
	log_text(&line, "file", audit->path);
	log_text(&line, "why", error != 0 ? strerrordesc_np(error) : "it is written too slowly");
	log_number(&line, "lost_lines", audit->lost);
	log_end(&line);
}

static void audit_kick(struct audit *audit);

static void audit_written(uv_work_t *work, int status)
{
	struct errand_write *w = work->data;
	struct audit *audit = (struct audit *)((uint8_t *)w - offsetof(struct audit, write));

	audit->busy = false;
	audit->lost += w->lost;
	audit_log(audit, w->error);
	audit_kick(audit);
	if (audit->closing && !audit->busy)
		audit_free(audit);
}

/** Has the thread write what waits. */
static void audit_kick(struct audit *audit)
{
	struct errand_write *w = &audit->write;
	uint8_t *bytes = w->bytes;

	if (audit->busy || (audit->len == 0 && !audit->reopen))
		return;
	w->bytes = audit->filling;
	w->len = audit->len;
	w->open = audit->reopen;
	memcpy(w->path, audit->path, sizeof(w->path));
	w->work.data = w;
	audit->filling = bytes;
	audit->len = 0;
	audit->reopen = false;
	audit->busy = uv_queue_work(audit->config.loop, &w->work, write_work, audit_written) == 0;
}

struct audit *audit_new(const struct audit_config *config)
{
	struct audit *audit = calloc(1, sizeof(*audit));

	if (audit == NULL)
		return NULL;
	audit->config = *config;
	if (config->buffer_bytes == 0)
		audit->config.buffer_bytes = AUDIT_BUFFER;
	audit->write.fd = -1;
	audit->filling = malloc(audit->config.buffer_bytes);
	audit->write.bytes = malloc(audit->config.buffer_bytes);
	if (audit->filling != NULL && audit->write.bytes != NULL)
		return audit;
	audit_free(audit);
	return NULL;
}

void audit_file(struct audit *audit, const char *path)
{
	if (audit->path[0] == '\0' && path[0] == '\0')
		return;
	snprintf(audit->path, sizeof(audit->path), "%s", path);
	audit->reopen = true;
	audit_kick(audit);
}

uint64_t audit_lost(const struct audit *audit)
{
	return audit->lost;
}

void audit_close(struct audit *audit)
{
	if (audit == NULL)
		return;
	audit->closing = true;
	audit_kick(audit);
	if (!audit->busy)
		audit_free(audit);
}

/* ---- lines ----------------------------------------------------------------------------------- */

static const char *audit_name(const struct message_audit *a)
{
	switch (a->event.what) {
	case EVENT_REGISTERED:
		return a->refresh ? "register_refresh" : "register_start";
	case EVENT_BINDING_END:
		return "register_end";
	case EVENT_REGISTER_FAILED:
		return "register_failed";
	case EVENT_POOL_CONFLICT:
		return "pool_conflict";
	case EVENT_WILDCARD_USER:
		return "wildcard_user";
	case EVENT_CALL_ANSWERED:
		return "call_answered";
	case EVENT_CALL_FAILED:
		return "call_failed";
	case EVENT_CALL_ENDED:
		return "call_ended";
	case EVENT_DESTINATION_REFUSED:
		return "destination_refused";
	default:
		return NULL;
	}
}

static void put_field(struct writer *w, const char *key, struct span value)
{
	writer_u8(w, ' ');
	writer_text(w, key);
	writer_u8(w, '=');
	log_write_value(w, value);
}

static void put_text(struct writer *w, const char *key, const char *value)
{
	if (value[0] != '\0')
		put_field(w, key, span_text(value));
}

static void put_number(struct writer *w, const char *key, uint64_t value)
{
	writer_u8(w, ' ');
	writer_text(w, key);
	writer_u8(w, '=');
	writer_decimal(w, value);
}

/** In clear when the worker has sent it so. */
static void put_identity(struct writer *w, const char *key, struct span clear, uint64_t hash)
{
	char text[24];

	snprintf(text, sizeof(text), "h:%016llx", (unsigned long long)hash);
	if (clear.len > 0)
		put_field(w, key, clear);
	else if (hash != 0)
		put_text(w, key, text);
}

static void put_identities(struct writer *w, const struct message_audit *a)
{
	struct span text = span_of(a->text, sizeof(a->text));
	struct span impi = span_cut(text, 0, a->impi_len);
	struct span impu = span_cut(text, a->impi_len, a->impu_len);
	struct span peer = span_cut(text, a->impi_len + a->impu_len, a->peer_len);

	put_identity(w, "impi", impi, a->event.impi_hash);
	put_identity(w, "impu", impu, a->event.impu_hash);
	put_identity(w, "peer", peer, a->peer_hash);
}

static bool is_call(const struct message_audit *a)
{
	return a->event.what == EVENT_CALL_ANSWERED || a->event.what == EVENT_CALL_FAILED ||
	       a->event.what == EVENT_CALL_ENDED;
}

static void put_line(struct writer *w, const struct message_audit *a, uint16_t worker,
		     uint64_t now_us)
{
	writer_text(w, "ts=");
	log_write_time(w, now_us);
	put_text(w, "audit", audit_name(a));
	if (a->event.what != EVENT_REGISTERED) { /* it began when it was asked for, or made */
		writer_text(w, " began=");
		log_write_time(w, now_us - a->elapsed_ms * 1000);
	}
	put_number(w, "worker", worker);
	put_number(w, "flow_slot", a->event.handle.slot);
	if (is_call(a))
		put_text(w, "direction", a->originating ? "originating" : "terminating");
	put_text(w, "icid", a->icid);
	put_identities(w, a);
	put_text(w, "wwsf", a->event.text);
	if (a->event.status != 0)
		put_number(w, "status", a->event.status);
	if (a->event.seconds != 0)
		put_number(w, "expires_s", a->event.seconds);
	if (a->event.err != GW_OK)
		put_text(w, "cause", gw_err_name(a->event.err));
}

static uint64_t audit_now(const struct audit *audit)
{
	struct timespec now;

	if (audit->config.clock != NULL)
		return audit->config.clock();
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void audit_add(struct audit *audit, const struct message_audit *a, uint16_t worker)
{
	uint8_t line[AUDIT_LINE_MAX];
	struct writer w;

	writer_init(&w, line, sizeof(line));
	put_line(&w, a, worker, audit_now(audit));
	if (audit->lost != audit->lost_told)
		put_number(&w, "lost", audit->lost);
	writer_u8(&w, '\n');
	if (!writer_ok(&w) || writer_len(&w) > audit->config.buffer_bytes - audit->len) {
		audit->lost++;
		return;
	}
	audit->lost_told = audit->lost;
	memcpy(audit->filling + audit->len, line, writer_len(&w));
	audit->len += writer_len(&w);
	audit_kick(audit);
}

void audit_message(struct audit *audit, uint16_t worker, struct span message)
{
	struct message_audit a = {0};
	uint32_t known = message.len < sizeof(a) ? message.len : (uint32_t)sizeof(a);

	if (audit->path[0] == '\0' || known < offsetof(struct message_audit, text) ||
	    !span_copy(&message, &a, known) || a.event.head.kind != MESSAGE_EVENT ||
	    audit_name(&a) == NULL)
		return;
	a.icid[AUDIT_ICID_MAX] = '\0';
	a.event.text[sizeof(a.event.text) - 1] = '\0';
	audit_add(audit, &a, worker);
}
