/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

#include "gateway/internal.h"

/* Bodies: of media they go on as they came, and can be replaced by whoever drives a media relay. A
 * token that comes as a part of one (D-09) is taken where that is configured, and never passed on
 * to the core. */

#define MIXED "Content-Type: multipart/mixed;boundary=b" CRLF
#define SDP_PART "--b" CRLF "Content-Type: application/sdp" CRLF CRLF "v=0" CRLF
#define JWT \
	"--b" CRLF "Content-Type: application/jwt" CRLF \
	"Content-Disposition: by-reference;handling=optional" CRLF CRLF

/* alice's REGISTER with that body. */
static const char *register_of(const char *body)
{
	return format("REGISTER sip:home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1" CRLF "Max-Forwards: 69" CRLF
		      "To: <sip:alice@home1.net>" CRLF "From: <sip:alice@home1.net>;tag=v" CRLF
		      "Call-ID: c" CRLF "CSeq: 1 REGISTER" CRLF "Expires: 600" CRLF
		      "Contact: <sip:m@a.invalid;transport=ws>" CRLF MIXED
		      "Content-Length: %zu" CRLF CRLF "%s",
		      strlen(body), body);
}

static const char *message_of(const char *body)
{
	return format("MESSAGE sip:bob@home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK2" CRLF "Max-Forwards: 70" CRLF
		      "From: <sip:alice@home1.net>;tag=m1" CRLF "To: <sip:bob@home1.net>" CRLF
		      "Call-ID: m1" CRLF "CSeq: 1 MESSAGE" CRLF MIXED CRLF "%s",
		      body);
}

static void world_with_bodies(void)
{
	world_start();
	world.config.token_in_body = true;
}

TEST(body, registers_with_the_token_in_it)
{
	const char *mw;

	world_with_bodies();
	mw = mw_register(register_of(format(SDP_PART JWT "%s" CRLF "--b--", token_alice(3570))));
	EXPECT_LINE("multipart/mixed;boundary=b", mw, "Content-Type");
	EXPECT(strstr(mw, CRLF CRLF SDP_PART "--b--") != NULL);
	EXPECT(!contains(mw, "jwt"));
	EXPECT(!contains(mw, "eyJ"));
	EXPECT_LINE("48", mw, "Content-Length");
}

TEST(body, of_a_token_alone_goes_on_as_no_body)
{
	const char *mw;

	world_with_bodies();
	mw = mw_register(register_of(format(JWT "%s" CRLF "--b--", token_alice(3570))));
	EXPECT_NO_LINE(mw, "Content-Type");
	EXPECT_LINE("0", mw, "Content-Length");
	EXPECT(!contains(mw, "eyJ"));
}

TEST(body, passes_no_token_on_that_nobody_asked_for)
{
	const char *mw;

	world_with_bodies();
	world_register();
	EXPECT_EQ(GW_OK, wic_sends(0, message_of(SDP_PART JWT "eyJ" CRLF "--b--")));
	mw = world_only(TO_MW);
	EXPECT(strstr(mw, CRLF CRLF SDP_PART "--b--") != NULL);
	EXPECT(!contains(mw, "eyJ"));
}

TEST(body, with_a_token_in_another_place_is_refused)
{
	world_with_bodies();
	world_register();
	EXPECT_EQ(GW_TOKEN_CARRIER,
		  wic_sends(0, message_of(JWT "eyJ" CRLF "--b" CRLF
					      "Content-Type: application/jwt" CRLF CRLF "eyJ" CRLF
					      "--b--")));
	EXPECT_EQ(GW_TOKEN_CARRIER, wic_sends(0, message_of(JWT "eyJ" CRLF)));
}

TEST(body, with_a_token_is_refused_where_none_is_configured)
{
	world_start();
	EXPECT_EQ(GW_TOKEN_CARRIER,
		  wic_sends(0, register_of(format(JWT "%s" CRLF "--b--", token_alice(3570)))));
}

/* ---- media ---------------------------------------------------------------------------------- */

/** Parts of several kinds, and what a parser might tidy up: nothing is ours to touch. */
#define MEDIA \
	"preamble\n" CRLF "--b" CRLF "Content-Type: application/sdp" CRLF CRLF "v=0" CRLF \
	"o=- 1 1 IN IP4 0.0.0.0\n\n a=x:\t\xff\xfe " CRLF "--b\n" \
	"Content-Type: application/isup;version=x" CRLF CRLF "\x01\x02\r\x7f" CRLF "--b--" CRLF \
	"epilogue -- b"

static void expect_body(const char *wanted, const char *message)
{
	const char *body = strstr(message, CRLF CRLF);

	assert_non_null(body);
	assert_string_equal(wanted, body + 4);
	EXPECT_EQ(1, lines(message, "Content-Length"));
	EXPECT_EQ(strlen(wanted), strtoul(line(message, "Content-Length"), NULL, 10));
}

TEST_BOTH(media, of_a_wic_goes_on_byte_for_byte)
{
	call_world(transport);
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.lines = MIXED, .body = MEDIA})));
	expect_body(MEDIA, only_of(TO_MW, "INVITE "));
}

TEST_BOTH(media, of_a_wic_that_gives_no_length_gets_one)
{
	const char *invite, *at;

	call_world(transport);
	invite = of_alice(&(struct says){.lines = MIXED, .body = MEDIA});
	at = strstr(invite, "Content-Length");
	EXPECT_EQ(GW_OK,
		  wic_sends(0, format("%.*s%s", (int)(at - invite), invite, strstr(at, CRLF) + 2)));
	expect_body(MEDIA, only_of(TO_MW, "INVITE "));
}

TEST_BOTH(media, of_the_core_goes_on_byte_for_byte)
{
	call_world(transport);
	core_sends(of_core(&(struct says){.lines = MIXED, .body = MEDIA}));
	expect_body(MEDIA, only_of(TO_WIC, "INVITE "));
}

/** An answer with this body instead of none. */
static const char *with_body(const char *answer)
{
	const char *at = strstr(answer, "Content-Length: 0" CRLF CRLF);

	assert_non_null(at);
	return format("%.*s" MIXED "Content-Length: %zu" CRLF CRLF MEDIA, (int)(at - answer),
		      answer, strlen(MEDIA));
}

TEST_BOTH(media, of_answers_goes_on_byte_for_byte)
{
	struct call c;

	call_world(transport);
	c = bob_calls("");
	EXPECT_EQ(GW_OK, wic_sends(0, with_body(answer_of(c.onward, "200 OK", "w1", ""))));
	expect_body(MEDIA, only_of(TO_SOURCE, "SIP/2.0 200"));
	world_forget();
	c = alice_calls("");
	core_sends(with_body(answer_of(c.onward, "183 Session Progress", "b1", "")));
	expect_body(MEDIA, only_of(TO_WIC, "SIP/2.0 183"));
}

/** What drives a media relay will do: the edits of a request to the core, and another body. */
static char relayed[2000];

static enum gw_err build_relayed(struct gateway *gw, struct transaction *t)
{
	trust_strip_from_wic(gw, &gw->message);
	request_via(gw, t);
	sip_splice_body(&gw->splice, span_text(relayed));
	return GW_OK;
}

static const char *relay(uint32_t bytes, enum mw_transport transport)
{
	struct transaction t = {.kind = TRANSACTION_ORIGINATE, .method = SIP_INVITE};

	memset(relayed, 'v', bytes);
	relayed[bytes] = '\0';
	t.target.transport = transport;
	EXPECT_EQ(GW_OK, target_write(world.gw, &t, build_relayed));
	EXPECT_EQ(bytes > UDP_MAX ? MW_TCP : transport, t.target.transport);
	return format("%.*s", (int)writer_len(&world.gw->out), (const char *)world.gw->out_memory);
}

TEST_BOTH(media, can_be_replaced_by_other_and_is_counted_anew)
{
	static const uint32_t sizes[] = {0, 1, 9, 10, 99, 500, 1999};

	call_world(transport);
	EXPECT_EQ(GW_OK,
		  sip_index(span_text(of_alice(&(struct says){.lines = MIXED, .body = MEDIA})),
			    &world.gw->message));
	for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const char *mw = relay(sizes[i], transport);

		expect_body(relayed, mw);
		EXPECT(begins(line(mw, "Via"), sizes[i] > UDP_MAX || transport == MW_TCP
						       ? "SIP/2.0/TCP"
						       : "SIP/2.0/UDP"));
		EXPECT_LINE("multipart/mixed;boundary=b", mw, "Content-Type");
	}
}

/** The one thing that is ours to take out of a call's body; its other parts stay as they are. */
TEST_BOTH(media, beside_a_token_is_left_and_counted_anew)
{
	call_world(transport);
	world.config.token_in_body = true;
	EXPECT_EQ(GW_OK, wic_sends(0, of_alice(&(struct says){.lines = MIXED,
							      .body = SDP_PART JWT
							      "eyJ" CRLF "--b" CRLF
							      "X-Odd : \tpart" CRLF CRLF "\x01" CRLF
							      "--b--" CRLF "epilogue"})));
	expect_body(SDP_PART "--b" CRLF "X-Odd : \tpart" CRLF CRLF "\x01" CRLF "--b--" CRLF
			     "epilogue",
		    only_of(TO_MW, "INVITE "));
}

TEST_MAIN("gateway_body", RUN(body, registers_with_the_token_in_it),
	  RUN(body, of_a_token_alone_goes_on_as_no_body),
	  RUN(body, passes_no_token_on_that_nobody_asked_for),
	  RUN(body, with_a_token_in_another_place_is_refused),
	  RUN(body, with_a_token_is_refused_where_none_is_configured),
	  RUN_BOTH(media, of_a_wic_goes_on_byte_for_byte),
	  RUN_BOTH(media, of_a_wic_that_gives_no_length_gets_one),
	  RUN_BOTH(media, of_the_core_goes_on_byte_for_byte),
	  RUN_BOTH(media, of_answers_goes_on_byte_for_byte),
	  RUN_BOTH(media, can_be_replaced_by_other_and_is_counted_anew),
	  RUN_BOTH(media, beside_a_token_is_left_and_counted_anew))
