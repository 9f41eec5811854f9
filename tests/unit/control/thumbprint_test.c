/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/keys.h"
#include "control/thumbprint.h"
#include "../test.h"

/** The thumbprint of the one key of a set. */
static void expect_print(const char *print, const char *jwk)
{
	const struct keys_source source = {"set", "file", 1, (1 << JWS_ALG_COUNT) - 1};
	struct problems *problems = problems_new();
	struct arena *arena = arena_new();
	struct key_list keys;
	char out[THUMBPRINT_MAX], text[2048];

	snprintf(text, sizeof(text), "{\"keys\":[%s]}", jwk);
	keys_read(&source, span_text(text), arena, &keys, problems);
	assert_int_equal(1, keys.count);
	thumbprint(&keys.at[0].key, out);
	EXPECT_TEXT(print, out);
	arena_free(arena);
	problems_free(problems);
}

TEST(thumbprint, of_an_rsa_key_is_that_of_rfc_7638)
{
	expect_print("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
		     "{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4"
		     "cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsG"
		     "Y4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnY"
		     "b9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2N"
		     "cRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\",\"e\":\"AQAB\","
		     "\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}");
}

TEST(thumbprint, of_an_ed25519_key_is_that_of_rfc_8037)
{
	expect_print("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
		     "{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
		     "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}");
}

TEST(thumbprint, of_an_ec_key_is_that_of_its_coordinates)
{
	/* the key of RFC 7515 appendix A.3; the print by python3: sha256 of the sorted members */
	expect_print("oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
		     "{\"kty\":\"EC\",\"crv\":\"P-256\","
		     "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
		     "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}");
}

TEST_MAIN("thumbprint", RUN(thumbprint, of_an_rsa_key_is_that_of_rfc_7638),
	  RUN(thumbprint, of_an_ed25519_key_is_that_of_rfc_8037),
	  RUN(thumbprint, of_an_ec_key_is_that_of_its_coordinates))
