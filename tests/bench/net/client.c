/* SPDX-License-Identifier: BSD-3-Clause */
#include "client.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "space.h"

#define WINDOW_MAX 256
#define BYTES_MAX 1500

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int open_socket(uint32_t patience_ms)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(SPACE_PORT)};
	struct timeval wait = {.tv_usec = (suseconds_t)patience_ms * 1000};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), bytes = 4 << 20;

	inet_pton(AF_INET, SPACE_GATEWAY, &to.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/** Vectors over one buffer each. */
static void prepare(struct mmsghdr *message, struct iovec *iov, uint8_t *bytes, uint32_t len)
{
	for (uint32_t i = 0; i < WINDOW_MAX; i++) {
		iov[i] = (struct iovec){bytes + i * BYTES_MAX, len};
		message[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &iov[i], .msg_iovlen = 1}};
	}
}

double client_rate(uint32_t bytes, uint32_t window, uint32_t ms)
{
	static struct mmsghdr out[WINDOW_MAX], in[WINDOW_MAX];
	static struct iovec out_iov[WINDOW_MAX], in_iov[WINDOW_MAX];
	static uint8_t out_bytes[WINDOW_MAX * BYTES_MAX], in_bytes[WINDOW_MAX * BYTES_MAX];
	uint64_t begun = now_us(), end = begun + ms * 1000ull, echoes = 0;
	int fd = open_socket(5), due = (int)window;

	prepare(out, out_iov, out_bytes, bytes);
	prepare(in, in_iov, in_bytes, BYTES_MAX);
	while (fd >= 0 && now_us() < end) {
		int sent = due > 0 ? sendmmsg(fd, out, (unsigned)due, 0) : 0;
		int got = recvmmsg(fd, in, window, MSG_WAITFORONE, NULL);

		due -= sent > 0 ? sent : 0;
		if (got > 0) {
			echoes += (uint64_t)got;
			due += got;
		} else {
			due = (int)window; /* lost: begin again */
		}
	}
	close(fd);
	return (double)echoes * 1e6 / (double)(now_us() - begun);
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

struct client_latency client_latency(uint32_t rounds, uint32_t pause_us)
{
	struct client_latency result = {0};
	uint64_t *taken = calloc(rounds, sizeof(*taken));
	int fd = open_socket(100);
	char byte = 0;

	for (uint32_t i = 0; i < rounds; i++) {
		uint64_t begun;

		usleep(pause_us);
		begun = now_us();
		if (send(fd, &byte, 1, 0) != 1 || recv(fd, &byte, 1, 0) != 1)
			result.lost++;
		taken[i] = now_us() - begun;
	}
	qsort(taken, rounds, sizeof(*taken), compare);
	result.p50_us = (double)taken[rounds / 2];
	result.p99_us = (double)taken[rounds * 99 / 100];
	close(fd);
	free(taken);
	return result;
}

int client_wait(void)
{
	uint64_t end = now_us() + 5000000;
	int fd = open_socket(100), answered = -1;
	char byte = 0;

	while (answered != 0 && now_us() < end)
		if (send(fd, &byte, 1, 0) == 1 && recv(fd, &byte, 1, 0) == 1)
			answered = 0;
	close(fd);
	return answered;
}
