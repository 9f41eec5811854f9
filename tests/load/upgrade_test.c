/* SPDX-License-Identifier: BSD-3-Clause */
#include "upgrade.h"

#include "test.h"
#include "ws/ws.h"

/* The key of RFC 6455 1.3; its answer there is s3pPLMBiTxaQ9kYGzzhZRbK+xOo=. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define HEAD(accept, protocol, more) \
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
	"Sec-WebSocket-Accept: " accept "\r\nSec-WebSocket-Protocol: " protocol "\r\n" more "\r\n"
#define GOOD HEAD("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "sip", "")

TEST(upgrade, takes_the_answer_of_the_rfc)
{
	struct upgrade_answer answer = upgrade_read(SPAN(GOOD "\x89"), KEY);

	EXPECT_EQ(GW_OK, answer.err);
	EXPECT_EQ(101, answer.status);
	EXPECT_EQ(sizeof(GOOD) - 1, answer.used);
}

TEST(upgrade, waits_for_the_whole_head)
{
	for (uint32_t n = 0; n < sizeof(GOOD) - 1; n++)
		EXPECT_EQ(GW_AGAIN, upgrade_read(span_cut(SPAN(GOOD), 0, n), KEY).err);
}

TEST(upgrade, tells_a_refusal_with_its_status)
{
	struct upgrade_answer answer =
		upgrade_read(SPAN("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"), KEY);

	EXPECT_EQ(GW_HTTP_UPGRADE, answer.err);
	EXPECT_EQ(403, answer.status);
}

TEST(upgrade, ignores_the_case_of_words_and_of_nothing_else)
{
	EXPECT_EQ(GW_OK, upgrade_read(SPAN("HTTP/1.1 101 Switching Protocols\r\n"
					   "upgrade: WebSocket\r\nconnection: upgrade\r\n"
					   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
					   "Sec-WebSocket-Protocol: sip\r\n\r\n"),
				      KEY)
				 .err);
	EXPECT_EQ(GW_HTTP_SYNTAX,
		  upgrade_read(SPAN(HEAD("S3PPLMBITXAQ9KYGZZHZRBK+XOO=", "sip", "")), KEY).err);
	EXPECT_EQ(GW_HTTP_SYNTAX,
		  upgrade_read(SPAN(HEAD("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "SIP", "")), KEY).err);
}

TEST(upgrade, refuses_an_answer_to_another_request)
{
	static const char *const answers[] = {
		HEAD("s3pPLMBiTxaQ9kYGzzhZRbK+xOp=", "sip", ""),
		HEAD("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "msrp", ""),
		HEAD("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "sip", "Sec-WebSocket-Protocol: sip\r\n"),
		HEAD("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "sip",
		     "Sec-WebSocket-Extensions: permessage-deflate\r\n"),
		"HTTP/1.0 101 Switching Protocols\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\n\r\n",
		"SIP/2.0 200 OK\r\n\r\n",
	};

	for (uint32_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		EXPECT_EQ(GW_HTTP_SYNTAX, upgrade_read(span_text(answers[i]), KEY).err);
}

TEST(upgrade, asks_in_a_way_the_gateway_accepts)
{
	const struct span host = SPAN("ep1.home1.net"), path = SPAN("/"),
			  origin = SPAN("https://shop.example");
	const struct ws_upgrade_policy policy = {.hosts = &host,
						 .host_count = 1,
						 .paths = &path,
						 .path_count = 1,
						 .origins = &origin,
						 .origin_count = 1,
						 .max_head = 4096};
	char key[UPGRADE_KEY_LEN + 1];
	uint8_t asked[1024], answered[512];
	struct writer request, answer;
	struct ws_upgrade seen;

	upgrade_key(0x0123456789abcdef, 42, key);
	writer_init(&request, asked, sizeof(asked));
	upgrade_write(&request, "ep1.home1.net", "/", "https://shop.example", key);
	seen = ws_upgrade_read(writer_span(&request), &policy);
	EXPECT_EQ(GW_OK, seen.err);
	writer_init(&answer, answered, sizeof(answered));
	ws_upgrade_accept(seen.key, &answer);
	EXPECT_EQ(GW_OK, upgrade_read(writer_span(&answer), key).err);
}

TEST_MAIN("load upgrade", RUN(upgrade, takes_the_answer_of_the_rfc),
	  RUN(upgrade, waits_for_the_whole_head), RUN(upgrade, tells_a_refusal_with_its_status),
	  RUN(upgrade, ignores_the_case_of_words_and_of_nothing_else),
	  RUN(upgrade, refuses_an_answer_to_another_request),
	  RUN(upgrade, asks_in_a_way_the_gateway_accepts))
