/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include <pthread.h>

#include "pair.h"

/* Refused, and why begins and ends so (the reason itself is OpenSSL's wording). */
static void expect_refused(const struct tls_config *config, const char *what, const char *reason)
{
	struct tls_context *made = NULL;
	char why[256] = "";

	EXPECT_EQ(GW_CONFIG, tls_libssl.context_new(config, why, sizeof(why), &made));
	EXPECT(made == NULL);
	if (strstr(why, what) != why || strstr(why, reason) == NULL)
		fail_msg("said: %s", why);
}

TEST(tls_context, refuses_a_key_that_does_not_fit_the_certificate)
{
	struct files f;

	files_make(&f);
	expect_refused(&(struct tls_config){f.certificate, f.other_key, NULL, 0}, "key ",
		       "key values mismatch");
	files_remove(&f);
}

TEST(tls_context, names_the_file_that_is_not_there)
{
	struct files f;

	files_make(&f);
	expect_refused(&(struct tls_config){"/nonexistent.pem", f.key, NULL, 0},
		       "certificate /nonexistent.pem: ", "No such file");
	expect_refused(&(struct tls_config){f.certificate, "/nonexistent.pem", NULL, 0},
		       "key /nonexistent.pem: ", "No such file");
	files_remove(&f);
}

TEST(tls_context, refuses_files_that_are_not_pem)
{
	struct files f;

	files_make(&f);
	expect_refused(&(struct tls_config){f.garbage, f.key, NULL, 0}, "certificate ",
		       "no start line");
	expect_refused(&(struct tls_config){f.certificate, f.garbage, NULL, 0}, "key ", ": ");
	files_remove(&f);
}

TEST(tls_context, does_not_ask_for_a_pass_phrase)
{
	struct files f;

	files_make(&f);
	expect_refused(&(struct tls_config){f.certificate, f.locked_key, NULL, 0}, "key ", ": ");
	files_remove(&f);
}

TEST(tls_context, refuses_unknown_groups_and_versions)
{
	struct files f;

	files_make(&f);
	expect_refused(&(struct tls_config){f.certificate, f.key, "X25519:P-25", 0},
		       "groups X25519:P-25: ", "");
	expect_refused(&(struct tls_config){f.certificate, f.key, NULL, 0x0301},
		       "TLS version 0x301", "");
	expect_refused(&(struct tls_config){f.certificate, f.key, NULL, 0x0305},
		       "TLS version 0x305", "");
	files_remove(&f);
}

TEST(tls_context, cuts_a_long_reason_at_the_end_of_its_buffer)
{
	struct tls_config config = {"/nonexistent.pem", "/nonexistent.pem", NULL, 0};
	struct tls_context *made;
	char why[8] = "xxxxxxx";

	EXPECT_EQ(GW_CONFIG, tls_libssl.context_new(&config, why, sizeof(why), &made));
	EXPECT_TEXT("certifi", why);
}

TEST(tls_context, lives_until_its_last_connection_has_gone)
{
	struct pair *p = pair_new((struct tls_config){0});
	struct tls *second = tls_libssl.accept(p->context, &p->fake.conn);

	tls_libssl.context_free(p->context);
	p->context = NULL;
	tls_libssl.free(second);
	EXPECT_EQ(GW_AGAIN, pair_handshake(p, 100000));
	EXPECT(tls_libssl.ready(p->tls));
	pair_free(p);
}

static void *make_elsewhere(void *unused)
{
	return pair_new((struct tls_config){0});
}

static void *use_and_free(void *pair)
{
	EXPECT_EQ(GW_AGAIN, pair_handshake(pair, 100000));
	EXPECT(tls_libssl.ready(((struct pair *)pair)->tls));
	pair_free(pair);
	return NULL;
}

static void *in_thread(void *(*run)(void *), void *argument)
{
	pthread_t thread;
	void *result;

	EXPECT_EQ(0, pthread_create(&thread, NULL, run, argument));
	EXPECT_EQ(0, pthread_join(thread, &result));
	return result;
}

/* OpenSSL cleans up random generators when a thread ends: none of a context that is gone. */
TEST(tls_context, may_be_made_in_one_thread_and_used_up_in_another)
{
	in_thread(use_and_free, in_thread(make_elsewhere, NULL));
	in_thread(use_and_free, pair_new((struct tls_config){0}));
	use_and_free(in_thread(make_elsewhere, NULL));
}

TEST(tls_context, frees_nothing_as_nothing)
{
	tls_libssl.context_free(NULL);
	tls_libssl.free(NULL);
	tls_clear.context_free(NULL);
	tls_clear.free(NULL);
}

TEST_MAIN("tls_context", RUN(tls_context, refuses_a_key_that_does_not_fit_the_certificate),
	  RUN(tls_context, names_the_file_that_is_not_there),
	  RUN(tls_context, refuses_files_that_are_not_pem),
	  RUN(tls_context, does_not_ask_for_a_pass_phrase),
	  RUN(tls_context, refuses_unknown_groups_and_versions),
	  RUN(tls_context, cuts_a_long_reason_at_the_end_of_its_buffer),
	  RUN(tls_context, lives_until_its_last_connection_has_gone),
	  RUN(tls_context, may_be_made_in_one_thread_and_used_up_in_another),
	  RUN(tls_context, frees_nothing_as_nothing))
