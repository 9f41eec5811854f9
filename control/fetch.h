/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FETCH_H
#define FETCH_H

#include "cli.h"
#include "mailbox.h"
#include "message.h"

/**
 * Lists that live in the workers: asks every worker page by page through its mailbox, and ends the
 * request with all rows as one JSON list. A ring that is full is tried again; a worker that does
 * not answer before the deadline of the request makes the answer "busy".
 */
struct fetch;

struct fetch_config {
	uv_loop_t *loop;
	struct mailbox_hub *hub;
	uint16_t workers;  /* control is endpoint number workers */
	uint32_t max_rows; /* of one answer; when there are more it says "truncated": true */
};

/** NULL: no memory. */
struct fetch *fetch_new(const struct fetch_config *config);

/** Fails what is under way; memory goes when the loop has closed the timer. NULL does nothing. */
void fetch_close(struct fetch *fetch);

/** A list that is asked for. */
struct fetch_order {
	enum command_kind what; /* COMMAND_CONNECTIONS, _SESSIONS, _BINDINGS, _POOLS, _SHOW */
	/* connections only: those with an end like this */
	struct endpoint host; /* AF_UNSPEC: any */
	uint16_t port;	      /* 0: any */
	struct show_ask show; /* COMMAND_SHOW */
	/** Makes the answer of the rows, which are its own; NULL: as the list is called. */
	json_t *(*end)(const void *context, json_t *rows_owned);
	const void *context;
};

/** Takes the request and ends it with {"connections": [...]}, or as the list is called; of
 * COMMAND_SHOW with the lists "sessions", "connections", "bindings" and "transactions", or, when
 * all of them are empty, with an error. */
void fetch_start(struct fetch *fetch, struct cli_request *request, const struct fetch_order *order);

/** Takes a MESSAGE_ANSWER of worker from. One that nobody waits for, or that is malformed, is
 * ignored. */
void fetch_answer(struct fetch *fetch, uint16_t from, struct span message);

/** A keyed hash as lists and the log show it: "h:" and 16 hexadecimal digits. */
json_t *fetch_hash(uint64_t hash);

#endif
