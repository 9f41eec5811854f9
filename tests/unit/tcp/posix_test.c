/* SPDX-License-Identifier: BSD-3-Clause */
#include "posix_world.h"
#include "tcp/posix.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* What only the kernel-socket back end has: its memory, its descriptors, its sleep. */

#define PEERS 40
#define TURNS_MAX 4000

static const struct net_limits limits_usual = {.connections = 64,
					       .receive_bytes = 65536,
					       .send_bytes = 65536,
					       .user_timeout_us = 5000000};

/* A server core's user: keeps its connections, reads or not. */
struct user {
	struct conn *conn[PEERS];
	uint32_t accepted;
	uint32_t received;
	uint32_t deadlines;
	bool leaves_unread;
};

static enum gw_err on_accept(struct conn *conn, void *listener_context, void **context)
{
	struct user *user = listener_context;

	EXPECT(user->accepted < PEERS);
	user->conn[user->accepted++] = conn;
	*context = user;
	return GW_OK;
}

static void on_readable(struct conn *conn, void *context)
{
	struct user *user = context;
	uint32_t len;

	if (user->leaves_unread)
		return;
	while (conn_peek(conn, 0, &len) != NULL) {
		conn_consume(conn, len);
		user->received += len;
	}
}

static void on_deadline(struct conn *conn, void *context)
{
	((struct user *)context)->deadlines++;
}

static void on_nothing(struct conn *conn, void *context)
{
}

static void on_closed(struct conn *conn, void *context, enum gw_err why)
{
}

static const struct conn_ops user_ops = {.accept = on_accept,
					 .connected = on_nothing,
					 .readable = on_readable,
					 .writable = on_nothing,
					 .peer_fin = on_nothing,
					 .deadline = on_deadline,
					 .closed = on_closed};

/* A world whose server core listens for a user. */
static struct endpoint world_open(struct conn_world *w, struct user *user)
{
	struct endpoint at;

	*w = (struct conn_world){.world = &posix_world};
	*user = (struct user){0};
	posix_world.open(w, &limits_usual);
	at = w->v4[SERVER];
	endpoint_set_port(&at, w->port);
	EXPECT_EQ(GW_OK, net_listen(w->core[SERVER], &at, &user_ops, user));
	return at;
}

static struct posix_core *server_core(struct conn_world *w)
{
	return posix_core_of(w->core[SERVER]);
}

/* Runs turns until *count is at least n. */
static void until(struct conn_world *w, const uint32_t *count, uint32_t n)
{
	for (int i = 0; i < TURNS_MAX && *count < n; i++)
		posix_world.turn(w);
	EXPECT(*count >= n);
}

/* A plain socket connected to at. */
static int peer_open(const struct endpoint *at)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	EXPECT(fd >= 0);
	EXPECT_EQ(0, connect(fd, &at->sa, sizeof(at->v4)));
	return fd;
}

static void peer_send(int fd, uint32_t n)
{
	static const uint8_t bytes[65536];

	EXPECT_EQ((int)n, (int)send(fd, bytes, n, MSG_NOSIGNAL));
}

TEST(posix, keeps_no_buffer_for_an_idle_connection)
{
	struct conn_world w;
	struct user user;
	struct endpoint at = world_open(&w, &user);
	int fd = peer_open(&at);
	uint32_t room;

	peer_send(fd, 30000);
	until(&w, &user.received, 30000);
	EXPECT(conn_tx_reserve(user.conn[0], &room) != NULL);
	EXPECT(server_core(&w)->pool.live > 0);
	conn_tx_commit(user.conn[0], 1000);
	posix_world.turn(&w);
	EXPECT(conn_tx_reserve(user.conn[0], &room) != NULL); /* not committed */
	posix_world.turn(&w);
	EXPECT_EQ(0, server_core(&w)->pool.live);
	close(fd);
	posix_world.close(&w);
}

TEST(posix, delivers_urgent_bytes_in_their_place)
{
	struct conn_world w;
	struct user user;
	struct endpoint at = world_open(&w, &user);
	int fd = peer_open(&at);

	peer_send(fd, 100);
	EXPECT_EQ(1, (int)send(fd, "!", 1, MSG_OOB | MSG_NOSIGNAL));
	peer_send(fd, 100);
	until(&w, &user.received, 201);
	EXPECT_EQ(201, user.received);
	close(fd);
	posix_world.close(&w);
}

TEST(posix, gives_back_the_buffers_of_a_connection_that_ends)
{
	struct conn_world w;
	struct user user;
	struct endpoint at = world_open(&w, &user);
	int fd = peer_open(&at);

	user.leaves_unread = true;
	peer_send(fd, 30000);
	until(&w, &server_core(&w)->pool.live, 1);
	conn_abort(user.conn[0], GW_CONN_ABORTED);
	posix_world.turn(&w);
	EXPECT_EQ(0, server_core(&w)->pool.live);
	EXPECT_EQ(0, slots_live(server_core(&w)->conns));
	close(fd);
	posix_world.close(&w);
}

/* Chunks for two: the third waits, sleeps, and goes on when one is free. */
TEST(posix, lets_a_connection_wait_for_a_buffer_without_spinning)
{
	struct conn_world w;
	struct user user;
	struct endpoint at = world_open(&w, &user);
	int fd[3];

	server_core(&w)->pool.capacity = 2;
	user.leaves_unread = true;
	for (int i = 0; i < 3; i++) {
		fd[i] = peer_open(&at);
		until(&w, &user.accepted, (uint32_t)i + 1);
		peer_send(fd[i], 500);
	}
	for (int i = 0; i < 20; i++)
		posix_world.turn(&w);
	EXPECT_EQ(2, server_core(&w)->pool.live);
	EXPECT(net_idle(w.core[SERVER]));
	user.leaves_unread = false;
	conn_pause_rx(user.conn[0]);
	conn_resume_rx(user.conn[0]);
	until(&w, &user.received, 1000); /* the first, and with its chunk the third */
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	posix_world.close(&w);
}

TEST(posix, lets_a_sender_wait_for_a_buffer_and_tells_it)
{
	struct conn_world w;
	struct user user;
	struct endpoint at = world_open(&w, &user);
	struct posix_conn *conn;
	int fd = peer_open(&at);
	uint32_t room;

	until(&w, &user.accepted, 1);
	conn = posix_conn_of(user.conn[0]);
	server_core(&w)->pool.capacity = 0;
	EXPECT(conn_tx_reserve(user.conn[0], &room) == NULL);
	EXPECT_EQ(0, room);
	for (int i = 0; i < 5; i++)
		posix_world.turn(&w);
	EXPECT((conn->flags & POSIX_TX_FULL) != 0); /* writable is still owed */
	server_core(&w)->pool.capacity = 1;
	posix_world.turn(&w);
	EXPECT((conn->flags & POSIX_TX_FULL) == 0);
	EXPECT(conn_tx_reserve(user.conn[0], &room) != NULL);
	close(fd);
	posix_world.close(&w);
}

/* The number the next descriptor gets: all below it are in use. */
static rlim_t next_descriptor(void)
{
	int fd = dup(STDERR_FILENO);

	EXPECT(fd >= 0);
	close(fd);
	return (rlim_t)fd;
}

TEST(posix, pauses_accepting_without_descriptors_and_goes_on_later)
{
	struct conn_world w;
	struct user user;
	struct endpoint at = world_open(&w, &user);
	struct rlimit before, tight;
	int fd = peer_open(&at);

	EXPECT_EQ(0, getrlimit(RLIMIT_NOFILE, &before));
	tight = (struct rlimit){.rlim_cur = next_descriptor(), .rlim_max = before.rlim_max};
	EXPECT_EQ(0, setrlimit(RLIMIT_NOFILE, &tight));
	for (int i = 0; i < 5; i++)
		posix_world.turn(&w);
	EXPECT_EQ(0, user.accepted);
	EXPECT_EQ(1, counter_read(&w.counters->conn_refused)); /* tried once, not five times */
	EXPECT(net_idle(w.core[SERVER]));
	EXPECT(net_next_deadline_us(w.core[SERVER]) != UINT64_MAX);
	EXPECT_EQ(0, setrlimit(RLIMIT_NOFILE, &before));
	until(&w, &user.accepted, 1);
	close(fd);
	posix_world.close(&w);
}

TEST(posix, counts_who_waits_at_the_limit_once_and_does_not_spin)
{
	struct conn_world w;
	struct user user;
	struct endpoint at = world_open(&w, &user);
	uint32_t limit = slots_capacity(server_core(&w)->conns);
	struct slots *few = slots_new(0, 1, sizeof(struct posix_conn), 0);
	struct slots *many = server_core(&w)->conns;
	int fd[2];

	EXPECT_EQ(limits_usual.connections, limit);
	server_core(&w)->conns = few;
	fd[0] = peer_open(&at);
	until(&w, &user.accepted, 1);
	for (int i = 0; i < 5; i++)
		posix_world.turn(&w);
	EXPECT_EQ(0, counter_read(&w.counters->conn_refused)); /* nobody waits */
	fd[1] = peer_open(&at);
	for (int i = 0; i < 5; i++)
		posix_world.turn(&w);
	EXPECT_EQ(1, user.accepted);
	EXPECT_EQ(1, counter_read(&w.counters->conn_refused));
	EXPECT(net_idle(w.core[SERVER]));
	conn_abort(user.conn[0], GW_CONN_ABORTED);
	until(&w, &user.accepted, 2);
	for (int i = 0; i < 2; i++)
		close(fd[i]);
	conn_abort(user.conn[1], GW_CONN_ABORTED);
	posix_world.turn(&w);
	server_core(&w)->conns = many;
	slots_free(few);
	posix_world.close(&w);
}

TEST(posix, shares_the_connections_of_one_address_between_cores)
{
	struct conn_world w;
	struct user user, other = {0};
	struct endpoint at = world_open(&w, &user);
	int fd[PEERS];

	EXPECT_EQ(GW_OK, net_listen(w.core[CLIENT], &at, &user_ops, &other));
	for (int i = 0; i < PEERS; i++)
		fd[i] = peer_open(&at);
	for (int i = 0; i < TURNS_MAX && user.accepted + other.accepted < PEERS; i++)
		posix_world.turn(&w);
	EXPECT_EQ(PEERS, user.accepted + other.accepted);
	EXPECT(user.accepted > 0 && other.accepted > 0);
	for (int i = 0; i < PEERS; i++)
		close(fd[i]);
	posix_world.close(&w);
}

/** Sleeps as a worker does. True: the core's descriptor ended it. */
static bool sleep_on(struct net_core *core, uint64_t now_us)
{
	struct pollfd fd = {.fd = net_wait_fd(core), .events = POLLIN};
	uint64_t until_us = net_sleep_begin(core);
	int ready = 0;

	if (until_us != 0)
		ready = poll(&fd, 1,
			     until_us == UINT64_MAX ? -1 : (int)((until_us - now_us + 999) / 1000));
	net_sleep_end(core);
	return ready == 1;
}

TEST(posix, wakes_for_a_connection_and_for_its_deadline)
{
	struct conn_world w;
	struct user user;
	struct endpoint at = world_open(&w, &user);
	int fd = peer_open(&at);

	EXPECT(sleep_on(w.core[SERVER], w.clock[SERVER].now_us));
	until(&w, &user.accepted, 1);
	conn_set_deadline(user.conn[0], 20);
	while (user.deadlines == 0) {
		sleep_on(w.core[SERVER], w.clock[SERVER].now_us);
		posix_world.turn(&w);
	}
	close(fd);
	posix_world.close(&w);
}

TEST(posix, does_not_sleep_with_work_to_do)
{
	struct conn_world w;
	struct user user;
	struct endpoint at = world_open(&w, &user);
	int fd = peer_open(&at);
	uint32_t room;

	until(&w, &user.accepted, 1);
	EXPECT_EQ(UINT64_MAX, net_sleep_begin(w.core[SERVER]));
	net_sleep_end(w.core[SERVER]);
	EXPECT(conn_tx_reserve(user.conn[0], &room) != NULL);
	conn_tx_commit(user.conn[0], 1);
	EXPECT_EQ(0, net_sleep_begin(w.core[SERVER]));
	net_sleep_end(w.core[SERVER]);
	close(fd);
	posix_world.close(&w);
}

TEST(posix, refuses_more_listeners_and_ports_than_it_has)
{
	static const struct udp_ops none;
	struct conn_world w;
	struct user user;
	struct endpoint any;

	world_open(&w, &user);
	any = w.v4[SERVER];
	for (uint32_t i = 1; i < POSIX_PORTS; i++)
		EXPECT_EQ(GW_OK, net_listen(w.core[SERVER], &any, &user_ops, &user));
	EXPECT_EQ(GW_POOL_EMPTY, net_listen(w.core[SERVER], &any, &user_ops, &user));
	for (uint32_t i = 0; i < POSIX_PORTS; i++)
		EXPECT_EQ(GW_OK, net_udp_bind(w.core[SERVER], &any, &none, NULL));
	EXPECT_EQ(GW_POOL_EMPTY, net_udp_bind(w.core[SERVER], &any, &none, NULL));
	posix_world.close(&w);
}

TEST(posix, refuses_an_address_that_is_not_this_machines)
{
	static const struct udp_ops none;
	struct conn_world w;
	struct user user;
	struct endpoint elsewhere;
	struct conn_request request;
	struct conn *conn;

	world_open(&w, &user);
	EXPECT(endpoint_parse(SPAN("198.51.100.1:5060"), &elsewhere));
	EXPECT_EQ(GW_SYSTEM, net_listen(w.core[SERVER], &elsewhere, &user_ops, &user));
	EXPECT_EQ(GW_SYSTEM, net_udp_bind(w.core[SERVER], &elsewhere, &none, NULL));
	request = (struct conn_request){elsewhere, w.nobody, &user_ops, &user, 1000};
	EXPECT_EQ(GW_SYSTEM, net_connect(w.core[SERVER], &request, &conn));
	EXPECT_EQ(0, slots_live(server_core(&w)->conns));
	posix_world.close(&w);
}

TEST_MAIN("posix", RUN(posix, keeps_no_buffer_for_an_idle_connection),
	  RUN(posix, delivers_urgent_bytes_in_their_place),
	  RUN(posix, gives_back_the_buffers_of_a_connection_that_ends),
	  RUN(posix, lets_a_connection_wait_for_a_buffer_without_spinning),
	  RUN(posix, lets_a_sender_wait_for_a_buffer_and_tells_it),
	  RUN(posix, pauses_accepting_without_descriptors_and_goes_on_later),
	  RUN(posix, counts_who_waits_at_the_limit_once_and_does_not_spin),
	  RUN(posix, shares_the_connections_of_one_address_between_cores),
	  RUN(posix, wakes_for_a_connection_and_for_its_deadline),
	  RUN(posix, does_not_sleep_with_work_to_do),
	  RUN(posix, refuses_more_listeners_and_ports_than_it_has),
	  RUN(posix, refuses_an_address_that_is_not_this_machines))
