/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SPACE_H
#define SPACE_H

/** The namespace a measurement lives in, and its addresses. */

#define SPACE_GATEWAY "198.18.0.10"
#define SPACE_PEER "198.18.0.20"
#define SPACE_PORT 5070

/** A network namespace of this process's own; 0, or -1 when that is not allowed. */
int space_enter(void);
/** Two ends of a wire: the gateway's end has no address and does not answer, SPACE_PEER is on the
 * other. */
int space_veth(const char *gateway_end, const char *peer_end);
/** SPACE_PEER on an interface that is there; up. */
int space_address(const char *interface);

/** Runs on that core alone from now on. */
void space_pin(int core);

/** CPU time of the calling thread. */
unsigned long space_cpu_us(void);

#endif
