/* SPDX-License-Identifier: BSD-3-Clause */
#include "journal_line.h"

#include "state_file.h"
#include "state_line.h"

enum {
	ID_BYTES = 10,
	TIME_MAX_S = 1ull << 40,
};

static const char *const state_words[JOURNAL_STATES] = {
	[JOURNAL_HELD] = "held", [JOURNAL_LEAVING] = "leaving", [JOURNAL_OVER] = "over"};
static const char *const path_words[] = {[MW_UDP] = "udp", [MW_TCP] = "tcp", [MW_TLS] = "tls"};
static const char *const outbound_words[] = {"single", "outbound"};

/* ---- writing --------------------------------------------------------------------------------- */

static void put_id(struct writer *out, struct handle id)
{
	uint8_t bytes[ID_BYTES];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	writer_u16_be(&w, id.worker);
	writer_u32_be(&w, id.slot);
	writer_u32_be(&w, id.generation);
	writer_u8(out, ' ');
	writer_hex(out, writer_span(&w));
}

static void put_text(struct writer *out, struct span text)
{
	writer_u8(out, ' ');
	for (uint32_t i = 0; i < text.len; i++) {
		uint8_t c = text.at[i];

		if (c > ' ' && c < 0x7f && c != '%') {
			writer_u8(out, c);
			continue;
		}
		writer_u8(out, '%');
		writer_hex(out, span_of(&c, 1));
	}
}

static void put_lease(struct writer *out, const struct message_journal *m,
		      const struct journal_names *names)
{
	state_line_put_decimal(out, m->until_s);
	state_line_put_hash(out, m->sub);
	state_line_put_hash(out, m->jti);
	state_line_put_decimal(out, m->iat_s);
	state_line_put_decimal(out, m->exp_s);
	state_line_put(out, span_text(path_words[m->path]));
	state_line_put(out, span_text(outbound_words[m->outbound]));
	put_text(out, names->impi);
	put_text(out, names->impu);
	put_text(out, names->wwsf);
	put_text(out, names->realm);
	put_text(out, names->contact);
}

/** Sets names to what there is of them. */
static bool is_whole(const struct message_journal *m, struct journal_names *names)
{
	return (uint32_t)m->state < JOURNAL_STATES && (uint32_t)m->path <= MW_TLS &&
	       journal_names(m, names) &&
	       (m->state == JOURNAL_OVER ||
		(m->impi_len > 0 && m->impu_len > 0 && m->contact_len > 0 && m->realm_len > 0 &&
		 m->wwsf_len > 0));
}

struct span journal_line_write(const uint8_t key[16], const struct message_journal *m,
			       uint8_t bytes[JOURNAL_LINE_MAX])
{
	uint8_t text[JOURNAL_LINE_MAX];
	struct journal_names names;
	struct span line = SPAN("");
	struct writer words;

	if (!is_whole(m, &names))
		return line;
	writer_init(&words, text, sizeof(text));
	state_line_put(&words, span_text(state_words[m->state]));
	put_id(&words, m->id);
	if (m->state != JOURNAL_OVER)
		put_lease(&words, m, &names);
	if (writer_ok(&words))
		line = state_line_seal(key, writer_span(&words), bytes, JOURNAL_LINE_MAX);
	explicit_bzero(text, sizeof(text));
	return line;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool take_id(struct span *rest, struct handle *id)
{
	uint8_t bytes[ID_BYTES];
	struct span word, all = span_of(bytes, sizeof(bytes));
	const char *at;

	if (!state_line_word(rest, &word) || word.len != 2 * ID_BYTES)
		return false;
	at = (const char *)word.at;
	return state_hex(&at, bytes, sizeof(bytes)) && span_u16_be(&all, &id->worker) &&
	       span_u32_be(&all, &id->slot) && span_u32_be(&all, &id->generation);
}

static bool take_escaped(struct span *word, uint8_t *byte)
{
	struct span digits;
	const char *at;

	if (!span_take(word, 2, &digits))
		return false;
	at = (const char *)digits.at;
	return state_hex(&at, byte, 1);
}

/** Appends what the word stands for to text; *len: how much that is. */
static bool take_text(struct span *rest, struct writer *text, uint16_t *len)
{
	uint32_t mark = writer_len(text);
	struct span word;
	uint8_t c;

	if (!state_line_word(rest, &word))
		return false;
	while (span_u8(&word, &c)) {
		if (c == '%' && !take_escaped(&word, &c))
			return false;
		writer_u8(text, c);
	}
	*len = (uint16_t)(writer_len(text) - mark);
	return writer_ok(text);
}

static bool take_times(struct span *rest, struct message_journal *m)
{
	return state_line_decimal(rest, TIME_MAX_S, &m->until_s) &&
	       state_line_hash(rest, &m->sub) && state_line_hash(rest, &m->jti) &&
	       state_line_decimal(rest, TIME_MAX_S, &m->iat_s) &&
	       state_line_decimal(rest, TIME_MAX_S, &m->exp_s);
}

static bool take_way(struct span *rest, struct message_journal *m)
{
	uint32_t path, outbound;

	if (!state_line_choice(rest, path_words, MW_TLS + 1, &path) ||
	    !state_line_choice(rest, outbound_words, 2, &outbound))
		return false;
	m->path = (enum mw_transport)path;
	m->outbound = outbound != 0;
	return true;
}

static bool take_names(struct span *rest, struct message_journal *m, struct writer *text)
{
	return take_text(rest, text, &m->impi_len) && take_text(rest, text, &m->impu_len) &&
	       take_text(rest, text, &m->wwsf_len) && take_text(rest, text, &m->realm_len) &&
	       take_text(rest, text, &m->contact_len);
}

bool journal_line_read(const uint8_t key[16], struct span line, struct message_journal *m)
{
	uint32_t state;
	struct writer text;
	struct span rest;

	*m = (struct message_journal){
		.head = {MESSAGE_JOURNAL, offsetof(struct message_journal, text)}};
	writer_init(&text, m->text, sizeof(m->text));
	if (!state_line_open(key, line, &rest) ||
	    !state_line_choice(&rest, state_words, JOURNAL_STATES, &state) ||
	    !take_id(&rest, &m->id))
		return false;
	m->state = (enum journal_state)state;
	if (m->state != JOURNAL_OVER &&
	    (!take_times(&rest, m) || !take_way(&rest, m) || !take_names(&rest, m, &text)))
		return false;
	m->head.len += writer_len(&text);
	return rest.len == 0;
}
