/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "call.h"
#include "member.h"

#define HEARD_US (10 * SECOND) /* an answer that has not come by then was lost */

/* The scripted core holds the block by one registration, or does not, and sends what is for its
 * identities to the one Contact of it. */

static void broken(struct core_script *core, const char *name, struct span message,
		   const char *what)
{
	sim_broken(core->sim, name, "%.*s: %s", (int)text_header(message, "CSeq", 0).len,
		   (const char *)text_header(message, "CSeq", 0).at, what);
}

static void keep(char *to, size_t size, struct span value)
{
	snprintf(to, size, "%.*s", (int)value.len, (const char *)value.at);
}

/* ---- its REGISTER ---------------------------------------------------------------------------- */

/** This node's own, as UE and P-CSCF at once (PROTOCOL 8.1). */
static void check_whole(struct core_script *core, struct span message, uint32_t pair)
{
	struct span contact = text_header(message, "Contact", 0);
	struct span path = text_header(message, "Path", 0);
	char own[64];

	core_check_own(core, message);
	snprintf(own, sizeof(own), "<sip:block%u@" DOMAIN ">", pair);
	if (!text_has(text_header(message, "To", 0), own) ||
	    !text_has(text_header(message, "From", 0), own))
		broken(core, "block-register-is-whole", message, "To or From");
	if (text_count(message, "Contact") != 1 || text_has(contact, "reg-id") ||
	    !span_starts(contact, SPAN("<sip:block-" BLOCK_NAME "@" ADDRESS_MW ":5060;")))
		broken(core, "block-register-is-whole", message, "Contact");
	if (text_count(message, "Path") != 1 || text_has(path, "t1.") || text_has(path, ";ob") ||
	    !span_starts(path, SPAN("<sip:" ADDRESS_MW ":5060")))
		broken(core, "block-register-is-whole", message, "Path");
	if (text_count(message, "Authorization") != 1 ||
	    !text_has(message, "integrity-protected=\"auth-done\""))
		broken(core, "trust-boundary", message, "no trusted node authentication");
	if (text_number(contact, ";expires=", 1) !=
	    text_number(text_header(message, "Expires", 0), "", 0))
		broken(core, "block-register-is-whole", message, "two expiries");
}

/** One Call-ID while the core may hold it, whatever of it has been lost on the way. */
static void check_once(struct core_script *core, const struct core_block *b, struct span message)
{
	bool same = span_equal(text_header(message, "Call-ID", 0), span_text(b->call_id));

	if (b->live && !same && !b->gone && b->held_life == core->sim->restarts &&
	    core->sim->now_us < b->held_until_us)
		broken(core, "block-registered-once", message, "another Call-ID");
}

static void write_200(struct core_script *core, struct span message, const struct core_block *b,
		      struct writer *out)
{
	struct span contact = text_header(message, "Contact", 0);
	struct sim *sim = core->sim;

	core_write_response(message, 200, out);
	if (sim_chance(sim, 20))
		text_add(out, "Contact: <sip:other@device.invalid>;expires=777\r\n");
	if (b->granted_s > 0)
		text_add(out, "Contact: %.*s;expires=%u\r\n", (int)span_find(contact, '>') + 1,
			 (const char *)contact.at, b->granted_s);
	if (sim_chance(sim, 70))
		text_add(out, "Service-Route: <sip:orig@%s;lr>\r\n",
			 sim_chance(sim, 70) ? ADDRESS_CORE : ADDRESS_CORE_2);
	if (sim_chance(sim, 50))
		text_add(out,
			 "P-Associated-URI: <sip:block0@" DOMAIN ">, <sip:user%s@" DOMAIN ">\r\n",
			 sim_chance(sim, 70) ? "!5%5B0-9%5D%5B0-9%5D!" : "!.*!");
	text_add(out, "Content-Length: 0\r\n\r\n");
}

static void write_refusal(struct core_script *core, struct span message, const struct core_block *b,
			  struct writer *out)
{
	core_write_response(message, b->status, out);
	if (b->status == 423)
		text_add(out, "Min-Expires: %u\r\n", core->sim->members->least_s);
	text_add(out, "Retry-After: 1\r\nContent-Length: 0\r\n\r\n");
}

static uint16_t draw_status(struct core_script *core, uint32_t asked_s)
{
	static const uint16_t refusals[] = {401, 403, 403, 408, 503, 404, 500, 0};

	if (asked_s > 0 && asked_s < core->sim->members->least_s)
		return 423;
	return core->sim->draining || sim_chance(core->sim, 80) ? 200
								: refusals[sim_below(core->sim, 8)];
}

static uint32_t draw_grant(struct sim *sim, uint32_t asked_s)
{
	if (asked_s == 0 || sim_chance(sim, 80))
		return asked_s;
	return sim_chance(sim, 50) ? asked_s * 2 + 10 : asked_s / 2 + 1;
}

/** What it asks for is so from now on, when it is to be answered 200; its end always is. */
static void store(struct core_script *core, struct core_block *b, struct span message)
{
	struct span contact = text_header(message, "Contact", 0);
	struct sim *sim = core->sim;

	b->granted_s = b->status == 200 ? draw_grant(sim, b->asked_s) : 0;
	if (b->asked_s > 0 && b->status != 200)
		return;
	b->live = b->asked_s > 0;
	b->gone = !b->live;
	b->held_life = b->life;
	b->held_until_us = sim->now_us + sim_s(b->asked_s);
	b->until_us = sim->now_us + sim_s(b->granted_s);
	keep(b->path, sizeof(b->path), text_header(message, "Path", 0));
	keep(b->contact, sizeof(b->contact), span_cut(contact, 0, span_find(contact, '>') + 1));
}

static void answer(struct core_script *core, const struct core_way *way, struct span message,
		   struct core_block *b)
{
	uint8_t text[CORE_TEXT_MAX];
	struct writer out;
	uint64_t at_us;

	if (b->status == 0) {
		b->odd_us = core->sim->now_us;
		return;
	}
	writer_init(&out, text, sizeof(text));
	if (b->status == 200)
		write_200(core, message, b, &out);
	else
		write_refusal(core, message, b, &out);
	at_us = core_answer_later(core, way, writer_span(&out));
	if (at_us > core->sim->now_us + SECOND)
		b->odd_us = at_us;
	if (way->tcp && (b->status == 401 || b->status == 403 || b->status == 404))
		b->refused_us = at_us;
	if (b->status == 200 && b->said_until_us < at_us + sim_s(b->granted_s))
		b->said_until_us = at_us + sim_s(b->granted_s);
}

static void refuse(struct core_script *core, const struct core_way *way, struct span message,
		   uint16_t status)
{
	uint8_t text[CORE_TEXT_MAX];
	struct writer out;

	writer_init(&out, text, sizeof(text));
	core_write_response(message, status, &out);
	text_add(&out, "Content-Length: 0\r\n\r\n");
	core_answer(core, way, writer_span(&out));
}

/** 423: it asks again for what the core wants, unless it may not have heard so. */
static void check_least(struct core_script *core, const struct core_block *b, uint32_t asked_s)
{
	const struct sim *sim = core->sim;

	if (b->status == 423 && b->life == sim->restarts && asked_s > 0 &&
	    asked_s < sim->members->least_s && sim->now_us < b->heard_us + HEARD_US &&
	    core_disturbed_us(sim) < b->asked_us && sim->members->changed_us < b->asked_us)
		sim_broken(core->sim, "block-asks-long-enough", "%u s and not %u", asked_s,
			   sim->members->least_s);
}

/** Another one than before, or the first. */
static void ask(struct core_script *core, struct core_block *b, struct span message, uint32_t cseq)
{
	uint32_t asked_s = (uint32_t)text_number(text_header(message, "Expires", 0), "", 0);

	check_once(core, b, message);
	check_least(core, b, asked_s);
	keep(b->call_id, sizeof(b->call_id), text_header(message, "Call-ID", 0));
	if (b->life != core->sim->restarts)
		b->said_until_us = 0;
	b->cseq = cseq;
	b->life = core->sim->restarts;
	b->asked_us = core->sim->now_us;
	b->asked_s = asked_s;
	b->refused_us = 0;
	b->status = draw_status(core, asked_s);
	store(core, b, message);
	sim_note(core->sim, "core gets REGISTER %u of block%u for %u s: %u", cseq,
		 (unsigned)(b - core->sim->members->block), b->asked_s, b->status);
}

bool core_block_asked(struct core_script *core, const struct core_way *way, struct span message)
{
	uint32_t pair = (uint32_t)text_number(text_header(message, "Authorization", 0),
					      "username=\"block", UINT32_MAX);
	uint32_t cseq = (uint32_t)text_number(text_header(message, "CSeq", 0), "", 0);
	struct core_block *b;
	bool same;

	if (core->sim->members == NULL || pair >= BLOCK_PAIRS)
		return false;
	b = &core->sim->members->block[pair];
	same = span_equal(text_header(message, "Call-ID", 0), span_text(b->call_id));
	check_whole(core, message, pair);
	if (core_busy(core, way)) {
		b->heard_us = core->sim->now_us;
		refuse(core, way, message, 503);
		return true;
	}
	if (same && cseq < b->cseq) { /* overtaken (RFC 3261 10.3) */
		refuse(core, way, message, 500);
		return true;
	}
	if (!same || cseq > b->cseq)
		ask(core, b, message, cseq);
	else if (b->status == 0) /* it is not silent for ever */
		b->status = 503;
	b->heard_us = core->sim->now_us;
	answer(core, way, message, b);
	return true;
}

void core_block_forgets(struct sim *sim, void *context, uint64_t arg)
{
	uint32_t from = sim_below(sim, BLOCK_PAIRS);

	(void)arg;
	if (sim->draining)
		return;
	sim_note(sim, "core forgets block%u", from);
	sim->members->block[from].live = false;
	sim_at(sim, sim->now_us + sim_between(sim, sim_s(4), sim_s(40)), core_block_forgets,
	       context, 0);
}

/* ---- its calls ------------------------------------------------------------------------------- */

bool core_block_binding(struct core_script *core, uint32_t user, struct core_binding *b)
{
	struct sim *sim = core->sim;
	const struct core_block *block = &sim->members->block[sim->members->pair];

	if (!block->live || sim->now_us > block->until_us) /* a late one */
		block = &sim->members->block[sim_below(sim, BLOCK_PAIRS)];
	if (block->contact[0] == 0 || (!block->live && sim_chance(sim, 70)))
		return false;
	*b = (struct core_binding){
		.live = true,
		.block = true,
		.user = user,
		.wic = sim->shape.guests,
		.since_us = sim->now_us,
	};
	snprintf(b->path, sizeof(b->path), "%s", block->path);
	snprintf(b->contact, sizeof(b->contact), "%s", block->contact);
	return true;
}

bool core_block_draw(struct core_script *core, struct core_binding *b)
{
	struct sim *sim = core->sim;
	bool outside = sim_chance(sim, 6);

	return core_block_binding(core,
				  outside ? BLOCK_LAST + 1 + sim_below(sim, 100)
					  : BLOCK_FIRST + sim_below(sim, sim->members->users),
				  b);
}
