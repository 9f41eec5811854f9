/* SPDX-License-Identifier: BSD-3-Clause */
#include "block.h"
#include "identity/pattern.h"
#include "registrar.h"

/*
 * Which wildcards the core says are a block's (PROTOCOL 8.3, D-26): in a 200 to its REGISTER, or in
 * registration events. The configured one counts; what differs is an alarm, and control is told,
 * which narrows the configured one by it. Only the last word of each way counts: what finds
 * control's ring full is said again as it is by then.
 */

/* ---- what is one ---------------------------------------------------------------------------- */

/** '!' and what stands for it in a URI. */
static uint32_t delimiters(struct span text)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < text.len; i++)
		n += text.at[i] == '!' || span_equal(span_cut(text, i, 3), SPAN("%21"));
	return n;
}

/** All before the last '@', or all. */
static uint32_t user_end(struct span uri)
{
	uint32_t end = uri.len;

	for (uint32_t i = 0; i < uri.len; i++)
		if (uri.at[i] == '@')
			end = i;
	return end;
}

/** A wildcarded identity: of what stands in its user, two '!' delimit (PROTOCOL 1.4). It is no URI
 * where its expression has what cannot stand in one, and is not read as one. */
static bool is_wildcard(struct span uri)
{
	static const struct span schemes[] = {SPAN("sip:"), SPAN("sips:"), SPAN("tel:")};

	for (uint32_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (span_equal_nocase(span_cut(uri, 0, schemes[i].len), schemes[i]))
			return delimiters(span_cut(uri, 0, user_end(uri))) >= 2;
	return false;
}

/** The case of a host says nothing. */
static bool is_alike(struct span a, struct span b)
{
	uint32_t end = user_end(a);

	return a.len == b.len && span_equal(span_cut(a, 0, end), span_cut(b, 0, end)) &&
	       span_equal_nocase(span_from(a, end), span_from(b, end));
}

/* ---- one message of the core ---------------------------------------------------------------- */

void block_named_begin(const struct gateway *gw, const struct block *b, struct block_naming *n)
{
	const struct pattern_part *patterns = gw->time.view->patterns;
	const struct wwsf_config *site = register_site_named(gw, span_text(b->name));
	uint32_t row = site != NULL ? (uint32_t)(site - gw_config(gw)->wwsf) : UINT32_MAX;

	n->configured = pattern_uri(patterns, row);
	n->expression = pattern_wildcard(patterns, row);
	n->count = 0;
	n->same = n->more = false;
	writer_init(&n->uris, n->bytes, sizeof(n->bytes));
}

void block_named_add(struct block_naming *n, struct span uri)
{
	struct writer before = n->uris;

	n->count++;
	n->same = n->same || is_alike(uri, n->configured) || is_alike(uri, n->expression);
	writer_put(&n->uris, uri);
	writer_u8(&n->uris, '\n');
	if (writer_ok(&n->uris))
		return;
	n->uris = before;
	n->more = true;
}

bool block_named_part(const struct gateway *gw, struct block *b, const struct block_naming *n)
{
	uint64_t hash = gateway_identity_hash(gw, writer_span(&n->uris)) + n->more;
	bool news = n->count > 0 && b->part != hash;

	if (news)
		b->part = hash;
	return news;
}

/* ---- who hears of it ------------------------------------------------------------------------ */

/** False: the ring is full. */
static bool tell(struct gateway *gw, const struct block *b, enum block_named_by by)
{
	const struct block_named *named = &b->named[by];
	struct message_block_named m = {
		.head = {MESSAGE_BLOCK_NAMED, (uint32_t)sizeof(m) + named->len},
		.by = by,
		.more = named->more,
		.pair = b->impi_hash ^ b->impu_hash << 1,
	};

	_Static_assert(sizeof(m.wwsf) == sizeof(b->name), "a name is cut alike");
	memcpy(m.wwsf, b->name, sizeof(m.wwsf));
	return gw->env->to_worker(gw->env->context, gw->config.workers, span_of(&m, sizeof(m)),
				  span_of(named->uris, named->len)) == GW_OK;
}

bool block_named_tell(struct gateway *gw, struct block *b)
{
	bool all = true;

	for (uint32_t by = 0; by < BLOCK_NAMED_WAYS; by++) {
		struct block_named *named = &b->named[by];

		if (named->untold)
			named->untold = !tell(gw, b, (enum block_named_by)by);
		all = all && !named->untold;
	}
	return all;
}

static void tell_now_or_later(struct gateway *gw, struct block *b)
{
	if (!block_named_tell(gw, b))
		block_tell_later(gw);
}

/** The log is told once of each. */
static void alarm(struct gateway *gw, const struct block *b, struct block_named *named)
{
	counter_add(&gw_counters(gw)->block_differs, 1);
	if (!named->alarmed)
		block_event(gw, b, EVENT_BLOCK_DIFFERS);
	named->alarmed = true;
}

/** It is what is known. */
static bool is_known(const struct block_named *named, const struct block_naming *n)
{
	return named->more == n->more &&
	       span_equal(span_of(named->uris, named->len), writer_span(&n->uris));
}

void block_named_end(struct gateway *gw, struct block *b, const struct block_naming *n,
		     enum block_named_by by)
{
	struct block_named *named = &b->named[by];

	if (!is_known(named, n)) {
		*named = (struct block_named){
			.len = (uint16_t)writer_len(&n->uris),
			.more = n->more,
			.untold = true,
		};
		memcpy(named->uris, n->bytes, named->len);
	}
	if (n->count > 0 && !n->same)
		alarm(gw, b, named);
	tell_now_or_later(gw, b);
}

void block_named_response(struct gateway *gw, struct block *b)
{
	const struct sip_field *f = sip_first(&gw->message, SIP_HEADER_P_ASSOCIATED_URI);
	struct block_naming n;

	block_named_begin(gw, b, &n);
	for (; f != NULL; f = sip_next(&gw->message, f)) {
		struct span rest = f->value, element;

		while (sip_list_next(&rest, &element)) {
			struct span uri = sip_address_parse(element).uri_text;

			if (is_wildcard(uri))
				block_named_add(&n, uri);
		}
	}
	block_named_end(gw, b, &n, BLOCK_NAMED_BY_RESPONSE);
}

void block_named_over(struct gateway *gw, struct block *b)
{
	for (uint32_t by = 0; by < BLOCK_NAMED_WAYS; by++)
		if (b->named[by].len > 0 || b->named[by].more)
			b->named[by] = (struct block_named){.untold = true};
	b->part = 0;
	tell_now_or_later(gw, b);
}

void block_named_again(struct gateway *gw, struct block *b)
{
	for (uint32_t by = 0; by < BLOCK_NAMED_WAYS; by++) {
		struct block_named *named = &b->named[by];

		named->alarmed = false;
		named->untold = named->untold || named->len > 0 || named->more;
	}
	tell_now_or_later(gw, b);
}
