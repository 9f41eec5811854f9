/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"
#include "control/keys.h"
#include "folder.h"

/* Public keys of RFC 7515 appendix A.3 and RFC 8037 appendix A.2. */
#define EC "\"kty\":\"EC\",\"crv\":\"P-256\""
#define EC_X "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\""
#define EC_Y "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define EC_KEY EC "," EC_X "," EC_Y
#define OKP_KEY \
	"\"kty\":\"OKP\",\"crv\":\"Ed25519\"," \
	"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
/* The modulus of RFC 7515 appendix A.2, 2048 bits. */
#define RSA_N \
	"\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2" \
	"mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-" \
	"bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5" \
	"ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRW" \
	"yuXpoQ\""
#define RSA_KEY "\"kty\":\"RSA\"," RSA_N ",\"e\":\"AQAB\""

enum { ALL = (1 << JWS_ALG_COUNT) - 1 };

struct set {
	struct folder folder;
	struct arena *arena;
	struct problems *problems;
	struct key_list keys;
};

static void begin(struct set *s, const char *keys, uint32_t algorithms)
{
	char path[160];
	struct keys_source source = {.path = path,
				     .file = "wicgate.yaml",
				     .line = 7,
				     .algorithms = algorithms};

	folder_make(&s->folder);
	folder_write(&s->folder, "set", keys);
	strcpy(path, folder_path(&s->folder, "set"));
	s->arena = arena_new();
	s->problems = problems_new();
	keys_load(&source, s->arena, &s->keys, s->problems);
}

static void end(struct set *s)
{
	problems_free(s->problems);
	arena_free(s->arena);
	folder_remove(&s->folder);
}

static void expect_said(const struct set *s, uint32_t i, const char *part)
{
	assert_true(i < problems_count(s->problems));
	if (strstr(problems_text(s->problems, i), part) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", part, problems_text(s->problems, i));
}

/** A set of one usable key and one that is left out with this warning. */
static void expect_left_out(const char *key, uint32_t algorithms, const char *why)
{
	char text[4096];
	struct set s;

	snprintf(text, sizeof(text), "{\"keys\":[{" EC_KEY ",\"kid\":\"good\"},{%s}]}", key);
	begin(&s, text, algorithms);
	EXPECT_EQ(0, problems_errors(s.problems));
	EXPECT_EQ(1, s.keys.count);
	EXPECT_EQ(1, problems_count(s.problems));
	expect_said(&s, 0, "wicgate.yaml:7: warning: ");
	expect_said(&s, 0, "key 2 left out: ");
	expect_said(&s, 0, why);
	end(&s);
}

TEST(keys, reads_each_type_into_the_form_of_the_drivers)
{
	struct set s;

	begin(&s,
	      "{\"keys\":[{" EC_KEY ",\"kid\":\"a\",\"use\":\"sig\"},{" OKP_KEY
	      ",\"kid\":\"b\",\"key_ops\":[\"sign\",\"verify\"]},{" RSA_KEY
	      ",\"kid\":\"c\",\"alg\":\"PS256\"}]}",
	      ALL);
	EXPECT_EQ(0, problems_count(s.problems));
	EXPECT_EQ(3, s.keys.count);
	EXPECT_EQ(JWS_ES256, s.keys.at[0].key.alg);
	EXPECT_EQ(65, s.keys.at[0].key.len);
	EXPECT_EQ(0x04, s.keys.at[0].key.material[0]);
	EXPECT_EQ(0x7f, s.keys.at[0].key.material[1]);
	EXPECT_EQ(JWS_EDDSA, s.keys.at[1].key.alg);
	EXPECT_EQ(32, s.keys.at[1].key.len);
	EXPECT_EQ(0xd7, s.keys.at[1].key.material[0]); /* RFC 8032 section 7.1, test 1 */
	EXPECT_EQ(JWS_PS256, s.keys.at[2].key.alg);
	EXPECT_EQ(256, s.keys.at[2].key.modulus);
	EXPECT_EQ(259, s.keys.at[2].key.len);
	EXPECT_BYTES("\x01\x00\x01", s.keys.at[2].key.material + 256, 3);
	EXPECT_SPAN("c", s.keys.at[2].kid);
	end(&s);
}

TEST(keys, binds_an_rsa_key_without_alg_to_the_only_one_allowed)
{
	struct set s;

	begin(&s, "{\"keys\":[{" RSA_KEY "}]}", 1u << JWS_RS256 | 1u << JWS_ES256);
	EXPECT_EQ(1, s.keys.count);
	EXPECT_EQ(JWS_RS256, s.keys.at[0].key.alg);
	EXPECT_EQ(0, s.keys.at[0].kid.len);
	end(&s);
}

TEST(keys, leaves_unusable_keys_out_with_a_warning)
{
	expect_left_out(EC_KEY ",\"use\":\"enc\"", ALL, "its use is not sig");
	expect_left_out(EC_KEY ",\"key_ops\":[\"sign\"]", ALL, "its key_ops have no verify");
	expect_left_out(EC_KEY ",\"key_ops\":\"verify\"", ALL, "its key_ops have no verify");
	expect_left_out(EC_KEY ",\"alg\":\"ES512\"", ALL, "its alg is not used here");
	expect_left_out(EC_KEY ",\"alg\":\"RS256\"", ALL, "its alg is not one of its kty and crv");
	expect_left_out(EC_KEY ",\"kid\":7", ALL, "its kid is not a text");
	expect_left_out("\"kty\":\"oct\",\"k\":\"AAAA\"", ALL, "its kty is not used here");
	expect_left_out("\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AA\",\"y\":\"AA\"", ALL,
			"its curve is not used here");
	expect_left_out(EC "," EC_X ",\"y\":\"AAAA\"", ALL, "length of its curve");
	expect_left_out(EC "," EC_X ",\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"", ALL,
			"its point is not on the curve");
	expect_left_out(EC "," EC_X, ALL, "a number of the key is missing");
	expect_left_out(EC "," EC_X ",\"y\":\"AA==\"", ALL, "is not base64url");
	expect_left_out(OKP_KEY, 1u << JWS_ES256, "its issuer does not allow its algorithm");
	expect_left_out("\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
			"\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"",
			ALL, "its point is of low order");
	expect_left_out("\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"JuiVj8KyJ7BFw_SJ8u-"
			"Y8NXfrAXTxjM5sTgCiG1T_IU\"",
			ALL, "its point is of low order");
	expect_left_out(RSA_KEY, ALL, "allows both RS256 and PS256");
	expect_left_out("\"kty\":\"RSA\",\"alg\":\"RS256\"," RSA_N ",\"e\":\"Aw\"", ALL,
			"its RSA exponent is below 65537");
	expect_left_out("\"kty\":\"RSA\",\"alg\":\"RS256\",\"n\":\"qqqq\",\"e\":\"AQAB\"", ALL,
			"shorter than 2048 bits");
}

/** The modulus with its first and its last digit replaced. */
static void expect_modulus_left_out(char first, char last, const char *why)
{
	char key[1024] = "\"kty\":\"RSA\",\"e\":\"AQAB\",\"alg\":\"RS256\"," RSA_N;
	char *n = strstr(key, "\"n\":\"") + 5;

	n[0] = first;
	n[strlen(n) - 2] = last;
	expect_left_out(key, ALL, why);
}

TEST(keys, leaves_numbers_out_that_no_key_has)
{
	char longer[1024] = "\"kty\":\"RSA\",\"alg\":\"RS256\",\"e\":\"AQAB\",\"n\":\"";

	expect_modulus_left_out('o', 'A', "its RSA modulus is even");
	expect_modulus_left_out('f', 'Q', "shorter than 2048 bits"); /* 2047 */
	memset(longer + strlen(longer), 'q', 4 * 171 + 4);	     /* 516 bytes */
	strcat(longer, "\"");
	expect_left_out(longer, ALL, "a number of the key is too long");
	expect_left_out("\"kty\":\"RSA\",\"alg\":\"RS256\"," RSA_N, ALL, "is missing");
	expect_left_out("\"kty\":\"RSA\",\"alg\":\"RS256\"," RSA_N ",\"e\":\"AQAC\"", ALL,
			"its RSA exponent is below 65537 or even");
	expect_left_out("\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"AA\"", ALL,
			"its curve is not used here");
	expect_left_out("\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"", ALL,
			"an Ed25519 key has 32 bytes");
}

TEST(keys, counts_no_zeros_in_front_of_a_number)
{
	struct set s;

	begin(&s, "{\"keys\":[{\"kty\":\"RSA\",\"alg\":\"RS256\"," RSA_N ",\"e\":\"AAEAAQ\"}]}",
	      ALL);
	EXPECT_EQ(1, s.keys.count);
	EXPECT_EQ(259, s.keys.at[0].key.len);
	end(&s);
}

TEST(keys, leaves_out_what_is_no_object)
{
	struct set s;

	begin(&s, "{\"keys\":[7,{" EC_KEY "},{" OKP_KEY "}]}", ALL);
	EXPECT_EQ(0, problems_errors(s.problems));
	EXPECT_EQ(2, s.keys.count); /* two without a kid */
	expect_said(&s, 0, "key 1 left out: it is not an object");
	end(&s);
}

TEST(keys, refuses_more_keys_than_a_set_may_have)
{
	static char text[KEYS_BYTES_MAX];
	struct set s;

	strcpy(text, "{\"keys\":[{" EC_KEY "}");
	for (uint32_t i = 1; i < KEYS_MAX; i++)
		strcat(text, ",7");
	strcat(text, "]}");
	begin(&s, text, ALL);
	EXPECT_EQ(0, problems_errors(s.problems));
	EXPECT_EQ(1, s.keys.count);
	end(&s);
	strcpy(strrchr(text, ']'), ",7]}");
	begin(&s, text, ALL);
	EXPECT_EQ(1, problems_errors(s.problems));
	EXPECT_EQ(0, s.keys.count);
	end(&s);
}

TEST(keys, says_why_a_file_cannot_be_read)
{
	const struct keys_source source = {"/nonexistent/set", "wicgate.yaml", 7, ALL};
	struct problems *problems = problems_new();
	struct arena *arena = arena_new();
	struct key_list keys;

	keys_load(&source, arena, &keys, problems);
	EXPECT_EQ(1, problems_errors(problems));
	EXPECT_TEXT("wicgate.yaml:7: /nonexistent/set: No such file or directory",
		    problems_text(problems, 0));
	EXPECT_EQ(0, keys.count);
	arena_free(arena);
	problems_free(problems);
}

TEST(keys, refuses_one_kid_with_two_keys)
{
	struct set s;

	begin(&s, "{\"keys\":[{" EC_KEY ",\"kid\":\"a\"},{" OKP_KEY ",\"kid\":\"a\"}]}", ALL);
	EXPECT_EQ(1, problems_errors(s.problems));
	expect_said(&s, 0, "key 2 has the kid of another key");
	end(&s);
}

TEST(keys, takes_the_same_key_twice_for_one)
{
	struct set s;

	begin(&s, "{\"keys\":[{" EC_KEY ",\"kid\":\"a\"},{" EC_KEY ",\"kid\":\"a\"}]}", ALL);
	EXPECT_EQ(0, problems_count(s.problems));
	EXPECT_EQ(1, s.keys.count);
	end(&s);
}

TEST(keys, refuses_a_set_without_a_usable_key)
{
	struct set s;

	begin(&s, "{\"keys\":[]}", ALL);
	EXPECT_EQ(1, problems_errors(s.problems));
	expect_said(&s, 0, "wicgate.yaml:7: ");
	expect_said(&s, 0, "no usable key");
	end(&s);
}

TEST(keys, names_the_line_where_a_set_is_not_strict_json)
{
	struct set s;

	begin(&s, "{\"keys\":\n[{" EC_KEY ",\"kty\":\"EC\"}]}", ALL);
	EXPECT_EQ(1, problems_errors(s.problems));
	expect_said(&s, 0, "/set:2: not strict JSON");
	end(&s);
	begin(&s, "[]", ALL);
	expect_said(&s, 0, "/set:1: not a key set: no list \"keys\"");
	end(&s);
}

TEST(keys, warns_of_a_private_key_and_never_shows_it)
{
	struct set s;

	begin(&s, "{\"keys\":[{" EC_KEY ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}]}",
	      ALL);
	EXPECT_EQ(0, problems_errors(s.problems));
	EXPECT_EQ(1, s.keys.count);
	expect_said(&s, 0, "key 1 is a private key");
	for (uint32_t i = 0; i < problems_count(s.problems); i++)
		EXPECT(strstr(problems_text(s.problems, i), "jpsQ") == NULL);
	end(&s);
	begin(&s, "{\"keys\":[{\"d\":\"jpsQnnGQmL\",}]}", ALL);
	EXPECT_EQ(1, problems_errors(s.problems));
	EXPECT(strstr(problems_text(s.problems, 0), "jpsQ") == NULL);
	end(&s);
}

TEST(key_ids, differ_for_different_keys_and_algorithms_and_stay_for_the_same)
{
	struct key_ids *ids = key_ids_new();
	struct verify_key a = {.alg = JWS_RS256, .len = 3, .material = "abc"};
	struct verify_key b = {.alg = JWS_PS256, .len = 3, .material = "abc"};
	struct verify_key c = {.alg = JWS_RS256, .len = 3, .material = "abc"};

	key_ids_number(ids, &a);
	key_ids_number(ids, &b);
	for (uint32_t i = 0; i < 100; i++) {
		c.material[0] = (uint8_t)i;
		key_ids_number(ids, &c);
	}
	c.material[0] = 'b';
	key_ids_number(ids, &c);
	EXPECT_EQ(1, a.id);
	EXPECT_EQ(2, b.id);
	EXPECT_EQ(3 + 'b' - ('b' > 'a'), c.id);
	key_ids_free(ids);
}

TEST(key_ids, differ_for_one_row_of_bytes_parted_at_two_places)
{
	struct key_ids *ids = key_ids_new();
	struct verify_key a = {.alg = JWS_RS256, .len = 6, .modulus = 3, .material = "abcdef"};
	struct verify_key b = a;

	b.modulus = 2; /* n = "ab", e = "cdef": another key, of another issuer perhaps */
	key_ids_number(ids, &a);
	key_ids_number(ids, &b);
	EXPECT(a.id != b.id);
	key_ids_free(ids);
}

TEST(key_ids, are_forgotten_with_keys_that_have_gone_and_never_given_out_again)
{
	struct key_ids *ids = key_ids_new();
	struct verify_key kept = {.alg = JWS_EDDSA, .len = 1, .material = "k"}, gone = kept;

	gone.material[0] = 'g';
	key_ids_number(ids, &kept);
	key_ids_number(ids, &gone);
	(void)key_ids_settle(ids, NULL, 0);
	key_ids_number(ids, &kept);
	(void)key_ids_settle(ids, NULL, 0);
	key_ids_number(ids, &kept);
	key_ids_number(ids, &gone);
	EXPECT_EQ(1, kept.id);
	EXPECT_EQ(3, gone.id);
	key_ids_free(ids);
}

TEST(key_ids, have_a_version_for_rows_that_are_other_ones)
{
	struct key_ids *ids = key_ids_new();
	struct key_row rows[] = {{.issuer = 0, .kid = SPAN("ab"), .key.id = 1},
				 {.issuer = 0, .kid = SPAN("c"), .key.id = 2}};
	uint32_t version = key_ids_settle(ids, rows, 2);

	EXPECT(version != 0); /* which is no keys at all */
	EXPECT_EQ(version, key_ids_settle(ids, rows, 2));
	EXPECT_EQ(version + 1, key_ids_settle(ids, rows, 1));
	rows[1].key.id = 3;
	EXPECT_EQ(version + 2, key_ids_settle(ids, rows, 2));
	rows[1].issuer = 1;
	EXPECT_EQ(version + 3, key_ids_settle(ids, rows, 2));
	rows[0].kid = SPAN("a");
	EXPECT_EQ(version + 4, key_ids_settle(ids, rows, 2));
	EXPECT_EQ(version + 5, key_ids_settle(ids, NULL, 0));
	key_ids_free(ids);
}

TEST_MAIN("keys", RUN(keys, reads_each_type_into_the_form_of_the_drivers),
	  RUN(keys, binds_an_rsa_key_without_alg_to_the_only_one_allowed),
	  RUN(keys, leaves_unusable_keys_out_with_a_warning),
	  RUN(keys, leaves_numbers_out_that_no_key_has),
	  RUN(keys, counts_no_zeros_in_front_of_a_number), RUN(keys, leaves_out_what_is_no_object),
	  RUN(keys, refuses_more_keys_than_a_set_may_have),
	  RUN(keys, says_why_a_file_cannot_be_read), RUN(keys, refuses_one_kid_with_two_keys),
	  RUN(keys, takes_the_same_key_twice_for_one),
	  RUN(keys, refuses_a_set_without_a_usable_key),
	  RUN(keys, names_the_line_where_a_set_is_not_strict_json),
	  RUN(keys, warns_of_a_private_key_and_never_shows_it),
	  RUN(key_ids, differ_for_different_keys_and_algorithms_and_stay_for_the_same),
	  RUN(key_ids, differ_for_one_row_of_bytes_parted_at_two_places),
	  RUN(key_ids, are_forgotten_with_keys_that_have_gone_and_never_given_out_again),
	  RUN(key_ids, have_a_version_for_rows_that_are_other_ones))
