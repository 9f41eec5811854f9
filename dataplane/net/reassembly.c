/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/reassembly.h"

#include <stdlib.h>

#include "net/unit_map.h"

#define ROOM (UNIT_MAP_UNITS * UNIT)
#define TOTAL_UNKNOWN UINT32_MAX

enum datagram_state {
	DATAGRAM_FREE,
	DATAGRAM_FILLING,
	DATAGRAM_POISONED, /* ended by a bad fragment; takes its later fragments until its time */
};

/* What is looked at for each fragment; the bytes and the map of units lie apart. */
struct datagram {
	enum datagram_state state;
	bool v6;
	uint8_t protocol; /* IPv6: of the first fragment, once it is there */
	uint8_t hop_limit;
	uint32_t id;
	struct ip_address src, dst;
	uint64_t born_us;
	uint32_t end;	/* behind the last byte so far */
	uint32_t total; /* bytes, from the last fragment; or TOTAL_UNKNOWN */
	uint32_t units; /* that are there */
};

struct reassembly {
	struct datagram *datagram;
	struct unit_map *map; /* of each datagram */
	uint8_t *bytes;	      /* ROOM of each; pages are touched as fragments come */
	uint32_t datagrams;
	uint32_t live;
};

struct reassembly *reassembly_new(uint32_t datagrams)
{
	struct reassembly *r;

	if (datagrams == 0)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->datagrams = datagrams;
	r->datagram = calloc(datagrams, sizeof(*r->datagram));
	r->map = calloc(datagrams, sizeof(*r->map));
	r->bytes = calloc(datagrams, ROOM);
	if (r->datagram == NULL || r->map == NULL || r->bytes == NULL) {
		reassembly_free(r);
		return NULL;
	}
	return r;
}

void reassembly_free(struct reassembly *r)
{
	if (r == NULL)
		return;
	free(r->bytes);
	free(r->map);
	free(r->datagram);
	free(r);
}

/* ---- datagrams ---------------------------------------------------------------------------------
 */

/* The protocol names an IPv4 datagram (RFC 791 3.2), not an IPv6 one (RFC 8200 4.5). */
static bool datagram_is_of(const struct datagram *d, const struct ip_packet *fragment)
{
	return d->id == fragment->id && d->v6 == fragment->v6 &&
	       (d->v6 || d->protocol == fragment->protocol) &&
	       ip_address_equal(&d->src, &fragment->src) &&
	       ip_address_equal(&d->dst, &fragment->dst);
}

static bool datagram_in_time(const struct datagram *d, uint64_t now_us)
{
	return now_us < d->born_us + REASSEMBLY_US;
}

/* A datagram whose time is over takes nothing more, and stays until reassembly_expire(). */
static struct datagram *datagram_find(const struct reassembly *r, const struct ip_packet *fragment,
				      uint64_t now_us)
{
	for (uint32_t i = 0; r->live > 0 && i < r->datagrams; i++) {
		struct datagram *d = &r->datagram[i];

		if (d->state != DATAGRAM_FREE && datagram_is_of(d, fragment) &&
		    datagram_in_time(d, now_us))
			return d;
	}
	return NULL;
}

static struct datagram *datagram_open(struct reassembly *r, const struct ip_packet *fragment,
				      uint64_t now_us)
{
	uint32_t i = 0;

	if (r->live == r->datagrams)
		return NULL;
	while (r->datagram[i].state != DATAGRAM_FREE)
		i++;
	r->datagram[i] = (struct datagram){
		.state = DATAGRAM_FILLING,
		.v6 = fragment->v6,
		.protocol = fragment->protocol,
		.id = fragment->id,
		.src = fragment->src,
		.dst = fragment->dst,
		.born_us = now_us,
		.total = TOTAL_UNKNOWN,
	};
	memset(&r->map[i], 0, sizeof(r->map[i]));
	r->live++;
	return &r->datagram[i];
}

static void datagram_close(struct reassembly *r, struct datagram *d)
{
	d->state = DATAGRAM_FREE;
	r->live--;
}

static struct unit_map *datagram_map(const struct reassembly *r, const struct datagram *d)
{
	return &r->map[d - r->datagram];
}

static uint8_t *datagram_bytes(const struct reassembly *r, const struct datagram *d)
{
	return r->bytes + (size_t)(d - r->datagram) * ROOM;
}

static bool datagram_is_whole(const struct datagram *d)
{
	return d->total != TOTAL_UNKNOWN && d->units == (d->total + UNIT - 1) / UNIT;
}

/* ---- fragments ---------------------------------------------------------------------------------
 */

static bool fragment_has_shape(const struct ip_packet *fragment)
{
	uint32_t len = fragment->payload.len;

	return len > 0 && len <= REASSEMBLY_BYTES_MAX - fragment->offset &&
	       fragment->offset % UNIT == 0 && (!fragment->more || len % UNIT == 0);
}

/* Its end agrees with what other fragments said of the datagram's. */
static bool fragment_agrees(const struct datagram *d, const struct ip_packet *fragment,
			    uint32_t end)
{
	if (fragment->more)
		return d->total == TOTAL_UNKNOWN || end < d->total;
	return d->total == TOTAL_UNKNOWN ? end >= d->end : end == d->total;
}

static bool fragment_is_repeated(const struct reassembly *r, const struct datagram *d,
				 const struct ip_packet *fragment)
{
	if (!fragment->more && d->total == TOTAL_UNKNOWN)
		return false; /* the same bytes, but now they shall be the last */
	return span_equal(fragment->payload,
			  span_of(datagram_bytes(r, d) + fragment->offset, fragment->payload.len));
}

static enum gw_err fragment_store(const struct reassembly *r, struct datagram *d,
				  const struct ip_packet *fragment, struct unit_range range)
{
	struct span payload = fragment->payload;

	if (!span_copy(&payload, datagram_bytes(r, d) + range.from, range.end - range.from))
		return GW_INVARIANT;
	unit_map_set(datagram_map(r, d), range);
	d->units += unit_range_count(range);
	if (range.end > d->end)
		d->end = range.end;
	if (!fragment->more)
		d->total = range.end;
	if (fragment->offset == 0) {
		d->protocol = fragment->protocol;
		d->hop_limit = fragment->hop_limit;
	}
	return GW_OK;
}

/* GW_OK: it is stored. GW_AGAIN: it is there already. */
static enum gw_err fragment_take(const struct reassembly *r, struct datagram *d,
				 const struct ip_packet *fragment)
{
	struct unit_range range = {fragment->offset, fragment->offset + fragment->payload.len};
	uint32_t there;

	if (d->state == DATAGRAM_POISONED || !fragment_has_shape(fragment) ||
	    !fragment_agrees(d, fragment, range.end))
		return GW_IP_FRAGMENT_BAD;
	there = unit_map_there(datagram_map(r, d), range);
	if (there == 0)
		return fragment_store(r, d, fragment, range);
	if (there == unit_range_count(range) && fragment_is_repeated(r, d, fragment))
		return GW_AGAIN;
	return GW_IP_FRAGMENT_BAD;
}

static struct ip_packet packet_whole(const struct ip_packet *like, uint8_t protocol,
				     uint8_t hop_limit, struct span payload)
{
	struct ip_packet whole = *like;

	whole.fragment = false;
	whole.more = false;
	whole.offset = 0;
	whole.protocol = protocol;
	whole.hop_limit = hop_limit;
	whole.payload = payload;
	return whole;
}

enum gw_err reassembly_add(struct reassembly *r, const struct ip_packet *fragment, uint64_t now_us,
			   struct ip_packet *whole)
{
	struct datagram *d;
	enum gw_err err;

	if (fragment->offset == 0 && !fragment->more) {
		*whole = packet_whole(fragment, fragment->protocol, fragment->hop_limit,
				      fragment->payload);
		return GW_OK;
	}
	d = datagram_find(r, fragment, now_us);
	if (d == NULL)
		d = datagram_open(r, fragment, now_us);
	if (d == NULL)
		return GW_IP_REASSEMBLY_FULL;
	err = fragment_take(r, d, fragment);
	if (err == GW_IP_FRAGMENT_BAD)
		d->state = DATAGRAM_POISONED;
	if (err != GW_OK)
		return err;
	if (!datagram_is_whole(d))
		return GW_AGAIN;
	*whole = packet_whole(fragment, d->protocol, d->hop_limit,
			      span_of(datagram_bytes(r, d), d->total));
	datagram_close(r, d); /* its bytes stay until somebody else's come */
	return GW_OK;
}

/* ---- time --------------------------------------------------------------------------------------
 */

uint32_t reassembly_expire(struct reassembly *r, uint64_t now_us)
{
	uint32_t given_up = 0;

	for (uint32_t i = 0; r->live > 0 && i < r->datagrams; i++) {
		struct datagram *d = &r->datagram[i];

		if (d->state == DATAGRAM_FREE || datagram_in_time(d, now_us))
			continue;
		given_up += d->state == DATAGRAM_FILLING;
		datagram_close(r, d);
	}
	return given_up;
}

uint64_t reassembly_next_us(const struct reassembly *r)
{
	uint64_t next = UINT64_MAX;

	for (uint32_t i = 0; r->live > 0 && i < r->datagrams; i++) {
		const struct datagram *d = &r->datagram[i];

		if (d->state != DATAGRAM_FREE && d->born_us + REASSEMBLY_US < next)
			next = d->born_us + REASSEMBLY_US;
	}
	return next;
}

uint32_t reassembly_live(const struct reassembly *r)
{
	return r->live;
}
