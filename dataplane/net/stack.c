/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/stack.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/*
 * The turn of a worker's packets, top to bottom: bursts in (stack_receive), datagrams up
 * (stack_run_ready), bursts out (stack_transmit), and sleep.
 */

#define FORWARD_PER_SECOND 2000u /* of each kind, handed to worker 0 */
#define ERRORS_PER_SECOND 100u
#define BACKOFF_MIN_US 50u
#define BACKOFF_MAX_US 2000u
#define LATE_US 5000u	/* TCP.md 4.1: who was away for longer takes all that has come meanwhile */
#define BLOCKED_US 500u /* a device that took less than was offered is tried again after this */

/* ---- small things ------------------------------------------------------------------------------
 */

enum gw_err stack_count(struct stack *stack, enum gw_err err)
{
	counter_add(&stack->counters->errors[err], 1);
	return err;
}

bool stack_trusts(const struct stack *stack, const struct ip_address *peer)
{
	for (uint32_t i = 0; i < stack->peers; i++)
		if (ip_address_equal(&stack->peer[i], peer))
			return true;
	return false;
}

struct ready *stack_ready_add(struct stack *stack, enum ready_kind kind)
{
	struct ready *ready;

	if (stack->ready_count == STACK_READY)
		return NULL;
	ready = &stack->ready[(stack->ready_at + stack->ready_count++) % STACK_READY];
	ready->kind = kind;
	ready->packet = NULL;
	return ready;
}

/* ---- life --------------------------------------------------------------------------------------
 */

static bool stack_watch(struct stack *stack, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return fd < 0 || epoll_ctl(stack->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool stack_watch_all(struct stack *stack)
{
	stack->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (stack->epoll_fd < 0)
		return false;
	for (uint32_t i = 0; i < stack->netifs; i++) {
		const struct stack_netif *nif = &stack->netif[i];

		if (nif->polled &&
		    !stack_watch(stack, nif->netif->ops->wait_fd(nif->netif->port, nif->queue)))
			return false;
	}
	return stack->hub == NULL || stack_watch(stack, mailbox_wake_fd(stack->hub, stack->worker));
}

static enum gw_err stack_allocate(struct stack *stack)
{
	struct net_shared *shared = stack->shared;

	stack->netif = calloc(shared->netifs, sizeof(struct stack_netif));
	stack->pool = shared->pool[stack->worker];
	stack->handed = shared->handed != NULL ? shared->handed[stack->worker] : NULL;
	stack->paths = path_mtu_new(STACK_PATHS);
	if (stack->netif == NULL || stack->paths == NULL)
		return GW_NO_MEMORY;
	for (uint32_t i = 0; i < shared->netifs; i++)
		stack_netif_init(&stack->netif[i], &shared->netif[i], i, stack->worker);
	stack->netifs = shared->netifs;
	if (stack->worker != 0)
		return GW_OK;
	stack->reassembly = reassembly_new(STACK_DATAGRAMS);
	return stack->reassembly != NULL ? owner_open(stack) : GW_NO_MEMORY;
}

enum gw_err stack_new(const struct net_config *config, struct stack **made)
{
	struct stack *stack = calloc(1, sizeof(*stack));
	enum gw_err err;

	if (stack == NULL)
		return GW_NO_MEMORY;
	stack->config = *config;
	stack->shared = config->shared;
	stack->worker = config->worker;
	stack->workers = config->shared->workers;
	stack->steer_base = config->shared->steer_base;
	stack->hub = config->shared->hub;
	stack->counters = config->counters;
	stack->heard_us = stack->turn_us = stack_now(stack);
	for (uint32_t kind = 0; kind < FORWARD_KINDS; kind++)
		stack->forward[kind] =
			(struct rate){.limit = {FORWARD_PER_SECOND, FORWARD_PER_SECOND}};
	stack->errors_out = (struct rate){.limit = {ERRORS_PER_SECOND, ERRORS_PER_SECOND}};
	stack->epoll_fd = -1;
	err = stack_allocate(stack);
	if (err == GW_OK && !stack_watch_all(stack))
		err = GW_SYSTEM;
	if (err != GW_OK) {
		stack_free(stack);
		return err;
	}
	*made = stack;
	return GW_OK;
}

static void ready_drop(struct stack *stack)
{
	struct ready *ready = &stack->ready[stack->ready_at];

	if (ready->packet != NULL)
		packet_put(ready->packet);
	stack->ready_at = (stack->ready_at + 1) % STACK_READY;
	stack->ready_count--;
}

void stack_free(struct stack *stack)
{
	if (stack == NULL)
		return;
	while (stack->ready_count > 0)
		ready_drop(stack);
	for (uint32_t i = 0; i < stack->netifs; i++) {
		struct stack_netif *nif = &stack->netif[i];

		for (; nif->backlog_count > 0; nif->backlog_count--)
			packet_put(nif->backlog[nif->backlog_at++ % STACK_BACKLOG]);
	}
	if (stack->epoll_fd >= 0)
		close(stack->epoll_fd);
	path_mtu_free(stack->paths);
	reassembly_free(stack->reassembly);
	free(stack->filter);
	free(stack->owner);
	free(stack->netif);
	free(stack);
}

/* ---- the turn ----------------------------------------------------------------------------------
 */

static void receive_packet(struct stack *stack, struct stack_netif *nif, struct rte_mbuf *packet)
{
	struct input input = {
		.nif = nif,
		.frame = packet_span(packet),
		.ip_checksum = packet_ip_checksum(packet),
		.l4_checksum = packet_l4_checksum(packet),
		.packet = &packet,
	};

	counter_add(&stack->counters->net_rx_packets, 1);
	counter_add(&stack->counters->net_rx_bytes, input.frame.len);
	mirror_frame(stack, nif, input.frame, MIRROR_RECEIVED);
	input_frame(stack, &input);
	if (packet != NULL)
		packet_put(packet);
}

/** Bursts of one port until it is empty, bounded; a place for every datagram is kept. */
static void receive_port(struct stack *stack, struct stack_netif *nif)
{
	struct rte_mbuf *packets[STACK_BURST];
	uint32_t bursts = stack->late ? STACK_LATE * STACK_BURSTS : STACK_BURSTS;
	uint16_t n = STACK_BURST;

	for (uint32_t i = 0;
	     i < bursts && n == STACK_BURST && stack->ready_count + STACK_BURST <= STACK_READY;
	     i++) {
		n = nif->netif->ops->rx_burst(nif->netif->port, nif->queue, packets, STACK_BURST);
		for (uint16_t k = 0; k < n; k++)
			receive_packet(stack, nif, packets[k]);
		if (n > 0)
			stack->heard_us = stack_now(stack);
	}
	nif->more = n == STACK_BURST;
}

/** A worker that was busy elsewhere must see the ACKs that have come before its timers run, or each
 * stall of its own looks like a loss. One that has slept may have been busy before: that it found
 * nothing to do then says nothing of what has come meanwhile. */
static void receive_begin(struct stack *stack)
{
	stack->late = stack_now(stack) - stack->turn_us > LATE_US;
	stack->turn_us = stack_now(stack);
}

void stack_receive(struct stack *stack)
{
	receive_begin(stack);
	/* each turn begins with another port: two that are flooded do not shut out a third */
	stack->first = stack->netifs > 0 ? (stack->first + 1) % stack->netifs : 0;
	for (uint32_t i = 0; i < stack->netifs; i++) {
		struct stack_netif *nif = &stack->netif[(stack->first + i) % stack->netifs];

		if (nif->polled)
			receive_port(stack, nif);
	}
	if (stack_is_owner(stack))
		owner_run(stack);
}

void stack_run_fragment(struct stack *stack, const struct ip_packet *fragment)
{
	struct ip_packet whole;
	struct udp_packet udp;
	enum gw_err err = reassembly_add(stack->reassembly, fragment, stack_now(stack), &whole);
	uint16_t to;

	if (err == GW_AGAIN)
		return;
	if (err == GW_OK) {
		counter_add(&stack->counters->net_reassembled, 1);
		udp = udp_read(&whole, PACKET_CHECKSUM_UNKNOWN);
		err = whole.protocol == IPPROTO_UDP ? udp.err : GW_IP_PROTOCOL;
	}
	if (err != GW_OK) {
		stack_count(stack, err);
		return;
	}
	to = hand_over_owner(stack, udp.dst_port);
	if (to != stack->worker) {
		hand_over_datagram(stack, &whole, &udp, to);
		return;
	}
	counter_add(&stack->counters->net_udp_in, 1);
	udp_port_deliver(stack, &whole, &udp);
}

static void run_ready(struct stack *stack, const struct ready *ready)
{
	switch (ready->kind) {
	case READY_DATAGRAM:
		udp_port_deliver(stack, &ready->ip, &ready->udp);
		return;
	case READY_FRAGMENT:
		stack_run_fragment(stack, &ready->ip);
		return;
	case READY_UNREACHABLE:
		udp_port_unreachable(stack, &ready->local, &ready->peer);
		return;
	}
}

void stack_run_ready(struct stack *stack)
{
	/* what is added meanwhile, by a user who writes to himself, waits for the next turn */
	for (uint32_t n = stack->ready_count; n > 0; n--) {
		run_ready(stack, &stack->ready[stack->ready_at]);
		ready_drop(stack);
	}
	hand_over_receive(stack);
}

void stack_transmit(struct stack *stack)
{
	for (uint32_t i = 0; i < stack->netifs; i++)
		if (stack->netif[i].polled)
			output_flush(stack, &stack->netif[i]);
}

/* ---- sleep -------------------------------------------------------------------------------------
 */

bool stack_idle(const struct stack *stack)
{
	if (stack->ready_count > 0 ||
	    (stack->hub != NULL && !mailbox_empty(stack->hub, stack->worker)))
		return false;
	for (uint32_t i = 0; i < stack->netifs; i++) {
		const struct stack_netif *nif = &stack->netif[i];

		if (nif->more || (nif->backlog_count > 0 && !nif->blocked))
			return false;
	}
	return true;
}

uint64_t stack_next_us(const struct stack *stack)
{
	uint64_t next = stack_is_owner(stack) ? owner_next_us(stack) : UINT64_MAX;

	for (uint32_t i = 0; i < stack->netifs; i++)
		if (stack->netif[i].backlog_count > 0 && stack_now(stack) + BLOCKED_US < next)
			next = stack_now(stack) + BLOCKED_US;
	return next;
}

/** How long to be away from a device that cannot wake us: the longer it has been silent, the
 * longer. */
static uint64_t stack_backoff_us(const struct stack *stack)
{
	uint64_t quiet_us = (stack_now(stack) - stack->heard_us) / 4;

	if (quiet_us < BACKOFF_MIN_US)
		return BACKOFF_MIN_US;
	return quiet_us < BACKOFF_MAX_US ? quiet_us : BACKOFF_MAX_US;
}

uint64_t stack_sleep_begin(struct stack *stack)
{
	uint64_t until_us = stack_next_us(stack);

	stack->armed = 0;
	stack->hub_asleep = false;
	if (!stack_idle(stack))
		return 0;
	if (stack->hub != NULL && !mailbox_sleep_begin(stack->hub, stack->worker))
		return 0;
	stack->hub_asleep = stack->hub != NULL;
	for (uint32_t i = 0; i < stack->netifs; i++) {
		const struct stack_netif *nif = &stack->netif[i];
		uint64_t again_us = stack_now(stack) + stack_backoff_us(stack);

		if (!nif->polled)
			continue;
		if (nif->netif->ops->arm(nif->netif->port, nif->queue) == GW_OK)
			stack->armed |= 1u << i;
		else if (again_us < until_us)
			until_us = again_us;
	}
	return until_us;
}

void stack_sleep_end(struct stack *stack)
{
	int wake_fd = stack->hub != NULL ? mailbox_wake_fd(stack->hub, stack->worker) : -1;
	struct epoll_event events[NETIFS_MAX + 1];
	uint64_t count;
	int n;

	for (uint32_t i = 0; i < stack->netifs; i++)
		if ((stack->armed & 1u << i) != 0)
			stack->netif[i].netif->ops->disarm(stack->netif[i].netif->port,
							   stack->netif[i].queue);
	stack->armed = 0;
	if (!stack->hub_asleep)
		return;
	mailbox_sleep_end(stack->hub, stack->worker);
	stack->hub_asleep = false;
	n = epoll_wait(stack->epoll_fd, events, NETIFS_MAX + 1, 0);
	for (int i = 0; i < n; i++)
		if (events[i].data.fd == wake_fd && read(wake_fd, &count, sizeof(count)) < 0)
			errno = 0; /* drained already */
}

int stack_wait_fd(const struct stack *stack)
{
	return stack->epoll_fd;
}

/* ---- settings ----------------------------------------------------------------------------------
 */

void stack_peers(struct stack *stack, const struct endpoint *peers, uint32_t count)
{
	stack->peers = count < STACK_PEERS_MAX ? count : STACK_PEERS_MAX;
	for (uint32_t i = 0; i < stack->peers; i++)
		stack->peer[i] = ip_address_of(&peers[i]);
	if (stack_is_owner(stack))
		owner_peers(stack);
}
