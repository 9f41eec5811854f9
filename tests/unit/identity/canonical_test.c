/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "test.h"
#include "identity/identity.h"

static struct identity seen;

/* The canonical form of uri is wanted, and its own canonical form. */
static void expect_impu(const char *wanted, struct span uri)
{
	struct identity again;

	if (identity_impu(uri, &seen) != GW_OK)
		fail_msg("refused: %.*s", (int)uri.len, (const char *)uri.at);
	if (!span_equal(identity_span(&seen), span_text(wanted)))
		fail_msg("%.*s became %.*s", (int)uri.len, (const char *)uri.at, seen.len,
			 (const char *)seen.text);
	EXPECT_EQ(GW_OK, identity_impu(identity_span(&seen), &again));
	EXPECT(span_equal(identity_span(&seen), identity_span(&again)));
}

static void expect_refused(struct span uri)
{
	if (identity_impu(uri, &seen) != GW_IDENTITY_SYNTAX)
		fail_msg("accepted: %.*s", (int)uri.len, (const char *)uri.at);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

TEST(canonical, sip_forms)
{
	static const char *const rows[][2] = {
		{"sip:alice@home1.net", "sip:alice@home1.net"},
		/* case: of scheme and host it does not count, of the user it does */
		{"SIP:alice@HOME1.Net", "sip:alice@home1.net"},
		{"sip:Alice@home1.net", "sip:Alice@home1.net"},
		{"sips:alice@home1.net", "sip:alice@home1.net"},
		/* password, port, parameters, headers */
		{"sip:alice:secret@home1.net", "sip:alice@home1.net"},
		{"sip:alice:@home1.net", "sip:alice@home1.net"},
		{"sip:alice@home1.net:5060", "sip:alice@home1.net"},
		{"sip:alice@home1.net:65535;transport=tcp;lr", "sip:alice@home1.net"},
		{"sip:alice@home1.net?Subject=x&y=%20", "sip:alice@home1.net"},
		{"sip:alice@home1.net;maddr=[::1]?Route=%3Csip:x%3E", "sip:alice@home1.net"},
		/* escapes */
		{"sip:%61lice@home1.net", "sip:alice@home1.net"},
		{"sip:%7Ealice%2D@home1.net", "sip:~alice-@home1.net"},
		{"sip:al%3bice@home1.net", "sip:al;ice@home1.net"},
		{"sip:al%40ice@home1.net", "sip:al%40ice@home1.net"},
		{"sip:al%3aice@home1.net", "sip:al%3Aice@home1.net"},
		{"sip:al%c3%a9@home1.net", "sip:al%C3%A9@home1.net"},
		{"sip:%20%25%0d%0a@home1.net", "sip:%20%25%0D%0A@home1.net"},
		{"sip:%2541@home1.net", "sip:%2541@home1.net"},
		{"sip:alice;day=tuesday@atlanta.com", "sip:alice;day=tuesday@atlanta.com"},
		{"sip:a?b/c&d=e+f$g,h@home1.net", "sip:a?b/c&d=e+f$g,h@home1.net"},
		{"sip:web!x@home1.net", "sip:web!x@home1.net"},
		/* hosts */
		{"sip:a@198.18.0.1", "sip:a@198.18.0.1"},
		{"sip:a@[2001:DB8::A]:5060", "sip:a@[2001:db8::a]"},
		{"sip:a@[2001:0db8:0:0:0:0:0:a]", "sip:a@[2001:db8::a]"},
		{"sip:a@[::ffff:198.18.0.1]", "sip:a@[::ffff:198.18.0.1]"},
		{"sip:a@x--y.home1.net", "sip:a@x--y.home1.net"},
		{"sip:a@localhost", "sip:a@localhost"},
		/* telephone numbers under sip: stay there */
		{"sip:+1-555-(123)@home1.net;user=phone", "sip:+1555123@home1.net"},
		{"sip:+1555123;ext=5@home1.net;transport=tcp;USER=Phone", "sip:+1555123@home1.net"},
		{"sip:%2B1555123@home1.net;user=phone", "sip:+1555123@home1.net"},
		{"sip:+1-555@home1.net", "sip:+1-555@home1.net"},
		{"sip:5-55@home1.net;user=phone", "sip:5-55@home1.net"},
		{"sip:+1-555@home1.net?user=phone", "sip:+1-555@home1.net"},
		{"sip:+1-555@home1.net;xuser=phone", "sip:+1-555@home1.net"},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		expect_impu(rows[i][1], span_text(rows[i][0]));
}

TEST(canonical, tel_forms)
{
	static const char *const rows[][2] = {
		{"tel:+15551234567", "tel:+15551234567"},
		{"TEL:+1-(555)-123.4567", "tel:+15551234567"},
		{"tel:+15551234567;ext=12;isub=3", "tel:+15551234567"},
		{"tel:+123456789012345", "tel:+123456789012345"},
		{"tel:+1", "tel:+1"},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		expect_impu(rows[i][1], span_text(rows[i][0]));
}

TEST(canonical, refuses_what_is_no_public_identity)
{
	static const char *const uris[] = {
		"",
		"sip",
		"sip:",
		"alice@home1.net",
		"http://home1.net",
		"urn:service:sos",
		"sip:home1.net",
		"sip:@home1.net",
		"sip::pw@home1.net",
		"sip:alice@",
		"sip:alice@home1.net@home2.net",
		"sip:alice@home1.net;x=a@b",
		/* users and passwords */
		"sip:al ice@home1.net",
		"sip:al\"ice@home1.net",
		"sip:<alice@home1.net",
		"sip:al#ice@home1.net",
		"sip:al[ice@home1.net",
		"sip:al\x80@home1.net",
		"sip:al%@home1.net",
		"sip:al%4@home1.net",
		"sip:al%4g@home1.net",
		"sip:alice:p w@home1.net",
		"sip:alice:%zz@home1.net",
		"sip:alice:a;b@home1.net",
		/* hosts and ports */
		"sip:a@home_1.net",
		"sip:a@-home1.net",
		"sip:a@home1-.net",
		"sip:a@home1.net-",
		"sip:a@.home1.net",
		"sip:a@home1..net",
		"sip:a@.",
		"sip:a@h%6fme1.net",
		"sip:a@[::1",
		"sip:a@[]",
		"sip:a@[",
		"sip:a@[::g]",
		"sip:a@[::1%25eth0]",
		"sip:a@[1.2.3.4]",
		"sip:a@[::1]x",
		"sip:a@home1.net:",
		"sip:a@home1.net:65536",
		"sip:a@home1.net:5060x",
		"sip:a@home1.net:99999999999999999999",
		/* behind the host */
		"sip:a@home1.net ",
		"sip:a@home1.net>",
		"sip:a@home1.net;x=\"y\"",
		"sip:a@home1.net;x=%4",
		"sip:a@home1.net/x",
		"sip:a@home1.net,sip:b@home1.net",
		/* telephone numbers */
		"tel:",
		"tel:+",
		"tel:+-",
		"tel:5551234",
		"tel:5551234;phone-context=home1.net",
		"tel:+1234567890123456",
		"tel:+1555a",
		"tel:+1 555",
		"tel:+1555@home1.net",
		"tel:%2B1555",
		"tel:+1%2D555",
		"tel:++1",
		"tel:+*31#",
		"tel:+1555;x=\"y\"",
		"sip:+1234567890123456@home1.net;user=phone",
		"sip:+1555a@home1.net;user=phone",
		"sip:+@home1.net;user=phone",
	};

	for (size_t i = 0; i < COUNT(uris); i++)
		expect_refused(span_text(uris[i]));
}

TEST(canonical, refuses_a_nul_escaped_or_not)
{
	expect_refused(SPAN("sip:al%00ice@home1.net"));
	expect_refused(SPAN("sip:alice:%00@home1.net"));
	expect_refused(SPAN("sip:alice@home1.net;x=%00"));
	expect_refused(SPAN("sip:al\0ice@home1.net"));
	expect_refused(SPAN("sip:alice@home1.net\0"));
	expect_refused(SPAN("sip:alice@home1\0.net"));
	expect_refused(SPAN("sip:alice@[::1\0]"));
	expect_refused(SPAN("sip:alice@home1.net:5060\0"));
	expect_refused(SPAN("tel:+1555\0"));
}

TEST(canonical, keeps_a_trailing_dot_as_part_of_the_name)
{
	expect_impu("sip:a@home1.net.", SPAN("sip:a@home1.net."));
}

/* A URI whose canonical form has so many bytes. */
static struct span uri_of(uint32_t len, char *text, size_t room)
{
	int prefix = snprintf(text, room, "sip:");

	memset(text + prefix, 'u', len - 4 - 6);
	snprintf(text + len - 6, room - (len - 6), "@h.net");
	return span_text(text);
}

TEST(canonical, refuses_more_than_256_bytes)
{
	char text[600];

	EXPECT_EQ(GW_OK, identity_impu(uri_of(IDENTITY_MAX, text, sizeof(text)), &seen));
	EXPECT_EQ(IDENTITY_MAX, seen.len);
	expect_refused(uri_of(IDENTITY_MAX + 1, text, sizeof(text)));
	expect_refused(uri_of(500, text, sizeof(text)));
}

TEST(canonical, counts_the_canonical_form_and_not_the_text)
{
	char text[2000] = "sip:";
	size_t len = 4;

	for (int i = 0; i < 200; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%%61");
	snprintf(text + len, sizeof(text) - len, "@h.net;param=%0600d", 1);
	EXPECT_EQ(GW_OK, identity_impu(span_text(text), &seen));
	EXPECT_EQ(210, seen.len);
}

TEST(canonical, writes_nothing_when_it_refuses)
{
	uint8_t memory[64];
	struct writer out;

	writer_init(&out, memory, sizeof(memory));
	EXPECT_EQ(GW_IDENTITY_SYNTAX, identity_canonical_impu(SPAN("sip:alice@home1..net"), &out));
	EXPECT_EQ(GW_IDENTITY_SYNTAX, identity_canonical_impi(SPAN("alice@home1..net"), &out));
	EXPECT_EQ(0, writer_len(&out));
	EXPECT(writer_ok(&out));
}

TEST(canonical, keeps_what_is_equal_under_rfc_3261_19_1_4_equal)
{
	struct identity one, other;

	EXPECT_EQ(GW_OK, identity_impu(SPAN("sip:%61lice@atlanta.com;transport=TCP"), &one));
	EXPECT_EQ(GW_OK, identity_impu(SPAN("sip:alice@AtLanTa.CoM;Transport=tcp"), &other));
	EXPECT(span_equal(identity_span(&one), identity_span(&other)));
	EXPECT_EQ(GW_OK, identity_impu(SPAN("SIP:ALICE@AtLanTa.CoM;Transport=udp"), &other));
	EXPECT(!span_equal(identity_span(&one), identity_span(&other)));
}

TEST(canonical, keeps_sip_and_tel_numbers_apart)
{
	struct identity sip, tel;

	EXPECT_EQ(GW_OK, identity_impu(SPAN("sip:+1555@home1.net;user=phone"), &sip));
	EXPECT_EQ(GW_OK, identity_impu(SPAN("tel:+1555"), &tel));
	EXPECT(!span_equal(identity_span(&sip), identity_span(&tel)));
}

TEST(canonical, private_forms)
{
	static const char *const rows[][2] = {
		{"alice@ims.home1.net", "alice@ims.home1.net"},
		{"Alice@IMS.Home1.Net", "Alice@ims.home1.net"},
		{"234150999999999@ims.mnc015.mcc234.3gppnetwork.org",
		 "234150999999999@ims.mnc015.mcc234.3gppnetwork.org"},
		{"a.b+c!d%e@r", "a.b+c!d%e@r"},
	};
	struct identity again;

	for (size_t i = 0; i < COUNT(rows); i++) {
		EXPECT_EQ(GW_OK, identity_impi(span_text(rows[i][0]), &seen));
		EXPECT(span_equal(identity_span(&seen), span_text(rows[i][1])));
		EXPECT_EQ(GW_OK, identity_impi(identity_span(&seen), &again));
		EXPECT(span_equal(identity_span(&seen), identity_span(&again)));
	}
}

TEST(canonical, refuses_what_is_no_private_identity)
{
	static const char *const nais[] = {
		"",
		"@",
		"alice",
		"alice@",
		"@home1.net",
		"al ice@home1.net",
		"al\"ice@home1.net",
		"al\\ice@home1.net",
		"al\nice@home1.net",
		"al\x7f@home1.net",
		"al\xc3\xa9@home1.net",
		"alice@home1.net@home1.net",
		"alice@home1..net",
		"alice@home1.net\"",
		"alice@home 1.net",
		"alice@[::1]",
		"alice@home1.net:5060",
	};
	char longer[300];

	for (size_t i = 0; i < COUNT(nais); i++)
		EXPECT_EQ(GW_IDENTITY_SYNTAX, identity_impi(span_text(nais[i]), &seen));
	EXPECT_EQ(GW_IDENTITY_SYNTAX, identity_impi(SPAN("al\0ice@home1.net"), &seen));
	snprintf(longer, sizeof(longer), "%0250d@h.net", 1);
	EXPECT_EQ(GW_OK, identity_impi(span_text(longer), &seen));
	snprintf(longer, sizeof(longer), "%0251d@h.net", 1);
	EXPECT_EQ(GW_IDENTITY_SYNTAX, identity_impi(span_text(longer), &seen));
}

TEST(canonical, never_overreads_when_cut_at_any_byte)
{
	static const char whole[] = "sips:+1-5%35:pw@[2001:db8::a]:5061;user=phone;x=%41?y=z";

	expect_impu("sip:+155@[2001:db8::a]",
		    SPAN("sips:+1-5%35:pw@[2001:db8::a]:5061;user=phone"));
	for (uint32_t n = 0; n < sizeof(whole) - 1; n++) {
		uint8_t *copy = malloc(n + 1); /* the sanitizer sees the byte past it */

		memcpy(copy, whole, n);
		copy = realloc(copy, n > 0 ? n : 1);
		(void)!identity_impu(span_of(copy, n), &seen);
		free(copy);
	}
}

TEST(canonical, tells_the_host)
{
	EXPECT_EQ(GW_OK, identity_impu(SPAN("sip:a@HOME1.net:5060"), &seen));
	EXPECT_SPAN("home1.net", identity_host(&seen));
	EXPECT_EQ(GW_OK, identity_impu(SPAN("sip:a%40b@[::1]"), &seen));
	EXPECT_SPAN("[::1]", identity_host(&seen));
	EXPECT_EQ(GW_OK, identity_impu(SPAN("tel:+1555"), &seen));
	EXPECT_EQ(0, identity_host(&seen).len);
}

TEST_MAIN("canonical", RUN(canonical, sip_forms), RUN(canonical, tel_forms),
	  RUN(canonical, refuses_what_is_no_public_identity),
	  RUN(canonical, refuses_a_nul_escaped_or_not),
	  RUN(canonical, keeps_a_trailing_dot_as_part_of_the_name),
	  RUN(canonical, refuses_more_than_256_bytes),
	  RUN(canonical, counts_the_canonical_form_and_not_the_text),
	  RUN(canonical, writes_nothing_when_it_refuses),
	  RUN(canonical, keeps_what_is_equal_under_rfc_3261_19_1_4_equal),
	  RUN(canonical, keeps_sip_and_tel_numbers_apart), RUN(canonical, private_forms),
	  RUN(canonical, refuses_what_is_no_private_identity),
	  RUN(canonical, never_overreads_when_cut_at_any_byte), RUN(canonical, tells_the_host))
