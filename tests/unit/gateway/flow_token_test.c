/* SPDX-License-Identifier: BSD-3-Clause */
#include "base64url.h"
#include "world.h"

/* Flow tokens: PROTOCOL 10.1 with the layout of DESIGN 5. */

static const struct handle flow = {.worker = 0xabcd, .slot = 0x01020304, .generation = 0xf1f2f3f4};

static struct span token_of_kind(enum flow_kind kind, struct span bound)
{
	static uint8_t text[FLOW_TOKEN_LEN + 1];
	struct flow_token token = {kind, flow};
	struct writer out;

	writer_init(&out, text, sizeof(text));
	flow_token_write(world.gw, &token, bound, &out);
	EXPECT(writer_ok(&out));
	return writer_span(&out);
}

static struct span token(void)
{
	return token_of_kind(FLOW_CONNECTION, SPAN(""));
}

TEST(flow_token, has_47_characters_that_a_user_part_may_have)
{
	struct span text;

	world_start();
	text = token();
	EXPECT_EQ(47, text.len);
	EXPECT_EQ(47, FLOW_TOKEN_LEN);
	EXPECT(span_starts(text, SPAN("Ft1.")));
	for (uint32_t i = 4; i < text.len; i++)
		EXPECT(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
			      text.at[i]) != NULL);
}

TEST(flow_token, names_node_key_kind_and_flow_in_the_documented_order)
{
	static const uint8_t wanted[] = {1, 2, 3, 4, 7,	   1,	 0xab, 0xcd,
					 1, 2, 3, 4, 0xf1, 0xf2, 0xf3, 0xf4};
	uint8_t bytes[32];
	uint32_t len;

	world_start();
	EXPECT_EQ(BASE64URL_OK, base64url_read(span_from(token(), 4), bytes, sizeof(bytes), &len));
	EXPECT_EQ(32, len);
	EXPECT_BYTES(wanted, bytes, sizeof(wanted));
}

TEST(flow_token, comes_back_as_the_flow)
{
	struct flow_token read;

	world_start();
	EXPECT_EQ(GW_OK, flow_token_read(world.gw, token(), SPAN(""), &read));
	EXPECT_EQ(FLOW_CONNECTION, read.kind);
	EXPECT(handle_equal(flow, read.handle));
}

TEST(flow_token, cut_anywhere_or_too_long_is_forged)
{
	struct span text;
	struct flow_token read;

	world_start();
	text = token();
	for (uint32_t n = 0; n < text.len; n++)
		EXPECT_EQ(GW_FLOW_FORGED,
			  flow_token_read(world.gw, span_cut(text, 0, n), SPAN(""), &read));
	EXPECT_EQ(GW_FLOW_FORGED,
		  flow_token_read(world.gw, span_of(text.at, text.len + 1), SPAN(""), &read));
}

TEST(flow_token, with_any_bit_changed_is_not_accepted)
{
	uint8_t text[FLOW_TOKEN_LEN];
	struct flow_token read;

	world_start();
	for (uint32_t bit = 0; bit < 8 * FLOW_TOKEN_LEN; bit++) {
		memcpy(text, token().at, sizeof(text));
		text[bit / 8] ^= (uint8_t)(1 << bit % 8);
		EXPECT(flow_token_read(world.gw, span_of(text, sizeof(text)), SPAN(""), &read) !=
		       GW_OK);
	}
}

TEST(flow_token, of_another_node_is_forged)
{
	struct flow_token read;
	struct span text;

	world_start();
	text = token();
	world.config.node_id++;
	EXPECT_EQ(GW_FLOW_FORGED, flow_token_read(world.gw, text, SPAN(""), &read));
}

TEST(flow_token, of_a_key_that_is_not_kept_is_gone)
{
	struct flow_token read;
	struct span text;

	world_start();
	text = token();
	world.config.flow_key[0].id++;
	EXPECT_EQ(GW_FLOW_GONE, flow_token_read(world.gw, text, SPAN(""), &read));
}

TEST(flow_token, of_another_secret_under_the_same_id_is_forged)
{
	struct flow_token read;
	struct span text;

	world_start();
	text = token();
	world.config.flow_key[0].secret[31] ^= 1;
	EXPECT_EQ(GW_FLOW_FORGED, flow_token_read(world.gw, text, SPAN(""), &read));
}

TEST(flow_token, of_the_previous_key_is_accepted_and_new_ones_use_the_first)
{
	struct flow_token read;
	uint8_t old[FLOW_TOKEN_LEN];

	world_start();
	memcpy(old, token().at, sizeof(old));
	world.config.flow_key[1] = world.config.flow_key[0];
	world.config.flow_key[0] = (struct flow_key){.id = 8, .secret = "next"};
	world.config.flow_key_count = 2;
	EXPECT_EQ(GW_OK, flow_token_read(world.gw, span_of(old, sizeof(old)), SPAN(""), &read));
	EXPECT_EQ(FLOW_CONNECTION, read.kind);
	EXPECT(handle_equal(flow, read.handle));
	EXPECT(!span_equal(token(), span_of(old, sizeof(old))));
	EXPECT_EQ(GW_OK, flow_token_read(world.gw, token(), SPAN(""), &read));
}

TEST(flow_token, of_another_kind_is_forged)
{
	struct flow_token read;
	uint8_t text[FLOW_TOKEN_LEN];

	world_start();
	memcpy(text, token().at, sizeof(text));
	memcpy(text, "Bt1.", 4);
	EXPECT_EQ(GW_FLOW_FORGED,
		  flow_token_read(world.gw, span_of(text, sizeof(text)), SPAN(""), &read));
}

TEST(flow_token, of_a_home_comes_back_as_it)
{
	struct flow_token read;

	world_start();
	EXPECT(span_starts(token_of_kind(FLOW_HOME, SPAN("")), SPAN("Bt1.")));
	EXPECT_EQ(GW_OK,
		  flow_token_read(world.gw, token_of_kind(FLOW_HOME, SPAN("")), SPAN(""), &read));
	EXPECT_EQ(FLOW_HOME, read.kind);
	EXPECT(handle_equal(flow, read.handle));
}

TEST(flow_token, of_a_home_called_one_of_a_connection_is_forged)
{
	struct flow_token read;
	uint8_t text[FLOW_TOKEN_LEN];

	world_start();
	memcpy(text, token_of_kind(FLOW_HOME, SPAN("")).at, sizeof(text));
	memcpy(text, "Ft1.", 4);
	EXPECT_EQ(GW_FLOW_FORGED,
		  flow_token_read(world.gw, span_of(text, sizeof(text)), SPAN(""), &read));
}

TEST(flow_token, is_forged_when_the_text_beside_it_is_another_one)
{
	struct flow_token read = {0};
	struct span text;

	world_start();
	text = token_of_kind(FLOW_HOME, SPAN("dir=up;icid=4a"));
	EXPECT_EQ(GW_OK, flow_token_read(world.gw, text, SPAN("dir=up;icid=4a"), &read));
	EXPECT_EQ(FLOW_HOME, read.kind);
	EXPECT_EQ(GW_FLOW_FORGED, flow_token_read(world.gw, text, SPAN("dir=dn;icid=4a"), &read));
	EXPECT_EQ(GW_FLOW_FORGED, flow_token_read(world.gw, text, SPAN("dir=up;icid=4"), &read));
	EXPECT_EQ(GW_FLOW_FORGED, flow_token_read(world.gw, text, SPAN(""), &read));
	EXPECT_EQ(GW_FLOW_FORGED, flow_token_read(world.gw, token(), SPAN("ob"), &read));
}

TEST(flow_token, beside_text_that_is_too_long_is_not_written)
{
	static uint8_t bound[FLOW_BOUND_MAX + 1];
	struct flow_token home = {FLOW_HOME, flow}, read;
	uint8_t text[FLOW_TOKEN_LEN];
	struct writer out;

	world_start();
	writer_init(&out, text, sizeof(text));
	flow_token_write(world.gw, &home, span_of(bound, sizeof(bound)), &out);
	EXPECT(!writer_ok(&out));
	writer_init(&out, text, sizeof(text));
	flow_token_write(world.gw, &home, span_of(bound, FLOW_BOUND_MAX), &out);
	EXPECT(writer_ok(&out));
	EXPECT_EQ(GW_OK, flow_token_read(world.gw, writer_span(&out),
					 span_of(bound, FLOW_BOUND_MAX), &read));
	EXPECT_EQ(GW_FLOW_FORGED, flow_token_read(world.gw, writer_span(&out),
						  span_of(bound, sizeof(bound)), &read));
}

TEST_MAIN("gateway_flow_token", RUN(flow_token, of_a_home_comes_back_as_it),
	  RUN(flow_token, of_a_home_called_one_of_a_connection_is_forged),
	  RUN(flow_token, is_forged_when_the_text_beside_it_is_another_one),
	  RUN(flow_token, beside_text_that_is_too_long_is_not_written),
	  RUN(flow_token, has_47_characters_that_a_user_part_may_have),
	  RUN(flow_token, names_node_key_kind_and_flow_in_the_documented_order),
	  RUN(flow_token, comes_back_as_the_flow),
	  RUN(flow_token, cut_anywhere_or_too_long_is_forged),
	  RUN(flow_token, with_any_bit_changed_is_not_accepted),
	  RUN(flow_token, of_another_node_is_forged),
	  RUN(flow_token, of_a_key_that_is_not_kept_is_gone),
	  RUN(flow_token, of_another_secret_under_the_same_id_is_forged),
	  RUN(flow_token, of_the_previous_key_is_accepted_and_new_ones_use_the_first),
	  RUN(flow_token, of_another_kind_is_forged))
