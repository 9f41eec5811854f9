/* SPDX-License-Identifier: BSD-3-Clause */
#include "parse.h"

#include <stdlib.h>
#include <string.h>

static const char *number_end(const char *text, uint32_t turn, int64_t *number)
{
	char *end;
	long long value = strtoll(text, &end, 0), step;

	if (end == text)
		return NULL;
	if (*end == '%') {
		const char *from = end + 1;

		step = strtoll(from, &end, 0);
		if (end == from)
			return NULL;
		value += step * turn;
	}
	*number = value;
	return end;
}

bool script_number(const char *text, uint32_t turn, int64_t *number)
{
	const char *end = number_end(text, turn, number);

	return end != NULL && *end == '\0';
}

bool script_range(const char *text, uint32_t turn, struct range *range)
{
	const char *end;

	if (strcmp(text, "any") == 0) {
		*range = (struct range){INT64_MIN, INT64_MAX};
		return true;
	}
	end = number_end(text, turn, &range->lo);
	range->hi = range->lo;
	if (end == NULL || strncmp(end, "..", 2) != 0)
		return end != NULL && *end == '\0';
	return script_number(end + 2, turn, &range->hi) && range->lo <= range->hi;
}

bool script_time(const char *text, uint64_t *us)
{
	char *end;
	double seconds = strtod(text, &end);

	*us = (uint64_t)(seconds * 1e6 + 0.5);
	return end != text && *end == '\0' && seconds >= 0 && seconds < 1e8;
}

static const char flag_letters[] = "FSRP.UEWN"; /* from the lowest bit */

void script_flags_text(uint16_t flags, char *text)
{
	for (uint32_t i = 0; i < sizeof(flag_letters) - 1; i++)
		if ((flags & 1u << i) != 0)
			*text++ = flag_letters[i];
	*text = '\0';
}

static bool read_flags(const char *text, struct segment *segment)
{
	if (strcmp(text, "-") == 0)
		return true;
	for (; *text != '\0'; text++) {
		const char *letter = strchr(flag_letters, *text);

		if (*text == '?') {
			segment->maybe_ack = true;
			continue;
		}
		if (letter == NULL)
			return false;
		segment->flags |= (uint16_t)(1u << (letter - flag_letters));
	}
	segment->push = (segment->flags & 8) != 0;
	return true;
}

/* start:end(len) */
static bool read_sequence(const char *text, uint32_t turn, struct segment *segment)
{
	int64_t end = 0, len = 0;
	const char *at = number_end(text, turn, &segment->seq);

	if (at == NULL || *at != ':')
		return false;
	at = number_end(at + 1, turn, &end);
	if (at == NULL || *at != '(')
		return false;
	at = number_end(at + 1, turn, &len);
	segment->len = (uint32_t)len;
	return at != NULL && strcmp(at, ")") == 0 && len >= 0 && end - segment->seq == len;
}

static bool read_hex(const char *text, struct option *option)
{
	size_t n = strlen(text);

	if (n % 2 != 0 || n > sizeof(option->hex) * 2)
		return false;
	for (size_t i = 0; i < n; i += 2) {
		char digits[3] = {text[i], text[i + 1], '\0'}, *end;

		option->hex[option->hex_len++] = (uint8_t)strtoul(digits, &end, 16);
		if (*end != '\0')
			return false;
	}
	return true;
}

static bool read_timestamps(char **word, uint32_t n, uint32_t turn, struct option *option)
{
	option->kind = OPTION_TIMESTAMPS;
	if (n != 5 || strcmp(word[1], "val") != 0 || strcmp(word[3], "ecr") != 0 ||
	    !script_range(word[2], turn, &option->value[0]))
		return false;
	option->last = strcmp(word[4], "last") == 0;
	return option->last || script_range(word[4], turn, &option->value[1]);
}

static bool read_blocks(char **word, uint32_t n, uint32_t turn, struct segment *segment)
{
	for (uint32_t i = 1; i < n; i++) {
		char *colon = strchr(word[i], ':');
		struct option block = {.kind = OPTION_SACK};

		if (colon == NULL || segment->options == SCRIPT_OPTIONS)
			return false;
		*colon = '\0';
		if (!script_range(word[i], turn, &block.value[0]) ||
		    !script_range(colon + 1, turn, &block.value[1]))
			return false;
		segment->option[segment->options++] = block;
	}
	return n > 1;
}

static bool read_option(char **word, uint32_t n, uint32_t turn, struct segment *segment)
{
	static const char *const plain[] = {"sackOK", "nop", "eol"};
	static const enum option_kind kinds[] = {OPTION_SACK_PERMITTED, OPTION_NOP, OPTION_END};
	struct option option = {0};
	bool known = false;

	if (n == 0)
		return false;
	if (strcmp(word[0], "sack") == 0)
		return read_blocks(word, n, turn, segment);
	for (uint32_t i = 0; i < 3; i++)
		if (n == 1 && strcmp(word[0], plain[i]) == 0) {
			option.kind = kinds[i];
			known = true;
		}
	if (strcmp(word[0], "TS") == 0)
		known = read_timestamps(word, n, turn, &option);
	else if (n == 2 && (strcmp(word[0], "mss") == 0 || strcmp(word[0], "ws") == 0)) {
		option.kind = word[0][0] == 'm' ? OPTION_MSS : OPTION_SCALE;
		known = script_range(word[1], turn, &option.value[0]);
	} else if (n == 2 && strcmp(word[0], "hex") == 0) {
		option.kind = OPTION_HEX;
		known = read_hex(word[1], &option);
	}
	if (known && segment->options < SCRIPT_OPTIONS)
		segment->option[segment->options++] = option;
	return known;
}

uint32_t parse_split(char *text, char **word, uint32_t max)
{
	uint32_t n = 0;
	char *rest = NULL;

	for (char *at = strtok_r(text, " \t\r\n", &rest); at != NULL && n <= max;
	     at = strtok_r(NULL, " \t\r\n", &rest)) {
		if (n < max)
			word[n] = at;
		n++;
	}
	return n;
}

/* <a,b c,d>: text is behind the '<'. */
bool parse_options(char *text, uint32_t turn, struct segment *segment)
{
	char *end = strrchr(text, '>'), *rest = NULL;
	char *word[8];

	segment->has_options = true;
	if (end == NULL || end[1 + strspn(end + 1, " \t")] != '\0')
		return false;
	*end = '\0';
	for (char *at = strtok_r(text, ",", &rest); at != NULL; at = strtok_r(NULL, ",", &rest)) {
		uint32_t n = parse_split(at, word, 8);

		if (n > 8 || !read_option(word, n, turn, segment))
			return false;
	}
	return true;
}

bool parse_segment(struct script *script, struct line *line)
{
	struct segment *s = &line->segment;
	char **word = line->word;

	if (line->words < 3 || !read_flags(word[1], s))
		return parse_fail(script, line, "flags expected", line->words > 1 ? word[1] : "");
	if (!read_sequence(word[2], line->turn, s))
		return parse_fail(script, line, "start:end(length) expected", word[2]);
	for (uint32_t i = 3; i < line->words; i += 2) {
		bool more = i + 1 < line->words;
		bool ok = false;

		if (strcmp(word[i], "badsum") == 0) {
			s->bad_sum = ok = true;
			i--;
		} else if (more && strcmp(word[i], "ack") == 0) {
			s->any_ack = strcmp(word[i + 1], "any") == 0;
			s->has_ack = true;
			ok = s->any_ack || script_number(word[i + 1], line->turn, &s->ack);
		} else if (more && strcmp(word[i], "win") == 0)
			ok = s->has_window = script_range(word[i + 1], line->turn, &s->window);
		else if (more && strcmp(word[i], "urg") == 0)
			ok = script_number(word[i + 1], line->turn, &s->urgent);
		else if (more && strcmp(word[i], "doff") == 0)
			ok = script_number(word[i + 1], line->turn, &s->offset);
		else if (more && strcmp(word[i], "trail") == 0)
			ok = script_number(word[i + 1], line->turn, &s->trail) && s->trail < 100;
		if (!ok)
			return parse_fail(script, line, "not understood", word[i]);
	}
	if (((s->flags & 16) != 0) != s->has_ack)
		return parse_fail(script, line, "'.' and 'ack' go together", word[1]);
	return true;
}
