/* SPDX-License-Identifier: BSD-3-Clause */
#include "destinations.h"

#include <stdlib.h>

#include "canonical.h"
#include "destination_rules.h"
#include "ere.h"

/** A list while it is read. */
struct destinations_reading {
	const struct destinations_from *from;
	struct problems *problems;
	uint64_t *number;
	struct span *host, *uri;
	uint32_t numbers, hosts, uris;
	struct expression *expression;
	uint32_t expressions;
	uint32_t line; /* of the rule that is read */
};

static void destinations_refuse(const struct destinations_reading *r, const char *why)
{
	problems_add(r->problems, PROBLEM_ERROR, r->from->file, r->line, "%s: %s", r->from->setting,
		     why);
}

/* ---- kinds of rules ------------------------------------------------------------------------- */

static void destinations_number(struct destinations_reading *r, struct span text)
{
	char number[DESTINATION_PLACES + 1];
	struct writer out;
	uint64_t places;

	writer_init(&out, number, sizeof(number));
	for (uint32_t i = 0; i < text.len; i++)
		if (text.at[i] == '\0' || strchr("-.()", text.at[i]) == NULL)
			writer_u8(&out, text.at[i]);
	places = destination_places(writer_span(&out));
	if (!writer_ok(&out) || places == 0 || writer_len(&out) > DESTINATION_PLACES ||
	    span_find(span_from(writer_span(&out), 1), '+') + 1 < writer_len(&out))
		destinations_refuse(r, "after \"tel:\" the first digits of a number expected, '+' "
				       "before those of a global one, 16 characters at most");
	else
		r->number[r->numbers++] = places;
}

static struct span destinations_keep(const struct destinations_reading *r, const struct writer *w)
{
	uint32_t len = writer_len(w);

	return span_of(arena_text(r->from->arena, w->start, len), len);
}

/** A host, or a user of one: canonical, and nothing behind it. */
static void destinations_uri(struct destinations_reading *r, struct span text)
{
	uint8_t uri[IDENTITY_MAX];
	uint32_t at = span_find(text, '@');
	struct span host = span_from(text, at + 1), user = span_cut(text, 0, at), canonical;
	bool any = span_equal_nocase(user, SPAN("sip:*"));
	struct writer w;

	if (span_at(host, host.len - 1) == '.')
		host.len--;
	writer_init(&w, uri, sizeof(uri));
	for (uint32_t i = span_at(host, 0) == '[' ? span_find(host, ']') : 0; i < host.len; i++)
		if (strchr(":;?", host.at[i]) != NULL)
			at = text.len;
	if (at == text.len || span_find(user, ':') != 3 ||
	    span_find(span_from(user, 4), ':') < user.len - 4 ||
	    identity_canonical_impu(span_cut(text, 0, at + 1 + host.len), &w) != GW_OK) {
		destinations_refuse(r, "\"tel:PREFIX\", \"sip:*@HOST\", \"sip:USER@HOST\" or "
				       "\"re:EXPRESSION\" expected");
		return;
	}
	canonical = destinations_keep(r, &w);
	if (any)
		r->host[r->hosts++] = span_from(canonical, span_find(canonical, '@') + 1);
	else
		r->uri[r->uris++] = canonical;
}

static void destinations_expression(struct destinations_reading *r, struct span text)
{
	uint8_t made[ERE_WRITTEN_MAX + 16];
	struct writer out;
	struct ere ere;

	writer_init(&out, made, sizeof(made));
	writer_text(&out, "\\A");
	ere = ere_translate(text, &out);
	writer_text(&out, "\\z");
	if (ere.why != NULL) {
		problems_add(r->problems, PROBLEM_ERROR, r->from->file, r->line,
			     "%s: at byte %u of the expression: %s", r->from->setting, ere.at + 1,
			     ere.why);
		return;
	}
	if (r->expressions == DESTINATION_EXPRESSIONS_MAX) {
		destinations_refuse(r, "more than 256 expressions");
		return;
	}
	r->expression[r->expressions++] =
		(struct expression){arena_text(r->from->arena, made, writer_len(&out)),
				    r->from->setting, r->line};
}

static void destinations_rule(struct destinations_reading *r, struct span text)
{
	if (span_equal_nocase(span_cut(text, 0, 4), SPAN("tel:")))
		destinations_number(r, span_from(text, 4));
	else if (span_starts(text, SPAN("re:")))
		destinations_expression(r, span_from(text, 3));
	else
		destinations_uri(r, text);
}

/* ---- order ---------------------------------------------------------------------------------- */

static int number_order(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int text_order(const void *a, const void *b)
{
	return destination_order(*(const struct span *)a, *(const struct span *)b);
}

/** A prefix that begins with another one says nothing more. What remains. */
static uint32_t destinations_shortest(uint64_t *number, uint32_t count)
{
	uint32_t kept = 0;

	qsort(number, count, sizeof(*number), number_order);
	for (uint32_t i = 0; i < count; i++)
		if (kept == 0 || !destination_begins(number[i], number[kept - 1]))
			number[kept++] = number[i];
	return kept;
}

static void destinations_compile(struct config_destinations *list,
				 const struct destinations_reading *r)
{
	const struct expressions_from from = {
		.at = r->expression,
		.count = r->expressions,
		.file = r->from->file,
		.workers = r->from->workers,
		.before = r->from->before != NULL ? r->from->before->compiled : NULL,
		.stop = r->from->stop,
	};

	list->expressions = r->expressions;
	if (r->expressions == 0)
		return;
	list->compiled = expressions_compile(&from, r->problems);
	if (list->compiled != NULL)
		list->made.expression = expressions_database(list->compiled);
}

void destinations_read(struct config_destinations *list, const struct destinations_from *from,
		       struct problems *problems)
{
	uint32_t count = list->texts.count;
	struct destinations_reading r = {
		.from = from,
		.problems = problems,
		.number = arena_get(from->arena, count * sizeof(*r.number)),
		.host = arena_get(from->arena, count * sizeof(*r.host)),
		.uri = arena_get(from->arena, count * sizeof(*r.uri)),
		.expression =
			arena_get(from->arena, DESTINATION_EXPRESSIONS_MAX * sizeof(*r.expression)),
	};

	for (uint32_t i = 0; i < count; i++) {
		const struct option_text *text = &((const struct option_text *)list->texts.at)[i];

		r.line = text->line;
		destinations_rule(&r, span_text(text->text));
	}
	qsort(r.host, r.hosts, sizeof(*r.host), text_order);
	qsort(r.uri, r.uris, sizeof(*r.uri), text_order);
	list->made = (struct destination_list){
		.number = r.number,
		.numbers = destinations_shortest(r.number, r.numbers),
		.host = r.host,
		.hosts = r.hosts,
		.uri = r.uri,
		.uris = r.uris,
	};
	destinations_compile(list, &r);
}

/* ---- copies --------------------------------------------------------------------------------- */

static const struct span *destinations_texts(const struct span *texts, uint32_t count,
					     struct arena *arena)
{
	struct span *copy = arena_get(arena, count * sizeof(*copy));

	for (uint32_t i = 0; i < count; i++)
		copy[i] = span_of(arena_text(arena, texts[i].at, texts[i].len), texts[i].len);
	return copy;
}

struct destination_list destinations_copy(const struct config_destinations *list,
					  struct arena *arena)
{
	struct destination_list copy = list->made;
	uint64_t *number = arena_get(arena, copy.numbers * sizeof(*number));

	if (copy.numbers > 0)
		memcpy(number, copy.number, copy.numbers * sizeof(*number));
	copy.number = number;
	copy.host = destinations_texts(copy.host, copy.hosts, arena);
	copy.uri = destinations_texts(copy.uri, copy.uris, arena);
	return copy;
}
