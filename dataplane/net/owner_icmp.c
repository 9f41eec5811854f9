/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/owner.h"

/* ICMP and ICMPv6 for one of our addresses: echo is answered, errors about what we have sent
 * believed.
 */

#define HOP_LIMIT 64

/**
 * Where an echo reply goes: by the configured next hop; to a host on the link that nobody
 * configured, back to where the request came from, since nothing is kept of it.
 */
static enum gw_err echo_route(struct stack *stack, struct stack_netif *nif,
			      const struct eth_frame *eth, const struct ip_packet *ip,
			      struct route *route)
{
	enum gw_err err = ip_address_is_link_local(&ip->src)
				  ? GW_NET_NO_ROUTE
				  : output_route(stack, &ip->dst, &ip->src, route);

	if (err == GW_OK || !stack_netif_on_link(nif, &ip->src))
		return err;
	*route = (struct route){.nif = nif, .mtu = nif->netif->info.mtu};
	memcpy(route->mac, eth->src, sizeof(route->mac));
	return GW_OK;
}

static void icmp_echo(struct stack *stack, struct stack_netif *nif, const struct eth_frame *eth,
		      const struct ip_packet *ip, const struct icmp_message *message)
{
	struct output output = {.head = {.src = ip->dst,
					 .dst = ip->src,
					 .protocol = ip->protocol,
					 .hop_limit = HOP_LIMIT,
					 .dont_fragment = true}}; /* ID 0: RFC 6864 4.1 */
	uint8_t bytes[PACKET_ROOM];
	struct route route = {0};
	struct writer w;
	enum gw_err err;

	if (!rate_take(&stack->owner->echo, stack_now(stack))) {
		stack_count(stack, GW_ICMP_RATE);
		return;
	}
	err = echo_route(stack, nif, eth, ip, &route);
	writer_init(&w, bytes, sizeof(bytes));
	icmp_write_echo(&w, &ip->dst, &ip->src,
			&(struct icmp_echo){ICMP_ECHO_REPLY, message->id, message->sequence,
					    message->body});
	output.nif = route.nif;
	output.mac = route.mac;
	output.l4 = writer_span(&w);
	output.head.payload_len = output.l4.len;
	if (err == GW_OK)
		err = writer_ok(&w) ? output_ip(stack, &output) : GW_NET_TOO_BIG;
	if (err == GW_OK)
		counter_add(&stack->counters->net_icmp_out, 1);
	else
		stack_count(stack, err);
}

/**
 * Whether we may have sent what the error is about: from our address, longer than what it says is
 * too small; and a datagram to a trusted peer. About a segment TCP itself knows better whether it
 * is on its way, whoever the peer is.
 */
static enum gw_err icmp_error_check(const struct stack *stack, const struct stack_netif *nif,
				    const struct icmp_quote *quote,
				    const struct icmp_message *message)
{
	struct ip_address ours = ip_address_of(&quote->src), theirs = ip_address_of(&quote->dst);
	uint32_t floor = ip_address_is_v4(&theirs) ? IP4_MTU_MIN : IP6_MTU_MIN;
	bool udp = quote->protocol == IPPROTO_UDP && stack_trusts(stack, &theirs);
	bool tcp = quote->protocol == IPPROTO_TCP && stack->tcp_ops != NULL;

	if (quote->err != GW_OK)
		return quote->err;
	if (!stack_netif_has(nif, &ours) || (!udp && !tcp))
		return GW_ICMP_FOREIGN;
	if (message->kind != ICMP_TOO_BIG)
		return GW_OK;
	return message->mtu >= quote->ip_len || floor >= quote->ip_len ? GW_ICMP_FOREIGN : GW_OK;
}

static void icmp_tell_udp(struct stack *stack, const struct icmp_quote *quote,
			  const struct icmp_message *message)
{
	struct icmp_error error = {.local = quote->src,
				   .peer = quote->dst,
				   .too_big = message->kind == ICMP_TOO_BIG,
				   .mtu = message->mtu,
				   .sent_len = quote->ip_len};

	icmp_error_learn(stack, &error);
	hand_over_error(stack, &error);
}

static void icmp_tell_tcp(struct stack *stack, const struct icmp_quote *quote,
			  const struct icmp_message *message)
{
	struct stack_tcp_error error = {.local = ip_address_of(&quote->src),
					.remote = ip_address_of(&quote->dst),
					.local_port = endpoint_port(&quote->src),
					.remote_port = endpoint_port(&quote->dst),
					.seq = quote->seq,
					.too_big = message->kind == ICMP_TOO_BIG,
					.soft = message->soft,
					.mtu = message->mtu};

	tcp_port_error(stack, &error);
	hand_over_tcp_error(stack, &error);
}

static void icmp_error(struct stack *stack, const struct stack_netif *nif,
		       const struct ip_packet *ip, const struct icmp_message *message)
{
	struct icmp_quote quote = icmp_quote_read(message->body, ip->v6);
	enum gw_err err = icmp_error_check(stack, nif, &quote, message);
	bool tcp = quote.protocol == IPPROTO_TCP;
	struct rate *rate = tcp ? &stack->owner->tcp_errors : &stack->owner->errors;

	if (err == GW_OK && !rate_take(rate, stack_now(stack)))
		err = GW_ICMP_RATE;
	if (err != GW_OK)
		stack_count(stack, err);
	else if (tcp)
		icmp_tell_tcp(stack, &quote, message);
	else
		icmp_tell_udp(stack, &quote, message);
}

void owner_icmp(struct stack *stack, struct stack_netif *nif, const struct eth_frame *eth,
		const struct ip_packet *ip, enum packet_checksum checksum)
{
	struct icmp_message message = icmp_read(ip, checksum);

	if (message.err != GW_OK) {
		stack_count(stack, message.err);
		return;
	}
	if (message.kind == ICMP_NDP_SOLICIT || message.kind == ICMP_NDP_ADVERT) {
		owner_ndp(stack, nif, eth, ip, &message);
		return;
	}
	if (stack_netif_of(stack, &ip->src) != NULL) { /* LAND */
		stack_count(stack, GW_IP_SOURCE);
		return;
	}
	counter_add(&stack->counters->net_icmp_in, 1);
	switch (message.kind) {
	case ICMP_ECHO_REQUEST:
		if (ip_address_is_group(&ip->dst)) /* never multiplied */
			stack_count(stack, GW_ICMP_TYPE);
		else
			icmp_echo(stack, nif, eth, ip, &message);
		return;
	case ICMP_ECHO_REPLY:
		owner_pong(stack, ip, &message);
		return;
	case ICMP_UNREACHABLE:
	case ICMP_TOO_BIG:
		icmp_error(stack, nif, ip, &message);
		return;
	case ICMP_NDP_OTHER:
		stack_count(stack, GW_NDP_FOREIGN);
		return;
	default:
		stack_count(stack, GW_ICMP_TYPE);
	}
}
