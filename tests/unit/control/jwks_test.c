/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/jwks.h"

#include <fcntl.h>
#include <unistd.h>

#include "../test.h"
#include "control/publish.h"
#include "loaded.h"

#define EC \
	"\"kty\":\"EC\",\"crv\":\"P-256\"," \
	"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define SET(kid) "{\"keys\":[{" EC ",\"kid\":\"" kid "\"}]}"
#define EC2 \
	"\"kty\":\"EC\",\"crv\":\"P-256\"," \
	"\"x\":\"9kR7NBef43KibDRdBa2qaE_SEYZZxvtA2gnZmMo0pfA\"," \
	"\"y\":\"7xhGGN7F7UXXwkwxewJpDqQxEeJ93tnuq5YKwNMnAfg\""
#define TWO_KEYS "{\"keys\":[{" EC ",\"kid\":\"a\"},{" EC2 ",\"kid\":\"b\"}]}"
#define TWINS \
	"{\"keys\":[{" EC ",\"kid\":\"a\"},{" EC ",\"kid\":\"b\"},{" EC "},{" EC2 \
	",\"kid\":\"c\"}]}"

enum { FLIGHTS = 64, DAY_MS = 86400000 };

struct jwks_flight {
	struct jwks_request request;
	bool ended, cancelled;
};

/** Key sets under a clock of the test, and a fetcher that answers when the test says so. */
struct nest {
	struct loaded loaded;
	struct jwks *jwks;
	struct key_ids *ids;
	struct log *log;
	struct jwks_flight flight[FLIGHTS];
	uint32_t flights;
	bool no_memory; /* for the next flight */
	uint64_t now_ms;
	uint64_t random;
	struct key_part *live;
	uint32_t published;
	enum gw_err publish_err;
	struct keys_filter filter;
	char log_text[16384];
};

static struct jwks_flight *nest_start(void *context, const struct jwks_request *request)
{
	struct nest *n = context;
	struct jwks_flight *flight = &n->flight[n->flights];

	if (n->no_memory)
		return NULL;
	assert_true(n->flights < FLIGHTS);
	n->flights++;
	*flight = (struct jwks_flight){.request = *request};
	return flight;
}

static void nest_cancel(void *context, struct jwks_flight *flight)
{
	(void)context;
	EXPECT(!flight->ended);
	flight->cancelled = flight->ended = true;
}

static uint64_t nest_now(void *context)
{
	return ((struct nest *)context)->now_ms;
}

static uint64_t nest_random(void *context)
{
	return ((struct nest *)context)->random;
}

static enum gw_err nest_publish(void *context)
{
	struct nest *n = context;
	const struct publish_keys_from from = {n->loaded.config, n->ids, n->jwks, &n->filter};

	n->published++;
	if (n->publish_err != GW_OK)
		return n->publish_err;
	if (n->live != NULL)
		n->live->part.free(&n->live->part);
	n->live = publish_keys(&from);
	return GW_OK;
}

#define HTTPS "https://keys.shop.example/jwks"

static char *configuration(const char *jwks)
{
	return folder_replace(loaded_minimal, "file:shop.jwks", jwks);
}

/** Begins at a time that is not 0, with the first fetch under way. */
static void begin_with(struct nest *n, const char *jwks, const char *more)
{
	char *text = configuration(jwks), whole[LOADED_MAX];
	struct log_config log = {.level = LOG_LEVEL_DEBUG, .rate = 1000};
	struct jwks_config config = {.fetcher = {nest_start, nest_cancel, n},
				     .now_ms = nest_now,
				     .random = nest_random,
				     .publish = nest_publish,
				     .context = n};

	memset(n, 0, sizeof(*n));
	snprintf(whole, sizeof(whole), "%s%s", text, more);
	free(text);
	loaded_begin(&n->loaded, whole);
	assert_non_null(n->loaded.config);
	log.fd = open(folder_path(&n->loaded.folder, "log"), O_RDWR | O_CREAT | O_APPEND, 0600);
	n->now_ms = 1000000;
	n->ids = key_ids_new();
	config.log = n->log = log_new(&log);
	n->jwks = jwks_new(&config);
	jwks_configure(n->jwks, n->loaded.config);
}

static void begin(struct nest *n)
{
	begin_with(n, HTTPS, "");
}

static void end(struct nest *n)
{
	jwks_free(n->jwks);
	for (uint32_t i = 0; i < n->flights; i++)
		EXPECT(n->flight[i].ended); /* nothing is left under way */
	if (n->live != NULL)
		n->live->part.free(&n->live->part);
	log_free(n->log);
	key_ids_free(n->ids);
	loaded_end(&n->loaded);
}

/** Time passes, with a tick at its end. */
static void pass(struct nest *n, uint64_t ms)
{
	n->now_ms += ms;
	jwks_tick(n->jwks);
}

static void answer(struct nest *n, const struct jwks_answer *answer)
{
	struct jwks_flight *flight = &n->flight[n->flights - 1];

	assert_false(flight->ended);
	flight->ended = true;
	flight->request.done(flight->request.context, answer);
}

static void bring(struct nest *n, const char *body, uint32_t fresh_s)
{
	const struct jwks_answer all = {.body = span_text(body), .fresh_s = fresh_s};

	answer(n, &all);
}

static void refuse(struct nest *n, const char *why)
{
	const struct jwks_answer all = {.why = why};

	answer(n, &all);
}

static bool ask(struct nest *n, uint32_t generation, uint32_t issuer)
{
	const struct message_keys_wanted wanted = {{MESSAGE_KEYS_WANTED, sizeof(wanted)},
						   generation,
						   issuer};

	return jwks_message(n->jwks, 7, span_of(&wanted, sizeof(wanted)));
}

static struct jwks_view look(const struct nest *n)
{
	struct jwks_view view;

	jwks_look(n->jwks, config_issuer(n->loaded.config, 0), &view);
	return view;
}

static const char *how(const struct nest *n)
{
	return jwks_state_name(look(n).state);
}

static void expect_logged(struct nest *n, const char *part, uint32_t times)
{
	FILE *in = fopen(folder_path(&n->loaded.folder, "log"), "r");
	uint32_t found = 0;

	n->log_text[fread(n->log_text, 1, sizeof(n->log_text) - 1, in)] = '\0';
	fclose(in);
	for (const char *at = n->log_text; (at = strstr(at, part)) != NULL; at++)
		found++;
	if (found != times)
		fail_msg("%u times \"%s\" in:\n%s", found, part, n->log_text);
}

/* ---- one set ------------------------------------------------------------------------------- */

TEST(jwks, fetches_at_once_and_is_without_keys_until_then)
{
	struct nest n;

	begin(&n);
	EXPECT_EQ(1, n.flights);
	EXPECT_TEXT(HTTPS, n.flight[0].request.url);
	EXPECT(n.flight[0].request.ca == NULL);
	EXPECT_EQ(1, n.live->issuer_count);
	EXPECT(n.live->issuer[0].missing);
	EXPECT_EQ(0, n.live->count);
	EXPECT_TEXT("waiting", how(&n));
	bring(&n, SET("a"), 600);
	EXPECT_EQ(1, n.live->count);
	EXPECT_SPAN("a", n.live->row[0].kid);
	EXPECT(!n.live->issuer[0].missing);
	EXPECT(n.live->issuer[0].refetchable);
	EXPECT_EQ(1, n.live->issuer[0].fetches);
	EXPECT_TEXT("fresh", how(&n));
	expect_logged(&n, "event=jwks_state issuer=shop-waf state=fresh keys=1", 1);
	end(&n);
}

TEST(jwks, is_fetched_again_before_its_time_is_over)
{
	struct nest n;

	begin(&n);
	bring(&n, SET("a"), 600);
	pass(&n, 449999); /* three quarters, with the least jitter */
	EXPECT_EQ(1, n.flights);
	pass(&n, 1);
	EXPECT_EQ(2, n.flights);
	EXPECT_EQ(1, n.live->issuer[0].fetches); /* under way is not ended */
	n.random = 90000;			 /* the most jitter: up to nine tenths */
	bring(&n, SET("b"), 600);
	EXPECT_EQ(2, n.live->issuer[0].fetches);
	EXPECT_EQ(1, n.live->count);
	EXPECT_SPAN("b", n.live->row[0].kid); /* and a is no key any more */
	pass(&n, 539999);
	EXPECT_EQ(2, n.flights);
	pass(&n, 1);
	EXPECT_EQ(3, n.flights);
	end(&n);
}

TEST(jwks, is_kept_no_shorter_and_no_longer_than_the_limits)
{
	struct nest n;

	begin_with(&n, HTTPS, "limits: {jwks_cache_min: 40, jwks_cache_max: 400}\n");
	bring(&n, SET("a"), 0);
	pass(&n, 29999);
	EXPECT_EQ(1, n.flights);
	pass(&n, 1);
	EXPECT_EQ(2, n.flights);
	bring(&n, SET("a"), 100000);
	pass(&n, 299999);
	EXPECT_EQ(2, n.flights);
	pass(&n, 1);
	EXPECT_EQ(3, n.flights);
	end(&n);
}

TEST(jwks, repeats_what_fails_after_a_time_that_doubles)
{
	static const uint32_t waits_ms[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
	struct nest n;

	begin(&n);
	for (uint32_t i = 0; i < sizeof(waits_ms) / sizeof(waits_ms[0]); i++) {
		refuse(&n, "no route");
		EXPECT_EQ(i + 1, n.live->issuer[0].fetches);
		pass(&n, waits_ms[i] - 1);
		EXPECT_EQ(i + 1, n.flights);
		pass(&n, 1);
		EXPECT_EQ(i + 2, n.flights);
	}
	EXPECT_TEXT("missing", how(&n));
	EXPECT_TEXT("no route", look(&n).error);
	EXPECT(n.live->issuer[0].missing);
	expect_logged(&n, "state=missing keys=0 why=\"no route\"", 1);
	end(&n);
}

TEST(jwks, keeps_old_keys_while_fetches_fail_and_no_longer_than_stale_max)
{
	struct nest n;

	begin(&n);
	bring(&n, SET("a"), 60);
	pass(&n, 45000);
	refuse(&n, "HTTP status 500");
	EXPECT_TEXT("failing", how(&n));
	EXPECT_EQ(2, n.live->issuer[0].fetches);
	EXPECT_EQ(1, n.live->count);
	pass(&n, 15000);
	EXPECT_TEXT("stale", how(&n));
	EXPECT_EQ(60, look(&n).age_s);
	pass(&n, DAY_MS - 1);
	EXPECT(!n.live->issuer[0].missing);
	pass(&n, 1);
	EXPECT(n.live->issuer[0].missing);
	EXPECT_EQ(0, n.live->count);
	EXPECT_TEXT("missing", how(&n));
	bring(&n, SET("c"), 60);
	EXPECT(!n.live->issuer[0].missing);
	EXPECT_SPAN("c", n.live->row[0].kid);
	EXPECT_TEXT("", look(&n).error);
	expect_logged(&n, "state=failing", 1);
	expect_logged(&n, "state=stale", 1);
	expect_logged(&n, "state=missing", 1);
	expect_logged(&n, "state=fresh", 2);
	end(&n);
}

TEST(jwks, does_not_forget_keys_while_a_fetch_may_still_succeed)
{
	struct nest n;

	begin_with(&n, HTTPS, "limits: {jwks_stale_max: 0}\n");
	bring(&n, SET("a"), 60);
	pass(&n, 90000); /* the process was stopped meanwhile, say */
	EXPECT_EQ(1, n.live->count);
	refuse(&n, "late");
	pass(&n, 0);
	EXPECT_EQ(0, n.live->count);
	end(&n);
}

TEST(jwks, takes_a_set_without_a_usable_key_for_a_failure)
{
	static const char *const bodies[] = {
		"",
		"<html>",
		"[]",
		"{\"keys\":[]}",
		"{\"keys\":{}}",
		SET("a") "x",
		"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
		"{\"keys\":[{" EC ",\"kid\":\"b\",\"use\":\"enc\"}]}",
		"{\"keys\":[{" EC ",\"kid\":\"b\"},{" EC ",\"kid\":\"b\",\"kid\":\"c\"}]}",
	};
	struct nest n;

	begin(&n);
	bring(&n, SET("a"), 3600);
	pass(&n, 2700000);
	for (uint32_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		bring(&n, bodies[i], 60);
		EXPECT_EQ(2 + i, n.live->issuer[0].fetches);
		EXPECT_EQ(1, n.live->count);
		EXPECT_SPAN("a", n.live->row[0].kid);
		EXPECT_TEXT("failing", how(&n));
		EXPECT(look(&n).error[0] != '\0');
		pass(&n, 60000);
	}
	end(&n);
}

TEST(jwks, tells_once_what_is_odd_about_a_set)
{
	static const char odd[] = "{\"keys\":[{" EC ",\"kid\":\"a\",\"d\":\"c2VjcmV0\"}]}";
	struct nest n;

	begin(&n);
	bring(&n, odd, 60);
	pass(&n, 45000);
	bring(&n, odd, 60);
	expect_logged(&n, "is a private key", 1);
	expect_logged(&n, "c2VjcmV0", 0);
	pass(&n, 45000);
	bring(&n, SET("a"), 60);
	pass(&n, 45000);
	bring(&n, odd, 60);
	expect_logged(&n, "is a private key", 2);
	end(&n);
}

/** Points are checked key by key: a long set would hold up the control thread with each fetch. */
TEST(jwks, reads_a_set_that_is_the_same_only_once)
{
	const struct key_entry *first;
	struct nest n;

	begin(&n);
	bring(&n, SET("a"), 60);
	first = look(&n).keys->at;
	pass(&n, 45000);
	refuse(&n, "x");
	pass(&n, 1000);
	bring(&n, SET("a"), 60);
	EXPECT(look(&n).keys->at == first);
	EXPECT_TEXT("fresh", how(&n));
	EXPECT_EQ(0, look(&n).age_s);
	pass(&n, 45000);
	bring(&n, SET("b"), 60);
	EXPECT_SPAN("b", look(&n).keys->at[0].kid);
	pass(&n, 45000);
	bring(&n, SET("a"), 60);
	EXPECT_SPAN("a", look(&n).keys->at[0].kid);
	end(&n);
}

TEST(jwks, counts_a_fetch_that_cannot_begin_as_one_that_failed)
{
	struct nest n;

	begin(&n);
	refuse(&n, "x");
	n.no_memory = true;
	pass(&n, 1000);
	EXPECT_EQ(2, n.live->issuer[0].fetches);
	EXPECT_TEXT("out of memory", look(&n).error);
	EXPECT_EQ(1, n.flights);
	end(&n);
}

/** A server's certificate may say anything, and an error that is not UTF-8 is no JSON. */
TEST(jwks, tells_of_a_failure_in_visible_characters)
{
	struct nest n;

	begin(&n);
	refuse(&n, "name '\xff\x1b[2J\xc3\xa4' does not match");
	EXPECT_TEXT("name '?\?[2J?\?' does not match", look(&n).error);
	end(&n);
}

/* ---- unknown kids ---------------------------------------------------------------------------- */

TEST(jwks_wanted, fetches_once_in_a_cooldown)
{
	struct nest n;

	begin(&n);
	bring(&n, SET("a"), 3600);
	EXPECT(ask(&n, 7, 0));
	EXPECT_EQ(2, n.flights);
	EXPECT(ask(&n, 7, 0)); /* single flight */
	EXPECT_EQ(2, n.flights);
	EXPECT(n.live->issuer[0].refetchable); /* whoever asks now waits for the same one */
	bring(&n, TWO_KEYS, 3600);
	EXPECT_EQ(2, n.live->count);
	EXPECT_EQ(2, n.live->issuer[0].fetches);
	EXPECT(!n.live->issuer[0].refetchable);
	EXPECT(ask(&n, 7, 0));
	EXPECT_EQ(2, n.flights);
	pass(&n, 59999);
	EXPECT(!n.live->issuer[0].refetchable);
	pass(&n, 1);
	EXPECT(n.live->issuer[0].refetchable); /* published by time alone */
	EXPECT(ask(&n, 7, 0));
	EXPECT_EQ(3, n.flights);
	refuse(&n, "x"); /* a failed one counts too */
	EXPECT(!n.live->issuer[0].refetchable);
	EXPECT_EQ(3, n.live->issuer[0].fetches);
	EXPECT_EQ(2, n.live->count);
	end(&n);
}

TEST(jwks_wanted, joins_a_fetch_that_is_under_way)
{
	struct nest n;

	begin(&n);
	EXPECT(ask(&n, 7, 0));
	EXPECT_EQ(1, n.flights);
	bring(&n, SET("a"), 3600);
	EXPECT(!n.live->issuer[0].refetchable);
	end(&n);
}

TEST(jwks_wanted, is_ignored_of_other_configurations_rows_and_files)
{
	struct nest n;

	begin(&n);
	bring(&n, SET("a"), 3600);
	EXPECT(ask(&n, 6, 0));
	EXPECT(ask(&n, 7, 1));
	EXPECT(ask(&n, 7, UINT32_MAX));
	EXPECT_EQ(1, n.flights);
	end(&n);
	begin_with(&n, "file:shop.jwks", "");
	EXPECT(ask(&n, 7, 0));
	EXPECT_EQ(0, n.flights);
	end(&n);
}

TEST(jwks_wanted, leaves_other_messages_alone)
{
	const struct message_head event = {MESSAGE_EVENT, sizeof(event)};
	const struct message_keys_wanted other = {{MESSAGE_EVENT, sizeof(other)}, 7, 0};
	struct nest n;

	begin(&n);
	EXPECT(!jwks_message(n.jwks, 7, span_of(&event, sizeof(event))));
	EXPECT(!jwks_message(n.jwks, 7, span_of(&other, sizeof(other))));
	end(&n);
}

/* ---- publication ----------------------------------------------------------------------------- */

TEST(jwks, publishes_nothing_when_nothing_has_changed)
{
	struct nest n;
	uint32_t before;

	begin(&n);
	bring(&n, SET("a"), 3600);
	before = n.published;
	for (uint32_t i = 0; i < 100; i++)
		pass(&n, 100);
	EXPECT_EQ(before, n.published);
	end(&n);
}

/** Who sends tokens can have keys fetched, and must not make workers forget which they refused. */
TEST(jwks, gives_rows_that_are_the_same_the_same_version)
{
	struct nest n;
	uint32_t version;

	begin(&n);
	bring(&n, SET("a"), 3600);
	version = n.live->rows_version;
	EXPECT(ask(&n, 7, 0));
	bring(&n, SET("a"), 3600);
	EXPECT_EQ(version, n.live->rows_version);
	pass(&n, 60000);
	EXPECT(n.live->issuer[0].refetchable);
	EXPECT_EQ(version, n.live->rows_version);
	EXPECT(ask(&n, 7, 0));
	bring(&n, TWO_KEYS, 3600);
	EXPECT_EQ(version + 1, n.live->rows_version);
	pass(&n, 60000);
	EXPECT(ask(&n, 7, 0));
	bring(&n, SET("a"), 3600);
	EXPECT_EQ(version + 2, n.live->rows_version); /* not that of the time before */
	end(&n);
}

TEST(jwks, publishes_again_with_the_next_tick_when_it_could_not)
{
	struct nest n;

	begin(&n);
	n.publish_err = GW_QUEUE_FULL;
	bring(&n, SET("a"), 3600);
	EXPECT_EQ(0, n.live->count);
	pass(&n, 100);
	n.publish_err = GW_OK;
	pass(&n, 100);
	EXPECT_EQ(1, n.live->count);
	end(&n);
}

static bool revokes_b(const void *context, struct span issuer, struct span kid)
{
	EXPECT(context == NULL);
	return span_equal(issuer, SPAN("shop-waf")) && span_equal(kid, SPAN("b"));
}

TEST(jwks, leaves_a_revoked_key_out_of_what_is_published)
{
	struct nest n;

	begin(&n);
	n.filter.revoked = revokes_b;
	bring(&n, TWO_KEYS, 3600);
	EXPECT_EQ(1, n.live->count);
	EXPECT_SPAN("a", n.live->row[0].kid);
	EXPECT(!n.live->issuer[0].missing);
	EXPECT_EQ(2, look(&n).keys->count); /* it is only hidden */
	end(&n);
}

/** The thief of a key would write its other name. */
TEST(jwks, leaves_out_a_revoked_key_under_each_of_its_names)
{
	struct nest n;

	begin(&n);
	n.filter.revoked = revokes_b;
	bring(&n, TWINS, 3600);
	EXPECT_EQ(4, look(&n).keys->count);
	EXPECT_EQ(1, n.live->count);
	EXPECT_SPAN("c", n.live->row[0].kid);
	end(&n);
}

/* ---- configurations -------------------------------------------------------------------------- */

/** A reload: the old configuration is gone afterwards. */
static void reload(struct nest *n, const char *jwks, const char *more)
{
	struct config *old = n->loaded.config;
	char *text = configuration(jwks), whole[LOADED_MAX];

	snprintf(whole, sizeof(whole), "%s%s", text, more);
	free(text);
	problems_free(n->loaded.problems);
	loaded_load(&n->loaded, whole);
	assert_non_null(n->loaded.config);
	config_free(old);
	EXPECT_EQ(GW_OK, nest_publish(n)); /* as a node does, before the sets know of it */
	jwks_configure(n->jwks, n->loaded.config);
}

TEST(jwks, keeps_a_set_over_a_reload_that_does_not_change_it)
{
	struct nest n;

	begin(&n);
	bring(&n, SET("a"), 3600);
	pass(&n, 5000);
	reload(&n, HTTPS, "log: {level: debug}\n");
	EXPECT_EQ(1, n.flights);
	EXPECT_EQ(1, n.live->count);
	EXPECT_EQ(1, n.live->issuer[0].fetches);
	EXPECT_EQ(5, look(&n).age_s);
	EXPECT_EQ(2695, look(&n).refresh_s);
	reload(&n, HTTPS, "limits: {jwks_cache_max: 60}\n");
	pass(&n, 2695000);
	EXPECT_EQ(2, n.flights);
	bring(&n, SET("a"), 3600);
	EXPECT_EQ(45, look(&n).refresh_s); /* limits count from the next fetch on */
	end(&n);
}

#define ANOTHER \
	"  - name: other-waf\n" \
	"    iss: \"https://waf.other.example\"\n" \
	"    jwks: \"file:shop.jwks\"\n" \
	"    authz_server: \"https://waf.other.example\"\n"

TEST(jwks, stays_with_its_issuer_when_a_reload_puts_another_in_front)
{
	struct config *old;
	struct nest n;
	char *first, *both;

	begin(&n);
	bring(&n, SET("a"), 3600);
	old = n.loaded.config;
	first = configuration(HTTPS);
	both = folder_replace(first, "issuers:\n", "issuers:\n" ANOTHER);
	problems_free(n.loaded.problems);
	loaded_load(&n.loaded, both);
	assert_non_null(n.loaded.config);
	config_free(old);
	EXPECT_EQ(GW_OK, nest_publish(&n));
	jwks_configure(n.jwks, n.loaded.config);
	EXPECT_EQ(1, n.flights);
	EXPECT_EQ(2, n.live->count);
	EXPECT_EQ(0, n.live->row[0].issuer);
	EXPECT_SPAN("k1", n.live->row[0].kid);
	EXPECT_EQ(1, n.live->row[1].issuer);
	EXPECT_SPAN("a", n.live->row[1].kid);
	EXPECT(!n.live->issuer[0].refetchable);
	EXPECT(n.live->issuer[1].refetchable);
	EXPECT_EQ(1, n.live->issuer[1].fetches);
	EXPECT(ask(&n, 7, 0));
	EXPECT_EQ(1, n.flights);
	EXPECT(ask(&n, 7, 1));
	EXPECT_EQ(2, n.flights);
	bring(&n, "{\"keys\":[{" EC ",\"kid\":\"a\"},{}]}", 3600);
	expect_logged(&n, "wicgate.yaml:17: ", 1); /* where it stands now */
	free(first);
	free(both);
	end(&n);
}

TEST(jwks, fetches_anew_when_a_reload_changes_where_from)
{
	struct nest n;

	begin(&n);
	bring(&n, SET("a"), 3600);
	reload(&n, HTTPS "2", "");
	EXPECT_EQ(2, n.flights);
	EXPECT_TEXT(HTTPS "2", n.flight[1].request.url);
	EXPECT_EQ(0, n.live->count);
	EXPECT(n.live->issuer[0].missing);
	reload(&n, "file:shop.jwks", ""); /* under way: cancelled */
	EXPECT(n.flight[1].cancelled);
	EXPECT_EQ(1, n.live->count);
	EXPECT(!n.live->issuer[0].missing);
	EXPECT(!n.live->issuer[0].refetchable);
	EXPECT_TEXT("file", how(&n));
	pass(&n, DAY_MS);
	EXPECT_EQ(2, n.flights);
	end(&n);
}

TEST(jwks, fetches_anew_when_cas_or_algorithms_change)
{
	struct nest n;

	begin(&n);
	bring(&n, SET("a"), 3600);
	reload(&n, HTTPS "\"\n    jwks_ca: \"cert.pem", "");
	EXPECT_EQ(2, n.flights);
	EXPECT_TEXT(folder_path(&n.loaded.folder, "cert.pem"), n.flight[1].request.ca);
	bring(&n, SET("a"), 3600);
	reload(&n, HTTPS "\"\n    algorithms: [ES256, PS256]\n    jwks_ca: \"cert.pem", "");
	EXPECT_EQ(3, n.flights);
	EXPECT_EQ(0, n.live->count);
	end(&n);
}

TEST(jwks, is_told_for_an_issuer_before_anything_runs)
{
	struct nest n;
	struct jwks_view view;

	begin(&n);
	jwks_look(NULL, config_issuer(n.loaded.config, 0), &view);
	EXPECT_EQ(JWKS_WAITING, view.state);
	EXPECT(view.issuer.missing);
	EXPECT_EQ(0, view.keys->count);
	jwks_free(NULL);
	end(&n);
}

TEST_MAIN("jwks", RUN(jwks, fetches_at_once_and_is_without_keys_until_then),
	  RUN(jwks, is_fetched_again_before_its_time_is_over),
	  RUN(jwks, is_kept_no_shorter_and_no_longer_than_the_limits),
	  RUN(jwks, repeats_what_fails_after_a_time_that_doubles),
	  RUN(jwks, keeps_old_keys_while_fetches_fail_and_no_longer_than_stale_max),
	  RUN(jwks, does_not_forget_keys_while_a_fetch_may_still_succeed),
	  RUN(jwks, takes_a_set_without_a_usable_key_for_a_failure),
	  RUN(jwks, tells_once_what_is_odd_about_a_set),
	  RUN(jwks, reads_a_set_that_is_the_same_only_once),
	  RUN(jwks, counts_a_fetch_that_cannot_begin_as_one_that_failed),
	  RUN(jwks, tells_of_a_failure_in_visible_characters),
	  RUN(jwks_wanted, fetches_once_in_a_cooldown),
	  RUN(jwks_wanted, joins_a_fetch_that_is_under_way),
	  RUN(jwks_wanted, is_ignored_of_other_configurations_rows_and_files),
	  RUN(jwks_wanted, leaves_other_messages_alone),
	  RUN(jwks, publishes_nothing_when_nothing_has_changed),
	  RUN(jwks, gives_rows_that_are_the_same_the_same_version),
	  RUN(jwks, publishes_again_with_the_next_tick_when_it_could_not),
	  RUN(jwks, leaves_a_revoked_key_out_of_what_is_published),
	  RUN(jwks, leaves_out_a_revoked_key_under_each_of_its_names),
	  RUN(jwks, keeps_a_set_over_a_reload_that_does_not_change_it),
	  RUN(jwks, stays_with_its_issuer_when_a_reload_puts_another_in_front),
	  RUN(jwks, fetches_anew_when_a_reload_changes_where_from),
	  RUN(jwks, fetches_anew_when_cas_or_algorithms_change),
	  RUN(jwks, is_told_for_an_issuer_before_anything_runs))
