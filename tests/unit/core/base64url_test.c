/* SPDX-License-Identifier: BSD-3-Clause */
#include "base64url.h"
#include "test.h"

static enum base64url decode(const char *text, uint32_t *len)
{
	uint8_t bytes[64];

	return base64url_read(span_text(text), bytes, sizeof(bytes), len);
}

TEST(base64url, reads_the_examples_of_rfc_4648_without_their_padding)
{
	static const char *const examples[][2] = {
		{"", ""},	    {"Zg", "f"},	  {"Zm8", "fo"},	  {"Zm9v", "foo"},
		{"Zm9vYg", "foob"}, {"Zm9vYmE", "fooba"}, {"Zm9vYmFy", "foobar"},
	};
	uint8_t bytes[8];
	uint32_t len;

	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		EXPECT_EQ(BASE64URL_OK,
			  base64url_read(span_text(examples[i][0]), bytes, sizeof(bytes), &len));
		EXPECT_EQ(strlen(examples[i][1]), len);
		EXPECT_BYTES(examples[i][1], bytes, len);
	}
}

TEST(base64url, reads_the_example_of_rfc_7515_appendix_c)
{
	static const uint8_t example[] = {3, 236, 255, 224, 193};
	uint8_t bytes[8];
	uint32_t len;

	EXPECT_EQ(BASE64URL_OK, base64url_read(SPAN("A-z_4ME"), bytes, sizeof(bytes), &len));
	EXPECT_EQ(5, len);
	EXPECT_BYTES(example, bytes, 5);
}

TEST(base64url, refuses_what_is_not_of_its_alphabet)
{
	static const char *const foreign[] = {"Zg==",
					      "Zm8=",
					      "Zm9v\n",
					      " Zm9v",
					      "Zm 9v",
					      "ab+d",
					      "ab/d",
					      "ab.d",
					      "Zm9v=",
					      ("ab\x80"
					       "d")};
	uint32_t len;

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		EXPECT_EQ(BASE64URL_WRONG, decode(foreign[i], &len));
}

TEST(base64url, refuses_a_zero_byte)
{
	uint8_t bytes[8];
	uint32_t len;

	EXPECT_EQ(BASE64URL_WRONG, base64url_read(SPAN("Zm\0v"), bytes, sizeof(bytes), &len));
}

TEST(base64url, refuses_a_length_no_bytes_have)
{
	uint32_t len;

	EXPECT_EQ(BASE64URL_WRONG, decode("Z", &len));
	EXPECT_EQ(BASE64URL_WRONG, decode("Zm9vY", &len));
	EXPECT_EQ(BASE64URL_WRONG, decode("A", &len)); /* no bit set either */
	EXPECT_EQ(BASE64URL_WRONG, decode("Zm9vA", &len));
}

TEST(base64url, refuses_unused_bits_that_are_set)
{
	uint32_t len;

	EXPECT_EQ(BASE64URL_OK, decode("Zg", &len));
	EXPECT_EQ(BASE64URL_WRONG, decode("Zh", &len));
	EXPECT_EQ(BASE64URL_OK, decode("Zm8", &len));
	EXPECT_EQ(BASE64URL_WRONG, decode("Zm9", &len));
}

TEST(base64url, refuses_more_than_there_is_room_for)
{
	uint8_t bytes[5] = {0};
	uint32_t len;

	EXPECT_EQ(BASE64URL_LONG, base64url_read(SPAN("Zm9vYmFy"), bytes, 5, &len));
	EXPECT_EQ(BASE64URL_LONG, base64url_read(SPAN("Zg"), bytes, 0, &len));
	EXPECT_EQ(BASE64URL_WRONG, base64url_read(SPAN("Zm9vYmFy="), bytes, 5, &len));
	EXPECT_EQ(BASE64URL_OK, base64url_read(SPAN("Zm9vYmE"), bytes, 5, &len));
}

TEST(base64url, writes_what_it_reads)
{
	uint8_t bytes[256], text[400], back[256];
	struct writer out;
	uint32_t len;

	for (uint32_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 167 + 5);
	for (uint32_t n = 0; n <= sizeof(bytes); n++) {
		writer_init(&out, text, sizeof(text));
		base64url_write(&out, span_of(bytes, n));
		EXPECT(writer_ok(&out));
		EXPECT_EQ(BASE64URL_OK,
			  base64url_read(writer_span(&out), back, sizeof(back), &len));
		EXPECT_EQ(n, len);
		EXPECT_BYTES(bytes, back, n);
	}
}

TEST_MAIN("base64url", RUN(base64url, reads_the_examples_of_rfc_4648_without_their_padding),
	  RUN(base64url, reads_the_example_of_rfc_7515_appendix_c),
	  RUN(base64url, refuses_what_is_not_of_its_alphabet), RUN(base64url, refuses_a_zero_byte),
	  RUN(base64url, refuses_a_length_no_bytes_have),
	  RUN(base64url, refuses_unused_bits_that_are_set),
	  RUN(base64url, refuses_more_than_there_is_room_for), RUN(base64url, writes_what_it_reads))
