/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONN_SCENE_H
#define CONN_SCENE_H

#include "conn_conformance.h"
#include "test.h"

/** The stage of the conformance tests: a server and clients that note what they are told. */

#define SIDES 16u
#define PATIENCE_MS 5000u

extern const struct net_limits scene_limits; /* the usual ones */
extern const struct conn_ops side_ops;	     /* for a context that is a struct side */

/* One end of a connection: what it was told, and what it does when it is told something. */
struct side {
	struct conn_world *w;
	struct conn *conn; /* NULL: not there yet, or closed */
	struct handle ref;
	uint32_t accepted, connected, readable, writable, fins, deadlines, closed;
	enum gw_err why;
	uint64_t sent;
	uint64_t received;
	uint64_t received_at_fin;
	uint32_t room_at_writable;
	bool wrong;	     /* a byte was not the one that was sent, or a callback came late */
	bool leaves_unread;  /* readable consumes nothing */
	bool pauses;	     /* reading is paused as soon as the connection is there */
	bool finishes;	     /* answers the peer's FIN with its own */
	struct side *victim; /* readable aborts it, may be itself */
	enum gw_err refuses; /* what accept returns */
	bool reopens;	     /* closed opens another connection, and notes the answer */
	enum gw_err reopened;
};

/* A server with its connections, in the order of accept. */
struct server {
	struct conn_world *w;
	uint32_t sides;
	struct side side[SIDES];
};

/* What a UDP port was told. */
struct port {
	uint32_t datagrams;
	uint32_t unreachable;
	uint32_t len;
	uint8_t bytes[65536];
	struct endpoint local, peer;
};

struct scene {
	struct conn_world w;
	struct server server;
	struct side client[SIDES];
	struct port port[CORES];
};

/** Byte number n of any stream: what a side sends, and expects. */
uint8_t stream_byte(uint64_t n);

/** Reads everything there is, and checks it. */
void side_read(struct side *s);

/** Sends up to max bytes of its stream; returns how many were taken. */
uint32_t side_write(struct side *s, uint32_t max);

/** conn is the end that s plays. */
void side_begin(struct side *s, struct conn *conn);

/** A world with these limits; state is the test's. */
struct scene *scene_new(void **state, const struct net_limits *limits);

/** Ends it, and checks that every connection was told so once and in its place. */
void scene_free(struct scene *scene);

/** One turn of both cores. */
void scene_turn(struct scene *scene);

void scene_turns(struct scene *scene, int n);

uint64_t scene_now_us(const struct scene *scene);

/** The server's port on address. */
struct endpoint scene_server_at(const struct scene *scene, const struct endpoint *address);

void scene_listen(struct scene *scene, const struct endpoint *address);

/** Begins to connect. */
void scene_connect(struct scene *scene, struct side *s, const struct endpoint *local,
		   const struct endpoint *peer);

/** Opens client n. It sends a byte, since a back end may wait for one before it accepts. */
struct side *scene_open_client(struct scene *scene, uint32_t n);

/** A listener and one connection, over which nothing is under way. */
struct scene *scene_connected(void **state);

/* Runs until the condition holds, and fails when it takes too long. */
#define UNTIL(scene, condition) \
	do { \
		uint64_t until_us_ = scene_now_us(scene) + PATIENCE_MS * 1000; \
		while (!(condition) && scene_now_us(scene) < until_us_) \
			scene_turn(scene); \
		EXPECT(condition); \
	} while (0)

#endif
