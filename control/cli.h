/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLI_H
#define CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "gw_err.h"

/**
 * The Unix socket of wicctl. A client sends one line, words separated by spaces, and gets one JSON
 * document and the end of the stream. Everything here runs on the control loop and nothing blocks.
 *
 * A command is finished by its handler, now or later, with exactly one cli_reply() or cli_fail();
 * until then the request lives, also when the client has gone or its deadline has passed (it then
 * got {"error": "busy"}), and the answer goes nowhere.
 */
struct cli;
struct cli_request;

/** Who may give a command: whoever can reach the socket, or root and the node's own user only. */
enum cli_role { CLI_OPERATOR, CLI_ADMIN };

struct cli_command {
	const char *name;
	const char *arguments; /* for people: "[SECONDS]", or "" */
	const char *help;
	uint32_t words_max; /* arguments it takes at most */
	enum cli_role role;
	void (*run)(struct cli_request *request, void *context);
};

struct cli_config {
	uv_loop_t *loop;
	const char *path;
	uint32_t mode; /* 0600 or 0660 */
	const struct cli_command *commands;
	uint32_t command_count;
	void *context;	      /* for run */
	uid_t owner;	      /* the user that is an admin beside root */
	uint32_t clients_max; /* 0: 16; more are closed at once */
	uint32_t deadline_ms; /* 0: 5000, for the request to come and for its answer */
};

/** Bytes of a request line, which may hold a token, and words in it. */
enum { CLI_REQUEST_MAX = 16384, CLI_WORDS_MAX = 128 };

/**
 * Opens the socket, taking the place of one that no process listens on any more, and making its
 * folder (not the parents). GW_BUSY: a process listens there; GW_CONFIG: something else than a
 * socket is there; GW_SYSTEM, with the reason in why of why_size bytes.
 */
enum gw_err GW_MUST_CHECK cli_open(const struct cli_config *config, struct cli **opened, char *why,
				   size_t why_size);

/**
 * Stops listening, removes the socket and drops its clients. The memory goes when the loop has
 * closed the handles and every handler has finished its request. NULL does nothing.
 */
void cli_close(struct cli *cli);

/** Word i of the request, 0 being the command; NULL past the end. */
const char *cli_word(const struct cli_request *request, uint32_t i);

/** Ends the request with an answer, which becomes the callee's. */
void cli_reply(struct cli_request *request, json_t *answer_owned);

/** Ends the request with {"error": text}. */
void cli_fail(struct cli_request *request, const char *text);

/** The request has no deadline any more: its handler is sure to end it, only not soon. */
void cli_wait(struct cli_request *request);

/** The client of a stream has closed its side; context: as given. */
typedef void cli_gone(void *context);

/**
 * Makes the request a stream: lines follow, each a document of its own, as long as it takes, and
 * cli_reply() or cli_fail() ends it like any other. gone is called at most once, from the loop,
 * when the client wants no more; the end is still sent to it. Who is not gone reads, or loses
 * lines.
 */
void cli_stream(struct cli_request *request, cli_gone *gone, void *context);

/** Sends a line, which becomes the callee's. False: it is lost, the client reads too slowly. */
bool GW_MUST_CHECK cli_line(struct cli_request *request, json_t *line_owned);

/** Milliseconds a handler may take before the client is told "busy". */
uint32_t cli_deadline_ms(const struct cli_request *request);

#endif
