/* SPDX-License-Identifier: BSD-3-Clause */
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "test.h"
#include "parts.h"

static const uint8_t key[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

TEST(siphash, gives_the_example_of_its_paper)
{
	EXPECT(siphash(key, span_of(key, 15)) == 0xa129ca6149be45e5);
}

/* OpenSSL's SipHash-2-4 with an 8-byte result, which it writes little-endian. */
static uint64_t reference(struct span bytes)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	size_t size = 8, len;
	OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
			       OSSL_PARAM_construct_end()};
	uint8_t out[8];
	uint64_t value = 0;

	EXPECT_EQ(1, EVP_MAC_CTX_set_params(ctx, params));
	EXPECT_EQ(1, EVP_MAC_init(ctx, key, sizeof(key), NULL));
	EXPECT_EQ(1, EVP_MAC_update(ctx, bytes.at, bytes.len));
	EXPECT_EQ(1, EVP_MAC_final(ctx, out, &len, sizeof(out)));
	for (int i = 7; i >= 0; i--)
		value = value << 8 | out[i];
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	return value;
}

TEST(siphash, agrees_with_openssl_at_every_length)
{
	uint8_t bytes[300];

	for (uint32_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 31 + 7);
	for (uint32_t n = 0; n <= sizeof(bytes); n++)
		EXPECT(siphash(key, span_of(bytes, n)) == reference(span_of(bytes, n)));
}

TEST(siphash, of_a_pair_is_that_of_its_text)
{
	EXPECT(pair_hash(key, SPAN("a@ims"), SPAN("sip:a@h")) ==
	       siphash(key, SPAN("a@ims\nsip:a@h")));
}

TEST_MAIN("siphash", RUN(siphash, gives_the_example_of_its_paper),
	  RUN(siphash, agrees_with_openssl_at_every_length),
	  RUN(siphash, of_a_pair_is_that_of_its_text))
