/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ETHDEV_SCENE_H
#define ETHDEV_SCENE_H

#include "packet.h"
#include "port.h"

/**
 * What the tests of the ethdev port share: an EAL without huge pages or privileges, a port that is
 * open and started, and frames written by hand.
 */

/** A port, and a pool of packets to send. */
struct ethdev_scene {
	struct port *port;
	struct port_info info;
	struct rte_mempool *pool;
	char why[PORT_WHY_MAX];
};

/** Starts EAL with these vdevs (each "--vdev=..."); ends the program when it cannot. */
void ethdev_scene_eal(const char *const *vdevs, int count);

/** The argument of net_bonding that names a member: DPDK has renamed it in 23.11. */
const char *ethdev_scene_member(void);

/** A configuration with a secret, a MAC of our own, and nothing else set but these. */
struct port_config ethdev_scene_config(const char *device, uint16_t queues);

/** Opens and starts; the first error, with its reason in scene->why. */
enum gw_err ethdev_scene_start(struct ethdev_scene *scene, const struct port_config *config);
/** Closes the port; every packet of scene->pool is back. */
void ethdev_scene_end(struct ethdev_scene *scene);

/** An IPv4 UDP frame from our MAC: 60 bytes that end with mark. */
struct rte_mbuf *ethdev_scene_frame(struct ethdev_scene *scene, uint32_t mark);
uint32_t ethdev_scene_mark(struct rte_mbuf *packet);

/** Receives from one queue until a packet is there, for a second at most; NULL: none came. */
struct rte_mbuf *ethdev_scene_receive(struct ethdev_scene *scene, uint16_t queue);

#endif
