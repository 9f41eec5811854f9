/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "messages.h"
#include "sip/sip.h"
#include "test.h"

#define MANDATORY \
	"Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n" \
	"Call-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
#define START "OPTIONS sip:b SIP/2.0\r\n"
#define HEAD START MANDATORY

/* A message, its splice, and room for what comes out. */
struct bench {
	struct sip_message m;
	struct sip_splice s;
	struct writer out;
	uint8_t room[8192];
};

static void lay(struct bench *b, struct span text)
{
	EXPECT_EQ(GW_OK, sip_index(text, &b->m));
	sip_splice_init(&b->s, &b->m);
	writer_init(&b->out, b->room, sizeof(b->room));
}

#define EXPECT_WRITTEN(literal, b) \
	do { \
		EXPECT_EQ(GW_OK, sip_splice_write(&(b)->s, &(b)->out)); \
		EXPECT_SPAN(literal, writer_span(&(b)->out)); \
	} while (0)

TEST(splice, copies_a_message_byte_for_byte_without_edits)
{
	struct bench b;

	lay(&b, SPAN(JSSIP_REGISTER));
	EXPECT_WRITTEN(JSSIP_REGISTER, &b);
	lay(&b, SPAN(REGISTER_OK));
	EXPECT_WRITTEN(REGISTER_OK, &b);
	lay(&b, SPAN(TEXT_MESSAGE));
	EXPECT_WRITTEN(TEXT_MESSAGE, &b);
}

TEST(splice, adds_content_length_behind_everything_when_it_was_absent)
{
	struct bench b;

	lay(&b, SPAN(HEAD "\r\nbody"));
	sip_splice_append(&b.s, SPAN("X: 1\r\n"));
	EXPECT_EQ(GW_OK, sip_splice_write(&b.s, &b.out));
	EXPECT_EQ(GW_OK, sip_index(writer_span(&b.out), &b.m));
	EXPECT_EQ(7, b.m.count);
	EXPECT_SPAN("Content-Length: 4\r\n", b.m.field[6].line);
	EXPECT_SPAN("body", b.m.body);
}

TEST(splice, writes_content_length_anew_where_it_stood)
{
	struct bench b;

	lay(&b, SPAN(HEAD "l :\r\n 0002\r\nX: y\r\n\r\nabcd"));
	EXPECT_WRITTEN(HEAD "Content-Length: 2\r\nX: y\r\n\r\nab", &b);
}

TEST(splice, counts_a_replaced_body)
{
	struct bench b;

	lay(&b, SPAN(HEAD "Content-Length: 2\r\n\r\nab"));
	sip_splice_body(&b.s, SPAN("0123456789"));
	EXPECT_WRITTEN(HEAD "Content-Length: 10\r\n\r\n0123456789", &b);
	lay(&b, SPAN(HEAD "Content-Length: 2\r\n\r\nab"));
	sip_splice_body(&b.s, SPAN(""));
	EXPECT_WRITTEN(HEAD "Content-Length: 0\r\n\r\n", &b);
}

TEST(splice, leaves_content_length_to_the_writer)
{
	struct bench b;

	lay(&b, SPAN(HEAD "Content-Length: 2\r\n\r\nab"));
	sip_splice_remove_all(&b.s, SIP_HEADER_CONTENT_LENGTH);
	sip_splice_remove(&b.s, sip_first(&b.m, SIP_HEADER_CONTENT_LENGTH));
	EXPECT_WRITTEN(HEAD "Content-Length: 2\r\n\r\nab", &b);
}

TEST(splice, puts_lines_at_the_top_before_a_field_and_at_the_end)
{
	struct bench b;

	lay(&b, SPAN(START "Content-Length: 0\r\n" MANDATORY "X: y\r\n\r\n"));
	sip_splice_insert_top(&b.s, SPAN("A: 1\r\n"));
	sip_splice_insert_top(&b.s, SPAN("B: 2\r\n"));
	sip_splice_append(&b.s, SPAN("C: 3\r\n"));
	sip_splice_append(&b.s, SPAN("D: 4\r\n"));
	sip_splice_insert_before(&b.s, sip_first(&b.m, SIP_HEADER_OTHER), SPAN("E: 5\r\n"));
	EXPECT_EQ(GW_OK, sip_splice_write(&b.s, &b.out));
	EXPECT_SPAN(START "A: 1\r\nB: 2\r\nContent-Length: 0\r\n" MANDATORY
			  "E: 5\r\nX: y\r\nC: 3\r\nD: 4\r\n\r\n",
		    writer_span(&b.out));
}

TEST(splice, removes_every_spelling_of_a_header_with_its_folds)
{
	struct bench b;

	lay(&b, SPAN(START "p-ASSERTED-identity:\r\n <sip:x@y>\r\n" MANDATORY
			   "P-Asserted-Identity \t: <sip:x@y>,\r\n\t<tel:1>\r\nX: y\r\n"
			   "P-Asserted-Identity:z\r\n\r\n"));
	sip_splice_remove_all(&b.s, SIP_HEADER_P_ASSERTED_IDENTITY);
	EXPECT_WRITTEN(HEAD "X: y\r\nContent-Length: 0\r\n\r\n", &b);
}

TEST(splice, replaces_parts_of_start_line_and_headers)
{
	struct bench b;

	lay(&b, SPAN(HEAD "Max-Forwards: 70\r\n\r\n"));
	sip_splice_replace(&b.s, sip_value(&b.m, SIP_HEADER_MAX_FORWARDS), SPAN("69"));
	sip_splice_replace(&b.s, b.m.uri, SPAN("sip:other"));
	EXPECT_WRITTEN("OPTIONS sip:other SIP/2.0\r\n" MANDATORY
		       "Max-Forwards: 69\r\nContent-Length: 0\r\n\r\n",
		       &b);
}

TEST(splice, inserts_before_a_field_that_is_removed_too)
{
	struct bench b;

	lay(&b, SPAN(HEAD "Expires: 7\r\nX: y\r\n\r\n"));
	sip_splice_remove_all(&b.s, SIP_HEADER_EXPIRES);
	sip_splice_insert_before(&b.s, sip_first(&b.m, SIP_HEADER_EXPIRES), SPAN("Expires: 6\r\n"));
	sip_splice_insert_before(&b.s, sip_first(&b.m, SIP_HEADER_OTHER), SPAN("Y: z\r\n"));
	EXPECT_WRITTEN(HEAD "Expires: 6\r\nY: z\r\nX: y\r\nContent-Length: 0\r\n\r\n", &b);
}

TEST(splice, refuses_edits_that_overlap)
{
	struct bench b;
	struct span value;

	lay(&b, SPAN(HEAD "Expires: 7000\r\n\r\n"));
	value = sip_value(&b.m, SIP_HEADER_EXPIRES);
	sip_splice_remove_all(&b.s, SIP_HEADER_EXPIRES);
	sip_splice_replace(&b.s, value, SPAN("1"));
	EXPECT_EQ(GW_INVARIANT, sip_splice_write(&b.s, &b.out));
	EXPECT_EQ(0, writer_len(&b.out));

	sip_splice_init(&b.s, &b.m);
	sip_splice_replace(&b.s, span_cut(value, 0, 2), SPAN("1"));
	sip_splice_replace(&b.s, span_cut(value, 1, 2), SPAN("1"));
	EXPECT_EQ(GW_INVARIANT, sip_splice_write(&b.s, &b.out));

	sip_splice_init(&b.s, &b.m);
	sip_splice_replace(&b.s, value, SPAN("1"));
	sip_splice_replace(&b.s, value, SPAN("2"));
	EXPECT_EQ(GW_INVARIANT, sip_splice_write(&b.s, &b.out));

	sip_splice_init(&b.s, &b.m);
	sip_splice_replace(&b.s, value, SPAN("1"));
	sip_splice_replace(&b.s, span_cut(value, 1, 0), SPAN("2"));
	EXPECT_EQ(GW_INVARIANT, sip_splice_write(&b.s, &b.out));
}

TEST(splice, refuses_parts_that_are_not_of_its_head)
{
	struct bench b;

	lay(&b, SPAN(HEAD "\r\nbody"));
	sip_splice_replace(&b.s, b.m.body, SPAN("x"));
	EXPECT_EQ(GW_INVARIANT, sip_splice_write(&b.s, &b.out));
	sip_splice_init(&b.s, &b.m);
	sip_splice_replace(&b.s, SPAN("elsewhere"), SPAN("x"));
	EXPECT_EQ(GW_INVARIANT, sip_splice_write(&b.s, &b.out));
	sip_splice_init(&b.s, &b.m);
	sip_splice_remove_element(&b.s, sip_first(&b.m, SIP_HEADER_TO),
				  sip_value(&b.m, SIP_HEADER_FROM));
	EXPECT_EQ(GW_INVARIANT, sip_splice_write(&b.s, &b.out));
}

TEST(splice, holds_edits_up_to_its_limit_and_not_one_more)
{
	struct bench b;

	lay(&b, SPAN(HEAD "\r\n"));
	for (uint32_t i = 1; i < SIP_EDITS_MAX; i++)
		sip_splice_append(&b.s, SPAN("X: y\r\n"));
	EXPECT_EQ(GW_OK, sip_splice_write(&b.s, &b.out));
	sip_splice_append(&b.s, SPAN("X: y\r\n"));
	EXPECT_EQ(GW_SIP_EDITS_MANY, sip_splice_write(&b.s, &b.out));
}

TEST(splice, leaves_the_output_alone_when_the_room_is_too_small_and_can_be_repeated)
{
	struct bench b;
	uint32_t len = sizeof(TEXT_MESSAGE) - 1;

	lay(&b, SPAN(TEXT_MESSAGE));
	for (uint32_t room = 0; room < len; room++) {
		writer_init(&b.out, b.room, room);
		EXPECT_EQ(GW_NO_ROOM, sip_splice_write(&b.s, &b.out));
		EXPECT_EQ(0, writer_len(&b.out));
		EXPECT(writer_ok(&b.out));
	}
	writer_init(&b.out, b.room, len);
	EXPECT_WRITTEN(TEXT_MESSAGE, &b);
}

/* ---- elements */

/* Removes from the Require header "X: <list>" those elements whose number is in order[]. */
static void remove_elements(struct bench *b, const char *list, const char *order)
{
	static char text[1024];
	struct span items[16], rest;
	uint32_t count = 0;

	snprintf(text, sizeof(text), "%sRequire: %s\r\nX: y\r\n\r\n", HEAD, list);
	lay(b, span_text(text));
	rest = sip_value(&b->m, SIP_HEADER_REQUIRE);
	while (count < 16 && sip_list_next(&rest, &items[count]))
		count++;
	for (; *order != '\0'; order++)
		sip_splice_remove_element(&b->s, sip_first(&b->m, SIP_HEADER_REQUIRE),
					  items[*order - '0']);
}

static void expect_left(const char *list, const char *order, const char *left)
{
	struct bench b;
	char expected[1024];

	remove_elements(&b, list, order);
	EXPECT_EQ(GW_OK, sip_splice_write(&b.s, &b.out));
	snprintf(expected, sizeof(expected), "%s%s%s%sX: y\r\nContent-Length: 0\r\n\r\n", HEAD,
		 left[0] == '\0' ? "" : "Require: ", left, left[0] == '\0' ? "" : "\r\n");
	EXPECT_EQ(strlen(expected), writer_len(&b.out));
	EXPECT_BYTES(expected, b.room, strlen(expected));
}

TEST(splice, removes_the_first_a_middle_or_the_last_element_with_its_comma)
{
	expect_left("a, b, c", "0", "b, c");
	expect_left("a, b, c", "1", "a, c");
	expect_left("a, b, c", "2", "a, b");
	expect_left("a,b,\r\n c", "2", "a,b");
	expect_left("\"x,y\" <a>;z=\",\", b", "0", "b");
	expect_left("\"x,y\" <a>;z=\",\", b", "1", "\"x,y\" <a>;z=\",\"");
}

TEST(splice, removes_the_line_with_its_only_element)
{
	expect_left("a", "0", "");
	expect_left(" , a ,", "0", "");
}

TEST(splice, removes_several_elements_in_any_order)
{
	expect_left("a, b, c", "01", "c");
	expect_left("a, b, c", "10", "c");
	expect_left("a, b, c", "12", "a");
	expect_left("a, b, c", "21", "a");
	expect_left("a, b, c", "02", "b");
	expect_left("a, b, c", "20", "b");
	expect_left("a, b, c", "012", "");
	expect_left("a, b, c", "021", "");
	expect_left("a, b, c", "102", "");
	expect_left("a, b, c", "120", "");
	expect_left("a, b, c", "201", "");
	expect_left("a, b, c", "210", "");
	expect_left("a, b, c, d, e", "134", "a, c");
	expect_left("a, b, c, d, e", "413", "a, c");
	expect_left("a, b, c, d, e", "1302", "e");
	expect_left("a,, b ,,c", "1", "a,, c");
}

TEST(splice, removes_an_element_once_when_asked_twice)
{
	expect_left("a, b, c", "11", "a, c");
	expect_left("a, b", "0101", "");
	expect_left("a", "00", "");
}

TEST(splice, spends_one_edit_on_a_run_of_elements)
{
	struct bench b;
	struct span rest, item;

	lay(&b, SPAN(HEAD "Require: a,b,c,d,e,f,g,h\r\n\r\n"));
	rest = sip_value(&b.m, SIP_HEADER_REQUIRE);
	while (sip_list_next(&rest, &item))
		sip_splice_remove_element(&b.s, sip_first(&b.m, SIP_HEADER_REQUIRE), item);
	EXPECT_EQ(2, b.s.count);
	EXPECT_WRITTEN(HEAD "Content-Length: 0\r\n\r\n", &b);
}

TEST(splice, refuses_to_remove_an_element_of_a_removed_line)
{
	struct bench b;

	remove_elements(&b, "a, b", "1");
	sip_splice_remove_all(&b.s, SIP_HEADER_REQUIRE);
	EXPECT_EQ(GW_INVARIANT, sip_splice_write(&b.s, &b.out));
}

/* ---- random edits against a reference that does one byte at a time */

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

struct edit {
	uint32_t at, drop;
	const char *text;
};

static bool edits_overlap(const struct edit *edits, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t j = 0; j < count; j++) {
			uint32_t end = edits[i].at + edits[i].drop;

			if (i != j && edits[j].at > edits[i].at && edits[j].at < end)
				return true;
			if (i != j && edits[j].at == edits[i].at && edits[i].drop > 0 &&
			    edits[j].drop > 0)
				return true;
		}
	return false;
}

static uint32_t reference(struct span head, const struct edit *edits, uint32_t count, char *out)
{
	uint32_t len = 0;

	for (uint32_t at = 0; at <= head.len; at++) {
		bool dropped = at == head.len;

		for (uint32_t i = 1; i <= count; i++) {
			const struct edit *edit = &edits[i % count]; /* Content-Length is last */

			if (edit->at == at)
				len += (uint32_t)sprintf(out + len, "%s", edit->text);
			dropped |= at >= edit->at && at - edit->at < edit->drop;
		}
		if (!dropped)
			out[len++] = (char)head.at[at];
	}
	return len;
}

static void random_edit(struct bench *b, uint64_t *seed, struct edit *edit)
{
	static const char *const texts[] = {"", "X: y\r\n", "Route: <sip:a;lr>\r\n", "Z: \r\n"};
	const struct sip_field *field = &b->m.field[next_random(seed) % b->m.count];
	uint32_t line = (uint32_t)(field->line.at - b->m.text.at);
	struct span text;

	edit->text = texts[next_random(seed) % 4];
	text = span_text(edit->text);
	switch (next_random(seed) % 5) {
	case 0:
		sip_splice_insert_top(&b->s, text);
		*edit = (struct edit){b->m.start_line.len, 0, edit->text};
		break;
	case 1:
		sip_splice_append(&b->s, text);
		*edit = (struct edit){b->m.start_line.len + b->m.headers.len, 0, edit->text};
		break;
	case 2:
		sip_splice_insert_before(&b->s, field, text);
		*edit = (struct edit){line, 0, edit->text};
		break;
	case 3:
		sip_splice_replace(&b->s, field->value, text);
		*edit = (struct edit){(uint32_t)(field->value.at - b->m.text.at), field->value.len,
				      edit->text};
		break;
	default:
		sip_splice_remove(&b->s, field);
		*edit = (struct edit){line, field->line.len, ""};
		if (field->id == SIP_HEADER_CONTENT_LENGTH)
			edit->drop = 0;
		break;
	}
}

static bool run_random_edits(struct bench *b, uint64_t *seed)
{
	const struct sip_field *length;
	struct edit edits[9];
	char expected[8192];
	uint32_t count = 1, len;

	lay(b, SPAN(TEXT_MESSAGE));
	length = sip_first(&b->m, SIP_HEADER_CONTENT_LENGTH);
	edits[0] = (struct edit){(uint32_t)(length->line.at - b->m.text.at), length->line.len,
				 "Content-Length: 20\r\n"};
	for (uint32_t n = 1 + next_random(seed) % 8; n > 0; n--)
		random_edit(b, seed, &edits[count++]);
	if (edits_overlap(edits, count)) {
		EXPECT_EQ(GW_INVARIANT, sip_splice_write(&b->s, &b->out));
		return false;
	}
	EXPECT_EQ(GW_OK, sip_splice_write(&b->s, &b->out));
	len = reference(span_cut(b->m.text, 0, b->m.start_line.len + b->m.headers.len), edits,
			count, expected);
	len += (uint32_t)sprintf(expected + len, "\r\nWatson, come here.\r\n");
	EXPECT_EQ(len, writer_len(&b->out));
	EXPECT_BYTES(expected, b->room, len);
	return true;
}

TEST(splice, writes_what_a_byte_by_byte_reference_writes)
{
	struct bench b;
	uint64_t seed = 20;
	uint32_t written = 0;

	for (uint32_t round = 0; round < 5000; round++)
		written += run_random_edits(&b, &seed) ? 1 : 0;
	EXPECT(written > 1000 && written < 4000); /* both outcomes were tried */
}

/* ---- random element removals: what is left is what was not removed */

static void expect_kept(struct span list, const char *names, uint32_t removed, uint32_t count)
{
	struct span item;

	for (uint32_t i = 0; i < count; i++) {
		if ((removed >> i & 1) != 0)
			continue;
		EXPECT(sip_list_next(&list, &item));
		EXPECT_EQ(names[i], item.at[0]);
	}
	EXPECT(!sip_list_next(&list, &item));
}

TEST(splice, keeps_exactly_the_elements_that_were_not_removed)
{
	static const char *const commas[] = {",", ", ", " ,\r\n ", ",, "};
	const char *names = "abcdefgh";
	struct bench b;
	uint64_t seed = 7;

	for (uint32_t round = 0; round < 2000; round++) {
		uint32_t count = 1 + next_random(&seed) % 8, removed = 0;
		char list[128] = "", order[17] = "";
		size_t len = 0;

		for (uint32_t i = 0; i < count; i++)
			len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%c",
						i > 0 ? commas[next_random(&seed) % 4] : "",
						names[i]);
		for (uint32_t i = next_random(&seed) % 16; i > 0; i--) {
			uint32_t which = next_random(&seed) % count;

			order[i - 1] = (char)('0' + which);
			removed |= 1u << which;
		}
		/* order[] is filled from its end: every byte below the count is set */
		remove_elements(&b, list, order);
		EXPECT_EQ(GW_OK, sip_splice_write(&b.s, &b.out));
		EXPECT_EQ(GW_OK, sip_index(writer_span(&b.out), &b.m));
		expect_kept(sip_value(&b.m, SIP_HEADER_REQUIRE), names, removed, count);
		EXPECT_EQ(removed == (1u << count) - 1,
			  sip_first(&b.m, SIP_HEADER_REQUIRE) == NULL);
	}
}

TEST_MAIN("sip splice", RUN(splice, copies_a_message_byte_for_byte_without_edits),
	  RUN(splice, adds_content_length_behind_everything_when_it_was_absent),
	  RUN(splice, writes_content_length_anew_where_it_stood),
	  RUN(splice, counts_a_replaced_body), RUN(splice, leaves_content_length_to_the_writer),
	  RUN(splice, puts_lines_at_the_top_before_a_field_and_at_the_end),
	  RUN(splice, removes_every_spelling_of_a_header_with_its_folds),
	  RUN(splice, replaces_parts_of_start_line_and_headers),
	  RUN(splice, inserts_before_a_field_that_is_removed_too),
	  RUN(splice, refuses_edits_that_overlap),
	  RUN(splice, refuses_parts_that_are_not_of_its_head),
	  RUN(splice, holds_edits_up_to_its_limit_and_not_one_more),
	  RUN(splice, leaves_the_output_alone_when_the_room_is_too_small_and_can_be_repeated),
	  RUN(splice, removes_the_first_a_middle_or_the_last_element_with_its_comma),
	  RUN(splice, removes_the_line_with_its_only_element),
	  RUN(splice, removes_several_elements_in_any_order),
	  RUN(splice, removes_an_element_once_when_asked_twice),
	  RUN(splice, spends_one_edit_on_a_run_of_elements),
	  RUN(splice, refuses_to_remove_an_element_of_a_removed_line),
	  RUN(splice, writes_what_a_byte_by_byte_reference_writes),
	  RUN(splice, keeps_exactly_the_elements_that_were_not_removed))
