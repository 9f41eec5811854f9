/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "../command_list.h"
#include "file_word.h"
#include "stream.h"
#include "table.h"
#include "token_word.h"
#include "wwsf_uri.h"

enum exit_code { EXIT_DONE, EXIT_FAILED, EXIT_USAGE };

enum {
	REQUEST_MAX = 16384,
	ANSWER_MAX = 1 << 30, /* bytes: more than the node's max_rows can make */
	WAIT_SECONDS = 15,    /* the node answers within 5, but a reload when it is done */
};

static const struct command {
	const char *name, *arguments, *help;
	int arguments_max;
} commands[] = {
#define COMMAND_ROW(name, arguments, max, role, help) {#name, arguments, help, max},
	COMMAND_LIST(COMMAND_ROW)
#undef COMMAND_ROW
		{"wwsf-uri", WWSF_URI_ARGUMENTS, WWSF_URI_HELP, 3},
};

struct request {
	const char *socket;
	bool json;
	const struct command *command;
	char **arguments;
	int count;
	const char *token; /* a word behind the arguments; NULL: none */
	bool streams;
	enum ladder_form form; /* of a stream */
};

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void usage(FILE *out)
{
	fputs("Usage: wicctl [--socket PATH] [--json] COMMAND [ARGUMENTS]\n"
	      "\n"
	      "  --socket PATH  the node's socket (default /run/wicgate/control.sock)\n"
	      "  --json         print the answer as it came\n"
	      "  --help         this text, or after COMMAND the help of the command\n"
	      "  --version      print the version\n"
	      "\n"
	      "Commands:\n",
	      out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-11s  %-28s  %s\n", commands[i].name, commands[i].arguments,
			commands[i].help);
	fputs("\nExit: 0 done, 1 failed or not reached, 2 wrong usage.\n", out);
}

static void command_usage(const struct command *command)
{
	printf("Usage: wicctl [--socket PATH] [--json] %s %s\n\n%s\n", command->name,
	       command->arguments, command->help);
}

/* ---- the socket ---------------------------------------------------------------------------- */

/** wait_s: 0 waits as long as it takes. */
static int node_connect(const char *path, int wait_s)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval wait = {.tv_sec = wait_s};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static bool node_send(int fd, const struct request *request)
{
	char line[REQUEST_MAX];
	int len = snprintf(line, sizeof(line), "%s", request->command->name);

	for (int i = 0; i < request->count && len < REQUEST_MAX; i++)
		len += snprintf(line + len, sizeof(line) - (size_t)len, " %s",
				request->arguments[i]);
	if (request->token != NULL && len < REQUEST_MAX)
		len += snprintf(line + len, sizeof(line) - (size_t)len, " %s", request->token);
	if (len >= REQUEST_MAX - 1) {
		errno = EMSGSIZE;
		return false;
	}
	line[len++] = '\n';
	return send(fd, line, (size_t)len, MSG_NOSIGNAL) == len;
}

/** Reads to the end of the stream. NULL with errno set. */
static char *node_receive(int fd, size_t *len)
{
	size_t room = 65536;
	char *text = malloc(room);

	for (*len = 0; text != NULL;) {
		ssize_t n;

		if (*len == room) {
			char *more = room >= ANSWER_MAX ? NULL : realloc(text, room *= 2);

			if (more == NULL)
				break;
			text = more;
		}
		n = recv(fd, text + *len, room - *len, 0);
		if (n == 0)
			return text;
		if (n < 0 && errno != EINTR)
			break;
		*len += n > 0 ? (size_t)n : 0;
	}
	free(text);
	return NULL;
}

/* ---- the answer ---------------------------------------------------------------------------- */

static enum exit_code print_error(const json_t *answer)
{
	const json_t *problems = json_object_get(answer, "problems");

	fprintf(stderr, "wicctl: %s\n", json_string_value(json_object_get(answer, "error")));
	for (size_t i = 0; i < json_array_size(problems); i++)
		fprintf(stderr, "%s\n", json_string_value(json_array_get(problems, i)));
	return EXIT_FAILED;
}

/** The answer is an error, or tells of one beside what it has: a ping that nobody answered. */
static bool answer_failed(json_t *answer)
{
	if (json_object_get(answer, "error") != NULL)
		return true;
	for (void *i = json_object_iter(answer); i != NULL; i = json_object_iter_next(answer, i))
		if (json_object_get(json_object_iter_value(i), "error") != NULL)
			return true;
	return false;
}

static enum exit_code print_answer(const struct request *request, const char *text, size_t len)
{
	enum exit_code code = EXIT_DONE;
	json_t *answer = json_loadb(text, len, 0, NULL);

	if (!json_is_object(answer)) {
		fputs("wicctl: the answer is not a JSON object\n", stderr);
		code = EXIT_FAILED;
	} else if (request->json) {
		printf("%.*s\n", (int)len, text);
		code = answer_failed(answer) ? EXIT_FAILED : EXIT_DONE;
	} else if (json_is_string(json_object_get(answer, "error"))) {
		code = print_error(answer);
	} else {
		table_print(answer, stdout);
		code = answer_failed(answer) ? EXIT_FAILED : EXIT_DONE;
	}
	json_decref(answer);
	return code;
}

static enum exit_code print_stream(const struct request *request, int fd)
{
	const struct stream_config config = {fd, request->json, request->form};

	return stream_print(&config) ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_code ask(const struct request *request)
{
	enum exit_code code = EXIT_FAILED;
	bool reload = strcmp(request->command->name, "reload") == 0;
	int fd = node_connect(request->socket, reload ? 0 : WAIT_SECONDS);
	char *text = NULL;
	size_t len = 0;

	if (fd >= 0 && node_send(fd, request)) {
		if (request->streams) {
			code = print_stream(request, fd);
			close(fd);
			return code;
		}
		text = node_receive(fd, &len);
	}
	if (text == NULL)
		fprintf(stderr, "wicctl: %s: %s\n", request->socket, strerror(errno));
	else
		code = print_answer(request, text, len);
	free(text);
	if (fd >= 0)
		close(fd);
	return code;
}

/* ---- the command line ---------------------------------------------------------------------- */

static enum exit_code wrong(const char *what, const char *word)
{
	fprintf(stderr, "wicctl: %s%s; see wicctl --help\n", what, word);
	return EXIT_USAGE;
}

/**
 * The node parts a request at its spaces and ends it at a line feed: another word than the one that
 * was given would reach it. A FILTER is made of any words, or of none. NULL, or what is wrong.
 */
static const char *words_refused(const struct request *request)
{
	bool filter = strcmp(request->command->name, "capture") == 0;

	for (int i = 0; i < request->count; i++) {
		const char *c = request->arguments[i];

		while ((*c >= '!' && *c <= '~') || (*c == ' ' && filter))
			c++;
		if (*c != '\0' || (c == request->arguments[i] && !filter))
			return "an argument is empty, or has other characters than visible ASCII";
	}
	return NULL;
}

/** Takes --full, which is not for the node, out of the arguments of a trace. */
static void take_form(struct request *request)
{
	int kept = 0;

	request->streams = true;
	for (int i = 0; i < request->count; i++) {
		if (strcmp(request->arguments[i], "--full") == 0)
			request->form = LADDER_WHOLE;
		else
			request->arguments[kept++] = request->arguments[i];
	}
	request->count = kept;
}

/** Brings the arguments into the form in which they are sent. NULL, or what is wrong. */
static const char *prepare(struct request *request, char file[REQUEST_MAX], char token[REQUEST_MAX])
{
	const char *why = NULL;

	if (strcmp(request->command->name, "capture") == 0)
		why = file_word_absolute(request->arguments, request->count, file, REQUEST_MAX);
	if (strcmp(request->command->name, "trace") == 0)
		take_form(request);
	if (strcmp(request->command->name, "explain") == 0 &&
	    token_word_missing(request->arguments, request->count)) {
		why = token_word_read(stdin, token, REQUEST_MAX);
		request->token = token;
	}
	return why != NULL ? why : words_refused(request);
}

/** What needs no node. */
static enum exit_code run_here(const struct request *request)
{
	const char *why;
	json_t *answer = wwsf_uri_answer(request->arguments, request->count, &why);
	char *text = answer != NULL ? json_dumps(answer, JSON_COMPACT) : NULL;
	enum exit_code code;

	json_decref(answer);
	if (text == NULL)
		return wrong(why != NULL ? why : strerror(ENOMEM), "");
	code = print_answer(request, text, strlen(text));
	free(text);
	return code;
}

static enum exit_code run(struct request *request, int argc, char **argv)
{
	char file[REQUEST_MAX], token[REQUEST_MAX];
	const char *why;

	if (argc == 0)
		return wrong("no command", "");
	request->command = command_find(argv[0]);
	if (request->command == NULL)
		return wrong("unknown command ", argv[0]);
	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		command_usage(request->command);
		return EXIT_DONE;
	}
	if (argc - 1 > request->command->arguments_max)
		return wrong("too many arguments for ", argv[0]);
	request->arguments = argv + 1;
	request->count = argc - 1;
	if (strcmp(request->command->name, "wwsf-uri") == 0)
		return run_here(request);
	why = prepare(request, file, token);
	return why == NULL ? ask(request) : wrong(why, "");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"socket", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},
		{0},
	};
	struct request request = {.socket = "/run/wicgate/control.sock"};

	for (;;) {
		/* "+": what follows the command is the command's */
		int option = getopt_long(argc, argv, "+", options, NULL);

		if (option == -1)
			return run(&request, argc - optind, argv + optind);
		switch (option) {
		case 's':
			request.socket = optarg;
			break;
		case 'j':
			request.json = true;
			break;
		case 'h':
			usage(stdout);
			return EXIT_DONE;
		case 'v':
			puts("wicctl " WICGATE_VERSION);
			return EXIT_DONE;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
}
