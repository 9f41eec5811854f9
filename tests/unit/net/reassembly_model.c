/* SPDX-License-Identifier: BSD-3-Clause */
#include "reassembly_model.h"

#include <stddef.h>
#include <stdlib.h>

#define BYTES_MAX 65535u

struct model_datagram {
	bool used, bad, ended;
	uint64_t born_us;
	struct ip_packet key;	/* the fragment that came first */
	struct ip_packet first; /* the fragment at offset 0 */
	uint32_t total, have;	/* bytes */
	uint8_t there[BYTES_MAX];
	uint8_t byte[BYTES_MAX];
};

struct reassembly_pair {
	struct reassembly *real;
	struct model_datagram *model;
	uint32_t models;
};

struct reassembly_pair *reassembly_pair_new(uint32_t datagrams)
{
	struct reassembly_pair *pair = calloc(1, sizeof(*pair));

	if (pair == NULL)
		abort();
	pair->real = reassembly_new(datagrams);
	pair->model = calloc(datagrams, sizeof(*pair->model));
	pair->models = datagrams;
	if (pair->real == NULL || pair->model == NULL)
		abort();
	return pair;
}

void reassembly_pair_free(struct reassembly_pair *pair)
{
	reassembly_free(pair->real);
	free(pair->model);
	free(pair);
}

static bool same_datagram(const struct ip_packet *a, const struct ip_packet *b)
{
	if (a->v6 != b->v6 || a->id != b->id)
		return false;
	if (!a->v6 && a->protocol != b->protocol)
		return false;
	return memcmp(&a->src, &b->src, sizeof(a->src)) == 0 &&
	       memcmp(&a->dst, &b->dst, sizeof(a->dst)) == 0;
}

static struct model_datagram *model_at(struct reassembly_pair *pair, const struct ip_packet *f,
				       uint64_t now_us)
{
	struct model_datagram *free_one = NULL;

	for (uint32_t i = 0; i < pair->models; i++) {
		struct model_datagram *d = &pair->model[i];

		if (d->used && now_us < d->born_us + REASSEMBLY_US && same_datagram(&d->key, f))
			return d;
		if (!d->used && free_one == NULL)
			free_one = d;
	}
	if (free_one != NULL) {
		memset(free_one, 0, offsetof(struct model_datagram, byte));
		free_one->used = true;
		free_one->born_us = now_us;
		free_one->key = *f;
	}
	return free_one;
}

/* What is wrong with a fragment, whatever bytes are there already. */
static bool model_refuses(const struct model_datagram *d, const struct ip_packet *f)
{
	uint32_t end = f->offset + f->payload.len;

	if (d->bad || f->payload.len == 0 || end > BYTES_MAX || f->offset % 8 != 0)
		return true;
	if (f->more)
		return f->payload.len % 8 != 0 || (d->ended && end >= d->total);
	if (d->ended)
		return end != d->total;
	return memchr(d->there + end, 1, BYTES_MAX - end) != NULL;
}

static enum gw_err model_fill(struct model_datagram *d, const struct ip_packet *f)
{
	uint32_t overlap = 0, differ = 0;

	if (model_refuses(d, f))
		return GW_IP_FRAGMENT_BAD;
	for (uint32_t i = 0; i < f->payload.len; i++) {
		overlap += d->there[f->offset + i];
		differ += d->byte[f->offset + i] != f->payload.at[i];
	}
	if (overlap > 0) {
		bool repeated = overlap == f->payload.len && differ == 0 && (f->more || d->ended);

		return repeated ? GW_AGAIN : GW_IP_FRAGMENT_BAD;
	}
	memset(d->there + f->offset, 1, f->payload.len);
	memcpy(d->byte + f->offset, f->payload.at, f->payload.len);
	d->have += f->payload.len;
	if (f->offset == 0)
		d->first = *f;
	if (!f->more) {
		d->ended = true;
		d->total = f->offset + f->payload.len;
	}
	return d->ended && d->have == d->total ? GW_OK : GW_AGAIN;
}

static enum gw_err model_add(struct reassembly_pair *pair, const struct ip_packet *f,
			     uint64_t now_us, struct ip_packet *whole)
{
	struct model_datagram *d;
	enum gw_err err;

	*whole = *f;
	whole->fragment = false;
	if (!f->more && f->offset == 0)
		return GW_OK;
	d = model_at(pair, f, now_us);
	if (d == NULL)
		return GW_IP_REASSEMBLY_FULL;
	err = model_fill(d, f);
	if (err == GW_IP_FRAGMENT_BAD)
		d->bad = true;
	if (err != GW_OK)
		return err;
	*whole = d->first;
	whole->fragment = whole->more = false;
	whole->payload = span_of(d->byte, d->total);
	d->used = false;
	return GW_OK;
}

static bool same_packet(const struct ip_packet *a, const struct ip_packet *b)
{
	return same_datagram(a, b) && a->err == b->err && a->protocol == b->protocol &&
	       a->hop_limit == b->hop_limit && a->fragment == b->fragment && a->more == b->more &&
	       a->offset == b->offset && span_equal(a->payload, b->payload);
}

static bool same_state(const struct reassembly_pair *pair)
{
	uint64_t next = UINT64_MAX;
	uint32_t live = 0;

	for (uint32_t i = 0; i < pair->models; i++) {
		const struct model_datagram *d = &pair->model[i];

		if (!d->used)
			continue;
		live++;
		if (d->born_us + REASSEMBLY_US < next)
			next = d->born_us + REASSEMBLY_US;
	}
	return live == reassembly_live(pair->real) && next == reassembly_next_us(pair->real);
}

struct reassembly_seen reassembly_pair_add(struct reassembly_pair *pair,
					   const struct ip_packet *fragment, uint64_t now_us)
{
	struct reassembly_seen seen;
	struct ip_packet expected;
	enum gw_err err = model_add(pair, fragment, now_us, &expected);

	seen.err = reassembly_add(pair->real, fragment, now_us, &seen.whole);
	seen.agree = seen.err == err && same_state(pair) &&
		     (err != GW_OK || same_packet(&expected, &seen.whole));
	return seen;
}

bool reassembly_pair_expire(struct reassembly_pair *pair, uint64_t now_us)
{
	uint32_t given_up = 0;

	for (uint32_t i = 0; i < pair->models; i++) {
		struct model_datagram *d = &pair->model[i];

		if (!d->used || now_us < d->born_us + REASSEMBLY_US)
			continue;
		given_up += !d->bad;
		d->used = false;
	}
	return given_up == reassembly_expire(pair->real, now_us) && same_state(pair);
}
