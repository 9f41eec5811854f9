/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"
#include "control/revocations.h"
#include "folder.h"
#include "parts.h"

enum { NOW = 1700000000, MAX = 300, FILE_MAX = 65536 };

static const uint8_t hash_key[16] = "0123456789abcde";

/** A state directory and the list in it. */
struct kept {
	struct folder folder;
	int state;
	struct log *log;
	int log_pipe[2]; /* no limit of files holds it */
	size_t log_len;
	struct revocations_config config;
	struct revocations *list;
	char why[256];
	char file[FILE_MAX], logged[FILE_MAX]; /* until the last look */
};

static bool kept_open(struct kept *k)
{
	k->list = revocations_open(&k->config, k->why, sizeof(k->why));
	return k->list != NULL;
}

static void kept_close(struct kept *k)
{
	revocations_close(k->list);
	k->list = NULL;
}

static void kept_again(struct kept *k)
{
	kept_close(k);
	if (!kept_open(k))
		fail_msg("%s", k->why);
}

static void kept_begin(struct kept *k)
{
	struct log_config log = {.level = LOG_LEVEL_INFO, .rate = 100000};

	memset(k, 0, sizeof(*k));
	folder_make(&k->folder);
	EXPECT_EQ(0, mkdir(folder_path(&k->folder, "state"), 0700));
	k->state = open(folder_path(&k->folder, "state"), O_RDONLY | O_DIRECTORY);
	assert_true(k->state >= 0 && pipe2(k->log_pipe, O_NONBLOCK) == 0);
	log.fd = k->log_pipe[1];
	k->log = log_new(&log);
	k->config = (struct revocations_config){
		.folder = k->state, .key = hash_key, .log = k->log, .now_s = NOW, .max = MAX};
	assert_true(kept_open(k));
}

static void kept_end(struct kept *k)
{
	kept_close(k);
	log_free(k->log);
	close(k->log_pipe[0]);
	close(k->log_pipe[1]);
	close(k->state);
	folder_remove(&k->folder);
}

static const char *kept_path(const struct kept *k)
{
	return folder_path(&k->folder, "state/revocations");
}

static const char *kept_file(struct kept *k)
{
	char *text = folder_read(kept_path(k));

	snprintf(k->file, sizeof(k->file), "%s", text);
	free(text);
	return k->file;
}

static void kept_write(struct kept *k, const char *bytes, size_t len)
{
	FILE *out = fopen(kept_path(k), "w");

	assert_non_null(out);
	EXPECT_EQ(len, fwrite(bytes, 1, len, out));
	EXPECT_EQ(0, fclose(out));
}

static bool kept_logged(struct kept *k, const char *part)
{
	ssize_t n =
		read(k->log_pipe[0], k->logged + k->log_len, sizeof(k->logged) - 1 - k->log_len);

	k->log_len += n > 0 ? (size_t)n : 0;
	k->logged[k->log_len] = '\0';
	return strstr(k->logged, part) != NULL;
}

static struct revocation jti(uint64_t hash, uint64_t seconds)
{
	return (struct revocation){.kind = REVOCATION_JTI, .jti = hash, .until_s = NOW + seconds};
}

static struct revocation key(const char *issuer, const char *kid)
{
	return (struct revocation){.kind = REVOCATION_KEY,
				   .issuer = span_text(issuer),
				   .name = span_text(kid)};
}

static struct revocation wwsf(const char *name)
{
	return (struct revocation){.kind = REVOCATION_WWSF, .name = span_text(name)};
}

static void add(struct kept *k, struct revocation r)
{
	const char *why = revocations_add(k->list, &r);

	if (why != NULL)
		fail_msg("%s", why);
}

static void end(struct kept *k, struct revocation r)
{
	const char *why = revocations_end(k->list, &r);

	if (why != NULL)
		fail_msg("%s", why);
}

static bool has(struct kept *k, struct revocation r)
{
	return revocations_has(k->list, &r);
}

static uint32_t lines(struct kept *k)
{
	uint32_t count = 0;

	for (const char *c = kept_file(k); *c != '\0'; c++)
		count += *c == '\n';
	return count;
}

/** No file may grow beyond so many bytes until limit_end(). */
static void limit_begin(struct rlimit *before, size_t bytes)
{
	struct rlimit little;

	signal(SIGXFSZ, SIG_IGN);
	EXPECT_EQ(0, getrlimit(RLIMIT_FSIZE, before));
	little = (struct rlimit){bytes, before->rlim_max};
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, &little));
}

static void limit_end(const struct rlimit *before)
{
	EXPECT_EQ(0, setrlimit(RLIMIT_FSIZE, before));
}

/* ---- the list -------------------------------------------------------------------------------- */

TEST(revocations, are_kept_over_a_restart)
{
	struct kept k;

	kept_begin(&k);
	add(&k, jti(7, 100));
	add(&k, jti(8, 100));
	add(&k, key("shop-waf", "k1"));
	add(&k, key("shop-waf", "k2"));
	add(&k, wwsf("shop"));
	add(&k, wwsf("forum"));
	end(&k, jti(8, 0));
	end(&k, key("shop-waf", "k2"));
	end(&k, wwsf("forum"));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(3, revocations_count(k.list));
		EXPECT(has(&k, jti(7, 0)));
		EXPECT(has(&k, key("shop-waf", "k1")));
		EXPECT(has(&k, wwsf("shop")));
		EXPECT(!has(&k, wwsf("forum")));
		kept_again(&k);
	}
	kept_end(&k);
}

TEST(revocations, are_on_the_disk_when_the_call_returns_and_the_process_dies)
{
	struct kept k;
	int status;
	pid_t child;

	kept_begin(&k);
	child = fork();
	if (child == 0) {
		add(&k, jti(7, 100));
		kill(getpid(), SIGKILL);
	}
	EXPECT_EQ(child, waitpid(child, &status, 0));
	EXPECT(WIFSIGNALED(status));
	kept_again(&k);
	EXPECT(has(&k, jti(7, 0)));
	kept_end(&k);
}

TEST(revocations, are_a_line_each_in_a_file_for_nobody_else)
{
	struct stat about;
	struct kept k;
	const char *text;

	kept_begin(&k);
	add(&k, jti(0x0123456789abcdef, 100));
	add(&k, key("shop-waf", "k1"));
	add(&k, wwsf("shop"));
	end(&k, jti(0x0123456789abcdef, 0));
	text = kept_file(&k);
	EXPECT_EQ(4, lines(&k));
	EXPECT(strstr(text, " add jti 0123456789abcdef 1700000100\n") == text + 16);
	EXPECT(strstr(text, " add key shop-waf k1\n") != NULL);
	EXPECT(strstr(text, " add wwsf shop\n") != NULL);
	EXPECT(strstr(text, " end jti 0123456789abcdef\n") != NULL);
	EXPECT_EQ(0, stat(kept_path(&k), &about));
	EXPECT_EQ(0600, about.st_mode & 07777);
	kept_end(&k);
}

TEST(revocations, of_tokens_end_when_their_time_has_come)
{
	struct kept k;

	kept_begin(&k);
	EXPECT_EQ(0, revocations_expire(k.list, UINT64_MAX - 1));
	add(&k, jti(1, 100));
	add(&k, jti(2, 50));
	add(&k, jti(3, 50));
	add(&k, wwsf("shop"));
	EXPECT_EQ(0, revocations_expire(k.list, NOW + 49));
	EXPECT_EQ(2, revocations_expire(k.list, NOW + 50));
	EXPECT_EQ(0, revocations_expire(k.list, NOW + 99));
	EXPECT(has(&k, jti(1, 0)));
	EXPECT(!has(&k, jti(2, 0)));
	k.config.now_s = NOW + 100;
	kept_again(&k);
	EXPECT_EQ(1, revocations_count(k.list));
	EXPECT(has(&k, wwsf("shop")));
	kept_end(&k);
}

TEST(revocations, of_one_token_last_until_the_later_time)
{
	struct kept k;

	kept_begin(&k);
	add(&k, jti(1, 100));
	add(&k, jti(1, 50)); /* changes nothing, and writes nothing */
	EXPECT_EQ(1, lines(&k));
	add(&k, jti(1, 200));
	EXPECT_EQ(1, revocations_count(k.list));
	kept_again(&k);
	EXPECT_EQ(0, revocations_expire(k.list, NOW + 199));
	EXPECT_EQ(1, revocations_expire(k.list, NOW + 200));
	kept_end(&k);
}

TEST(revocations, of_what_is_taken_back_already_write_nothing)
{
	struct kept k;

	kept_begin(&k);
	add(&k, wwsf("shop"));
	add(&k, wwsf("shop"));
	EXPECT_EQ(1, lines(&k));
	end(&k, wwsf("shop"));
	EXPECT_TEXT("it is not revoked",
		    revocations_end(k.list, &(struct revocation){.kind = REVOCATION_WWSF,
								 .name = SPAN("shop")}));
	EXPECT_EQ(2, lines(&k));
	kept_end(&k);
}

TEST(revocations, are_bounded_and_none_is_lost_for_a_lower_bound)
{
	struct revocation one_more = jti(3, 100);
	struct kept k;

	kept_begin(&k);
	revocations_bound(k.list, 2);
	add(&k, jti(1, 100));
	add(&k, jti(2, 100));
	EXPECT_TEXT("limits.max_revocations is reached", revocations_add(k.list, &one_more));
	EXPECT_EQ(2, revocations_count(k.list));
	add(&k, jti(2, 200)); /* is there already */
	k.config.max = 1;
	kept_again(&k);
	EXPECT_EQ(2, revocations_count(k.list));
	EXPECT(kept_logged(&k, "event=revocations_above_limit"));
	EXPECT_TEXT("limits.max_revocations is reached", revocations_add(k.list, &one_more));
	end(&k, jti(1, 0));
	end(&k, jti(2, 0));
	add(&k, one_more);
	kept_end(&k);
}

TEST(revocations, have_texts_of_visible_characters_that_fit_a_line)
{
	static const char text[] = "too long, or not visible ASCII characters";
	const char *const bad[] = {"", "a b", "a\nb", "a\tb", "\xc3\xa4", "a\x7f"};
	char longest[600];
	struct revocation r;
	struct kept k;

	kept_begin(&k);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r = wwsf(bad[i]);
		EXPECT_TEXT(text, revocations_add(k.list, &r));
		r = key("shop-waf", bad[i]);
		EXPECT_TEXT(text, revocations_add(k.list, &r));
		r = key(bad[i], "k1");
		EXPECT_TEXT(text, revocations_add(k.list, &r));
	}
	memset(longest, 'k', sizeof(longest));
	longest[599] = '\0';
	r = key("shop-waf", longest);
	EXPECT_TEXT(text, revocations_add(k.list, &r));
	longest[256] = '\0'; /* as long as a kid may be */
	add(&k, key("shop-waf", longest));
	EXPECT_EQ(1, lines(&k));
	kept_again(&k);
	EXPECT(revocations_has_key(k.list, SPAN("shop-waf"), span_text(longest)));
	kept_end(&k);
}

TEST(revocations, of_keys_are_of_one_issuer)
{
	struct kept k;

	kept_begin(&k);
	add(&k, key("shop-waf", "k1"));
	EXPECT(revocations_has_key(k.list, SPAN("shop-waf"), SPAN("k1")));
	EXPECT(!revocations_has_key(k.list, SPAN("shop-waf"), SPAN("k11")));
	EXPECT(!revocations_has_key(k.list, SPAN("shop-waf"), SPAN("")));
	EXPECT(!revocations_has_key(k.list, SPAN("forum-waf"), SPAN("k1")));
	EXPECT(!revocations_has_key(NULL, SPAN("shop-waf"), SPAN("k1")));
	kept_end(&k);
}

TEST(revocations, are_events_of_the_log_without_a_jti)
{
	struct kept k;

	kept_begin(&k);
	add(&k, jti(0xabc, 100));
	add(&k, key("shop-waf", "k1"));
	add(&k, wwsf("shop"));
	end(&k, wwsf("shop"));
	EXPECT(kept_logged(&k, "event=revoked jti=h:0000000000000abc until=1700000100\n"));
	EXPECT(kept_logged(&k, "event=revoked issuer=shop-waf kid=k1\n"));
	EXPECT(kept_logged(&k, "event=revoked wwsf=shop\n"));
	EXPECT(kept_logged(&k, "event=restored wwsf=shop\n"));
	kept_end(&k);
}

/* ---- the part -------------------------------------------------------------------------------- */

TEST(revocation_part, has_hashes_in_ascending_order_and_web_sites_but_no_keys)
{
	struct revocation_part *part;
	uint64_t word = 1;
	struct kept k;

	kept_begin(&k);
	for (uint32_t i = 0; i < 100; i++) {
		word = word * 6364136223846793005u + 1442695040888963407u;
		add(&k, jti(word, 100));
	}
	add(&k, key("shop-waf", "k1"));
	add(&k, wwsf("shop"));
	add(&k, wwsf("forum"));
	part = revocations_part(k.list);
	EXPECT_EQ(100, part->jti_count);
	for (uint32_t i = 1; i < 100; i++)
		EXPECT(part->jti[i - 1] < part->jti[i]);
	EXPECT_EQ(2, part->wwsf_count);
	EXPECT_SPAN("forum", part->wwsf[0]);
	EXPECT_SPAN("shop", part->wwsf[1]);
	end(&k, wwsf("shop")); /* the part has memory of its own */
	EXPECT_SPAN("shop", part->wwsf[1]);
	part->part.free(&part->part);
	kept_end(&k);
}

TEST(revocation_part, of_an_empty_list_is_empty)
{
	struct revocation_part *part;
	struct kept k;

	kept_begin(&k);
	part = revocations_part(k.list);
	EXPECT_EQ(0, part->jti_count);
	EXPECT_EQ(0, part->wwsf_count);
	part->part.free(&part->part);
	kept_end(&k);
}

/* ---- a damaged file -------------------------------------------------------------------------- */

TEST(revocation_file, loses_a_last_line_that_a_crash_has_cut_and_nothing_else)
{
	char whole[FILE_MAX];
	size_t len, first;
	struct kept k;

	kept_begin(&k);
	add(&k, jti(1, 100));
	first = strlen(kept_file(&k));
	add(&k, key("shop-waf", "k1"));
	strcpy(whole, kept_file(&k));
	len = strlen(whole);
	for (size_t cut = first + 1; cut < len; cut++) {
		kept_write(&k, whole, cut);
		kept_again(&k);
		EXPECT_EQ(1, revocations_count(k.list));
		EXPECT(has(&k, jti(1, 0)));
		add(&k, wwsf("shop")); /* goes where the torn line was */
		kept_again(&k);
		EXPECT_EQ(2, revocations_count(k.list));
		EXPECT(has(&k, wwsf("shop")));
	}
	EXPECT(kept_logged(&k, "level=warning event=revocations_torn line=2 bytes=1\n"));
	kept_write(&k, whole, first);
	kept_again(&k);
	EXPECT_EQ(1, revocations_count(k.list));
	kept_end(&k);
}

TEST(revocation_file, takes_zeros_in_the_last_line_for_what_a_crash_leaves)
{
	char text[FILE_MAX];
	size_t len, first;
	struct kept k;

	kept_begin(&k);
	add(&k, jti(1, 100));
	first = strlen(kept_file(&k));
	add(&k, jti(2, 100));
	strcpy(text, kept_file(&k));
	len = strlen(text);
	memset(text + first, 0, 10);
	kept_write(&k, text, len);
	kept_again(&k);
	EXPECT_EQ(1, revocations_count(k.list));
	EXPECT_EQ(first, strlen(kept_file(&k)));
	/* more zeros than a line has bytes are no torn line */
	memset(text + first, 0, 1000);
	kept_write(&k, text, first + 1000);
	kept_close(&k);
	EXPECT(!kept_open(&k));
	EXPECT(strstr(k.why, "revocations:2: damaged") == k.why);
	kept_end(&k);
}

/** The file with byte i changed is refused at that line. */
static void expect_damaged(struct kept *k, const char *whole, size_t i, uint8_t change)
{
	char text[FILE_MAX], expected[64];
	uint32_t line = 1;

	strcpy(text, whole);
	for (size_t before = 0; before < i; before++)
		line += whole[before] == '\n';
	text[i] = (char)(text[i] ^ change);
	if (text[i] == '\0' && line >= 3)
		return; /* a zero in the last line, or before it, is what a crash leaves */
	kept_write(k, text, strlen(whole));
	EXPECT(!kept_open(k));
	snprintf(expected, sizeof(expected), "revocations:%u: damaged", line);
	if (strstr(k->why, expected) != k->why)
		fail_msg("byte %zu: \"%s\" is not \"%s\"", i, k->why, expected);
}

TEST(revocation_file, is_refused_with_its_line_when_any_other_byte_has_changed)
{
	char whole[FILE_MAX];
	struct kept k;

	kept_begin(&k);
	add(&k, jti(1, 100));
	add(&k, key("shop-waf", "k1"));
	add(&k, wwsf("shop"));
	end(&k, jti(1, 0));
	strcpy(whole, kept_file(&k));
	kept_close(&k);
	for (size_t i = 0; i + 1 < strlen(whole); i++) {
		expect_damaged(&k, whole, i, 0x01);
		expect_damaged(&k, whole, i, 0x20);
		expect_damaged(&k, whole, i, (uint8_t)whole[i]);
	}
	kept_write(&k, whole, strlen(whole));
	EXPECT(kept_open(&k));
	kept_end(&k);
}

TEST(revocation_file, is_refused_with_another_hash_key)
{
	static const uint8_t other[16] = "another hash key";
	struct kept k;

	kept_begin(&k);
	add(&k, jti(1, 100));
	kept_close(&k);
	k.config.key = other;
	EXPECT(!kept_open(&k));
	EXPECT_TEXT("revocations:1: damaged, or hash.key is not the one it was written with",
		    k.why);
	kept_end(&k);
}

/** A whole line that says what none of ours says. */
static void expect_nonsense(struct kept *k, const char *what)
{
	char text[256];

	snprintf(text, sizeof(text), "%016llx%s\n",
		 (unsigned long long)siphash(hash_key, span_text(what)), what);
	kept_write(k, text, strlen(text));
	if (kept_open(k))
		fail_msg("accepted: %s", what);
	EXPECT(strstr(k->why, "revocations:1: damaged") == k->why);
}

TEST(revocation_file, is_refused_when_a_line_makes_no_sense)
{
	static const char *const nonsense[] = {
		"",
		" add",
		" add jti",
		" add jti 0123456789abcdef",
		" add jti 0123456789ABCDEF 1",
		" add jti 0123456789abcde 1",
		" add jti 0123456789abcdef 1x",
		" add jti 0123456789abcdef 99999999999",
		" add jti 0123456789abcdef 1 1",
		" add key shop-waf",
		" add key shop-waf k1 k2",
		" add wwsf",
		" add wwsf  shop",
		" add site shop",
		" del wwsf shop",
		" end jti 0123456789abcdef 1",
	};
	struct kept k;

	kept_begin(&k);
	kept_close(&k);
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++)
		expect_nonsense(&k, nonsense[i]);
	kept_end(&k);
}

TEST(revocation_file, is_refused_when_others_may_read_it_or_it_is_something_else)
{
	struct kept k;

	kept_begin(&k);
	kept_close(&k);
	EXPECT_EQ(0, chmod(kept_path(&k), 0640));
	EXPECT(!kept_open(&k));
	EXPECT(strstr(k.why, "revocations: permissions too open") == k.why);
	EXPECT_EQ(0, unlink(kept_path(&k)));
	EXPECT_EQ(0, symlink("/dev/null", kept_path(&k)));
	EXPECT(!kept_open(&k));
	EXPECT(strstr(k.why, "revocations: ") == k.why);
	EXPECT_EQ(0, unlink(kept_path(&k)));
	EXPECT_EQ(0, mkfifo(kept_path(&k), 0600));
	EXPECT(!kept_open(&k));
	EXPECT_TEXT("revocations: not the kind of file it must be", k.why);
	kept_end(&k);
}

/* ---- a full disk ----------------------------------------------------------------------------- */

/** The disk takes so many bytes more: adding fails with this, and nothing has changed. */
static void expect_full(size_t bytes, const char *why)
{
	struct revocation shop = wwsf("shop");
	struct rlimit before;
	struct kept k;
	size_t len;

	kept_begin(&k);
	add(&k, jti(1, 100));
	len = strlen(kept_file(&k));
	limit_begin(&before, len + bytes);
	EXPECT_TEXT(why, revocations_add(k.list, &shop));
	limit_end(&before);
	EXPECT_EQ(1, revocations_count(k.list));
	EXPECT_EQ(len, strlen(kept_file(&k)));
	EXPECT(kept_logged(&k, "level=error event=revocation_failed wwsf=shop why="));
	EXPECT(!kept_logged(&k, "event=revoked wwsf=shop"));
	kept_again(&k);
	EXPECT(!has(&k, shop));
	add(&k, shop);
	kept_again(&k);
	EXPECT(has(&k, shop));
	EXPECT(has(&k, jti(1, 0)));
	kept_end(&k);
}

TEST(revocation_file, changes_nothing_when_the_disk_is_full)
{
	expect_full(0, "File too large");
	expect_full(10, "the disk is full");
}

TEST(revocation_file, goes_on_after_the_disk_was_full)
{
	struct revocation shop = wwsf("shop");
	struct rlimit before;
	struct kept k;

	kept_begin(&k);
	add(&k, jti(1, 100));
	add(&k, jti(2, 100));
	limit_begin(&before, 30);
	EXPECT_TEXT("File too large", revocations_add(k.list, &shop));
	/* now all of it is written anew first, and that fails too */
	EXPECT(strstr(revocations_add(k.list, &shop), "revocations: ") != NULL);
	EXPECT_EQ(2, revocations_count(k.list));
	limit_end(&before);
	add(&k, shop);
	end(&k, jti(1, 0));
	kept_again(&k);
	EXPECT_EQ(2, revocations_count(k.list));
	EXPECT(has(&k, jti(2, 0)));
	EXPECT(has(&k, shop));
	kept_end(&k);
}

/* ---- compaction ------------------------------------------------------------------------------ */

TEST(revocation_file, is_written_anew_when_half_of_it_is_about_the_past)
{
	struct stat about;
	struct kept k;

	kept_begin(&k);
	add(&k, key("shop-waf", "k1"));
	for (uint32_t i = 0; i < 200; i++) {
		add(&k, wwsf("shop"));
		end(&k, wwsf("shop"));
		EXPECT(lines(&k) < 64);
	}
	for (uint32_t i = 0; i < 100; i++)
		add(&k, jti(i + 1, 10));
	EXPECT(lines(&k) >= 101); /* what counts stays */
	EXPECT_EQ(100, revocations_expire(k.list, NOW + 10));
	EXPECT_EQ(1, lines(&k));
	EXPECT_EQ(0, stat(kept_path(&k), &about));
	EXPECT_EQ(0600, about.st_mode & 07777);
	add(&k, wwsf("forum"));
	kept_again(&k);
	EXPECT_EQ(2, revocations_count(k.list));
	EXPECT(has(&k, key("shop-waf", "k1")));
	EXPECT(has(&k, wwsf("forum")));
	kept_end(&k);
}

TEST(revocation_file, is_written_anew_at_the_start_too)
{
	struct stat about;
	struct kept k;

	kept_begin(&k);
	for (uint32_t i = 0; i < 100; i++)
		add(&k, jti(i + 1, 10));
	k.config.now_s = NOW + 10;
	kept_again(&k);
	EXPECT_EQ(0, stat(kept_path(&k), &about));
	EXPECT_EQ(0, about.st_size);
	kept_end(&k);
}

TEST(revocation_file, stays_as_it_is_when_it_cannot_be_written_anew)
{
	const char *beside;
	struct kept k;

	kept_begin(&k);
	beside = folder_path(&k.folder, "state/revocations.new");
	EXPECT_EQ(0, mkdir(beside, 0700));
	for (uint32_t i = 0; i < 40; i++) {
		add(&k, wwsf("shop"));
		end(&k, wwsf("shop"));
	}
	EXPECT_EQ(80, lines(&k));
	EXPECT(kept_logged(&k, "level=warning event=revocations_not_compacted why="));
	EXPECT_EQ(0, rmdir(folder_path(&k.folder, "state/revocations.new")));
	add(&k, wwsf("forum"));
	EXPECT_EQ(1, lines(&k));
	kept_again(&k);
	EXPECT_EQ(1, revocations_count(k.list));
	kept_end(&k);
}

TEST_MAIN("revocations", RUN(revocations, are_kept_over_a_restart),
	  RUN(revocations, are_on_the_disk_when_the_call_returns_and_the_process_dies),
	  RUN(revocations, are_a_line_each_in_a_file_for_nobody_else),
	  RUN(revocations, of_tokens_end_when_their_time_has_come),
	  RUN(revocations, of_one_token_last_until_the_later_time),
	  RUN(revocations, of_what_is_taken_back_already_write_nothing),
	  RUN(revocations, are_bounded_and_none_is_lost_for_a_lower_bound),
	  RUN(revocations, have_texts_of_visible_characters_that_fit_a_line),
	  RUN(revocations, of_keys_are_of_one_issuer),
	  RUN(revocations, are_events_of_the_log_without_a_jti),
	  RUN(revocation_part, has_hashes_in_ascending_order_and_web_sites_but_no_keys),
	  RUN(revocation_part, of_an_empty_list_is_empty),
	  RUN(revocation_file, loses_a_last_line_that_a_crash_has_cut_and_nothing_else),
	  RUN(revocation_file, takes_zeros_in_the_last_line_for_what_a_crash_leaves),
	  RUN(revocation_file, is_refused_with_its_line_when_any_other_byte_has_changed),
	  RUN(revocation_file, is_refused_with_another_hash_key),
	  RUN(revocation_file, is_refused_when_a_line_makes_no_sense),
	  RUN(revocation_file, is_refused_when_others_may_read_it_or_it_is_something_else),
	  RUN(revocation_file, changes_nothing_when_the_disk_is_full),
	  RUN(revocation_file, goes_on_after_the_disk_was_full),
	  RUN(revocation_file, is_written_anew_when_half_of_it_is_about_the_past),
	  RUN(revocation_file, is_written_anew_at_the_start_too),
	  RUN(revocation_file, stays_as_it_is_when_it_cannot_be_written_anew))
