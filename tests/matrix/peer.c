/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node.h"
#include "play.h"

/*
 * matrix_peer: the kernel's side of one connection, over a socket. It says "ready" when it listens
 * (or at once), prints what became of the connection, and ends.
 */

#define READ_MAX 65536u
#define BIND_TRIES 500 /* 10 ms each: an address of IPv6 is there later than it is set */

struct peer {
	struct play play;
	struct progress p;
	int fd;
	bool over;
	const char *end;
	char text[64];
	uint64_t read_at_us, until_us;
	uint64_t oob_at;
};

static void finish(struct peer *peer, const char *end)
{
	peer->over = true;
	peer->end = end;
}

static void fail(struct peer *peer)
{
	if (errno == EAGAIN || errno == EINTR)
		return;
	snprintf(peer->text, sizeof(peer->text), "%s", strerror(errno));
	finish(peer, peer->text);
}

static bool set(int fd, int level, int name, uint64_t value)
{
	int number = (int)value;

	return value == 0 || setsockopt(fd, level, name, &number, sizeof(number)) == 0;
}

static bool set_options(const struct peer *peer, int fd)
{
	static const char *const names[] = {"", "reno", "cubic", "bbr"};
	const struct play *play = &peer->play;
	const char *name = play->congestion < 4 ? names[play->congestion] : "";

	return set(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
	       set(fd, SOL_SOCKET, SO_RCVBUF, play->rcvbuf) &&
	       set(fd, IPPROTO_TCP, TCP_NODELAY, play->nodelay) &&
	       set(fd, IPPROTO_TCP, TCP_CORK, play->cork) &&
	       (*name == '\0' ||
		setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)) == 0);
}

/* ---- opening -----------------------------------------------------------------------------------
 */

static socklen_t length_of(const struct endpoint *e)
{
	return e->sa.sa_family == AF_INET ? sizeof(e->v4) : sizeof(e->v6);
}

static bool bind_to(int fd, const struct endpoint *local)
{
	for (int i = 0; i < BIND_TRIES; i++) {
		if (bind(fd, &local->sa, length_of(local)) == 0)
			return true;
		if (errno != EADDRNOTAVAIL)
			return false;
		usleep(10000);
	}
	return false;
}

/** A connected socket, or one on which the connection is being opened; -1. */
static int open_connection(struct peer *peer)
{
	bool v6 = peer->play.v6 != 0, listens = peer->play.connect == 0;
	struct endpoint local = node_endpoint(NODE_PEER, v6, listens ? NODE_PORT : 0),
			remote = node_endpoint(NODE_US, v6, NODE_PORT);
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), accepted;

	if (fd < 0 || !set_options(peer, fd) || !bind_to(fd, &local) ||
	    (listens && listen(fd, 1) != 0))
		return -1;
	puts("ready");
	fflush(stdout);
	if (!listens)
		return connect(fd, &remote.sa, length_of(&remote)) == 0 ? fd : -1;
	accepted = accept(fd, NULL, NULL);
	close(fd);
	return accepted;
}

/* ---- playing -----------------------------------------------------------------------------------
 */

static void receive(struct peer *peer)
{
	uint64_t piece = peer->play.read_piece > 0 ? peer->play.read_piece : READ_MAX;
	uint8_t bytes[READ_MAX];
	ssize_t n = recv(peer->fd, bytes, piece, MSG_DONTWAIT);

	peer->read_at_us = play_now_us() + peer->play.read_us;
	if (n < 0) {
		fail(peer);
		return;
	}
	peer->p.peer_fin = n == 0;
	stream_take(&peer->p.in, bytes, (uint32_t)n);
	if (peer->play.kill_after > 0 && peer->p.in.at >= peer->play.kill_after)
		raise(SIGKILL);
}

/** What a write of len bytes takes: it is not known before, so the stream is moved on a copy. */
static void transmit(struct peer *peer)
{
	uint64_t may = play_may_send(&peer->play, &peer->p);
	struct stream ahead = peer->p.out;
	uint8_t bytes[16384];
	int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	ssize_t n;

	may = may < peer->play.piece ? may : peer->play.piece;
	may = may < sizeof(bytes) ? may : sizeof(bytes);
	if (peer->play.oob > 0 && peer->p.out.at >= peer->oob_at + peer->play.oob) {
		peer->oob_at = peer->p.out.at;
		may = 1;
		flags |= MSG_OOB;
	}
	stream_fill(&ahead, bytes, (uint32_t)may);
	n = send(peer->fd, bytes, may, flags);
	if (n < 0)
		fail(peer);
	else
		stream_fill(&peer->p.out, bytes, (uint32_t)n);
}

static void say_fin(struct peer *peer)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	peer->p.fin = true;
	if (peer->play.reset_at_last != 0) {
		setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		finish(peer, "closed by reset");
	} else if (shutdown(peer->fd, SHUT_WR) != 0) {
		fail(peer);
	}
}

static void reset(struct peer *peer)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	finish(peer, "reset by this side");
}

static void wait_for(struct peer *peer, uint64_t now_us)
{
	bool may_read = !peer->p.peer_fin && now_us >= peer->read_at_us;
	bool may_write = play_may_send(&peer->play, &peer->p) > 0;
	uint64_t until_us = peer->p.peer_fin || may_read ? peer->until_us : peer->read_at_us;
	struct pollfd fd = {.fd = peer->fd,
			    .events = (short)((may_read ? POLLIN : 0) | (may_write ? POLLOUT : 0))};

	poll(&fd, 1, (int)((until_us - now_us + 999) / 1000));
	if (may_read && (fd.revents & (POLLIN | POLLHUP | POLLERR)) != 0)
		receive(peer);
	if (!peer->over && may_write && (fd.revents & POLLOUT) != 0)
		transmit(peer);
	if (!peer->over && !may_read && (fd.revents & (POLLERR | POLLHUP)) == (POLLERR | POLLHUP)) {
		errno = ECONNRESET;
		fail(peer);
	}
}

static void play(struct peer *peer)
{
	while (!peer->over) {
		uint64_t now_us = play_now_us();

		if (now_us >= peer->until_us)
			finish(peer, "not over");
		else if (play_may_reset(&peer->play, &peer->p))
			reset(peer);
		else if (play_may_fin(&peer->play, &peer->p))
			say_fin(peer);
		else if (peer->p.fin && peer->p.peer_fin)
			finish(peer, "closed");
		else
			wait_for(peer, now_us);
	}
}

int main(int argc, char **argv)
{
	static struct peer peer;

	if (!play_read(&peer.play, argc, argv))
		return 2;
	alarm((unsigned)peer.play.seconds);
	play_begin(&peer.p, &peer.play, STREAM_THEIRS);
	peer.until_us = play_now_us() + peer.play.seconds * 1000000;
	peer.fd = open_connection(&peer);
	if (peer.fd < 0)
		fail(&peer);
	play(&peer);
	close(peer.fd);
	play_print(&peer.p, peer.end, "");
	return 0;
}
