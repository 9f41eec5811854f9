/* SPDX-License-Identifier: BSD-3-Clause */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../test.h"
#include "world.h"

static const char iss[] = "https://waf.shop.example";

static uint64_t hash_of(const char *jti)
{
	return jti_hash(world_hash_key, span_text(iss), span_text(jti));
}

static bool is_revoked(const struct world *w, uint64_t hash)
{
	return revocations_has(w->commands.revocations, &(struct revocation){.jti = hash});
}

static bool is_disabled(const struct world *w, const char *name)
{
	return revocations_has(w->commands.revocations,
			       &(struct revocation){.kind = REVOCATION_WWSF,
						    .name = span_text(name)});
}

/** What the answer says of name, in its one object. */
static json_t *about(struct world *w, const char *request, const char *object)
{
	json_t *answer = json_loads(world_ask(w, request), 0, NULL);
	json_t *told = json_incref(json_object_get(answer, object));

	json_decref(answer);
	if (told == NULL)
		fail_msg("%s", w->answer);
	return told;
}

/* ---- tokens ---------------------------------------------------------------------------------- */

TEST(revoke, takes_a_token_back_by_the_name_or_the_iss_of_its_issuer)
{
	char expected[32];
	struct world w;
	json_t *told;

	world_begin(&w);
	told = about(&w, "revoke jti shop-waf token-1\n", "revoke");
	snprintf(expected, sizeof(expected), "h:%016llx", (unsigned long long)hash_of("token-1"));
	EXPECT_TEXT("jti", json_string_value(json_object_get(told, "kind")));
	EXPECT_TEXT(expected, json_string_value(json_object_get(told, "name")));
	json_decref(told);
	EXPECT(is_revoked(&w, hash_of("token-1")));
	EXPECT_EQ(1, w.published[REVOCATION_JTI]);
	EXPECT_EQ(0, w.published[REVOCATION_KEY]);
	(void)world_askf(&w, "revoke jti %s token-2\n", iss);
	EXPECT(is_revoked(&w, hash_of("token-2")));
	EXPECT(!is_revoked(&w, hash_of("token-3")));
	world_end(&w);
	EXPECT(strstr(w.log_text, "token-1") == NULL);
	EXPECT(strstr(w.log_text, expected) != NULL);
}

TEST(revoke, lasts_as_long_as_any_token_can_be_valid_or_as_long_as_asked)
{
	struct world w;
	json_t *told;
	json_int_t left;

	world_begin(&w);
	told = about(&w, "revoke jti shop-waf token-1\n", "revoke");
	left = json_integer_value(json_object_get(told, "seconds"));
	json_decref(told);
	EXPECT(left == 1060 || left == 1059); /* the cap, and the leeway of iat and of exp */
	told = about(&w, "revoke jti-hash h:00000000000000ff\n", "revoke");
	left = json_integer_value(json_object_get(told, "seconds"));
	json_decref(told);
	EXPECT(left == 1120 || left == 1119); /* of an issuer that is not known */
	told = about(&w, "revoke jti-hash 00000000000000fe 86400\n", "revoke");
	left = json_integer_value(json_object_get(told, "seconds"));
	json_decref(told);
	EXPECT(left == 86400 || left == 86399);
	EXPECT(is_revoked(&w, 0xff));
	EXPECT(is_revoked(&w, 0xfe));
	world_end(&w);
}

TEST(revoke, gives_back_what_was_taken)
{
	struct world w;

	world_begin(&w);
	EXPECT_TEXT("{\"error\":\"it is not revoked\"}",
		    world_ask(&w, "revoke undo jti shop-waf token-1\n"));
	(void)world_ask(&w, "revoke jti shop-waf token-1\n");
	json_decref(about(&w, "revoke undo jti shop-waf token-1\n", "revoke"));
	EXPECT(!is_revoked(&w, hash_of("token-1")));
	(void)world_ask(&w, "revoke jti-hash 00000000000000fe\n");
	json_decref(about(&w, "revoke undo jti-hash h:00000000000000fe\n", "revoke"));
	EXPECT(!is_revoked(&w, 0xfe));
	EXPECT_EQ(4, w.published[REVOCATION_JTI]);
	world_end(&w);
}

/* ---- keys ------------------------------------------------------------------------------------ */

TEST(revoke, takes_a_key_back_and_tells_whether_it_is_in_use)
{
	struct world w;

	world_begin(&w);
	EXPECT_TEXT("{\"revoke\":{\"kind\":\"key\",\"issuer\":\"shop-waf\",\"name\":\"k1\","
		    "\"seconds\":null,\"known\":true}}",
		    world_ask(&w, "revoke key shop-waf k1\n"));
	EXPECT_TEXT("{\"revoke\":{\"kind\":\"key\",\"issuer\":\"shop-waf\",\"name\":\"k9\","
		    "\"seconds\":null,\"known\":false}}",
		    world_askf(&w, "revoke key %s k9\n", iss));
	EXPECT(revocations_has_key(w.commands.revocations, SPAN("shop-waf"), SPAN("k1")));
	EXPECT(revocations_has_key(w.commands.revocations, SPAN("shop-waf"), SPAN("k9")));
	EXPECT_EQ(2, w.published[REVOCATION_KEY]);
	EXPECT_EQ(0, w.published[REVOCATION_JTI]);
	w.config.issuer_count = 0; /* a key can be given back when its issuer has gone */
	json_decref(about(&w, "revoke undo key shop-waf k1\n", "revoke"));
	EXPECT(!revocations_has_key(w.commands.revocations, SPAN("shop-waf"), SPAN("k1")));
	EXPECT_TEXT("{\"error\":\"ISSUER is not the name or the iss of an issuer\"}",
		    world_ask(&w, "revoke key shop-waf k1\n"));
	world_end(&w);
}

/* ---- web sites ------------------------------------------------------------------------------- */

TEST(wwsf, is_disabled_and_enabled_and_shown)
{
	struct world w;

	world_begin(&w);
	json_decref(about(&w, "disable shop\n", "disable"));
	EXPECT(is_disabled(&w, "shop"));
	w.rows[0] = w.rows[1] = 1;
	EXPECT_EQ(0, world_wicctl(&w, "wwsf"));
	EXPECT_TEXT("name   mode        issuer    enabled  forbidden  origins\n"
		    "shop   individual  shop-waf  no       20000      "
		    "https://shop.example,https://m.shop.example\n"
		    "forum  individual  shop-waf  yes      0          https://forum.example\n",
		    w.answer);
	json_decref(about(&w, "enable shop\n", "enable"));
	EXPECT(!is_disabled(&w, "shop"));
	EXPECT_EQ(2, w.published[REVOCATION_WWSF]);
	world_end(&w);
	EXPECT(strstr(w.log_text, "event=revoked wwsf=shop\n") != NULL);
	EXPECT(strstr(w.log_text, "event=restored wwsf=shop\n") != NULL);
}

TEST(wwsf, of_a_home_network_is_found_without_asking_the_node)
{
	static const char found[] = "domain  ims.mnc012.mcc345.3gppnetwork.org\n"
				    "uri     http://wwsf.ims.mnc012.mcc345.pub.3gppnetwork.org\n"
				    "origin  https://wwsf.ims.mnc012.mcc345.pub.3gppnetwork.org\n";
	static const char *const same[] = {"wwsf-uri 345 12",
					   "wwsf-uri 345 012",
					   "wwsf-uri --mnc-digits 2 345120000000001",
					   "wwsf-uri 345120000000001 --mnc-digits 2",
					   "wwsf-uri --mnc-digits 3 345012000000001",
					   "wwsf-uri u@ims.mnc012.mcc345.3gppnetwork.org"};
	static const char *const wrong[] = {"wwsf-uri",
					    "wwsf-uri 345120000000001",
					    "wwsf-uri --mnc-digits 4 345120000000001",
					    "wwsf-uri --digits 2 345120000000001",
					    "wwsf-uri 345 1",
					    "wwsf-uri 1 2 3",
					    "wwsf-uri a@b@c.net",
					    "wwsf-uri 1 2 3 4",
					    "wwsf-uri u@-a.net"};
	struct world w;

	world_begin(&w);
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		EXPECT_EQ(0, world_wicctl(&w, same[i]));
		EXPECT_TEXT(found, w.answer);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		EXPECT_EQ(2, world_wicctl(&w, wrong[i]));
	EXPECT_EQ(0, world_wicctl(&w, "--json wwsf-uri user@operator.com"));
	EXPECT_TEXT("{\"wwsf-uri\":{\"domain\":\"operator.com\","
		    "\"uri\":\"http://wwsf.operator.com\","
		    "\"origin\":\"https://wwsf.operator.com\"}}\n",
		    w.answer);
	world_end(&w);
}

TEST(wwsf, whose_users_the_core_authenticates_has_no_issuer)
{
	static const struct wwsf_config site = {.name = SPAN("desk"),
						.issuer = WWSF_NO_ISSUER,
						.mode = WWSF_IMS_AUTH};
	struct world w;

	world_begin(&w);
	w.config.wwsf = &site;
	w.config.wwsf_count = 1;
	w.config.origin_count = 0;
	EXPECT_TEXT("{\"wwsf\":[{\"name\":\"desk\",\"mode\":\"ims-auth\",\"issuer\":null,"
		    "\"enabled\":true,\"forbidden\":0,\"origins\":[]}]}",
		    world_ask(&w, "wwsf\n"));
	EXPECT_EQ(0, world_wicctl(&w, "wwsf"));
	EXPECT(strstr(w.answer, "ims-auth") != NULL);
	world_end(&w);
}

TEST(wwsf, is_disabled_only_when_there_is_one_and_enabled_when_it_is_disabled)
{
	struct world w;

	world_begin(&w);
	EXPECT_TEXT("{\"error\":\"WWSF is not the name of a web site of the configuration\"}",
		    world_ask(&w, "disable shops\n"));
	EXPECT_TEXT("{\"error\":\"WWSF is not the name of a web site of the configuration\"}",
		    world_ask(&w, "disable\n"));
	EXPECT_TEXT("{\"error\":\"WWSF is not the name of a web site that is disabled\"}",
		    world_ask(&w, "enable shop\n"));
	(void)world_ask(&w, "disable shop\n");
	w.config.wwsf_count = 0; /* it can be enabled when it has left the configuration */
	json_decref(about(&w, "enable shop\n", "enable"));
	EXPECT_EQ(0, revocations_count(w.commands.revocations));
	world_end(&w);
}

/* ---- all together ---------------------------------------------------------------------------- */

TEST(revoke, lists_what_is_taken_back_up_to_the_rows_of_an_answer)
{
	struct world w;
	json_t *rows;

	world_begin(&w);
	EXPECT_EQ(0, world_wicctl(&w, "revoke list"));
	EXPECT_TEXT("no revocations\n", w.answer);
	(void)world_ask(&w, "disable shop\n");
	(void)world_ask(&w, "revoke key shop-waf k1\n");
	(void)world_ask(&w, "revoke jti-hash 00000000000000fe\n");
	rows = world_ask_list(&w, "revoke list\n", "revocations");
	EXPECT_EQ(3, json_array_size(rows));
	EXPECT_TEXT("h:00000000000000fe", world_text(rows, 0, "name"));
	EXPECT(world_number(rows, 0, "seconds") > 1000);
	EXPECT_TEXT("key", world_text(rows, 1, "kind"));
	EXPECT_TEXT("shop-waf", world_text(rows, 1, "issuer"));
	EXPECT_TEXT("wwsf", world_text(rows, 2, "kind"));
	EXPECT_TEXT("shop", world_text(rows, 2, "name"));
	json_decref(rows);
	(void)world_ask(&w, "disable forum\n");
	EXPECT_EQ(0, world_wicctl(&w, "revoke list"));
	EXPECT(strstr(w.answer, "(truncated)") != NULL);
	world_end(&w);
}

TEST(revoke, refuses_other_words)
{
	static const char *const wrong[][2] = {
		{"revoke", "jti, jti-hash or key is expected, or undo before it, or list"},
		{"revoke undo", "jti, jti-hash or key is expected, or undo before it, or list"},
		{"revoke undo list",
		 "jti, jti-hash or key is expected, or undo before it, or list"},
		{"revoke list all", "jti, jti-hash or key is expected, or undo before it, or list"},
		{"revoke jti nobody t", "ISSUER is not the name or the iss of an issuer"},
		{"revoke jti", "ISSUER is not the name or the iss of an issuer"},
		{"revoke jti shop-waf", "JTI is missing or too long"},
		{"revoke jti shop-waf t 0", "SECONDS is a number, 1 to 315360000"},
		{"revoke jti shop-waf t 315360001", "SECONDS is a number, 1 to 315360000"},
		{"revoke jti shop-waf t soon", "SECONDS is a number, 1 to 315360000"},
		{"revoke undo jti shop-waf t", "it is not revoked"},
		{"revoke undo jti-hash 00000000000000fe 1", "too many arguments"},
		{"revoke jti-hash 00000000000000fe 1 1", "too many arguments"},
		{"revoke jti-hash h:00000000000000f",
		 "HASH is 16 hexadecimal digits, as the log has them after h:"},
		{"revoke jti-hash 00000000000000FE",
		 "HASH is 16 hexadecimal digits, as the log has them after h:"},
		{"revoke jti-hash", "HASH is 16 hexadecimal digits, as the log has them after h:"},
		{"revoke key shop-waf", "KID is missing"},
		{"revoke key nobody k1", "ISSUER is not the name or the iss of an issuer"},
		{"revoke key shop-waf k1 60", "too many arguments"},
	};
	char expected[256];
	struct world w;

	world_begin(&w);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(expected, sizeof(expected), "{\"error\":\"%s\"}", wrong[i][1]);
		EXPECT_TEXT(expected, world_askf(&w, "%s\n", wrong[i][0]));
	}
	EXPECT_EQ(0, revocations_count(w.commands.revocations));
	EXPECT_EQ(0, w.published[REVOCATION_JTI] + w.published[REVOCATION_KEY]);
	world_end(&w);
}

TEST(revoke, is_for_the_owner_of_the_node_and_so_are_the_others_that_change_or_see_tokens)
{
	static const char *const commands[] = {"revoke list\n", "disable shop\n", "enable shop\n",
					       "explain a.b.c\n"};
	struct world w;

	if (geteuid() != 0)
		skip(); /* nobody else can be asked to try */
	world_begin(&w);
	EXPECT_EQ(0, chmod(w.folder.path, 0711));
	EXPECT_EQ(0, chmod(w.socket, 0666));
	w.client_uid = 65534;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		EXPECT_TEXT("{\"error\":\"not allowed: this command is for root and the node's own "
			    "user\"}",
			    world_ask(&w, commands[i]));
	EXPECT_EQ('{', world_ask(&w, "wwsf\n")[0]);
	EXPECT(strstr(w.answer, "\"error\"") == NULL);
	world_end(&w);
}

TEST(revoke, is_not_asked_for_other_words_than_were_given)
{
	/* a name that someone else has chosen */
	static const char *const commands[] = {"revoke jti shop-waf 'token-1 1'",
					       "revoke jti shop-waf 'token-1\n2'",
					       "revoke jti shop-waf '' token-1",
					       "revoke jti shop-waf 'token-1\r1'",
					       "revoke jti shop-waf 'token-1\xc3\xa4'"};
	struct world w;

	world_begin(&w);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		EXPECT_EQ(2, world_wicctl(&w, commands[i]));
		EXPECT_TEXT("wicctl: an argument is empty, or has other characters than visible "
			    "ASCII; see wicctl --help\n",
			    w.answer);
	}
	EXPECT_EQ(0, revocations_count(w.commands.revocations));
	world_end(&w);
}

TEST(revoke, says_so_when_the_disk_is_full_and_changes_nothing)
{
	struct rlimit before, none;
	struct world w;

	signal(SIGXFSZ, SIG_IGN);
	world_begin(&w);
	EXPECT_EQ(0, getrlimit(RLIMIT_FSIZE, &before));
	none = (struct rlimit){0, before.rlim_max};
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &none));
	EXPECT_TEXT("{\"error\":\"File too large\"}", world_ask(&w, "disable shop\n"));
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &before));
	EXPECT_EQ(0, w.published[REVOCATION_WWSF]);
	EXPECT(!is_disabled(&w, "shop"));
	EXPECT_EQ(0, world_wicctl(&w, "disable shop"));
	EXPECT(is_disabled(&w, "shop"));
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &none));
	EXPECT_TEXT("{\"error\":\"File too large\"}", world_ask(&w, "enable shop\n"));
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &before));
	EXPECT(is_disabled(&w, "shop"));
	world_end(&w);
}

TEST(revoke, says_so_when_a_change_is_kept_but_not_live_yet)
{
	struct world w;

	world_begin(&w);
	w.no_room = true;
	EXPECT_EQ(1, world_wicctl(&w, "disable shop"));
	EXPECT(strstr(w.answer, "kept, but not live yet: tried again until it is") != NULL);
	EXPECT(is_disabled(&w, "shop"));
	world_end(&w);
}

/* ---- explain --------------------------------------------------------------------------------- */

/* {"alg":"ES256","kid":"k\u001b[2J"} . {"iss":"https://waf.shop.example","jti":"token-1",
 * "exp":1700000000,"aud":["a"]} */
static const char token[] =
	"eyJhbGciOiJFUzI1NiIsImtpZCI6ImtcdTAwMWJbMkoifQ."
	"eyJpc3MiOiJodHRwczovL3dhZi5zaG9wLmV4YW1wbGUiLCJqdGkiOiJ0b2tlbi0xIiwiZXhwIjoxNzAwMDAwMDAw"
	"LCJhdWQiOlsiYSJdfQ.c2lnbmF0dXJl";

static void step(struct world *w, const char *name, enum gw_err err)
{
	struct row_step *row = &w->steps[w->step_count++];

	snprintf(row->name, sizeof(row->name), "%s", name);
	row->err = err;
}

TEST(explain, shows_the_steps_and_what_the_token_says_with_its_jti_hashed)
{
	char command[256], expected[1024];
	struct world w;

	world_begin(&w);
	step(&w, "signature", GW_OK);
	step(&w, "times", GW_TOKEN_EXPIRED);
	snprintf(expected, sizeof(expected),
		 "step       result\n"
		 "signature  ok\n"
		 "times      F14 exp missing or passed\n"
		 "header  value\n"
		 "\"alg\"   \"ES256\"\n"
		 "\"kid\"   \"k\\u001B[2J\"\n"
		 "claim  value\n"
		 "\"iss\"  \"https://waf.shop.example\"\n"
		 "\"jti\"  \"h:%016llx\"\n"
		 "\"exp\"  1700000000\n"
		 "\"aud\"  [\"a\"]\n",
		 (unsigned long long)hash_of("token-1"));
	folder_write(&w.folder, "token", token);
	snprintf(command, sizeof(command), "explain --origin https://shop.example < %s",
		 folder_path(&w.folder, "token"));
	EXPECT_EQ(0, world_wicctl(&w, command));
	EXPECT_TEXT(expected, w.answer);
	snprintf(expected, sizeof(expected), "https://shop.example|%s", token);
	EXPECT_TEXT(expected, w.explained);
	world_end(&w);
	EXPECT(strstr(w.log_text, "eyJ") == NULL);
}

TEST(explain, takes_the_token_as_an_argument_or_with_white_space_around_it)
{
	char command[512], expected[512];
	struct world w;

	world_begin(&w);
	step(&w, "parts", GW_OK);
	snprintf(expected, sizeof(expected), "|%s", token);
	snprintf(command, sizeof(command), "explain %s", token);
	EXPECT_EQ(0, world_wicctl(&w, command));
	EXPECT_TEXT(expected, w.explained);
	w.explained[0] = '\0';
	folder_write(&w.folder, "token", " \n");
	snprintf(command, sizeof(command), "explain < %s", folder_path(&w.folder, "token"));
	EXPECT_EQ(2, world_wicctl(&w, command));
	EXPECT_TEXT("wicctl: no TOKEN on standard input; see wicctl --help\n", w.answer);
	folder_write(&w.folder, "token", "a.b.c d");
	EXPECT_EQ(2, world_wicctl(&w, command));
	EXPECT_TEXT("wicctl: more than a TOKEN is on standard input; see wicctl --help\n",
		    w.answer);
	EXPECT_EQ(2, world_wicctl(&w, "explain < /dev/zero"));
	EXPECT_TEXT("", w.explained);
	snprintf(expected, sizeof(expected), "\n  %s\r\n", token);
	folder_write(&w.folder, "token", expected);
	EXPECT_EQ(0, world_wicctl(&w, command));
	snprintf(expected, sizeof(expected), "|%s", token);
	EXPECT_TEXT(expected, w.explained);
	world_end(&w);
}

TEST(explain, shows_what_it_can_of_a_token_that_is_none)
{
	/* parts that are not base64url, not JSON, not an object, empty; a jti that is no text */
	static const char *const tokens[] = {"!!!.???.x", "YWJj.YWJj.YWJj",	"W10.W10.x", "..",
					     "a",	  "e30.e30.e30.e30.e30"};
	struct world w;

	world_begin(&w);
	step(&w, "parts", GW_TOKEN_MALFORMED);
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
		EXPECT_TEXT("{\"steps\":[{\"step\":\"parts\",\"result\":\"F04 token malformed\"}],"
			    "\"header\":[],\"claims\":[]}",
			    world_askf(&w, "explain %s\n", tokens[i]));
	/* {"jti":1} */
	EXPECT(strstr(world_ask(&w, "explain e30.eyJqdGkiOjF9.x\n"),
		      "[{\"claim\":\"\\\"jti\\\"\",\"value\":\"\\\"[withheld]\\\"\"}]") != NULL);
	world_end(&w);
}

TEST(explain, says_so_when_the_worker_stays_silent)
{
	struct world w;

	world_begin(&w);
	w.manner[0] = SILENT;
	step(&w, "parts", GW_OK);
	EXPECT(strstr(world_askf(&w, "explain %s\n", token),
		      "{\"steps\":{\"error\":\"worker 0 has not answered\"},\"header\":[{") ==
	       w.answer);
	w.manner[0] = LIES; /* more rows than were asked for */
	EXPECT(strstr(world_askf(&w, "explain %s\n", token), "has not answered") != NULL);
	world_end(&w);
}

TEST(explain, refuses_other_words_and_what_is_too_long)
{
	char longest[VERIFY_TEXT_MAX + 2];
	struct world w;

	world_begin(&w);
	step(&w, "parts", GW_OK);
	EXPECT_TEXT("{\"error\":\"TOKEN missing\"}", world_ask(&w, "explain\n"));
	EXPECT_TEXT("{\"error\":\"TOKEN missing\"}", world_ask(&w, "explain --origin x\n"));
	EXPECT_TEXT("{\"error\":\"too many arguments\"}", world_ask(&w, "explain a.b.c d\n"));
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	EXPECT_TEXT("{\"error\":\"TOKEN is longer than any that is accepted\"}",
		    world_askf(&w, "explain %s\n", longest));
	longest[VERIFY_TEXT_MAX] = '\0';
	EXPECT(strstr(world_askf(&w, "explain %s\n", longest), "{\"steps\":[{") == w.answer);
	EXPECT_EQ(VERIFY_TEXT_MAX + 1, strlen(w.explained));
	world_end(&w);
}

TEST_MAIN("cli_door", RUN(revoke, takes_a_token_back_by_the_name_or_the_iss_of_its_issuer),
	  RUN(revoke, lasts_as_long_as_any_token_can_be_valid_or_as_long_as_asked),
	  RUN(revoke, gives_back_what_was_taken),
	  RUN(revoke, takes_a_key_back_and_tells_whether_it_is_in_use),
	  RUN(wwsf, is_disabled_and_enabled_and_shown),
	  RUN(wwsf, of_a_home_network_is_found_without_asking_the_node),
	  RUN(wwsf, whose_users_the_core_authenticates_has_no_issuer),
	  RUN(wwsf, is_disabled_only_when_there_is_one_and_enabled_when_it_is_disabled),
	  RUN(revoke, lists_what_is_taken_back_up_to_the_rows_of_an_answer),
	  RUN(revoke, refuses_other_words),
	  RUN(revoke, is_for_the_owner_of_the_node_and_so_are_the_others_that_change_or_see_tokens),
	  RUN(revoke, is_not_asked_for_other_words_than_were_given),
	  RUN(revoke, says_so_when_the_disk_is_full_and_changes_nothing),
	  RUN(revoke, says_so_when_a_change_is_kept_but_not_live_yet),
	  RUN(explain, shows_the_steps_and_what_the_token_says_with_its_jti_hashed),
	  RUN(explain, takes_the_token_as_an_argument_or_with_white_space_around_it),
	  RUN(explain, shows_what_it_can_of_a_token_that_is_none),
	  RUN(explain, says_so_when_the_worker_stays_silent),
	  RUN(explain, refuses_other_words_and_what_is_too_long))
