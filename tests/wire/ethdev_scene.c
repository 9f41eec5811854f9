/* SPDX-License-Identifier: BSD-3-Clause */
#include "ethdev_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <rte_eal.h>
#include <rte_version.h>

#define ARGUMENTS_MAX 48

void ethdev_scene_eal(const char *const *vdevs, int count)
{
	static char text[ARGUMENTS_MAX][128] = {"ethdev_test",
						"--lcores=0@0",
						"--no-huge",
						"--no-shconf",
						"-m",
						"160",
						"--no-pci",
						"--no-telemetry",
						"--iova-mode=va",
						"--log-level=*:warning"};
	static char *argument[ARGUMENTS_MAX + 1];
	int used = 10;

	for (int i = 0; i < count && used < ARGUMENTS_MAX; i++)
		snprintf(text[used++], sizeof(text[0]), "%s", vdevs[i]);
	for (int i = 0; i < used; i++)
		argument[i] = text[i];
	if (rte_eal_init(used, argument) < 0) {
		fprintf(stderr, "EAL does not start\n");
		exit(1);
	}
}

const char *ethdev_scene_member(void)
{
	return RTE_VER_YEAR < 23 ? "slave" : "member";
}

struct port_config ethdev_scene_config(const char *device, uint16_t queues)
{
	struct port_config config = {
		.name = "access",
		.device = device,
		.queues = queues,
		.rx_packets = 1024,
		.own_mac = {0x02, 0x18, 0x00, 0x00, 0x00, 0x02},
	};

	for (uint32_t i = 0; i < sizeof(config.secret); i++)
		config.secret[i] = (uint8_t)(i * 37 + 11);
	return config;
}

enum gw_err ethdev_scene_start(struct ethdev_scene *scene, const struct port_config *config)
{
	enum gw_err err;
	char name[20];

	snprintf(name, sizeof(name), "tx_%s", config->device); /* a pool's name is short */
	*scene = (struct ethdev_scene){0};
	err = port_ethdev.open(config, &scene->port, scene->why);
	if (err == GW_OK)
		err = port_ethdev.start(scene->port, &scene->info, scene->why);
	if (err == GW_OK)
		scene->pool = packet_pool_new(name, 256, 0, -1);
	return err == GW_OK && scene->pool == NULL ? GW_NO_MEMORY : err;
}

void ethdev_scene_end(struct ethdev_scene *scene)
{
	port_ethdev.close(scene->port);
	packet_pool_free(scene->pool);
	*scene = (struct ethdev_scene){0};
}

struct rte_mbuf *ethdev_scene_frame(struct ethdev_scene *scene, uint32_t mark)
{
	uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x18, 0x00, 0x00, 0x00, 0x02,
			     0x08, 0x00, 0x45, 0x00, 0x00, 46,	 0x00, 0x00, 0x00, 0x00, 64,   17};

	memcpy(frame + sizeof(frame) - sizeof(mark), &mark, sizeof(mark));
	return packet_copy(scene->pool, span_of(frame, sizeof(frame)));
}

uint32_t ethdev_scene_mark(struct rte_mbuf *packet)
{
	uint32_t mark = UINT32_MAX;

	if (packet_len(packet) >= sizeof(mark))
		memcpy(&mark, packet_data(packet) + packet_len(packet) - sizeof(mark),
		       sizeof(mark));
	return mark;
}

struct rte_mbuf *ethdev_scene_receive(struct ethdev_scene *scene, uint16_t queue)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	struct rte_mbuf *packet;

	for (int i = 0; i < 1000; i++) {
		if (port_ethdev.rx_burst(scene->port, queue, &packet, 1) == 1)
			return packet;
		nanosleep(&pause, NULL);
	}
	return NULL;
}
