/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WORLD_H
#define WORLD_H

#include <jansson.h>

#include "control/commands.h"
#include "control/inbox.h"
#include "loaded.h"

enum {
	WORKERS = 2,
	CONTROL = WORKERS,
	WORLD_PORTS = 3,
	WORLD_DEADLINE_MS = 300,
	WORLD_FILE_MAX = 200000 /* bytes of a capture */
};

/** What a worker of this world does with a command. */
enum manner { ANSWERS, SILENT, DEAF /* does not even read its ring */, LIES };

/** The key of hashes that the world's configuration has. */
extern const uint8_t world_hash_key[16];

/** A control loop with a socket, and two workers that live on the same loop. */
struct world {
	struct folder folder;
	char socket[100];
	uv_loop_t loop;
	uv_timer_t turn; /* of the workers */
	uv_async_t done; /* the client has its answer */
	struct mailbox_hub *hub;
	struct inbox *inbox;
	struct cli *cli;
	struct commands commands;
	struct log *log;
	struct counters counters[WORKERS];
	enum manner manner[WORKERS];
	uint32_t rows[WORKERS];
	uint32_t hear_after_turns;  /* a DEAF worker begins to answer; 0: never */
	struct endpoint asked_host; /* of the last list */
	uint16_t asked_port;
	uint32_t drained_s;
	const char *configuration; /* live */
	uint32_t reload_ms;	   /* a reload takes so long */
	uv_timer_t reload;
	struct cli_request *reloading;
	const char *request;
	uint32_t request_len;
	uid_t client_uid; /* 0: as the test */
	char *answer;
	uint32_t ports; /* so many of the fake ones are there: kernel, and two with packets */
	uint32_t neighbours;
	/* what `keys` tells of: nothing until a test sets it */
	struct publish_keys_from keys;
	/* what pings come to: of the first, of the second, ... */
	struct row_pong pongs[16];
	struct endpoint pinged;
	uint32_t pings;
	/* captures */
	enum gw_err capture_err;
	uint32_t captures, capture_ends; /* commands that workers have got */
	struct capture_filter filter;	 /* the last one */
	char log_text[4096];
	/* traces */
	enum gw_err trace_err;	     /* of worker 1 */
	uint64_t trace_lost;	     /* of each worker, when it is told to stop */
	uint32_t traces, trace_ends; /* commands that workers have got */
	struct trace_filter trace;   /* the last one */
	uint32_t trace_sends;	     /* messages that worker 0 hands over when it begins */
	/* what `show` tells of: nothing until a test sets it */
	struct show_ask show;
	struct row_show shown[6];
	uint32_t shown_count; /* by worker 1 */
	/* the door: what is live, and what was made live */
	int state; /* the state directory */
	struct config_part config;
	struct key_part key_part;
	uint32_t published[REVOCATION_KINDS];
	bool no_room; /* to publish */
	struct row_step steps[4];
	uint32_t step_count;
	char explained[10000]; /* "ORIGIN|TOKEN" of the last explain */
};

/** The same deadline for all requests, ms. */
void world_begin_with(struct world *w, uint32_t deadline_ms);
void world_begin(struct world *w);
void world_end(struct world *w);

int world_connect(const struct world *w);

/** Sends bytes to the socket from another thread and runs the loop until the stream ends. */
const char *world_ask_bytes(struct world *w, const char *bytes, size_t len);
const char *world_ask(struct world *w, const char *request);
/** The same for a request of a format. */
const char *world_askf(struct world *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** The list in the answer to request; the caller gives it back. */
json_t *world_ask_list(struct world *w, const char *request, const char *name);
const char *world_text(const json_t *list, size_t i, const char *name);
json_int_t world_number(const json_t *list, size_t i, const char *name);

/** Runs wicctl against the socket and gives its exit code; what it printed is in w->answer. */
int world_wicctl(struct world *w, const char *arguments);

/** Runs the loop for ms milliseconds. */
void world_pass(struct world *w, uint32_t ms);

/** The same as world_begin_with(), for so many clients at a time. */
void world_begin_for(struct world *w, uint32_t deadline_ms, uint32_t clients);

/** A SIP message that worker hands to a trace. */
void world_traced(struct world *w, uint16_t worker, uint32_t id, struct span text);

/** A frame that worker hands to the capture. */
void world_frame(struct world *w, uint16_t worker, const struct message_captured *about,
		 struct span bytes);

#endif
