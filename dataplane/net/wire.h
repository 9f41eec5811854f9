/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_H
#define WIRE_H

#include "conn.h"
#include "packet.h"
#include "writer.h"

/**
 * Headers as they stand on the wire: each is read from a span into a small struct, and written with
 * a writer. Nothing here keeps state, reads a clock or allocates. A reader says in err why it
 * refuses and then nothing else of its result counts. For net/ and tcp/, and their tests.
 */

/* ---- addresses ------------------------------------------------------------------------------- */

/** An IPv6 address, or an IPv4 address as ::ffff:a.b.c.d. */
struct ip_address {
	uint8_t bytes[16];
};

static inline bool ip_address_equal(const struct ip_address *a, const struct ip_address *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

extern const struct ip_address ip_address_all_nodes; /* ff02::1 */
struct ip_address ip_address_v4(const uint8_t bytes[4]);
/** Takes 4 bytes. False, nothing changed, when fewer are left. */
bool ip_address_take_v4(struct span *in, struct ip_address *out);
bool ip_address_is_v4(const struct ip_address *a);
/** The last 4 bytes of an IPv4 address. */
static inline const uint8_t *ip_address_v4_bytes(const struct ip_address *a)
{
	return a->bytes + 12;
}
/** The address of an endpoint (its port is left out); all zero for AF_UNSPEC. */
struct ip_address ip_address_of(const struct endpoint *e);
/** The other way; an IPv4 address gives AF_INET. */
struct endpoint ip_address_endpoint(const struct ip_address *a, uint16_t port);
/** 224/4 and the limited broadcast, or ff00::/8. */
bool ip_address_is_group(const struct ip_address *a);
/** 127/8 or ::1. */
bool ip_address_is_loopback(const struct ip_address *a);
/** 0/8 or ::. */
bool ip_address_is_unspecified(const struct ip_address *a);
bool ip_address_is_link_local(const struct ip_address *a); /* fe80::/10 */
/** a lies in prefix/bits (bits counted in a's own family). */
bool ip_address_in(const struct ip_address *a, const struct ip_address *prefix, uint8_t bits);
/** ff02::1:ffXX:XXXX of a (RFC 4291 2.7.1). */
struct ip_address ip_address_solicited_node(const struct ip_address *a);
/** fe80:: with the EUI-64 of a MAC (RFC 4291 appendix A). */
struct ip_address ip_address_link_local(const uint8_t mac[6]);

/* ---- checksum (RFC 1071) -----------------------------------------------------------------------
 */

/**
 * The one's complement sum of bytes, not folded; odd lengths count as padded with zero. A sum is
 * opaque but to these functions: it starts as 0 or a pseudo-header's, and goes on behind a part of
 * even length only.
 */
uint64_t checksum_add(uint64_t sum, struct span bytes);
/** What goes into the header: folded and inverted. A whole packet that is right gives 0. */
uint16_t checksum_fold(uint64_t sum);
/** The sum of the pseudo-header (RFC 768, RFC 8200 8.1). */
uint64_t checksum_pseudo(const struct ip_address *src, const struct ip_address *dst,
			 uint8_t protocol, uint32_t len);
/** TCP.md 4.4's matrix: GOOD and NONE accept, BAD refuses, UNKNOWN asks right (0: correct). */
bool checksum_accept(enum packet_checksum status, uint16_t folded_if_unknown);

/* ---- Ethernet ----------------------------------------------------------------------------------
 */

#define ETH_LEN 14u
#define ETH_VLAN_LEN 18u
#define ETH_TYPE_IP4 0x0800
#define ETH_TYPE_ARP 0x0806
#define ETH_TYPE_IP6 0x86dd
#define ETH_TYPE_VLAN 0x8100

extern const uint8_t eth_broadcast[6];

struct eth_frame {
	enum gw_err err; /* GW_OK, GW_ETH_SHORT */
	uint8_t dst[6], src[6];
	uint16_t type;
	uint16_t vlan;	     /* VLAN ID; 0: no tag, or a priority tag (802.1Q ID 0) */
	struct span payload; /* may have padding at its end */
};
/** One frame without FCS. One 802.1Q tag at most is looked through; a second is an unknown type. */
struct eth_frame eth_read(struct span frame);
/** vlan 0: untagged. */
void eth_write(struct writer *w, const uint8_t dst[6], const uint8_t src[6], uint16_t vlan,
	       uint16_t type);
/** The group MAC of an IPv6 multicast address (RFC 2464 7). */
void eth_group(const struct ip_address *group, uint8_t mac[6]);

/* ---- IP ----------------------------------------------------------------------------------------
 */

#define IP4_LEN 20u
#define IP6_LEN 40u
#define IP6_FRAGMENT_LEN 8u
#define IP4_MTU_MIN 552u /* floors below which no path MTU is believed (TCP.md 5.13) */
#define IP6_MTU_MIN 1280u

/** A packet of either version, its headers walked. */
struct ip_packet {
	/* GW_IP_HEADER, _LENGTH, _CHECKSUM, _OPTION, _EXTENSION, _SOURCE, _DESTINATION */
	enum gw_err err;
	bool v6;
	uint8_t protocol; /* of the payload; IPv6: behind the extension headers that are looked
			     through */
	uint8_t hop_limit;
	bool fragment; /* a fragment of any kind, IPv6 atomic ones included */
	bool more;
	uint16_t offset; /* of the fragment, bytes */
	uint32_t id;
	struct ip_address src, dst;
	struct span payload; /* cut to the IP length: Ethernet padding is gone */
	struct span whole;   /* from the first byte of the header to the end of payload */
};
/**
 * ihl >= 5, total length within bytes, checksum, no source route (LSRR, SSRR), a source that a host
 * may use: not a group, not loopback, not 240/4 or broadcast, never 0/8, nor the destination itself
 * (LAND). Options else are skipped. checksum: GOOD spares the sum, BAD refuses, NONE and UNKNOWN
 * make it.
 */
struct ip_packet ip4_read(struct span bytes, enum packet_checksum checksum);
/**
 * At most 4 extension headers: hop-by-hop (first only), destination options and routing with
 * segments left 0 are skipped; every other extension header but a fragment header is refused, as is
 * an option that says not to skip it (RFC 8200 4.2) and with it the jumbogram (TCP.md 3). Behind a
 * fragment header nothing is walked, and an extension header there is refused. Sources: not a
 * group, not loopback, not the destination, :: with ICMPv6 only. An IPv4 address in IPv6 form is
 * refused as source (GW_IP_SOURCE) and destination (GW_IP_DESTINATION). An upper layer of any
 * number is GW_OK: the caller knows what it serves.
 */
struct ip_packet ip6_read(struct span bytes);

/** What an IP header is made of. */
struct ip_head {
	struct ip_address src, dst;
	uint8_t protocol;
	uint8_t hop_limit;
	uint32_t payload_len; /* bytes behind the header (and, IPv6, behind the fragment header) */
	bool dont_fragment;   /* IPv4 */
	bool fragment;	      /* with what follows: IPv4 fields, or an IPv6 fragment header */
	bool more;
	uint16_t offset; /* bytes, a multiple of 8 */
	uint32_t id;
};
/**
 * By the family of src. checksum: false leaves the IPv4 header checksum 0, for the device. A packet
 * too long for its length field makes the writer full.
 */
void ip_write(struct writer *w, const struct ip_head *head, bool checksum);
/** Bytes that ip_write() writes. */
uint32_t ip_head_len(const struct ip_head *head);

/* ---- ARP (RFC 826) -----------------------------------------------------------------------------
 */

struct arp_packet {
	enum gw_err err; /* GW_ARP: not Ethernet and IPv4, or neither request nor reply, or a group
			    MAC */
	bool reply;
	uint8_t sender_mac[6], target_mac[6];
	struct ip_address sender, target;
};
struct arp_packet arp_read(struct span bytes);
/** target_mac all zero in a request. sender 0.0.0.0: a probe (RFC 5227). */
void arp_write(struct writer *w, const struct arp_packet *packet);

/* ---- ICMP and ICMPv6 (RFC 792, 4443)
 * ------------------------------------------------------------- */

enum icmp_kind {
	ICMP_ECHO_REQUEST,
	ICMP_ECHO_REPLY,
	ICMP_UNREACHABLE, /* destination unreachable but "too big", parameter problem */
	ICMP_TOO_BIG,
	ICMP_NDP_SOLICIT,
	ICMP_NDP_ADVERT,
	ICMP_NDP_OTHER, /* router solicitation and advertisement, redirect: ignored, counted */
	/* time exceeded (a loop of routes, or one fragment lost: no failure, RFC 3261 18.4), source
	 * quench, redirect, timestamp, MLD and all else: ignored, counted */
	ICMP_OTHER,
};

struct icmp_message {
	enum gw_err err; /* GW_ICMP, GW_ICMP_CHECKSUM */
	enum icmp_kind kind;
	uint16_t id, sequence; /* echo */
	uint32_t mtu;	       /* too big; 0: the router did not say (RFC 1191) */
	bool soft;	       /* unreachable now, perhaps not for long: no word of the host's (RFC
				  1122 4.2.3.9) */
	struct span body; /* echo: its data; error: the quoted packet; NDP: from the target on */
};
/**
 * packet: of ICMP or, IPv6, ICMPv6, and whole; else GW_ICMP. Its L4 checksum status counts for both
 * alike. Echo and errors from :: are GW_ICMP.
 */
struct icmp_message icmp_read(const struct ip_packet *packet, enum packet_checksum checksum);

/**
 * What an ICMP error quotes, as far as it is there: IP header whole, and the two ports; with
 * another protocol than TCP and UDP the ports are 0.
 */
struct icmp_quote {
	/* GW_ICMP: cut too short (of TCP: before the sequence number), or a fragment that is not
	 * the first */
	enum gw_err err;
	uint8_t protocol;
	struct endpoint src, dst; /* src: we */
	uint32_t seq;		  /* TCP: of the first byte that was sent */
	uint32_t ip_len;	  /* of the packet quoted, from its header */
};
struct icmp_quote icmp_quote_read(struct span body, bool v6);

/** An echo request or reply, with its checksum. */
struct icmp_echo {
	enum icmp_kind kind; /* ICMP_ECHO_REQUEST or ICMP_ECHO_REPLY */
	uint16_t id, sequence;
	struct span data;
};
void icmp_write_echo(struct writer *w, const struct ip_address *src, const struct ip_address *dst,
		     const struct icmp_echo *echo);

/** "Port unreachable", with as much of the packet that caused it as is given. */
void icmp_write_port_unreachable(struct writer *w, const struct ip_address *src,
				 const struct ip_address *dst, struct span quote);

/* ---- neighbour discovery (RFC 4861)
 * --------------------------------------------------------------- */

struct ndp_message {
	/* GW_NDP: hop limit not 255, code not 0, a fragment (RFC 6980), length, option of length 0,
	 * group or IPv4 target, group MAC, a sender or receiver that RFC 4861 7.1 excludes */
	enum gw_err err;
	bool advert;
	bool solicited, override, router; /* of an advertisement */
	struct ip_address target;
	bool has_mac; /* source (solicitation) or target (advertisement) link-layer address */
	uint8_t mac[6];
};
/** message: of kind ICMP_NDP_SOLICIT or ICMP_NDP_ADVERT in packet (RFC 4861 7.1). */
struct ndp_message ndp_read(const struct ip_packet *packet, const struct icmp_message *message);
/** The ICMPv6 message, checksum included, for an IP header with hop limit 255. */
void ndp_write(struct writer *w, const struct ip_address *src, const struct ip_address *dst,
	       const struct ndp_message *message);

/* ---- UDP (RFC 768)
 * ------------------------------------------------------------------------------- */

#define UDP_LEN 8u

struct udp_packet {
	/* GW_UDP: lengths, or port 0; GW_UDP_CHECKSUM: wrong, or IPv6 without (RFC 8200 8.1) */
	enum gw_err err;
	uint16_t src_port, dst_port;
	struct span payload;
};
/**
 * packet: of UDP, and whole; else GW_UDP. Trailing bytes behind the UDP length are cut, and IPv4
 * without checksum is accepted whatever the device says of it (RFC 768).
 */
struct udp_packet udp_read(const struct ip_packet *packet, enum packet_checksum checksum);
/**
 * The 8 bytes in front of payload. How the checksum is made: whole, or the pseudo-header's sum
 * only, for a device that does the rest. A sum of 0 is written as ffff. A payload too long for the
 * length field makes the writer full.
 */
enum l4_checksum { L4_CHECKSUM_WHOLE, L4_CHECKSUM_PSEUDO };
struct udp_ends {
	const struct ip_address *src, *dst;
	uint16_t src_port, dst_port;
};
void udp_write(struct writer *w, const struct udp_ends *ends, struct span payload,
	       enum l4_checksum how);

/* ---- TCP (RFC 9293 3.1, 7323, 2018) -----------------------------------------------------------
 */

#define TCP_LEN 20u	/* without options */
#define TCP_LEN_MAX 60u /* with all that fit */
#define TCP_SACKS_MAX 4u

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20, /* read, and ignored by everybody (RFC 6093) */
	TCP_ECE = 0x40,
	TCP_CWR = 0x80,
};

/** Sequence numbers from start up to, and without, end. */
struct tcp_block {
	uint32_t start, end;
};

struct tcp_options {
	uint16_t mss; /* 0: no such option */
	bool has_scale;
	uint8_t scale; /* as sent, also above 14 */
	bool sack_permitted;
	bool has_timestamps;
	uint32_t ts_value, ts_echo;
	uint8_t sacks;
	struct tcp_block sack[TCP_SACKS_MAX];
};

/** A segment, on its way in or out. */
struct tcp_packet {
	enum gw_err
		err; /* GW_TCP: shorter than its header, offset below 5, port 0; GW_TCP_CHECKSUM */
	uint16_t src_port, dst_port;
	uint32_t seq, ack;
	uint8_t flags;	 /* enum tcp_flag */
	uint16_t window; /* as it stands there, not scaled */
	struct tcp_options options;
	struct span payload;
};

/**
 * packet: of TCP, and whole; else GW_TCP. Options (TCP.md 5.5): kind 0 ends, 1 is skipped, every
 * other needs a length of 2 or more within what is left, or the walk ends there; a known option of
 * the wrong length is ignored; the first of several counts; MSS, scale and SACK-permitted count
 * with SYN only, SACK blocks without SYN only.
 */
struct tcp_packet tcp_read(const struct ip_packet *packet, enum packet_checksum checksum);

/** Bytes of header and options that tcp_write() writes for it, a multiple of 4. */
uint32_t tcp_head_len(const struct tcp_packet *segment);
/**
 * Header and options, not the payload, whose bytes count for the checksum and length. Options in
 * the order MSS, SACK-permitted, timestamps, scale, SACK, each aligned by NOPs as Linux does; those
 * that do not fit in 40 bytes are left out, SACK blocks from the last. How the checksum is made: as
 * udp_write().
 */
void tcp_write(struct writer *w, const struct ip_address *src, const struct ip_address *dst,
	       const struct tcp_packet *segment, enum l4_checksum how);

/** The two ports at the start of a TCP or UDP header; false when they are not there. */
bool l4_ports(struct span l4, uint16_t *src_port, uint16_t *dst_port);

#endif
