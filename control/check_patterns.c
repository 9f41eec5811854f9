/* SPDX-License-Identifier: BSD-3-Clause */
#include <strings.h>

#include "checking.h"
#include "pair_table.h"
#include "pattern_table.h"
#include "publish.h"

/* Wildcarded identities: each alone, and beside the identities of other web sites. */

#define WILDCARD "wwsf[].identities.wildcard"

static const struct config_wwsf *check_site(const struct check *c, uint32_t w)
{
	return ELEMENT(config_wwsf, c->config->wwsf, w);
}

/** Whether it has a wildcard that can be read. */
static bool check_has_wildcard(const struct config_wwsf *wwsf)
{
	return check_given(wwsf->identities.wildcard) && wwsf->wildcard.why == NULL;
}

static bool check_is_served(const struct check *c, struct span host)
{
	for (uint32_t i = 0; i < c->config->realms.count; i++)
		if (span_equal_nocase(host, span_text(ELEMENT(config_realm, c->config->realms, i)
							      ->domain.text)))
			return true;
	return false;
}

static void check_wildcard(const struct check *c, struct config_wwsf *wwsf)
{
	const struct option_text *text = &wwsf->identities.wildcard;
	struct wildcard *wildcard = &wwsf->wildcard;

	*wildcard = wildcard_read(span_text(text->text), c->config->arena);
	if (wildcard->why != NULL)
		check_refuse(c, text->line, WILDCARD ": at byte %u: %s", wildcard->at + 1,
			     wildcard->why);
	else if (wildcard->host.len > 0 && !check_is_served(c, wildcard->host))
		check_refuse(c, text->line, WILDCARD ": its host is no domain of realms");
	if (wwsf->mode.value != CONFIG_MODE_WILDCARD && wwsf->mode.value != CONFIG_MODE_BLOCK)
		check_refuse(c, text->line,
			     WILDCARD ": with mode wildcard-unregistered or block only");
}

/* ---- two wildcards -------------------------------------------------------------------------- */

static bool check_begin_alike(struct span a, struct span b)
{
	return span_starts(a, b) || span_starts(b, a);
}

static bool check_end_alike(struct span a, struct span b)
{
	uint32_t len = a.len < b.len ? a.len : b.len;

	return span_equal(span_from(a, a.len - len), span_from(b, b.len - len));
}

/** Whether two expressions have a text in common is not looked for: the fixed parts may say no. */
static void check_wildcards_apart(const struct check *c, const struct config_wwsf *a,
				  const struct config_wwsf *b)
{
	if (span_equal(a->wildcard.text, b->wildcard.text))
		check_refuse(c, b->identities.wildcard.line,
			     WILDCARD ": that of WWSF \"%s\" already, on line %u", a->name.text,
			     a->identities.wildcard.line);
	else if (check_begin_alike(a->wildcard.prefix, b->wildcard.prefix) &&
		 check_end_alike(a->wildcard.suffix, b->wildcard.suffix))
		problems_add(c->problems, PROBLEM_WARNING, c->config->file,
			     b->identities.wildcard.line,
			     WILDCARD
			     ": may have identities in common with that of line %u, "
			     "which then both web sites may use: let what is fixed of them "
			     "differ",
			     a->identities.wildcard.line);
}

/* ---- compiling ------------------------------------------------------------------------------ */

/** The expressions of all wildcards, in the order of their web sites. */
static uint32_t check_collect(const struct check *c, struct expression *at)
{
	uint32_t count = 0;

	for (uint32_t w = 0; w < c->config->wwsf.count; w++) {
		struct config_wwsf *wwsf = ELEMENT(config_wwsf, c->config->wwsf, w);

		if (!check_has_wildcard(wwsf))
			continue;
		wwsf->pattern = count;
		at[count++] = (struct expression){wwsf->wildcard.expression, WILDCARD,
						  wwsf->identities.wildcard.line};
	}
	return count;
}

static void check_compile(const struct check *c)
{
	struct config *config = c->config;
	struct expression *at = arena_get(config->arena, config->wwsf.count * sizeof(*at));
	const struct expressions_from from = {
		.at = at,
		.count = check_collect(c, at),
		.file = config->file,
		.workers = config_workers(config),
		.before = c->from->before != NULL ? c->from->before->patterns : NULL,
		.stop = c->from->stop,
	};

	if (from.count > 0)
		config->patterns = expressions_compile(&from, c->problems);
}

/* ---- pairs of others ------------------------------------------------------------------------ */

/** Pairs and a wildcard that were both there before were looked at then. */
static bool check_were_apart(const struct check *c, const struct config_wwsf *other)
{
	return other->pairs_before && c->from->before != NULL &&
	       c->from->before->patterns == c->config->patterns;
}

/** A distinct identity of another web site: the wildcard's would be its users. The first is told.
 */
static void check_pairs_outside(const struct check *c, const struct pattern_part *part, uint32_t w,
				const struct config_wwsf *other)
{
	const struct pair_table *table = pairs_table(other->pairs);
	uint8_t text[IDENTITY_MAX];
	struct writer impu;

	for (uint64_t at = 0; at < table->record_bytes; at = pair_table_next(table, at)) {
		const struct pair_record *record = pair_table_record(table, at);

		writer_init(&impu, text, sizeof(text));
		pair_record_impu(table, record, &impu);
		if (!pattern_row_has(part, config_workers(c->config), w, writer_span(&impu)))
			continue;
		problems_add(c->problems, PROBLEM_ERROR, pairs_path(other->pairs), record->line,
			     "the public identity is in the wildcard of WWSF \"%s\", it can belong "
			     "to one WWSF only",
			     check_site(c, w)->name.text);
		return;
	}
}

static void check_wildcards_outside(const struct check *c)
{
	struct pattern_part *part = publish_patterns(c->config, NULL);

	for (uint32_t w = 0; w < part->count; w++) {
		for (uint32_t i = 0; part->row[w].wildcard.len > 0 && i < part->count; i++) {
			const struct config_wwsf *other = check_site(c, i);

			if (other->pairs != NULL && !check_were_apart(c, other))
				check_pairs_outside(c, part, w, other);
		}
	}
	part->part.free(&part->part);
}

void check_patterns(const struct check *c)
{
	uint32_t errors = problems_errors(c->problems);

	for (uint32_t w = 0; w < c->config->wwsf.count; w++) {
		struct config_wwsf *wwsf = ELEMENT(config_wwsf, c->config->wwsf, w);

		if (!check_given(wwsf->identities.wildcard))
			continue;
		check_wildcard(c, wwsf);
		for (uint32_t i = 0; check_has_wildcard(wwsf) && i < w; i++)
			if (check_has_wildcard(check_site(c, i)))
				check_wildcards_apart(c, check_site(c, i), wwsf);
	}
	check_compile(c);
	if (c->config->patterns != NULL && problems_errors(c->problems) == errors)
		check_wildcards_outside(c);
}
