/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_STACK_CLIENT_H
#define WIRE_STACK_CLIENT_H

#include "stack_world.h"

/** Kernel sockets that speak to the workers of a world, and hear their echoes: never more than one
 * datagram of a socket is on its way. */
#define STACK_SOCKETS 256u
#define STACK_DATAGRAM_MAX 4096u

struct stack_client {
	struct stack_world *world;
	enum wire_family family;
	uint32_t sockets;
	int socket[STACK_SOCKETS];
	/* of the last datagram of each */
	uint32_t number[STACK_SOCKETS];
	uint16_t port[STACK_SOCKETS];
	uint32_t len[STACK_SOCKETS];
};

/** Sockets with source ports of their own. */
void stack_client_open(struct stack_client *client, struct stack_world *world,
		       enum wire_family family, uint32_t sockets);
void stack_client_close(struct stack_client *client);

/** Sends len bytes from socket i to a port of the workers. Returns their number. */
uint32_t stack_client_send(struct stack_client *client, uint32_t i, uint16_t port, uint32_t len);

/** Waits for the echo, while the workers turn: five seconds at most, then the test fails. */
void stack_client_await(struct stack_client *client, uint32_t i);

/** The worker to whose port the k-th datagram of a conversation goes: every pair of a source port
 * and a worker has its turn. */
static inline uint16_t stack_client_home(const struct stack_client *client, uint32_t k)
{
	return (uint16_t)((k % client->sockets + k / client->sockets) % STACK_WORKERS);
}

/** count datagrams and their echoes, a multiple of STACK_WORKERS, as many to each worker's own
 * port: one of each socket, and when all are answered the next. */
void stack_client_converse(struct stack_client *client, uint32_t count);

/** Each datagram of that conversation, the world's last, was delivered once, to the worker whom its
 * port names. While no threads run. */
void stack_client_expect_home(const struct stack_client *client, uint32_t count);

#endif
