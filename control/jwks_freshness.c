/* SPDX-License-Identifier: BSD-3-Clause */
#include "jwks_freshness.h"

#include <string.h>
#include <time.h>

/** Cuts text at the first c: what stands before it, trimmed, and text becomes what follows. */
static struct span freshness_cut(struct span *text, uint8_t c)
{
	uint32_t at = span_find(*text, c);
	struct span before = span_cut(*text, 0, at);

	*text = at < text->len ? span_from(*text, at + 1) : span_from(*text, at);
	return span_trim(before);
}

/** delta-seconds, quoted or not (RFC 9111 section 5.2); what is none is 0. */
static uint32_t freshness_seconds(struct span text)
{
	uint64_t sum = 0;

	if (text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"')
		text = span_cut(text, 1, text.len - 2);
	for (uint32_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return 0;
		sum = sum * 10 + (uint64_t)(text.at[i] - '0');
		if (sum > JWKS_AGE_MAX)
			sum = JWKS_AGE_MAX;
	}
	return (uint32_t)sum;
}

/** The three forms of RFC 9110 section 5.6.7; anything else is 0, a time long past. */
static uint64_t freshness_date(struct span text)
{
	static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT",
					    "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"};
	char copy[64];

	if (text.len >= sizeof(copy))
		return 0;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm date = {0};
		const char *end = strptime(copy, forms[i], &date);
		time_t at;

		if (end == NULL || *end != '\0')
			continue;
		at = timegm(&date);
		return at > 0 ? (uint64_t)at : 0;
	}
	return 0;
}

static void freshness_max_age(struct jwks_freshness *f, struct span value)
{
	uint32_t seconds = freshness_seconds(value);

	if (!f->has_max_age || seconds < f->max_age_s)
		f->max_age_s = seconds;
	f->has_max_age = true;
}

static void freshness_cache_control(struct jwks_freshness *f, struct span value)
{
	while (value.len > 0) {
		struct span directive = freshness_cut(&value, ',');
		struct span name = freshness_cut(&directive, '=');

		if (span_equal_nocase(name, SPAN("no-store")) ||
		    span_equal_nocase(name, SPAN("no-cache")))
			f->no_store = true;
		else if (span_equal_nocase(name, SPAN("max-age")))
			freshness_max_age(f, span_trim(directive));
	}
}

void jwks_freshness_line(struct jwks_freshness *f, struct span line)
{
	struct span name = freshness_cut(&line, ':');
	struct span value = span_trim(span_cut(line, 0, span_find(line, '\r')));
	uint32_t age;

	if (span_equal_nocase(name, SPAN("cache-control"))) {
		freshness_cache_control(f, value);
	} else if (span_equal_nocase(name, SPAN("age"))) {
		age = freshness_seconds(value);
		f->age_s = age > f->age_s ? age : f->age_s;
	} else if (span_equal_nocase(name, SPAN("expires"))) {
		f->has_expires = true;
		f->expires_s = freshness_date(value);
	} else if (span_equal_nocase(name, SPAN("date"))) {
		f->date_s = freshness_date(value);
		f->has_date = f->date_s > 0;
	}
}

uint32_t jwks_freshness_left(const struct jwks_freshness *f, uint64_t now_s)
{
	uint64_t from_s = f->has_date ? f->date_s : now_s, life_s = 0;

	if (f->no_store)
		return 0;
	if (f->has_max_age)
		life_s = f->max_age_s;
	else if (f->has_expires && f->expires_s > from_s)
		life_s = f->expires_s - from_s;
	if (life_s > JWKS_AGE_MAX)
		life_s = JWKS_AGE_MAX;
	return life_s > f->age_s ? (uint32_t)life_s - f->age_s : 0;
}
