/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/posix.h"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define ROW_SSTHRESH_NONE 0x7fffffffu /* of the kernel: nothing was lost yet */

/** Numbers of the kernel's, in its header's order. */
static const char *row_state(uint8_t state)
{
	static const char *const texts[] = {
		[TCP_ESTABLISHED] = "ESTAB",	[TCP_SYN_SENT] = "SYN-SENT",
		[TCP_SYN_RECV] = "SYN-RCVD",	[TCP_FIN_WAIT1] = "FIN-WAIT-1",
		[TCP_FIN_WAIT2] = "FIN-WAIT-2", [TCP_TIME_WAIT] = "TIME-WAIT",
		[TCP_CLOSE] = "CLOSED",		[TCP_CLOSE_WAIT] = "CLOSE-WAIT",
		[TCP_LAST_ACK] = "LAST-ACK",	[TCP_LISTEN] = "LISTEN",
		[TCP_CLOSING] = "CLOSING",
	};

	return state < sizeof(texts) / sizeof(texts[0]) && texts[state] != NULL ? texts[state]
										: "?";
}

/** Bytes in a queue of the kernel's. */
static uint32_t row_queue(const struct posix_conn *conn, unsigned long which)
{
	int bytes = 0;

	return ioctl(conn->fd, which, &bytes) == 0 && bytes > 0 ? (uint32_t)bytes : 0;
}

static void row_kernel(const struct posix_conn *conn, struct conn_row *row)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	if (conn->fd < 0 || getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return; /* it has ended, and its user is told next */
	snprintf(row->state, sizeof(row->state), "%s", row_state(info.tcpi_state));
	row->receive_bytes += row_queue(conn, SIOCINQ);
	row->send_bytes += row_queue(conn, SIOCOUTQ);
	row->srtt_us = info.tcpi_rtt;
	row->rto_us = info.tcpi_rto;
	row->mss = info.tcpi_snd_mss;
	row->cwnd = info.tcpi_snd_cwnd * info.tcpi_snd_mss;
	if (info.tcpi_snd_ssthresh < ROW_SSTHRESH_NONE)
		row->ssthresh = info.tcpi_snd_ssthresh * info.tcpi_snd_mss;
	row->retransmits = info.tcpi_total_retrans;
}

bool posix_row_next(struct net_core *core, uint32_t *cursor, struct conn_row *row)
{
	struct posix_core *c = posix_core_of(core);
	struct posix_conn *conn = slots_next(c->conns, cursor);

	if (conn == NULL)
		return false;
	*row = (struct conn_row){
		.ref = slots_handle(c->conns, conn),
		.local = conn->local,
		.peer = conn->peer,
		.state = "CLOSED",
		.receive_bytes = conn->rx.bytes,
		.send_bytes = conn->tx.bytes,
		.age_s = (uint32_t)(c->config.clock->now_us / 1000000) - conn->born_s,
	};
	row_kernel(conn, row);
	return true;
}
