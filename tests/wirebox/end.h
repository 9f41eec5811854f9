/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef END_H
#define END_H

#include <net/if.h>

#include "frame.h"

/**
 * An end of the wire: "tap:NAME", a TAP that is made and goes with the program, or "packet:NAME",
 * an interface that is there. On an interface frames are seen as the kernel has them inside, with
 * checksums and VLAN tags that a device was to put in: both are put in here. A frame that a device
 * was to cut in segments is refused; `ethtool -K NAME tso off gso off` on its sender prevents it.
 */
enum end_kind { END_TAP, END_PACKET };

struct end {
	enum end_kind kind;
	int fd; /* non-blocking */
	char name[IFNAMSIZ];
};

enum end_read {
	END_FRAME,
	END_NOTHING, /* for now */
	END_REFUSED, /* a frame that cannot be carried: dropped */
	END_GONE,    /* and will not come back */
};

/** False: the reason is on standard error. */
bool end_open(struct end *end, const char *text);
void end_close(struct end *end);

enum end_read end_read(const struct end *end, struct frame *frame);
/** False: the interface did not take it. */
bool end_write(const struct end *end, const struct frame *frame);

#endif
