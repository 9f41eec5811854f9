/* SPDX-License-Identifier: BSD-3-Clause */
#include "state_line.h"

#include "parts.h"
#include "state_file.h"

enum { HASH_DIGITS = 16 };

static void write_hash(struct writer *out, uint64_t number)
{
	uint8_t bytes[HASH_DIGITS / 2];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	writer_u64_be(&w, number);
	writer_hex(out, writer_span(&w));
}

struct span state_line_seal(const uint8_t key[16], struct span words, void *bytes, uint32_t size)
{
	struct writer line;

	writer_init(&line, bytes, size);
	write_hash(&line, siphash(key, words));
	writer_put(&line, words);
	writer_u8(&line, '\n');
	return writer_ok(&line) ? writer_span(&line) : SPAN("");
}

static bool read_hash(struct span digits, uint64_t *number)
{
	const char *at = (const char *)digits.at;
	uint8_t bytes[HASH_DIGITS / 2];
	struct span all = span_of(bytes, sizeof(bytes));

	return digits.len == HASH_DIGITS && state_hex(&at, bytes, sizeof(bytes)) &&
	       span_u64_be(&all, number);
}

bool state_line_open(const uint8_t key[16], struct span line, struct span *words)
{
	uint64_t checksum;
	struct span sum;

	*words = line;
	return span_take(words, HASH_DIGITS, &sum) && read_hash(sum, &checksum) &&
	       checksum == siphash(key, *words);
}

void state_line_put(struct writer *out, struct span word)
{
	writer_u8(out, ' ');
	writer_put(out, word);
}

void state_line_put_hash(struct writer *out, uint64_t number)
{
	writer_u8(out, ' ');
	write_hash(out, number);
}

void state_line_put_decimal(struct writer *out, uint64_t number)
{
	writer_u8(out, ' ');
	writer_decimal(out, number);
}

bool state_line_holds(struct span word)
{
	for (uint32_t i = 0; i < word.len; i++)
		if (word.at[i] < '!' || word.at[i] > '~')
			return false;
	return word.len > 0;
}

bool state_line_word(struct span *rest, struct span *word)
{
	struct span all = *rest;

	if (span_at(all, 0) != ' ')
		return false;
	all = span_from(all, 1);
	*word = span_cut(all, 0, span_find(all, ' '));
	*rest = span_from(all, word->len);
	return state_line_holds(*word);
}

bool state_line_hash(struct span *rest, uint64_t *number)
{
	struct span word;

	return state_line_word(rest, &word) && read_hash(word, number);
}

bool state_line_decimal(struct span *rest, uint64_t max, uint64_t *number)
{
	struct span word;

	if (!state_line_word(rest, &word))
		return false;
	*number = 0;
	for (uint32_t i = 0; i < word.len; i++) {
		uint8_t digit = (uint8_t)(word.at[i] - '0');

		if (digit > 9 || digit > max || *number > (max - digit) / 10)
			return false;
		*number = *number * 10 + digit;
	}
	return true;
}

bool state_line_choice(struct span *rest, const char *const words[], uint32_t count,
		       uint32_t *index)
{
	struct span word;

	if (!state_line_word(rest, &word))
		return false;
	for (*index = 0; *index < count; (*index)++)
		if (span_equal(word, span_text(words[*index])))
			return true;
	return false;
}

bool state_line_torn(struct span last, uint32_t max)
{
	return last.len <= max &&
	       (span_find(last, '\n') == last.len || span_find(last, '\0') < last.len);
}
