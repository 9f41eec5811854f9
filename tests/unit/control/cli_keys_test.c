/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"
#include "world.h"

#define PRINT "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U" /* of the key of folder_make() */

/** A node with one issuer, and what is known of its keys. */
struct issued {
	struct world world;
	struct loaded loaded;
};

static void begin(struct issued *i, const char *jwks)
{
	char *text = folder_replace(loaded_minimal, "file:shop.jwks", jwks);

	loaded_begin(&i->loaded, text);
	free(text);
	assert_non_null(i->loaded.config);
	world_begin(&i->world);
	i->world.keys =
		(struct publish_keys_from){.config = i->loaded.config, .ids = key_ids_new()};
}

static void end(struct issued *i)
{
	world_end(&i->world);
	key_ids_free(i->world.keys.ids);
	loaded_end(&i->loaded);
}

static bool revokes_all(const void *context, struct span issuer, struct span kid)
{
	return true;
}

TEST(cli_keys, are_told_with_their_issuer_and_thumbprint)
{
	struct issued i;
	json_t *rows;

	begin(&i, "file:shop.jwks");
	rows = world_ask_list(&i.world, "keys\n", "issuers");
	EXPECT_EQ(1, json_array_size(rows));
	EXPECT_TEXT("shop-waf", world_text(rows, 0, "issuer"));
	EXPECT_TEXT("file:shop.jwks", world_text(rows, 0, "source"));
	EXPECT_TEXT("file", world_text(rows, 0, "state"));
	EXPECT_EQ(1, world_number(rows, 0, "keys"));
	EXPECT_TEXT("", world_text(rows, 0, "error"));
	json_decref(rows);
	rows = world_ask_list(&i.world, "keys\n", "keys");
	EXPECT_EQ(1, json_array_size(rows));
	EXPECT_TEXT("shop-waf", world_text(rows, 0, "issuer"));
	EXPECT_TEXT("k1", world_text(rows, 0, "kid"));
	EXPECT_TEXT("ES256", world_text(rows, 0, "alg"));
	EXPECT_TEXT("sig", world_text(rows, 0, "use"));
	EXPECT_EQ(1, world_number(rows, 0, "id"));
	EXPECT_TEXT(PRINT, world_text(rows, 0, "thumbprint"));
	EXPECT(json_is_false(json_object_get(json_array_get(rows, 0), "revoked")));
	json_decref(rows);
	end(&i);
}

TEST(cli_keys, say_which_are_revoked)
{
	const struct keys_filter all = {.revoked = revokes_all};
	struct issued i;
	json_t *rows;

	begin(&i, "file:shop.jwks");
	i.world.keys.revoked = &all;
	rows = world_ask_list(&i.world, "keys\n", "keys");
	EXPECT(json_is_true(json_object_get(json_array_get(rows, 0), "revoked")));
	json_decref(rows);
	end(&i);
}

TEST(cli_keys, are_told_for_an_issuer_that_has_none_yet)
{
	struct issued i;
	json_t *rows;

	begin(&i, "https://keys.shop.example/jwks");
	rows = world_ask_list(&i.world, "keys\n", "issuers");
	EXPECT_TEXT("waiting", world_text(rows, 0, "state"));
	EXPECT_EQ(0, world_number(rows, 0, "keys"));
	json_decref(rows);
	end(&i);
}

TEST(cli_keys, are_two_tables_for_people)
{
	struct issued i;

	begin(&i, "file:shop.jwks");
	EXPECT_EQ(0, world_wicctl(&i.world, "keys"));
	EXPECT_TEXT("issuer    source          state  keys  age_s  refresh_s  fetches  error\n"
		    "shop-waf  file:shop.jwks  file   1     0      0          0        \n"
		    "issuer    kid  alg    use  id  thumbprint                                   "
		    "revoked\n"
		    "shop-waf  k1   ES256  sig  1   " PRINT "  no\n",
		    i.world.answer);
	end(&i);
}

TEST(cli_keys, do_not_move_the_cursor_of_a_terminal)
{
	static const char odd[] = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
				  "\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\","
				  "\"kid\":\"a\\u001b[2J\\u007f\\u009b2J\\u00e9\"}]}";
	struct issued i;
	char *text;

	text = folder_replace(loaded_minimal, "file:shop.jwks\"",
			      "file:odd.jwks\"\n    algorithms: [EdDSA]");
	folder_make(&i.loaded.folder);
	folder_write(&i.loaded.folder, "odd.jwks", odd);
	loaded_load(&i.loaded, text);
	free(text);
	assert_non_null(i.loaded.config);
	world_begin(&i.world);
	i.world.keys = (struct publish_keys_from){.config = i.loaded.config, .ids = key_ids_new()};
	EXPECT_EQ(0, world_wicctl(&i.world, "keys"));
	EXPECT(strstr(i.world.answer, "\x1b") == NULL);
	EXPECT(strstr(i.world.answer, "shop-waf  a?[2J?\?\?2J\xc3\xa9  EdDSA") != NULL);
	end(&i);
}

TEST_MAIN("cli_keys", RUN(cli_keys, are_told_with_their_issuer_and_thumbprint),
	  RUN(cli_keys, say_which_are_revoked),
	  RUN(cli_keys, are_told_for_an_issuer_that_has_none_yet),
	  RUN(cli_keys, are_two_tables_for_people),
	  RUN(cli_keys, do_not_move_the_cursor_of_a_terminal))
