/* SPDX-License-Identifier: BSD-3-Clause */
#include "ethdev_scene.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"

/*
 * Sleeping on a device whose interrupt writes an eventfd, as a NIC's does: a virtio_user port,
 * whose other end is a vhost port in a child process. The child sends a marked frame for each byte
 * it is told, and tells when it is done.
 */

#define CONNECT_TRIES 5000 /* milliseconds */

struct world {
	struct ethdev_scene scene;
	pid_t child;
	int tell, told; /* pipes to and from the child */
};

/* ---- the other end -------------------------------------------------------------------------- */

static bool child_sends(struct ethdev_scene *s, uint8_t mark)
{
	for (int i = 0; i < CONNECT_TRIES; i++) { /* it takes nothing before they are connected */
		struct rte_mbuf *packet = ethdev_scene_frame(s, mark);

		if (port_ethdev.tx_burst(s->port, 0, &packet, 1) == 1)
			return true;
		packet_put(packet);
		usleep(1000);
	}
	return false;
}

static void child_run(const char *socket_path, int tell, int told)
{
	struct port_config config = ethdev_scene_config("net_vhost0", 1);
	struct ethdev_scene s;
	char vdev[128];
	const char *vdevs[] = {vdev};
	uint8_t mark = 0;

	snprintf(vdev, sizeof(vdev), "--vdev=net_vhost0,iface=%s,queues=1", socket_path);
	ethdev_scene_eal(vdevs, 1);
	if (ethdev_scene_start(&s, &config) != GW_OK || write(told, &mark, 1) != 1)
		_exit(1);
	while (read(tell, &mark, 1) == 1)
		if (!child_sends(&s, mark) || write(told, &mark, 1) != 1)
			_exit(1);
	_exit(0);
}

/** A frame with this mark is in our device's ring when this returns. */
static void other_end_sends(struct world *w, uint8_t mark)
{
	uint8_t done = 0;

	EXPECT_EQ(1, write(w->tell, &mark, 1));
	EXPECT_EQ(1, read(w->told, &done, 1));
	EXPECT_EQ(mark, done);
}

/* ---- tests ---------------------------------------------------------------------------------- */

static bool readable(struct world *w, int timeout_ms)
{
	struct pollfd wait = {.fd = port_ethdev.wait_fd(w->scene.port, 0), .events = POLLIN};

	return poll(&wait, 1, timeout_ms) == 1;
}

static void expect_frame(struct world *w, uint32_t mark)
{
	struct rte_mbuf *packet = ethdev_scene_receive(&w->scene, 0);

	assert_non_null(packet);
	EXPECT_EQ(mark, ethdev_scene_mark(packet));
	packet_put(packet);
}

static void expect_nothing(struct world *w)
{
	struct rte_mbuf *packet;

	EXPECT_EQ(0, port_ethdev.rx_burst(w->scene.port, 0, &packet, 1));
}

TEST(interrupt, wakes_a_worker_that_sleeps)
{
	struct world *w = *state;

	EXPECT(w->scene.info.rx_interrupt);
	for (uint8_t mark = 1; mark <= 20; mark++) {
		expect_nothing(w);
		EXPECT_EQ(GW_OK, port_ethdev.arm(w->scene.port, 0));
		EXPECT(!readable(w, 0));
		other_end_sends(w, mark);
		EXPECT(readable(w, 1000));
		port_ethdev.disarm(w->scene.port, 0);
		expect_frame(w, mark);
	}
}

TEST(interrupt, does_not_sleep_over_a_packet_that_came_before_it_was_armed)
{
	struct port_counters before, after;
	struct world *w = *state;

	port_ethdev.counters(w->scene.port, 0, &before);
	other_end_sends(w, 50);
	other_end_sends(w, 51);
	EXPECT_EQ(GW_OK, port_ethdev.arm(w->scene.port, 0));
	EXPECT(readable(w, 0));
	port_ethdev.disarm(w->scene.port, 0);
	EXPECT(!readable(w, 0)); /* drained: it would end the next sleep for nothing */
	expect_frame(w, 50);
	expect_frame(w, 51);
	expect_nothing(w);
	port_ethdev.counters(w->scene.port, 0, &after);
	EXPECT_EQ(2, after.rx_packets - before.rx_packets);
}

TEST(interrupt, is_quiet_while_nobody_sleeps)
{
	struct world *w = *state;

	other_end_sends(w, 60);
	EXPECT(!readable(w, 50));
	expect_frame(w, 60);
}

TEST(interrupt, packets_that_arm_found_are_given_back_when_the_port_is_closed)
{
	struct world *w = *state;

	other_end_sends(w, 70);
	EXPECT_EQ(GW_OK, port_ethdev.arm(w->scene.port, 0));
	EXPECT(readable(w, 0));
	ethdev_scene_end(&w->scene); /* the last test; the sanitizers' build sees what is left */
}

/* ---- the world ------------------------------------------------------------------------------ */

static bool world_open(struct world *w, const char *socket_path)
{
	struct port_config config = ethdev_scene_config("net_virtio_user0", 1);
	const char *vdevs[1];
	int there[2], back[2];
	char vdev[128];
	uint8_t ready;

	if (pipe(there) != 0 || pipe(back) != 0)
		return false;
	w->child = fork(); /* before EAL: each process has one of its own */
	if (w->child == 0) {
		close(there[1]);
		child_run(socket_path, there[0], back[1]);
	}
	close(there[0]);
	close(back[1]);
	w->tell = there[1];
	w->told = back[0];
	if (read(w->told, &ready, 1) != 1) /* its socket is there */
		return false;
	snprintf(vdev, sizeof(vdev), "--vdev=net_virtio_user0,path=%s,queues=1", socket_path);
	vdevs[0] = vdev;
	ethdev_scene_eal(vdevs, 1);
	if (ethdev_scene_start(&w->scene, &config) == GW_OK)
		return true;
	fprintf(stderr, "%s\n", w->scene.why);
	return false;
}

static void world_close(struct world *w)
{
	close(w->tell);
	close(w->told);
	if (w->child > 0) {
		kill(w->child, SIGKILL); /* EAL's threads may keep it */
		waitpid(w->child, NULL, 0);
	}
}

#define HERE(sentence) \
	{ \
#sentence, interrupt_##sentence, NULL, NULL, &world \
	}

int main(void)
{
	static struct world world;
	const struct CMUnitTest tests[] = {
		HERE(wakes_a_worker_that_sleeps),
		HERE(does_not_sleep_over_a_packet_that_came_before_it_was_armed),
		HERE(is_quiet_while_nobody_sleeps),
		HERE(packets_that_arm_found_are_given_back_when_the_port_is_closed),
	};
	char folder[] = "/tmp/ethdev_test.XXXXXX", socket_path[64];
	int failed = 1;

	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(socket_path, sizeof(socket_path), "%s/vhost", folder);
	if (world_open(&world, socket_path))
		failed = cmocka_run_group_tests_name("ethdev interrupt", tests, NULL, NULL);
	world_close(&world);
	unlink(socket_path);
	rmdir(folder);
	return failed;
}
