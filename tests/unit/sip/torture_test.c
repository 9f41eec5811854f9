/* SPDX-License-Identifier: BSD-3-Clause */
#include "messages.h"
#include "sip/sip.h"
#include "test.h"

/* Cases of RFC 4475, by their section, as far as this layer decides them. */

#define REST \
	"Via: SIP/2.0/TCP host5.example.net;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n" \
	"To: sip:user@example.com\r\nFrom: sip:caller@example.net;tag=1\r\n" \
	"Call-ID: torture@example.net\r\nCSeq: 1 INVITE\r\n"
#define START "INVITE sip:user@example.com SIP/2.0\r\n"

static enum gw_err index_text(const char *text)
{
	struct sip_message m;

	return sip_index(span_text(text), &m);
}

TEST(torture, reads_the_short_tortuous_invite)
{
	struct sip_message m;
	struct sip_address to, from;
	struct span tag;
	uint32_t forwards;

	EXPECT_EQ(GW_OK, sip_index(SPAN(TORTUOUS_INVITE), &m)); /* 3.1.1.1 */
	EXPECT_EQ(SIP_INVITE, m.method);
	EXPECT_EQ(9, m.cseq);
	EXPECT_EQ(150, m.body.len);
	EXPECT_EQ(14, m.count);
	to = sip_address_parse(sip_value(&m, SIP_HEADER_TO));
	EXPECT_EQ(GW_OK, to.err);
	EXPECT_SPAN("sip:vivekg@chair-dnrc.example.com", to.uri_text);
	EXPECT(sip_param(to.params, SPAN("tag"), &tag));
	EXPECT_SPAN("1918181833n", tag);
	from = sip_address_parse(sip_value(&m, SIP_HEADER_FROM));
	EXPECT_EQ(GW_OK, from.err);
	EXPECT_SPAN("\"J Rosenberg \\\\\\\"\"", from.display);
	EXPECT(sip_param(from.params, SPAN("tag"), &tag));
	EXPECT_SPAN("98asjd8", tag);
	EXPECT(sip_number(sip_value(&m, SIP_HEADER_MAX_FORWARDS), 255, &forwards));
	EXPECT_EQ(68, forwards);
}

TEST(torture, reads_the_vias_of_the_short_tortuous_invite)
{
	static const char *const branches[] = {"390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"};
	struct sip_message m;
	const struct sip_field *field;
	struct span rest, element;
	uint32_t count = 0;

	EXPECT_EQ(GW_OK, sip_index(SPAN(TORTUOUS_INVITE), &m));
	field = sip_first(&m, SIP_HEADER_VIA);
	for (; field != NULL; field = sip_next(&m, field))
		for (rest = field->value; sip_list_next(&rest, &element); count++) {
			struct sip_via via = sip_via_parse(element);

			EXPECT_EQ(GW_OK, via.err);
			EXPECT(span_equal(span_text(branches[count]), via.branch));
		}
	EXPECT_EQ(3, count);
}

TEST(torture, reads_route_and_contact_of_the_short_tortuous_invite)
{
	struct sip_message m;
	struct sip_address contact, route;
	struct span q;

	EXPECT_EQ(GW_OK, sip_index(SPAN(TORTUOUS_INVITE), &m));
	route = sip_address_parse(sip_value(&m, SIP_HEADER_ROUTE));
	EXPECT_EQ(GW_OK, route.err);
	EXPECT_SPAN("lr;unknownwith=value;unknown-no-value", route.uri.params);
	contact = sip_address_parse(sip_value(&m, SIP_HEADER_CONTACT));
	EXPECT_EQ(GW_OK, contact.err);
	EXPECT(sip_param(contact.params, SPAN("q"), &q));
	EXPECT_SPAN("0.33", q);
	EXPECT(sip_param(contact.params, SPAN("newparam"), &q));
	EXPECT_SPAN("newvalue", q);
}

TEST(torture, accepts_methods_of_any_token)
{
	struct sip_message m;

	EXPECT_EQ(
		GW_OK, /* the method of 3.1.1.2 */
		sip_index(
			SPAN("!interesting-Method0123456789_*+`.%indeed'~ sip:user@example.com "
			     "SIP/2.0\r\nVia: a\r\nTo: b\r\nFrom: c\r\nCall-ID: d\r\n"
			     "CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\r\n\r\n"),
			&m));
	EXPECT_EQ(SIP_METHOD_OTHER, m.method);
}

TEST(torture, refuses_control_bytes_even_when_escaped)
{
	EXPECT_EQ(GW_SIP_HEADER, /* the To of 3.1.1.2: legal, refused all the same */
		  index_text(START "To: \"BEL:\\\x07 DEL:\\\x7f\" <sip:a@b>\r\n" REST "\r\n"));
}

TEST(torture, takes_escaped_percent_for_text)
{
	struct sip_uri uri = sip_uri_parse(SPAN("sip:sips%3Auser%40example.com@example.net"));

	EXPECT_EQ(GW_OK, uri.err); /* 3.1.1.3 */
	EXPECT_SPAN("sips%3Auser%40example.com", uri.user);
	EXPECT_EQ(GW_OK, index_text("RE%47IST%45R sip:registrar.example.com SIP/2.0\r\nVia: a\r\n"
				    "To: b\r\nFrom: c\r\nCall-ID: d\r\n"
				    "CSeq: 1 RE%47IST%45R\r\n\r\n")); /* 3.1.1.5 */
	EXPECT_EQ(SIP_METHOD_OTHER, sip_method_id(SPAN("RE%47IST%45R")));
}

TEST(torture, needs_no_white_space_between_display_name_and_bracket)
{
	EXPECT_EQ(GW_OK, sip_address_parse(SPAN("caller<sip:caller@example.com>;tag=323")).err);
}

TEST(torture, accepts_reasons_of_any_text_and_none)
{
	EXPECT_EQ(GW_OK, index_text("SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe\r\n" REST "\r\n"));
	EXPECT_EQ(GW_OK, index_text("SIP/2.0 100 \r\n" REST "\r\n")); /* 3.1.1.12, .13 */
}

TEST(torture, refuses_bad_content_lengths_and_scalars)
{
	EXPECT_EQ(GW_SIP_CONTENT_LENGTH, /* 3.1.2.2 */
		  index_text(START REST "Content-Length: 9999\r\n\r\nv=0\r\n"));
	EXPECT_EQ(GW_SIP_CONTENT_LENGTH, /* 3.1.2.3 */
		  index_text(START REST "Content-Length: -999\r\n\r\nv=0\r\n"));
	EXPECT_EQ(GW_SIP_CSEQ, /* 3.1.2.4 */
		  index_text(
			  "INVITE sip:a@b SIP/2.0\r\nVia: a\r\nTo: b\r\nFrom: c\r\nCall-ID: d\r\n"
			  "CSeq: 36893488147419103232 INVITE\r\n\r\n"));
	EXPECT_EQ(GW_SIP_START_LINE, /* 3.1.2.19 */
		  index_text("SIP/2.0 4294967301 better not break the receiver\r\n" REST "\r\n"));
}

TEST(torture, refuses_an_unterminated_quote)
{
	EXPECT_EQ(GW_SIP_ADDRESS, sip_address_parse(SPAN("\"Mr. J. User <sip:j.user@example.com>"))
					  .err); /* 3.1.2.6 */
}

TEST(torture, refuses_malformed_request_uris)
{
	EXPECT_EQ(GW_SIP_START_LINE, /* 3.1.2.7 */
		  index_text("INVITE <sip:user@example.com> SIP/2.0\r\n" REST "\r\n"));
	EXPECT_EQ(GW_SIP_START_LINE, /* 3.1.2.8 */
		  index_text("INVITE sip:user@example.com; lr SIP/2.0\r\n" REST "\r\n"));
	EXPECT_EQ(GW_SIP_START_LINE, /* 3.1.2.9 */
		  index_text("INVITE  sip:user@example.com  SIP/2.0\r\n" REST "\r\n"));
	EXPECT_EQ(GW_SIP_START_LINE, /* 3.1.2.10 */
		  index_text("INVITE sip:user@example.com SIP/2.0  \r\n" REST "\r\n"));
}

TEST(torture, carries_escaped_headers_in_a_request_uri)
{
	struct sip_uri uri =
		sip_uri_parse(SPAN("sip:user@example.com?Route=%3Csip:example.com%3E"));

	EXPECT_EQ(GW_OK, uri.err); /* 3.1.2.11: who acts on the URI decides */
	EXPECT_SPAN("Route=%3Csip:example.com%3E", uri.headers);
}

TEST(torture, refuses_addresses_that_need_brackets_or_quotes)
{
	EXPECT_EQ(GW_SIP_ADDRESS, /* 3.1.2.13 */
		  sip_address_parse(SPAN("sip:user@example.com?Route=%3Csip:sip.example.com%3E"))
			  .err);
	EXPECT_EQ(GW_SIP_URI, /* 3.1.2.14 */
		  sip_address_parse(SPAN("\"Watson, Thomas\" < sip:t.watson@example.org >")).err);
	EXPECT_EQ(GW_SIP_ADDRESS, /* 3.1.2.15 */
		  sip_address_parse(SPAN("Bell, Alexander <sip:a.g.bell@example.com>;tag=43")).err);
}

TEST(torture, refuses_another_version_and_another_method_in_cseq)
{
	EXPECT_EQ(GW_SIP_VERSION, /* 3.1.2.16 */
		  index_text("OPTIONS sip:t.watson@example.org SIP/7.0\r\n" REST "\r\n"));
	EXPECT_EQ(GW_SIP_CSEQ, /* 3.1.2.17 */
		  index_text("OPTIONS sip:user@example.com SIP/2.0\r\n" REST "\r\n"));
	EXPECT_EQ(GW_SIP_CSEQ, /* 3.1.2.18 */
		  index_text("NEWMETHOD sip:user@example.com SIP/2.0\r\n" REST "\r\n"));
}

TEST(torture, refuses_missing_and_repeated_headers)
{
	EXPECT_EQ(GW_SIP_MISSING, index_text(START "CSeq: 193942 INVITE\r\n\r\n")); /* 3.3.1 */
	EXPECT_EQ(GW_SIP_REPEATED,						    /* 3.3.8 */
		  index_text(START REST "CSeq: 59 INVITE\r\nCall-ID: other\r\n\r\n"));
	EXPECT_EQ(GW_SIP_REPEATED, /* 3.3.9 */
		  index_text(START REST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nv=0\r\n"));
}

TEST(torture, names_unknown_schemes)
{
	EXPECT_EQ(GW_SIP_URI_SCHEME, /* 3.3.2 */
		  sip_uri_parse(SPAN("nobodyKnowsThisScheme:totallyopaquecontent")).err);
	EXPECT_EQ(GW_SIP_URI_SCHEME, /* 3.3.4 */
		  sip_address_parse(SPAN("isbn:2983792873")).err);
}

TEST_MAIN("sip torture (RFC 4475)", RUN(torture, reads_the_short_tortuous_invite),
	  RUN(torture, reads_the_vias_of_the_short_tortuous_invite),
	  RUN(torture, reads_route_and_contact_of_the_short_tortuous_invite),
	  RUN(torture, accepts_methods_of_any_token),
	  RUN(torture, refuses_control_bytes_even_when_escaped),
	  RUN(torture, takes_escaped_percent_for_text),
	  RUN(torture, needs_no_white_space_between_display_name_and_bracket),
	  RUN(torture, accepts_reasons_of_any_text_and_none),
	  RUN(torture, refuses_bad_content_lengths_and_scalars),
	  RUN(torture, refuses_an_unterminated_quote), RUN(torture, refuses_malformed_request_uris),
	  RUN(torture, carries_escaped_headers_in_a_request_uri),
	  RUN(torture, refuses_addresses_that_need_brackets_or_quotes),
	  RUN(torture, refuses_another_version_and_another_method_in_cseq),
	  RUN(torture, refuses_missing_and_repeated_headers), RUN(torture, names_unknown_schemes))
