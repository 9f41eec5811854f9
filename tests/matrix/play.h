/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MATRIX_PLAY_H
#define MATRIX_PLAY_H

#include "stream.h"

/**
 * What one end of a connection does: both programs read the same options and keep the same rules,
 * and what an option cannot mean to one of them it does not do.
 */
struct play {
	uint64_t kernel;  /* ours only: kernel sockets instead of packets */
	uint64_t buffer;  /* ours only: bytes that may wait to be sent or acknowledged */
	uint64_t v6;	  /* else IPv4 */
	uint64_t connect; /* else it listens */
	uint64_t seed;
	uint64_t seconds; /* it gives up after that */
	/* sending */
	uint64_t send;	   /* bytes in all */
	uint64_t hello;	   /* of them, whatever has come */
	uint64_t wait;	   /* the rest, when so many bytes have come, */
	uint64_t wait_fin; /* and the peer's FIN, */
	uint64_t ahead;	   /* and never more than this beyond what has come after wait */
	uint64_t piece;	   /* bytes of one write */
	/* receiving; 0: as they come */
	uint64_t read_piece, read_us; /* so many bytes at a time, this long between two */
	/* the end */
	uint64_t fin_after;	/* FIN when all is sent and so many bytes have come, */
	uint64_t fin_last;	/* and the peer's FIN; */
	uint64_t fin_never;	/* or not at all */
	uint64_t reset_after;	/* it resets when so many bytes have come */
	uint64_t kill_after;	/* theirs only: it kills itself with SIGKILL */
	uint64_t reset_at_last; /* theirs only: SO_LINGER 0 instead of the last FIN */
	/* theirs only: socket options */
	uint64_t rcvbuf, cork, nodelay, congestion; /* congestion: 1 reno, 2 cubic, 3 bbr */
	uint64_t oob;				    /* each so many bytes, one with MSG_OOB */
};

/** How far it is. */
struct progress {
	struct stream in, out;
	bool peer_fin, fin; /* fin: we have said it */
	uint64_t began_us;
};

/** Reads "--send=100"; false, and says so, for anything else. */
bool play_read(struct play *play, int count, char **words);
void play_begin(struct progress *p, const struct play *play, enum stream_direction ours);

/** Bytes that it may send now. */
uint64_t play_may_send(const struct play *play, const struct progress *p);
/** It is time for FIN, and it was not said yet. */
bool play_may_fin(const struct play *play, const struct progress *p);
/** It is time for the other end of it. */
bool play_may_reset(const struct play *play, const struct progress *p);

uint64_t play_now_us(void);
/** One line of JSON; more: further members, ", ..." or "". */
void play_print(const struct progress *p, const char *end, const char *more);

#endif
