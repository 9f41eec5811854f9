/* SPDX-License-Identifier: BSD-3-Clause */
#include "stack_client.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#define PATIENCE_MS 5000 /* where a packet is lost, or slept through, it is for ever */
#define DATAGRAM 64u

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int open_socket(enum wire_family family)
{
	int fd = socket(family == WIRE_V4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage address;
	socklen_t length = kernel_host(&address, family, WIRE_KERNEL, 0);

	EXPECT_EQ(0, bind(fd, (struct sockaddr *)&address, length));
	return fd;
}

void stack_client_open(struct stack_client *client, struct stack_world *world,
		       enum wire_family family, uint32_t sockets)
{
	EXPECT(sockets <= STACK_SOCKETS);
	*client = (struct stack_client){.world = world, .family = family, .sockets = sockets};
	for (uint32_t i = 0; i < sockets; i++)
		client->socket[i] = open_socket(family);
}

void stack_client_close(struct stack_client *client)
{
	for (uint32_t i = 0; i < client->sockets; i++)
		close(client->socket[i]);
}

/** Bytes of which none is like its neighbour, with the number in front. */
static void fill(uint8_t bytes[STACK_DATAGRAM_MAX], uint32_t number, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(number + i * 7 + (i >> 8));
	memcpy(bytes, &number, sizeof(number));
}

uint32_t stack_client_send(struct stack_client *client, uint32_t i, uint16_t port, uint32_t len)
{
	uint32_t number = client->world->numbers++;
	uint8_t bytes[STACK_DATAGRAM_MAX];
	struct sockaddr_storage to;
	socklen_t length = kernel_host(&to, client->family, WIRE_PORT, port);

	EXPECT(number < STACK_NUMBERS && len >= sizeof(number) && len <= sizeof(bytes));
	fill(bytes, number, len);
	client->number[i] = number;
	client->port[i] = port;
	client->len[i] = len;
	EXPECT_EQ(len, sendto(client->socket[i], bytes, len, 0, (struct sockaddr *)&to, length));
	return number;
}

/** A threaded world answers by itself, the other one in its turns. */
static void pass_time(struct stack_client *client, uint32_t i)
{
	struct pollfd wait = {.fd = client->socket[i], .events = POLLIN};

	if (client->world->life == STACK_THREADS)
		poll(&wait, 1, PATIENCE_MS);
	else
		stack_world_turn(client->world);
}

void stack_client_await(struct stack_client *client, uint32_t i)
{
	uint8_t expected[STACK_DATAGRAM_MAX], bytes[STACK_DATAGRAM_MAX];
	struct sockaddr_storage from, port = {0};
	socklen_t from_len = sizeof(from),
		  len = kernel_host(&port, client->family, WIRE_PORT, client->port[i]);
	uint64_t end_ms = now_ms() + PATIENCE_MS;
	ssize_t n;

	while ((n = recvfrom(client->socket[i], bytes, sizeof(bytes), MSG_DONTWAIT,
			     (struct sockaddr *)&from, &from_len)) < 0) {
		if (errno != EAGAIN || now_ms() > end_ms)
			fail_msg("no echo of datagram %u to port %u: %s", client->number[i],
				 client->port[i], strerror(errno));
		pass_time(client, i);
	}
	fill(expected, client->number[i], client->len[i]);
	EXPECT_EQ(client->len[i], n);
	EXPECT_BYTES(expected, bytes, client->len[i]);
	EXPECT_EQ(len, from_len);
	EXPECT_BYTES(&port, &from, len);
}

void stack_client_converse(struct stack_client *client, uint32_t count)
{
	for (uint32_t k = 0; k < count; k += client->sockets) {
		uint32_t n = count - k < client->sockets ? count - k : client->sockets;

		for (uint32_t i = 0; i < n; i++)
			stack_client_send(client, i,
					  STACK_STEER_BASE + stack_client_home(client, k + i),
					  DATAGRAM);
		for (uint32_t i = 0; i < n; i++)
			stack_client_await(client, i);
	}
}

void stack_client_expect_home(const struct stack_client *client, uint32_t count)
{
	uint32_t first = client->world->numbers - count, came[STACK_WORKERS] = {0};

	for (uint32_t k = 0; k < count; k++) {
		EXPECT_EQ(stack_client_home(client, k), stack_world_who(client->world, first + k));
		came[stack_client_home(client, k)]++;
	}
	for (uint16_t w = 0; w < STACK_WORKERS; w++)
		EXPECT_EQ(count / STACK_WORKERS, came[w]);
}
