/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"
#include "control/journal_line.h"
#include "lease.h"

static const uint8_t key[16] = "a key of sixteen";

static struct span written(const struct message_journal *m)
{
	static uint8_t bytes[JOURNAL_LINE_MAX];

	return journal_line_write(key, m, bytes);
}

/** The line of m, without its line feed. */
static struct span line_of(const struct message_journal *m)
{
	struct span line = written(m);

	assert_true(line.len > 0 && line.at[line.len - 1] == '\n');
	return span_cut(line, 0, line.len - 1);
}

static void expect_same(const struct message_journal *a, const struct message_journal *b)
{
	EXPECT(handle_equal(a->id, b->id));
	EXPECT_EQ(a->state, b->state);
	EXPECT_EQ(a->head.kind, b->head.kind);
	if (a->state == JOURNAL_OVER)
		return;
	EXPECT_EQ(a->head.len, b->head.len);
	EXPECT_EQ(a->path, b->path);
	EXPECT_EQ(a->outbound, b->outbound);
	EXPECT_EQ(a->sub, b->sub);
	EXPECT_EQ(a->jti, b->jti);
	EXPECT_EQ(a->iat_s, b->iat_s);
	EXPECT_EQ(a->exp_s, b->exp_s);
	EXPECT_EQ(a->until_s, b->until_s);
	EXPECT_EQ(a->impi_len, b->impi_len);
	EXPECT_EQ(a->impu_len, b->impu_len);
	EXPECT_EQ(a->wwsf_len, b->wwsf_len);
	EXPECT_EQ(a->realm_len, b->realm_len);
	EXPECT_EQ(a->contact_len, b->contact_len);
	EXPECT_BYTES(a->text, b->text, a->head.len - offsetof(struct message_journal, text));
}

static void expect_back(const struct message_journal *m)
{
	struct span line = line_of(m);
	struct message_journal back;

	EXPECT(journal_line_read(key, line, &back));
	expect_same(m, &back);
}

TEST(line, says_what_a_restart_needs_in_words)
{
	struct message_journal m = lease_message(7);
	struct span line = line_of(&m);

	EXPECT_SPAN(" held 00020000000700100001 1795000600 00000000000000a7 00000000000000b7 "
		    "1795000000 1795000900 tcp outbound pool7@ims.home1.net sip:pool7@home1.net "
		    "shop home1.net <sip:x7@y.invalid;transport=ws>;reg-id=1;"
		    "+sip.instance=\"<urn:uuid:7>\"",
		    span_from(line, 16));
}

TEST(line, of_each_state_path_and_flow_comes_back_as_it_was)
{
	struct message_journal m = lease_message(1);

	for (uint32_t i = 0; i < 3 * 3 * 2; i++) {
		m.state = (enum journal_state)(i % 3);
		m.path = (enum mw_transport)(i / 3 % 3);
		m.outbound = i / 9 != 0;
		m.jti = i % 2 != 0 ? 0 : UINT64_MAX;
		expect_back(&m);
	}
}

TEST(line, carries_any_byte_of_a_text)
{
	struct message_journal m = lease_message(1);

	m.impi_len = m.impu_len = m.wwsf_len = m.realm_len = 1;
	m.contact_len = 256;
	m.head.len = offsetof(struct message_journal, text) + 260;
	for (uint32_t i = 0; i < 260; i++)
		m.text[i] = (uint8_t)i;
	expect_back(&m);
	EXPECT(span_find(span_from(written(&m), 17), '\n') == written(&m).len - 18);
}

TEST(line, has_room_for_the_longest_texts_of_the_worst_bytes)
{
	struct message_journal m = lease_message(1);

	m.impi_len = m.impu_len = IDENTITY_MAX;
	m.wwsf_len = m.realm_len = 1;
	m.contact_len = JOURNAL_TEXT_MAX - 2 * IDENTITY_MAX - 2;
	m.head.len = offsetof(struct message_journal, text) + JOURNAL_TEXT_MAX;
	m.id = (struct handle){UINT16_MAX, 0, UINT32_MAX, UINT32_MAX};
	m.until_s = m.iat_s = m.exp_s = 1ull << 40;
	memset(m.text, ' ', sizeof(m.text));
	expect_back(&m);
}

TEST(line, is_not_written_of_a_message_that_is_not_whole)
{
	struct message_journal m = lease_message(1);

	m.head.len--;
	EXPECT_EQ(0, written(&m).len);
	m = lease_message(1);
	m.impi_len++;
	EXPECT_EQ(0, written(&m).len);
	m = lease_message(1);
	m.head.len = sizeof(m) + 1;
	EXPECT_EQ(0, written(&m).len);
	m = lease_message(1);
	m.state = JOURNAL_STATES;
	EXPECT_EQ(0, written(&m).len);
	m = lease_message(1);
	m.path = MW_TLS + 1;
	EXPECT_EQ(0, written(&m).len);
	m = lease_message(1);
	m.contact_len = 0;
	m.head.len = offsetof(struct message_journal, text) + m.impi_len + m.impu_len + m.wwsf_len +
		     m.realm_len;
	EXPECT_EQ(0, written(&m).len);
}

TEST(line, that_lacks_a_byte_or_has_one_changed_is_refused)
{
	struct message_journal m = lease_message(3), back;
	struct span line = line_of(&m);
	uint8_t *bytes = malloc(line.len);

	for (uint32_t i = 0; i < line.len; i++) {
		memcpy(bytes, line.at, line.len);
		bytes[i] ^= 1;
		EXPECT(!journal_line_read(key, span_of(bytes, line.len), &back));
		bytes = realloc(bytes, i + 1); /* the sanitizers see one byte too far */
		bytes[i] = line.at[i];
		EXPECT(!journal_line_read(key, span_of(bytes, i), &back));
		bytes = realloc(bytes, line.len);
	}
	free(bytes);
}

TEST(line, of_another_hash_key_is_refused)
{
	static const uint8_t other[16] = "another of those";
	struct message_journal m = lease_message(3), back;
	struct span line = line_of(&m);

	EXPECT(!journal_line_read(other, line, &back));
}

TEST_MAIN("journal_line", RUN(line, says_what_a_restart_needs_in_words),
	  RUN(line, of_each_state_path_and_flow_comes_back_as_it_was),
	  RUN(line, carries_any_byte_of_a_text),
	  RUN(line, has_room_for_the_longest_texts_of_the_worst_bytes),
	  RUN(line, is_not_written_of_a_message_that_is_not_whole),
	  RUN(line, that_lacks_a_byte_or_has_one_changed_is_refused),
	  RUN(line, of_another_hash_key_is_refused))
