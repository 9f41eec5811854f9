/* SPDX-License-Identifier: BSD-3-Clause */
#include "destination_rules.h"

#include "pattern_table.h"

/* ---- numbers -------------------------------------------------------------------------------- */

/** 1 to 13; 0: no character of a number. */
static uint64_t place_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0' + 1u;
	return c == '+' ? 11 : c == '*' ? 12 : c == '#' ? 13 : 0;
}

uint64_t destination_places(struct span number)
{
	uint64_t places = 0;

	for (uint32_t i = 0; i < number.len; i++) {
		uint64_t place = place_of(number.at[i]);

		if (place == 0)
			return 0;
		if (i < DESTINATION_PLACES)
			places |= place << (4 * (DESTINATION_PLACES - 1 - i));
	}
	return places;
}

uint32_t destination_places_count(uint64_t places)
{
	return places == 0 ? 0 : DESTINATION_PLACES - (uint32_t)__builtin_ctzll(places) / 4;
}

bool destination_begins(uint64_t number, uint64_t prefix)
{
	uint32_t unused = 4 * (DESTINATION_PLACES - destination_places_count(prefix));

	return prefix != 0 && number >> unused == prefix >> unused;
}

/* No prefix begins with another one, so that only the last one that is not behind the number can be
 * its beginning. */
bool destination_has_number(const struct destination_list *list, uint64_t number)
{
	uint32_t first = 0, behind = list->numbers;

	while (first < behind) {
		uint32_t middle = first + (behind - first) / 2;

		if (list->number[middle] <= number)
			first = middle + 1;
		else
			behind = middle;
	}
	return first > 0 && destination_begins(number, list->number[first - 1]);
}

/* ---- hosts and URIs ------------------------------------------------------------------------- */

int destination_order(struct span a, struct span b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return a.len == 0 ? 0 : memcmp(a.at, b.at, a.len);
}

static bool has_text(const struct span *texts, uint32_t count, struct span text)
{
	uint32_t first = 0, behind = count;

	while (first < behind) {
		uint32_t middle = first + (behind - first) / 2;
		int order = destination_order(texts[middle], text);

		if (order == 0)
			return true;
		if (order < 0)
			first = middle + 1;
		else
			behind = middle;
	}
	return false;
}

bool destination_has_host(const struct destination_list *list, struct span host)
{
	return has_text(list->host, list->hosts, host);
}

bool destination_has_uri(const struct destination_list *list, struct span uri)
{
	return has_text(list->uri, list->uris, uri);
}

bool destination_has_expression(const struct destination_list *list, uint16_t worker,
				struct span uri)
{
	return pattern_any(list->expression, worker, uri);
}
