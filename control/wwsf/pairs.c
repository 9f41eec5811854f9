/* SPDX-License-Identifier: BSD-3-Clause */
#include "pairs.h"

#include <stdlib.h>

struct pairs {
	struct file
		file; /* the strings of all pairs, cut with zero bytes where the separators were */
	uint32_t count;
	struct pair *by_user; /* sorted */
};

static int pairs_compare(struct span a, struct span b)
{
	int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/** Orders by user part, equal ones by line, so that a repeat is reported where it stands. */
static int pairs_order_user(const void *a, const void *b)
{
	const struct pair *p = a, *q = b;
	int order = pairs_compare(p->user, q->user);

	return order != 0 ? order : (p->line > q->line) - (p->line < q->line);
}

static int pairs_order_impi(const void *a, const void *b)
{
	const struct pair *p = a, *q = b;
	int order = strcmp(p->impi, q->impi);

	return order != 0 ? order : (p->line > q->line) - (p->line < q->line);
}

/** Characters that neither an identity nor its place in a SIP header or in JSON has to quote. */
static bool pairs_is_plain(struct span s)
{
	for (uint32_t i = 0; i < s.len; i++)
		if (s.at[i] <= ' ' || s.at[i] > '~' || strchr("\"\\<>,;?", s.at[i]) != NULL)
			return false;
	return true;
}

/** One name, one @, one realm. */
static bool pairs_is_nai(struct span s)
{
	uint32_t at = span_find(s, '@');
	struct span realm = span_from(s, at + 1);

	return at > 0 && realm.len > 0 && span_find(realm, '@') == realm.len && pairs_is_plain(s);
}

static bool pairs_is_tel(struct span s)
{
	struct span number = span_from(s, (uint32_t)strlen("tel:"));

	if (!span_starts(s, SPAN("tel:+")) || number.len < 2)
		return false;
	for (uint32_t i = 1; i < number.len; i++)
		if (number.at[i] < '0' || number.at[i] > '9')
			return false;
	return true;
}

/** sip:user@host: in the canonical form a second colon, of a password or of a port, has no place.
 */
static bool pairs_is_sip(struct span s)
{
	struct span rest = span_from(s, (uint32_t)strlen("sip:"));

	return span_starts(s, SPAN("sip:")) && pairs_is_nai(rest) &&
	       span_find(rest, ':') == rest.len;
}

struct span pairs_user(struct span impu)
{
	struct span user;

	if (!span_starts(impu, SPAN("sip:")) && !span_starts(impu, SPAN("tel:")))
		return (struct span){0};
	user = span_from(impu, (uint32_t)strlen("sip:"));
	return span_cut(user, 0, span_find(user, '@'));
}

/** Why the line is no pair, or NULL with *pair filled but for its line. */
static const char *pairs_line_read(struct span line, struct pair *pair)
{
	uint32_t comma = span_find(line, ',');
	struct span impi = span_trim(span_cut(line, 0, comma));
	struct span impu = span_trim(span_from(line, comma + 1));

	if (comma == line.len || span_find(impu, ',') != impu.len)
		return "not two fields, impi,impu";
	if (impi.len > 0 && !pairs_is_nai(impi))
		return "IMPI is not user@realm";
	if (!pairs_is_sip(impu) && !pairs_is_tel(impu))
		return "IMPU is neither sip:user@host nor tel:+digits";
	pair->impi = (const char *)impi.at;
	pair->impu = (const char *)impu.at;
	pair->user = pairs_user(impu);
	return NULL;
}

/** Ends both strings of a pair: the byte after each is a separator, white space, or the file's own
 * zero. */
static void pairs_terminate(struct pairs *pairs, const struct pair *pair)
{
	uint32_t impi = (uint32_t)(pair->impi - pairs->file.text);
	uint32_t impu = (uint32_t)(pair->impu - pairs->file.text);

	pairs->file.text[impi + strcspn(pair->impi, ", \t")] = '\0';
	pairs->file.text[impu + strcspn(pair->impu, " \t\r\n")] = '\0';
}

/** Takes the next line of *rest, without its end. */
static struct span pairs_line_take(struct span *rest)
{
	uint32_t len = span_find(*rest, '\n');
	struct span line = span_cut(*rest, 0, len);

	*rest = span_from(*rest, len + 1);
	if (line.len > 0 && line.at[line.len - 1] == '\r')
		line.len--;
	return span_trim(line);
}

static enum gw_err pairs_read(struct pairs *pairs, const char *name, struct reason *reason)
{
	struct span rest = span_of(pairs->file.text, pairs->file.len);

	for (uint32_t number = 1; rest.len > 0; number++) {
		struct pair *pair = &pairs->by_user[pairs->count];
		struct span line = pairs_line_take(&rest);
		const char *why;

		if (line.len == 0 || line.at[0] == '#')
			continue;
		why = pairs_line_read(line, pair);
		if (why != NULL) {
			reason_set(reason, "%s:%u: %s", name, number, why);
			return GW_CONFIG;
		}
		pair->line = number;
		pairs_terminate(pairs, pair);
		pairs->count++;
	}
	if (pairs->count > 0)
		return GW_OK;
	reason_set(reason, "%s: no pair in it", name);
	return GW_CONFIG;
}

/** A pair goes to one user: no IMPI twice, and no IMPU that /token could not tell from another. */
static enum gw_err pairs_check_unique(struct pairs *pairs, const char *name, struct reason *reason)
{
	const struct pair *pair = pairs->by_user;

	qsort(pairs->by_user, pairs->count, sizeof(*pair), pairs_order_impi);
	for (uint32_t i = 1; i < pairs->count; i++)
		if (pair[i].impi[0] != '\0' && strcmp(pair[i].impi, pair[i - 1].impi) == 0) {
			reason_set(reason, "%s:%u: IMPI of line %u again", name, pair[i].line,
				   pair[i - 1].line);
			return GW_CONFIG;
		}
	qsort(pairs->by_user, pairs->count, sizeof(*pair), pairs_order_user);
	for (uint32_t i = 1; i < pairs->count; i++)
		if (span_equal(pair[i].user, pair[i - 1].user)) {
			reason_set(reason, "%s:%u: user part of the IMPU of line %u again", name,
				   pair[i].line, pair[i - 1].line);
			return GW_CONFIG;
		}
	return GW_OK;
}

/** As many as there are line ends, and one: more than enough pairs. */
static uint32_t pairs_lines(struct span text)
{
	uint32_t lines = 1;

	for (uint32_t i = 0; i < text.len; i++)
		lines += text.at[i] == '\n';
	return lines;
}

enum gw_err pairs_new(const char *name, struct file file_owned, struct pairs **made,
		      struct reason *reason)
{
	struct pairs *pairs = calloc(1, sizeof(*pairs));
	enum gw_err err = GW_NO_MEMORY;

	reason_set(reason, "%s: no memory", name);
	if (pairs == NULL) {
		file_fini(&file_owned);
		return GW_NO_MEMORY;
	}
	pairs->file = file_owned;
	pairs->by_user = calloc(pairs_lines(span_of(file_owned.text, file_owned.len)),
				sizeof(*pairs->by_user));
	if (pairs->by_user == NULL)
		goto free_pairs;
	err = pairs_read(pairs, name, reason);
	if (err != GW_OK)
		goto free_pairs;
	err = pairs_check_unique(pairs, name, reason);
	if (err != GW_OK)
		goto free_pairs;
	*made = pairs;
	return GW_OK;

free_pairs:
	pairs_free(pairs);
	return err;
}

void pairs_free(struct pairs *pairs)
{
	if (pairs == NULL)
		return;
	free(pairs->by_user);
	file_fini(&pairs->file);
	free(pairs);
}

const struct pair *pairs_find(const struct pairs *pairs, struct span user)
{
	struct pair wanted = {.user = user};
	uint32_t low = 0, high = pairs->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = pairs_compare(wanted.user, pairs->by_user[middle].user);

		if (order == 0)
			return &pairs->by_user[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

uint32_t pairs_count(const struct pairs *pairs)
{
	return pairs->count;
}

const struct pair *pairs_at(const struct pairs *pairs, uint32_t number)
{
	return &pairs->by_user[number];
}

uint32_t pairs_number(const struct pairs *pairs, const struct pair *pair)
{
	return (uint32_t)(pair - pairs->by_user);
}
