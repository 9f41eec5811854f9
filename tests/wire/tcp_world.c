/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_world.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#define SETTLE_US 10000000u
#define PATIENCE_US 30000000u
#define AT_ONCE 50u /* connections that are being opened: the port's queue takes so many */
#define WORD 4u	    /* bytes that are said and echoed on each */

static uint64_t clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static struct endpoint endpoint_of(const char *text, uint16_t port)
{
	struct endpoint e = {0};

	EXPECT(endpoint_parse(span_text(text), &e));
	endpoint_set_port(&e, port);
	return e;
}

/* ---- our users ---------------------------------------------------------------------------------
 */

static enum gw_err on_accept(struct conn *conn, void *listener_context, void **context)
{
	struct tcp_wire_worker *worker = listener_context;

	worker->accepted++;
	*context = worker;
	return GW_OK;
}

static void say(struct conn *conn, const void *bytes, uint32_t len)
{
	uint32_t room;
	void *to = conn_tx_reserve(conn, &room);

	EXPECT(to != NULL && room >= len);
	memcpy(to, bytes, len);
	conn_tx_commit(conn, len);
}

static void on_connected(struct conn *conn, void *context)
{
	struct tcp_wire_worker *worker = context;

	worker->connected++;
	say(conn, "word", WORD);
}

static void echo(struct conn *conn, void *context)
{
	uint32_t len;
	const void *at = conn_peek(conn, 0, &len);

	EXPECT_EQ(WORD, len);
	say(conn, at, len);
	conn_consume(conn, len);
}

static void on_echo(struct conn *conn, void *context)
{
	struct tcp_wire_worker *worker = context;
	uint32_t len;
	const void *at = conn_peek(conn, 0, &len);

	EXPECT_EQ(WORD, len);
	EXPECT_BYTES("word", at, WORD);
	conn_consume(conn, len);
	worker->echoed++;
}

static void on_writable(struct conn *conn, void *context)
{
}

static void on_fin(struct conn *conn, void *context)
{
	conn_shutdown_tx(conn);
}

static void on_deadline(struct conn *conn, void *context)
{
}

static void on_closed(struct conn *conn, void *context, enum gw_err why)
{
	struct tcp_wire_worker *worker = context;

	worker->closed++;
	worker->strange += why != GW_CONN_CLOSED && why != GW_STOPPING;
}

static const struct conn_ops echo_ops = {.accept = on_accept,
					 .connected = on_connected,
					 .readable = echo,
					 .writable = on_writable,
					 .peer_fin = on_fin,
					 .deadline = on_deadline,
					 .closed = on_closed};
static const struct conn_ops client_ops = {.accept = on_accept,
					   .connected = on_connected,
					   .readable = on_echo,
					   .writable = on_writable,
					   .peer_fin = on_fin,
					   .deadline = on_deadline,
					   .closed = on_closed};

static void on_pong(void *context, uint32_t id, enum gw_err err, uint32_t rtt_us)
{
}

static void on_captured(void *context, const struct captured *captured, struct span bytes)
{
}

static void on_alarm(void *context, enum gw_err what, const struct endpoint *about)
{
	struct tcp_wire_worker *worker = context;

	worker->strange++;
}

static void on_broken(void *context, const struct net_broken *broken)
{
	struct tcp_wire_worker *worker = context;

	worker->strange++;
}

static const struct net_events events = {on_pong, on_captured, on_alarm, on_broken};

static uint64_t next_random(void *context)
{
	struct tcp_wire_worker *worker = context;

	worker->random = worker->random * 6364136223846793005ull + 1442695040888963407ull;
	return worker->random ^ worker->random >> 29;
}

/* ---- life --------------------------------------------------------------------------------------
 */

/* One source is all that there is: what bounds one is out of the way. */
static const struct tcp_limits limits = {
	.half_open = 4096,
	.time_waits = 4096,
	.sources = 64,
	.send_packets = 4096,
	.held_packets = 2048,
	.source_half_open = 4096,
	.source4_connections = 4096,
	.source6_connections = 4096,
	.source_rate = 100000,
	.source_burst = 100000,
	.syn_rate = 100000,
};

static void open_shared(struct tcp_wire *wire)
{
	struct netif netif = {.name = "wic",
			      .ops = &port_tap,
			      .port = wire->tap.port,
			      .info = wire->tap.info,
			      .address_count = 2,
			      .probe_s = 60};
	struct net_shared_config config = {.netif = &netif,
					   .netifs = 1,
					   .workers = TCP_WORKERS,
					   .steer_base = TCP_STEER_BASE,
					   .ring_bytes = 262144,
					   .neighbours = 16,
					   .held_packets = limits.held_packets,
					   .hash_key = {7}};

	netif.address[0] = (struct netif_address){endpoint_of("198.18.0.2", 0), 24};
	netif.address[1] = (struct netif_address){endpoint_of("fd00:18::2", 0), 64};
	wire->shared = net_shared_new(&config);
	EXPECT(wire->shared != NULL);
}

static void open_worker(struct tcp_wire *wire, uint16_t w)
{
	const struct endpoint peers[] = {endpoint_of("198.18.0.1", 0),
					 endpoint_of("fd00:18::1", 0)};
	const struct endpoint locals[] = {endpoint_of("198.18.0.2", TCP_LISTEN_PORT),
					  endpoint_of("fd00:18::2", TCP_LISTEN_PORT)};
	struct tcp_wire_worker *worker = &wire->worker[w];
	struct net_config config = {.worker = w,
				    .epoch = 1,
				    .limits = {.connections = 4096,
					       .receive_bytes = 65536,
					       .send_bytes = 65536,
					       .user_timeout_us = 20000000},
				    .counters = &worker->counters,
				    .clock = &worker->clock,
				    .shared = wire->shared,
				    .tcp = &limits,
				    .events = &events,
				    .context = worker,
				    .random = next_random};

	worker->random = w + 1;
	worker->clock.now_us = clock_us();
	EXPECT_EQ(GW_OK, net_open(&net_packets, &config, &worker->core));
	net_peers(worker->core, peers, 2);
	for (uint32_t i = 0; i < 2; i++)
		EXPECT_EQ(GW_OK, net_listen(worker->core, &locals[i], &echo_ops, worker));
}

static void worker_turn(struct tcp_wire_worker *worker)
{
	worker->clock.now_us = clock_us();
	net_receive(worker->core);
	net_run_ready(worker->core);
	net_transmit(worker->core);
}

/** One of each worker; while they have threads, time for those. */
static void turn(struct tcp_wire *wire)
{
	if (wire->threads)
		usleep(200);
	for (uint16_t w = 0; !wire->threads && w < TCP_WORKERS; w++)
		worker_turn(&wire->worker[w]);
}

static void settle(struct tcp_wire *wire)
{
	uint64_t end_us = clock_us() + SETTLE_US;
	struct row_neighbour rows[2] = {0};

	do {
		turn(wire);
		if (clock_us() > end_us)
			fail_msg("the kernel's end does not answer");
	} while (net_shared_neighbours(wire->shared, 2, rows) != 2 ||
		 rows[0].state != NEIGHBOUR_REACHABLE || rows[1].state != NEIGHBOUR_REACHABLE);
}

/** As a device may say that hashes otherwise than it says. */
static void tell_falsely(struct port_rss *rss)
{
	*rss = (struct port_rss){.key_len = 40, .reta_size = 128};
	for (uint8_t i = 0; i < rss->key_len; i++)
		rss->key[i] = (uint8_t)(i * 59 + 3);
	for (uint16_t row = 0; row < rss->reta_size; row++)
		rss->reta[row] = row % TCP_WORKERS;
}

static void steer(struct tcp_wire *wire, enum tcp_steering steering)
{
	int none = -1;

	if (steering == TCP_STEER_PROGRAM)
		return;
	EXPECT_EQ(0, ioctl(port_tap.wait_fd(wire->tap.port, 0), TUNSETSTEERINGEBPF, &none));
	if (steering == TCP_STEER_TOLD)
		tell_falsely(&wire->tap.info.rss);
	else
		wire->tap.info.rss.key_len = 0;
}

static void more_descriptors(void)
{
	struct rlimit most;

	EXPECT_EQ(0, getrlimit(RLIMIT_NOFILE, &most));
	most.rlim_cur = most.rlim_max;
	EXPECT_EQ(0, setrlimit(RLIMIT_NOFILE, &most));
	EXPECT(most.rlim_cur > TCP_SOCKETS + 64);
}

struct tcp_wire *tcp_wire_open(enum tcp_steering steering)
{
	struct port_config config = tap_world_config(TCP_WORKERS);
	struct tcp_wire *wire = calloc(1, sizeof(*wire));

	EXPECT(wire != NULL);
	more_descriptors();
	wire->listener = -1;
	config.steer_base = TCP_STEER_BASE;
	config.rx_packets = 4096;
	wire->tap = tap_world_open(&config);
	if (steering == TCP_STEER_PROGRAM && !wire->tap.info.steers) {
		tap_world_close(&wire->tap);
		free(wire);
		skip();
	}
	tap_world_add_v6(&wire->tap);
	steer(wire, steering);
	open_shared(wire);
	for (uint16_t w = 0; w < TCP_WORKERS; w++)
		open_worker(wire, w);
	settle(wire);
	for (uint16_t w = 0; w < TCP_WORKERS; w++)
		memset(&wire->worker[w].counters, 0, sizeof(wire->worker[w].counters));
	return wire;
}

void tcp_wire_close(struct tcp_wire *wire)
{
	for (uint16_t w = 0; w < TCP_WORKERS; w++) {
		net_close(wire->worker[w].core);
		EXPECT_EQ(0, wire->worker[w].strange);
		EXPECT_EQ(wire->worker[w].accepted + wire->worker[w].connected,
			  wire->worker[w].closed);
	}
	for (uint32_t i = 0; i < wire->sockets; i++)
		close(wire->socket[i]);
	if (wire->listener >= 0)
		close(wire->listener);
	tap_world_close(&wire->tap);
	net_shared_free(wire->shared);
	free(wire);
}

/* ---- threads -----------------------------------------------------------------------------------
 */

/** As long as the core allows: nothing but what it waits for ends this. */
static void worker_sleep(struct tcp_wire_worker *worker)
{
	uint64_t until_us = net_sleep_begin(worker->core), now_us = clock_us();
	uint64_t left_us = until_us > now_us ? until_us - now_us : 0;
	struct timespec left = {.tv_sec = (time_t)(left_us / 1000000),
				.tv_nsec = (long)(left_us % 1000000) * 1000};
	struct pollfd fds[2] = {{.fd = net_wait_fd(worker->core), .events = POLLIN},
				{.fd = worker->wire->stop_fd, .events = POLLIN}};

	worker->sleeps += left_us > 0;
	ppoll(fds, 2, until_us == UINT64_MAX ? NULL : &left, NULL);
	net_sleep_end(worker->core);
}

static void *worker_run(void *context)
{
	struct tcp_wire_worker *worker = context;

	while (!atomic_load(&worker->wire->stop)) {
		worker_turn(worker);
		if (net_idle(worker->core))
			worker_sleep(worker);
	}
	return NULL;
}

/** EAL has pinned the main thread, and threads inherit that. */
static void unpin(void)
{
	cpu_set_t all;

	memset(&all, 0xff, sizeof(all));
	EXPECT_EQ(0, sched_setaffinity(0, sizeof(all), &all));
}

void tcp_wire_threads(struct tcp_wire *wire)
{
	unpin();
	wire->stop_fd = eventfd(0, EFD_CLOEXEC);
	EXPECT(wire->stop_fd >= 0);
	atomic_store(&wire->stop, false);
	wire->threads = true;
	for (uint16_t w = 0; w < TCP_WORKERS; w++) {
		struct tcp_wire_worker *worker = &wire->worker[w];

		worker->wire = wire;
		EXPECT_EQ(0, pthread_create(&worker->thread, NULL, worker_run, worker));
	}
}

void tcp_wire_join(struct tcp_wire *wire)
{
	const uint64_t one = 1;

	atomic_store(&wire->stop, true);
	EXPECT_EQ(sizeof(one), write(wire->stop_fd, &one, sizeof(one)));
	for (uint16_t w = 0; w < TCP_WORKERS; w++)
		EXPECT_EQ(0, pthread_join(wire->worker[w].thread, NULL));
	close(wire->stop_fd);
	wire->threads = false;
}

/* ---- the kernel's end --------------------------------------------------------------------------
 */

static int kernel_socket(enum wire_family family)
{
	int fd = socket(family == WIRE_V4 ? AF_INET : AF_INET6,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	EXPECT(fd >= 0);
	return fd;
}

static void begin_from_kernel(struct tcp_wire *wire, enum wire_family family)
{
	struct sockaddr_storage to;
	socklen_t length = kernel_host(&to, family, WIRE_PORT, TCP_LISTEN_PORT);
	int fd = kernel_socket(family);

	EXPECT(connect(fd, (struct sockaddr *)&to, length) == 0 || errno == EINPROGRESS);
	wire->said[wire->sockets] = false;
	wire->socket[wire->sockets++] = fd;
}

/* Says a word when it is connected, and hears it again. */
static void client_try(struct tcp_wire *wire, uint32_t i)
{
	uint8_t word[WORD + 1];
	ssize_t n;

	if (!wire->said[i]) {
		n = send(wire->socket[i], "word", WORD, MSG_NOSIGNAL);
		EXPECT(n == WORD || errno == EAGAIN);
		wire->said[i] = n == WORD;
		return;
	}
	n = recv(wire->socket[i], word, sizeof(word), 0);
	EXPECT(n == WORD || (n < 0 && errno == EAGAIN));
	wire->heard += n == WORD;
}

void tcp_wire_from_kernel(struct tcp_wire *wire, enum wire_family family, uint32_t n)
{
	uint32_t first = wire->sockets, end = first + n, done = wire->heard;
	uint64_t end_us = clock_us() + PATIENCE_US;

	while (wire->heard - done < n) {
		while (wire->sockets < end && wire->sockets - first < wire->heard - done + AT_ONCE)
			begin_from_kernel(wire, family);
		turn(wire);
		for (uint32_t i = first; i < wire->sockets; i++)
			client_try(wire, i);
		if (clock_us() > end_us)
			fail_msg("%u of %u connections", wire->heard - done, n);
	}
}

static void kernel_listen(struct tcp_wire *wire, enum wire_family family)
{
	struct sockaddr_storage at;
	socklen_t length = kernel_host(&at, family, WIRE_KERNEL, TCP_KERNEL_PORT);
	int on = 1; /* connections of an earlier world may linger */

	if (wire->listener >= 0)
		close(wire->listener);
	wire->listener = kernel_socket(family);
	EXPECT_EQ(0, setsockopt(wire->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	EXPECT_EQ(0, bind(wire->listener, (struct sockaddr *)&at, length));
	EXPECT_EQ(0, listen(wire->listener, 1024));
}

/* Accepts who waits, and echoes on what there is. */
static void kernel_serve(struct tcp_wire *wire, uint32_t first)
{
	uint8_t word[WORD];
	int fd;

	while (wire->sockets < TCP_SOCKETS &&
	       (fd = accept4(wire->listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
		wire->socket[wire->sockets++] = fd;
	for (uint32_t i = first; i < wire->sockets; i++)
		if (recv(wire->socket[i], word, sizeof(word), 0) == WORD)
			EXPECT_EQ(WORD, send(wire->socket[i], word, sizeof(word), MSG_NOSIGNAL));
}

static void begin_to_kernel(struct tcp_wire_worker *worker, enum wire_family family)
{
	struct conn_request request = {
		.local = endpoint_of(family == WIRE_V4 ? "198.18.0.2" : "fd00:18::2", 0),
		.peer = endpoint_of(family == WIRE_V4 ? "198.18.0.1" : "fd00:18::1",
				    TCP_KERNEL_PORT),
		.ops = &client_ops,
		.context = worker,
		.timeout_ms = 10000};
	struct conn *conn;

	EXPECT_EQ(GW_OK, net_connect(worker->core, &request, &conn));
}

void tcp_wire_to_kernel(struct tcp_wire *wire, enum wire_family family, uint32_t n)
{
	uint64_t end_us = clock_us() + PATIENCE_US;
	uint32_t first = wire->sockets, begun[TCP_WORKERS] = {0}, done[TCP_WORKERS];
	bool more = true;

	kernel_listen(wire, family);
	for (uint16_t w = 0; w < TCP_WORKERS; w++)
		done[w] = wire->worker[w].echoed;
	while (more) {
		more = false;
		for (uint16_t w = 0; w < TCP_WORKERS; w++) {
			uint32_t echoed = wire->worker[w].echoed - done[w];

			for (; begun[w] < n && begun[w] < echoed + AT_ONCE / 2; begun[w]++)
				begin_to_kernel(&wire->worker[w], family);
			more |= echoed < n;
		}
		turn(wire);
		kernel_serve(wire, first);
		if (clock_us() > end_us)
			fail_msg("%u connections", wire->sockets - first);
	}
}

uint32_t tcp_wire_kernel_retransmits(const struct tcp_wire *wire)
{
	struct tcp_info info;
	socklen_t length;
	uint32_t sum = 0;

	for (uint32_t i = 0; i < wire->sockets; i++) {
		length = sizeof(info);
		EXPECT_EQ(0, getsockopt(wire->socket[i], IPPROTO_TCP, TCP_INFO, &info, &length));
		sum += info.tcpi_total_retrans;
	}
	return sum;
}
