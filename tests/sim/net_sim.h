/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NET_SIM_H
#define NET_SIM_H

#include "sim.h"

/**
 * A network in memory: the third back end of include/conn.h. Bytes and datagrams take a drawn time;
 * streams are cut anywhere and keep their order, datagrams are lost, doubled and overtake each
 * other; buffers are small, so that senders meet their end. Only the events of the run's schedule
 * move anything between hosts.
 */
extern const struct net_ops net_sim;

struct simnet *simnet_new(struct sim *sim);
void simnet_free(struct simnet *net);

/**
 * Makes net the one that net_open() joins, until the next call: net_open() has no argument that
 * could name it.
 */
void simnet_enter(struct simnet *net);

/** Connections of a core that have been given to its user and not been closed. */
uint32_t simnet_live(const struct net_core *core);

/** From now on nothing of this connection arrives anywhere, and nobody is told. */
void simnet_silence(struct conn *conn);

/** A host that is down refuses connections, or leaves them without an answer. */
enum simnet_host_state { HOST_UP, HOST_REFUSES, HOST_SILENT };
void simnet_host(struct simnet *net, const struct endpoint *host, enum simnet_host_state state);

#endif
