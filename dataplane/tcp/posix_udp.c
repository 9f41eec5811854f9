/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/posix.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define UDP_BATCH 16u		   /* datagrams of one port in one turn */
#define UDP_ERRORS 16u		   /* ICMP errors of one port in one turn */
#define UDP_BYTES 65536u	   /* longer than any datagram */
#define UDP_CONTROL 256u	   /* bytes of control messages with one */
#define UDP_SOCKET_BYTES (1 << 20) /* the kernel cuts it to net.core.rmem_max */
#define UDP_SENDS 2		   /* the first may only report an ICMP error of an earlier one */

/* Where datagrams are received into: one batch, shared by the ports of a core. */
struct posix_datagrams {
	struct mmsghdr message[UDP_BATCH];
	struct iovec iov[UDP_BATCH];
	struct endpoint peer[UDP_BATCH];
	_Alignas(struct cmsghdr) uint8_t control[UDP_BATCH][UDP_CONTROL];
	uint8_t bytes[UDP_BATCH][UDP_BYTES];
};

/* ICMP errors come through the error queue; a wildcard port learns where a datagram came to. */
static bool udp_tune(int fd, const struct endpoint *local)
{
	bool v6 = local->sa.sa_family == AF_INET6;
	bool any = posix_address_any(local);

	posix_option(fd, SOL_SOCKET, SO_RCVBUF, UDP_SOCKET_BYTES); /* as much as is allowed */
	if (v6 && !(posix_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) &&
		    posix_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1) &&
		    posix_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, any)))
		return false;
	if (!v6 && !(posix_option(fd, IPPROTO_IP, IP_RECVERR, 1) &&
		     posix_option(fd, IPPROTO_IP, IP_PKTINFO, any)))
		return false;
	return posix_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
}

enum gw_err posix_udp_bind(struct net_core *core, const struct endpoint *local,
			   const struct udp_ops *ops, void *context)
{
	struct posix_core *c = posix_core_of(core);
	uint64_t data = (uint64_t)c->udps << POSIX_SOURCE_BITS | POSIX_UDP;
	int fd;

	if (c->udps == POSIX_PORTS)
		return GW_POOL_EMPTY;
	if (local->sa.sa_family != AF_INET && local->sa.sa_family != AF_INET6)
		return GW_SYSTEM;
	if (c->datagrams == NULL)
		c->datagrams = calloc(1, sizeof(*c->datagrams));
	if (c->datagrams == NULL)
		return GW_NO_MEMORY;
	fd = socket(local->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return GW_SYSTEM;
	if (!udp_tune(fd, local) || bind(fd, &local->sa, posix_address_len(local)) != 0 ||
	    !posix_watch(c, fd, data, EPOLLIN | EPOLLET)) {
		close(fd);
		return GW_SYSTEM;
	}
	c->udp[c->udps++] = (struct posix_udp){.fd = fd,
					       .any = posix_address_any(local),
					       .ops = ops,
					       .context = context,
					       .local = posix_address_of(fd)};
	return GW_OK;
}

void posix_udp_close(struct posix_core *core)
{
	for (uint32_t i = 0; i < core->udps; i++)
		close(core->udp[i].fd);
	core->udps = 0;
	free(core->datagrams);
	core->datagrams = NULL;
}

void posix_udp_event(struct posix_udp *udp, uint32_t events)
{
	if ((events & EPOLLERR) != 0)
		udp->fault = true;
	if ((events & EPOLLIN) != 0)
		udp->pending = true;
}

/* ---- receiving ---- */

static void udp_prepare(struct posix_datagrams *d)
{
	for (uint32_t i = 0; i < UDP_BATCH; i++) {
		d->iov[i] = (struct iovec){d->bytes[i], UDP_BYTES};
		memset(&d->peer[i], 0, sizeof(d->peer[i]));
		d->message[i].msg_hdr = (struct msghdr){.msg_name = &d->peer[i],
							.msg_namelen = sizeof(d->peer[i]),
							.msg_iov = &d->iov[i],
							.msg_iovlen = 1,
							.msg_control = d->control[i],
							.msg_controllen = UDP_CONTROL};
	}
}

/* The address a datagram came to: the port's own, or on a wildcard port what the kernel says. */
static struct endpoint udp_local(const struct posix_udp *udp, struct msghdr *message)
{
	struct endpoint local = udp->local;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
			memcpy(&local.v4.sin_addr,
			       CMSG_DATA(c) + offsetof(struct in_pktinfo, ipi_addr),
			       sizeof(local.v4.sin_addr));
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
			memcpy(&local.v6.sin6_addr,
			       CMSG_DATA(c) + offsetof(struct in6_pktinfo, ipi6_addr),
			       sizeof(local.v6.sin6_addr));
	}
	return local;
}

static void udp_receive(struct posix_core *core, struct posix_udp *udp)
{
	struct posix_datagrams *d = core->datagrams;
	int n;

	udp_prepare(d);
	n = recvmmsg(udp->fd, d->message, UDP_BATCH, 0, NULL);
	if (n < 0) {
		/* Any other error is one of the error queue's: the datagrams are behind it. */
		udp->pending = errno != EAGAIN;
		return;
	}
	udp->pending = n == (int)UDP_BATCH; /* fewer: the socket is empty, more makes a new event */
	for (int i = 0; i < n; i++) {
		struct endpoint local = udp_local(udp, &d->message[i].msg_hdr);

		udp->ops->datagram(udp->context, &local, &d->peer[i],
				   span_of(d->bytes[i], d->message[i].msg_len));
	}
}

/* "Too long" is none; nor is "time exceeded", which may be one fragment lost (RFC 3261 18.4). */
static bool udp_error_is_unreachable(const struct sock_extended_err *e)
{
	if (e->ee_errno == EMSGSIZE)
		return false;
	if (e->ee_origin == SO_EE_ORIGIN_ICMP)
		return e->ee_type != ICMP_TIME_EXCEEDED;
	return e->ee_origin == SO_EE_ORIGIN_ICMP6 && e->ee_type != ICMP6_TIME_EXCEEDED;
}

static bool udp_is_unreachable(struct msghdr *message)
{
	struct sock_extended_err e;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
		    !(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			continue;
		memcpy(&e, CMSG_DATA(c), sizeof(e));
		return udp_error_is_unreachable(&e);
	}
	return false;
}

static void udp_take_error(struct posix_core *core, struct posix_udp *udp)
{
	struct posix_datagrams *d = core->datagrams;
	struct msghdr *message = &d->message[0].msg_hdr;

	udp_prepare(d);
	if (recvmsg(udp->fd, message, MSG_ERRQUEUE) < 0) {
		udp->fault = false;
		return;
	}
	if (udp_is_unreachable(message))
		udp->ops->unreachable(udp->context, &d->peer[0]); /* where it had been sent to */
}

void posix_udp_ready(struct posix_core *core, struct posix_udp *udp)
{
	if (udp->pending)
		udp_receive(core, udp);
	for (uint32_t n = 0; n < UDP_ERRORS && udp->fault; n++)
		udp_take_error(core, udp);
}

/* ---- sending ---- */

/* The port bound to local, or to its port number on the wildcard address. */
static struct posix_udp *udp_find(struct posix_core *core, const struct endpoint *local)
{
	struct posix_udp *wildcard = NULL;

	for (uint32_t i = 0; i < core->udps; i++) {
		struct posix_udp *udp = &core->udp[i];

		if (udp->local.sa.sa_family != local->sa.sa_family ||
		    endpoint_port(&udp->local) != endpoint_port(local))
			continue;
		if (endpoint_same_host(&udp->local, local))
			return udp;
		if (udp->any)
			wildcard = udp;
	}
	return wildcard;
}

/* From a wildcard port: local as the source address. */
static void udp_set_source(struct msghdr *message, const struct endpoint *local)
{
	struct cmsghdr *c = message->msg_control;
	struct in_pktinfo v4 = {0};
	struct in6_pktinfo v6 = {0};

	if (local->sa.sa_family == AF_INET) {
		v4.ipi_spec_dst = local->v4.sin_addr;
		*c = (struct cmsghdr){CMSG_LEN(sizeof(v4)), IPPROTO_IP, IP_PKTINFO};
		memcpy(CMSG_DATA(c), &v4, sizeof(v4));
		message->msg_controllen = CMSG_SPACE(sizeof(v4));
	} else {
		v6.ipi6_addr = local->v6.sin6_addr;
		*c = (struct cmsghdr){CMSG_LEN(sizeof(v6)), IPPROTO_IPV6, IPV6_PKTINFO};
		memcpy(CMSG_DATA(c), &v6, sizeof(v6));
		message->msg_controllen = CMSG_SPACE(sizeof(v6));
	}
}

static enum gw_err udp_send_errno(int error)
{
	if (error == EAGAIN || error == ENOBUFS || error == ENOMEM)
		return GW_QUEUE_FULL;
	return error == EMSGSIZE ? GW_NO_ROOM : GW_SYSTEM;
}

enum gw_err posix_udp_send(struct net_core *core, const struct endpoint *local,
			   const struct endpoint *peer, struct span bytes)
{
	struct posix_udp *udp = udp_find(posix_core_of(core), local);
	_Alignas(struct cmsghdr) uint8_t control[UDP_CONTROL] = {0};
	struct endpoint to = *peer;
	struct iovec iov = {(void *)(uintptr_t)bytes.at, bytes.len};
	struct msghdr message = {.msg_name = &to,
				 .msg_namelen = posix_address_len(peer),
				 .msg_iov = &iov,
				 .msg_iovlen = 1};

	if (udp == NULL || peer->sa.sa_family != local->sa.sa_family)
		return GW_SYSTEM;
	if (udp->any && !posix_address_any(local)) {
		message.msg_control = control;
		udp_set_source(&message, local);
	}
	for (int n = 0; n < UDP_SENDS; n++)
		if (sendmsg(udp->fd, &message, MSG_NOSIGNAL) >= 0)
			return GW_OK;
	return udp_send_errno(errno);
}
