/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/tcb.h"
#include "test.h"

/* A whole instance with one connection, whose clock, calls and fields are the test's: what no
 * packet script can reach. */

#define PORT 443u
#define PEER_PORT 40000u
#define WINDOW 1000u

struct instance {
	struct tcp *tcp;
	struct net_clock clock;
	struct counters counters;
	struct rte_mempool *pool;
	struct tcp_packet sent;
	uint8_t bytes[2048]; /* of the last segment with payload */
	uint32_t bytes_len, segments;
	uint16_t worker; /* whose all flows are */
	struct tcb *tcb;
};

static enum gw_err link_send(void *context, const struct ip_address *local,
			     const struct ip_address *remote, const struct tcp_packet *segment)
{
	struct instance *i = context;

	i->sent = *segment;
	i->segments++;
	if (segment->payload.len > 0) {
		i->bytes_len = segment->payload.len;
		memcpy(i->bytes, segment->payload.at, segment->payload.len);
	}
	return GW_OK;
}

static enum gw_err link_route(void *context, struct ip_address *local,
			      const struct ip_address *remote, uint16_t *mtu)
{
	*mtu = 1500;
	return GW_OK;
}

static uint16_t link_worker(void *context, const struct ip_address *local, uint16_t local_port,
			    const struct ip_address *remote, uint16_t remote_port)
{
	return ((struct instance *)context)->worker;
}

static const struct tcp_link fake_link = {link_send, link_route, link_worker};

static uint64_t fake_random(void *context)
{
	return 0x9e3779b97f4a7c15u;
}

static enum gw_err on_accept(struct conn *conn, void *listener_context, void **context)
{
	struct instance *i = listener_context;

	i->tcb = (struct tcb *)conn;
	*context = i;
	return GW_OK;
}

static void on_event(struct conn *conn, void *context)
{
}

static void on_closed(struct conn *conn, void *context, enum gw_err why)
{
	((struct instance *)context)->tcb = NULL;
}

static const struct conn_ops user = {on_accept, on_event, on_event, on_event,
				     on_event,	on_event, on_closed};

static void turn(struct instance *i)
{
	tcp_run_timers(i->tcp);
	tcp_run_ready(i->tcp);
	tcp_transmit(i->tcp);
}

static void give(struct instance *i, struct tcp_packet segment, const char *payload)
{
	static const uint8_t ours[4] = {198, 18, 0, 1}, theirs[4] = {198, 18, 0, 2};
	struct rte_mbuf *packet = packet_copy(i->pool, span_text(payload));
	struct tcp_arrival arrival = {.local = ip_address_v4(ours),
				      .remote = ip_address_v4(theirs),
				      .tcp = segment,
				      .packet = &packet};

	EXPECT(packet != NULL);
	arrival.tcp.src_port = PEER_PORT;
	arrival.tcp.dst_port = PORT;
	arrival.tcp.payload = packet_span(packet);
	tcp_input(i->tcp, &arrival);
	if (packet != NULL)
		packet_put(packet);
}

/** What acknowledges all, with this window. */
static void give_ack(struct instance *i, uint16_t window)
{
	give(i,
	     (struct tcp_packet){.seq = i->tcb->rcv_nxt,
				 .ack = i->tcb->snd_nxt,
				 .flags = TCP_ACK,
				 .window = window},
	     "");
}

static void instance_open(struct instance *i)
{
	struct tcp_config config = {.ops = &net_packets,
				    .link = &fake_link,
				    .link_context = i,
				    .pool_name = "segments",
				    .numa = -1};
	struct endpoint at;

	*i = (struct instance){.clock = {.now_us = 1000000}};
	i->pool = packet_pool_new("received", 64, 0, -1);
	config.net = (struct net_config){.limits = {.connections = 4,
						    .receive_bytes = 65536,
						    .send_bytes = 65536,
						    .user_timeout_us = 45000000},
					 .counters = &i->counters,
					 .clock = &i->clock,
					 .random = fake_random};
	EXPECT(endpoint_parse(SPAN("198.18.0.1:443"), &at));
	EXPECT_EQ(GW_OK, tcp_new(&config, &i->tcp));
	EXPECT_EQ(GW_OK, tcp_listen(i->tcp, &at, &user, i));
	give(i, (struct tcp_packet){.seq = 100, .flags = TCP_SYN, .window = WINDOW}, "");
	give(i,
	     (struct tcp_packet){
		     .seq = 101, .ack = i->sent.seq + 1, .flags = TCP_ACK, .window = WINDOW},
	     "hello");
	turn(i);
	EXPECT(i->tcb != NULL);
}

static void instance_close(struct instance *i)
{
	tcp_free(i->tcp);
	EXPECT(i->tcb == NULL);
	EXPECT_EQ(0, packet_pool_live(i->pool));
	packet_pool_free(i->pool);
}

static void write_text(struct instance *i, const char *text)
{
	struct span bytes = span_text(text);
	uint32_t room;
	void *at = tcp_tx_reserve(&i->tcb->conn, &room);

	EXPECT(at != NULL && room >= bytes.len);
	memcpy(at, bytes.at, bytes.len);
	tcp_tx_commit(&i->tcb->conn, bytes.len);
}

/* The window is closed, "12345678" waits, and it is time to ask for it. */
static void persist_due(struct instance *i)
{
	give_ack(i, 0);
	write_text(i, "12345678");
	turn(i);
	EXPECT(i->tcb->deadline_ms[DEADLINE_LOSS] != 0);
	i->clock.now_us = i->tcb->deadline_ms[DEADLINE_LOSS] * 1000ull;
	EXPECT_EQ(0, i->bytes_len);
}

TEST(tcp_instance, keeps_a_reservation_from_the_persist_timer)
{
	struct instance i;
	uint32_t room;
	uint8_t *at;

	instance_open(&i);
	persist_due(&i);
	give_ack(&i, WINDOW); /* the window opens in the turn in which the timer is due */
	at = tcp_tx_reserve(&i.tcb->conn, &room);
	EXPECT(at != NULL);
	tcp_run_timers(i.tcp);
	EXPECT_EQ(0, i.bytes_len); /* or bytes that nobody has written yet had left */
	memcpy(at, "9a", 2);
	tcp_tx_commit(&i.tcb->conn, 2);
	tcp_transmit(i.tcp);
	EXPECT_EQ(10, i.bytes_len);
	EXPECT_BYTES("123456789a", i.bytes, 10);
	instance_close(&i);
}

TEST(tcp_instance, keeps_a_reservation_from_the_persist_timer_in_a_small_window)
{
	struct instance i;
	uint32_t room;
	uint8_t *at;

	instance_open(&i);
	persist_due(&i);
	give_ack(&i, 4);
	at = tcp_tx_reserve(&i.tcb->conn, &room);
	EXPECT(at != NULL);
	tcp_run_timers(i.tcp); /* splits what waits, but not what is reserved */
	memcpy(at, "9a", 2);
	tcp_tx_commit(&i.tcb->conn, 2);
	give_ack(&i, WINDOW);
	turn(&i);
	EXPECT_EQ(10, i.tcb->snd_nxt - i.tcb->snd_una);
	EXPECT_BYTES("9a", i.bytes + i.bytes_len - 2, 2);
	instance_close(&i);
}

/* What lies before the ISN is told by how much was acknowledged, in 32 bits. */
TEST(tcp_instance, takes_an_old_ack_after_four_gigabytes)
{
	const uint32_t gigabyte = 1u << 30;
	struct instance i;

	instance_open(&i);
	for (uint32_t n = 0; n < 4; n++) { /* as if a gigabyte more had been acknowledged */
		i.tcb->iss -= gigabyte;
		write_text(&i, "12345678");
		turn(&i);
		give_ack(&i, WINDOW);
	}
	give(&i,
	     (struct tcp_packet){.seq = i.tcb->rcv_nxt,
				 .ack = i.tcb->snd_una - WINDOW / 2,
				 .flags = TCP_ACK,
				 .window = WINDOW},
	     "old");
	EXPECT_EQ(8, i.tcb->receive_bytes);
	instance_close(&i);
}

/* Errors go to all workers, and all but one have no such connection. */
TEST(tcp_instance, counts_no_error_about_a_connection_of_another_worker)
{
	struct tcp_icmp icmp = {.local_port = PORT, .remote_port = PEER_PORT + 1};
	struct instance i;

	instance_open(&i);
	i.worker = 1;
	tcp_icmp(i.tcp, &icmp);
	EXPECT_EQ(0, counter_read(&i.counters.errors[GW_TCP_ICMP]));
	i.worker = 0;
	tcp_icmp(i.tcp, &icmp);
	EXPECT_EQ(1, counter_read(&i.counters.errors[GW_TCP_ICMP]));
	instance_close(&i);
}

/* The worker looks at this counter in each turn, and the log is told. */
TEST(tcp_instance, tells_of_a_commit_of_more_than_was_reserved)
{
	struct instance i;
	uint32_t room;

	instance_open(&i);
	EXPECT(tcp_tx_reserve(&i.tcb->conn, &room) != NULL);
	tcp_tx_commit(&i.tcb->conn, room + 1);
	EXPECT_EQ(1, counter_read(&i.counters.invariant_broken));
	EXPECT_EQ(room, i.tcb->snd_end - i.tcb->snd_nxt);
	instance_close(&i);
}

/* It is another worker's, or nobody's: who asks decides that. */
TEST(tcp_instance, leaves_what_it_does_not_know_as_it_was)
{
	static const uint8_t ours[4] = {198, 18, 0, 1}, theirs[4] = {198, 18, 0, 3};
	struct rte_mbuf *packet = NULL;
	struct tcp_arrival arrival = {.local = ip_address_v4(ours),
				      .remote = ip_address_v4(theirs),
				      .tcp = {.src_port = PEER_PORT,
					      .dst_port = PORT,
					      .flags = TCP_SYN},
				      .packet = &packet};
	struct instance i;
	uint64_t in;

	instance_open(&i);
	in = counter_read(&i.counters.tcp_in);
	EXPECT(!tcp_input_known(i.tcp, &arrival));
	EXPECT_EQ(in, counter_read(&i.counters.tcp_in));
	EXPECT(!tcp_knows(i.tcp, &arrival.local, PORT, &arrival.remote, PEER_PORT));
	tcp_input(i.tcp, &arrival);
	EXPECT_EQ(in + 1, counter_read(&i.counters.tcp_in));
	EXPECT(tcp_input_known(i.tcp, &arrival)); /* half open: it is answered again */
	EXPECT_EQ(in + 2, counter_read(&i.counters.tcp_in));
	instance_close(&i);
}

TEST_MAIN("tcp_instance", RUN(tcp_instance, keeps_a_reservation_from_the_persist_timer),
	  RUN(tcp_instance, keeps_a_reservation_from_the_persist_timer_in_a_small_window),
	  RUN(tcp_instance, takes_an_old_ack_after_four_gigabytes),
	  RUN(tcp_instance, counts_no_error_about_a_connection_of_another_worker),
	  RUN(tcp_instance, tells_of_a_commit_of_more_than_was_reserved),
	  RUN(tcp_instance, leaves_what_it_does_not_know_as_it_was))
