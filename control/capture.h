/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CAPTURE_H
#define CAPTURE_H

#include "cli.h"
#include "errand.h"
#include "log.h"
#include "netif.h"

/**
 * The capture of the node, one at a time: the filter is compiled on the thread pool, given to every
 * worker, and what they let through is written to a pcapng file until the time is over, somebody
 * stops it, the file has 1 GiB, or it cannot be written. The end is an event of the log.
 */
struct capture;

enum { CAPTURE_SECONDS = 60, CAPTURE_SECONDS_MAX = 3600 };

struct capture_config {
	uv_loop_t *loop;
	struct errands *errands;
	struct log *log;
	uint16_t workers;
	/** Frames that workers could not hand over, all of them since start. */
	uint64_t (*lost)(void *context);
	void *context;
	uint64_t file_bytes_max; /* 0: 1 GiB */
};

/** What is asked for; all borrowed for the call. */
struct capture_order {
	const char *filter; /* libpcap's language; "": everything */
	const char *path;   /* absolute; must not be there yet */
	uint32_t seconds;
	const char *interface[NETIFS_MAX]; /* names, in the order of struct captured's netif */
	uint32_t interfaces;
};

/** NULL: no memory. */
struct capture *capture_new(const struct capture_config *config);

/** Ends a capture under way without asking the workers, its file whole as far as it is. Errands are
 * closed already. Memory goes when the loop has closed the timer. NULL does nothing. */
void capture_close(struct capture *capture);

/** Takes the request and ends it with {"capture": {"state": "running", ...}} when every worker
 * captures. */
void capture_start(struct capture *capture, struct cli_request *request,
		   const struct capture_order *order);

/** Takes the request and ends it with {"capture": {"state": "ended", "why", "file", "frames",
 * "lost", "bytes"}}: of the one that runs, or of the last one that has ended by itself. */
void capture_stop(struct capture *capture, struct cli_request *request);

/** Takes a MESSAGE_CAPTURED of worker from. */
void capture_frame(struct capture *capture, uint16_t from, struct span message);

#endif
