/* SPDX-License-Identifier: BSD-3-Clause */
#include "jwks.h"

#include <openssl/evp.h>
#include <stdlib.h>

enum { RETRY_MS = 1000, JWKS_DIGEST = 32, JWKS_ERROR_MAX = 256 };

struct jwks_set {
	struct jwks *jwks;
	struct arena *arena;	     /* of this struct and its texts */
	const char *name, *url, *ca; /* as written, by which a reload knows the set again */
	const char *ca_path;	     /* NULL: the system's */
	const char *file;	     /* of the configuration */
	uint32_t algorithms, line;

	struct arena *held; /* of keys; NULL: none */
	struct key_list keys;
	uint8_t digest[JWKS_DIGEST]; /* of the text they are from */
	uint64_t fetched_ms, fresh_until_ms;

	struct jwks_flight *flight;
	uint64_t due_ms;      /* of the next fetch */
	uint64_t cooldown_ms; /* over then */
	bool asked;	      /* the fetch under way is one that a token asked for */
	uint32_t failures;    /* in a row */
	char error[JWKS_ERROR_MAX];

	enum jwks_state state; /* as it was logged */
	struct key_issuer issuer;
};

struct jwks {
	struct jwks_config config;
	uint64_t cache_min_ms, cache_max_ms, stale_max_ms, cooldown_ms;
	struct jwks_set **set; /* of each issuer; NULL: from a file */
	uint32_t count;
	bool dirty; /* to be published */
};

static uint64_t jwks_now(const struct jwks *jwks)
{
	return jwks->config.now_ms(jwks->config.context);
}

/** Between low and high, both included. */
static uint64_t jwks_between(const struct jwks *jwks, uint64_t low, uint64_t high)
{
	return low + jwks->config.random(jwks->config.context) % (high - low + 1);
}

/* ---- states -------------------------------------------------------------------------------- */

const char *jwks_state_name(enum jwks_state state)
{
	static const char *const names[] = {
		[JWKS_FILE] = "file",	    [JWKS_WAITING] = "waiting", [JWKS_FRESH] = "fresh",
		[JWKS_FAILING] = "failing", [JWKS_STALE] = "stale",	[JWKS_MISSING] = "missing",
	};

	return names[state];
}

static enum jwks_state jwks_state(const struct jwks_set *set, uint64_t now_ms)
{
	if (set->held == NULL)
		return set->issuer.fetches == 0 ? JWKS_WAITING : JWKS_MISSING;
	if (now_ms >= set->fresh_until_ms)
		return JWKS_STALE;
	return set->failures > 0 ? JWKS_FAILING : JWKS_FRESH;
}

static void jwks_log(const struct jwks_set *set, const char *event, enum log_level level)
{
	struct log_line line;

	log_begin(set->jwks->config.log, &line, level, event);
	log_text(&line, "issuer", set->name);
	log_text(&line, "state", jwks_state_name(set->state));
	log_number(&line, "keys", set->keys.count);
	if (set->error[0] != '\0')
		log_text(&line, "why", set->error);
	log_end(&line);
}

/** Logs a state that is a new one. */
static void jwks_note(struct jwks_set *set, uint64_t now_ms)
{
	enum jwks_state state = jwks_state(set, now_ms);

	if (state == set->state)
		return;
	set->state = state;
	jwks_log(set, "jwks_state",
		 state == JWKS_MISSING ? LOG_LEVEL_ERROR
		 : state == JWKS_FRESH ? LOG_LEVEL_INFO
				       : LOG_LEVEL_WARNING);
}

/** Brings what is published up to date; true when it differs from before. */
static bool jwks_refresh(struct jwks_set *set, uint64_t now_ms)
{
	bool missing = set->held == NULL, refetchable = now_ms >= set->cooldown_ms;
	bool differs = missing != set->issuer.missing || refetchable != set->issuer.refetchable;

	set->issuer.missing = missing;
	set->issuer.refetchable = refetchable;
	return differs;
}

static void jwks_publish(struct jwks *jwks)
{
	uint64_t now_ms = jwks_now(jwks);

	for (uint32_t i = 0; i < jwks->count; i++)
		if (jwks->set[i] != NULL && jwks_refresh(jwks->set[i], now_ms))
			jwks->dirty = true;
	if (jwks->dirty)
		jwks->dirty = jwks->config.publish(jwks->config.context) != GW_OK;
}

/* ---- what a fetch brings -------------------------------------------------------------------- */

static void jwks_drop(struct jwks_set *set)
{
	arena_free(set->held);
	set->held = NULL;
	set->keys = (struct key_list){0};
}

static void jwks_log_problems(const struct jwks_set *set, const struct problems *problems)
{
	for (uint32_t i = 0; i < problems_count(problems); i++)
		log_event(set->jwks->config.log, LOG_LEVEL_WARNING, "jwks_problem", "text",
			  problems_text(problems, i));
}

static void jwks_first_error(const struct problems *problems, char out[JWKS_ERROR_MAX])
{
	for (uint32_t i = 0; i < problems_count(problems); i++) {
		if (problems_level(problems, i) != PROBLEM_ERROR)
			continue;
		snprintf(out, JWKS_ERROR_MAX, "%s", problems_text(problems, i));
		return;
	}
}

static bool jwks_holds(const struct jwks_set *set, const uint8_t digest[JWKS_DIGEST])
{
	return set->held != NULL && memcmp(digest, set->digest, JWKS_DIGEST) == 0;
}

/**
 * Takes the keys of text in place of those that are held; when there are none these stay. The same
 * text is not read again, nor is told again what is odd about it.
 */
static bool jwks_take(struct jwks_set *set, struct span text)
{
	const struct keys_source source = {set->url, set->file, set->line, set->algorithms};
	uint8_t digest[JWKS_DIGEST];
	struct problems *problems;
	struct arena *arena;
	struct key_list keys;
	bool good;

	if (EVP_Digest(text.at, text.len, digest, NULL, EVP_sha256(), NULL) != 1)
		abort(); /* libcrypto without SHA-256 */
	if (jwks_holds(set, digest))
		return true;
	problems = problems_new();
	arena = arena_new();
	keys_read(&source, text, arena, &keys, problems);
	good = problems_errors(problems) == 0;
	if (!good)
		jwks_first_error(problems, set->error);
	else
		jwks_log_problems(set, problems);
	problems_free(problems);
	if (!good) {
		arena_free(arena);
		return false;
	}
	jwks_drop(set);
	set->held = arena;
	set->keys = keys;
	memcpy(set->digest, digest, JWKS_DIGEST);
	return true;
}

static void jwks_succeeded(struct jwks_set *set, uint32_t fresh_s, uint64_t now_ms)
{
	const struct jwks *jwks = set->jwks;
	uint64_t life_ms = fresh_s * 1000ull;

	if (life_ms < jwks->cache_min_ms)
		life_ms = jwks->cache_min_ms;
	if (life_ms > jwks->cache_max_ms)
		life_ms = jwks->cache_max_ms;
	set->failures = 0;
	set->error[0] = '\0';
	set->fetched_ms = now_ms;
	set->fresh_until_ms = now_ms + life_ms;
	/* before its time is over, and not all nodes at one moment */
	set->due_ms = now_ms + jwks_between(jwks, life_ms * 3 / 4, life_ms * 9 / 10);
}

static void jwks_failed(struct jwks_set *set, uint64_t now_ms)
{
	const struct jwks *jwks = set->jwks;
	uint32_t doublings = set->failures < 16 ? set->failures : 16;
	uint64_t wait_ms = (uint64_t)RETRY_MS << doublings;

	if (wait_ms > jwks->cache_min_ms)
		wait_ms = jwks->cache_min_ms;
	set->failures++;
	set->due_ms = now_ms + jwks_between(jwks, wait_ms / 2, wait_ms);
}

/** Part of it may be a server's own words, in any bytes. */
static void jwks_why(struct jwks_set *set, const char *why)
{
	snprintf(set->error, sizeof(set->error), "%s", why);
	for (char *c = set->error; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static void jwks_done(void *context, const struct jwks_answer *answer)
{
	struct jwks_set *set = context;
	uint64_t now_ms = jwks_now(set->jwks);

	set->flight = NULL;
	set->issuer.fetches++;
	if (answer->why != NULL)
		jwks_why(set, answer->why);
	if (answer->why == NULL && jwks_take(set, answer->body))
		jwks_succeeded(set, answer->fresh_s, now_ms);
	else
		jwks_failed(set, now_ms);
	if (set->asked)
		set->cooldown_ms = now_ms + set->jwks->cooldown_ms;
	set->asked = false;
	set->jwks->dirty = true;
	jwks_note(set, now_ms);
	jwks_publish(set->jwks);
}

static void jwks_start(struct jwks_set *set)
{
	static const struct jwks_answer no_memory = {.why = "out of memory"};
	const struct jwks_fetcher *fetcher = &set->jwks->config.fetcher;
	const struct jwks_request request = {set->url, set->ca_path, jwks_done, set};

	if (set->flight != NULL)
		return;
	set->flight = fetcher->start(fetcher->context, &request);
	if (set->flight == NULL)
		jwks_done(set, &no_memory);
}

/* ---- time and questions ---------------------------------------------------------------------- */

static void jwks_tick_set(struct jwks_set *set, uint64_t now_ms)
{
	if (set->held != NULL && now_ms >= set->fresh_until_ms + set->jwks->stale_max_ms &&
	    set->failures > 0)
		jwks_drop(set);
	jwks_note(set, now_ms);
	if (now_ms >= set->due_ms)
		jwks_start(set);
}

void jwks_tick(struct jwks *jwks)
{
	uint64_t now_ms = jwks_now(jwks);

	for (uint32_t i = 0; i < jwks->count; i++)
		if (jwks->set[i] != NULL)
			jwks_tick_set(jwks->set[i], now_ms);
	jwks_publish(jwks);
}

static void jwks_wanted(struct jwks_set *set)
{
	if (jwks_now(set->jwks) < set->cooldown_ms)
		return;
	set->asked = true; /* also when it joins one under way */
	jwks_start(set);
}

bool jwks_message(struct jwks *jwks, uint32_t generation, struct span message)
{
	struct message_keys_wanted wanted;

	if (!span_copy(&message, &wanted, sizeof(wanted)) ||
	    wanted.head.kind != MESSAGE_KEYS_WANTED)
		return false;
	if (wanted.config_generation == generation && wanted.issuer < jwks->count &&
	    jwks->set[wanted.issuer] != NULL)
		jwks_wanted(jwks->set[wanted.issuer]);
	return true;
}

/* ---- configurations -------------------------------------------------------------------------- */

static bool jwks_is_of(const struct jwks_set *set, const struct config_issuer *issuer)
{
	return set->algorithms == issuer->algorithm_bits &&
	       strcmp(set->name, issuer->name.text) == 0 &&
	       strcmp(set->url, issuer->jwks.text) == 0 &&
	       strcmp(set->ca, issuer->jwks_ca.text) == 0;
}

static uint32_t jwks_find(const struct jwks *jwks, const struct config_issuer *issuer)
{
	uint32_t i = 0;

	while (i < jwks->count && (jwks->set[i] == NULL || !jwks_is_of(jwks->set[i], issuer)))
		i++;
	return i;
}

static void jwks_set_free(struct jwks_set *set)
{
	const struct jwks_fetcher *fetcher;

	if (set == NULL)
		return;
	fetcher = &set->jwks->config.fetcher;
	if (set->flight != NULL)
		fetcher->cancel(fetcher->context, set->flight);
	arena_free(set->held);
	arena_free(set->arena);
}

static const char *jwks_copy(struct arena *arena, const char *text)
{
	return arena_text(arena, text, strlen(text));
}

static struct jwks_set *jwks_set_new(struct jwks *jwks, const struct config *config,
				     const struct config_issuer *issuer)
{
	struct arena *arena = arena_new();
	struct jwks_set *set = arena_get(arena, sizeof(*set));

	*set = (struct jwks_set){
		.jwks = jwks,
		.arena = arena,
		.name = jwks_copy(arena, issuer->name.text),
		.url = jwks_copy(arena, issuer->jwks.text),
		.ca = jwks_copy(arena, issuer->jwks_ca.text),
		.file = jwks_copy(arena, config->file),
		.line = issuer->jwks.line,
		.algorithms = issuer->algorithm_bits,
		.state = JWKS_WAITING,
		.issuer = {.missing = true, .refetchable = true},
	};
	if (set->ca[0] != '\0')
		set->ca_path = jwks_copy(arena, config_path(config, issuer->jwks_ca));
	return set;
}

static void jwks_limits(struct jwks *jwks, const struct config *config)
{
	jwks->cache_min_ms = config->limits.jwks_cache_min.value * 1000;
	jwks->cache_max_ms = config->limits.jwks_cache_max.value * 1000;
	jwks->stale_max_ms = config->limits.jwks_stale_max.value * 1000;
	jwks->cooldown_ms = config->limits.jwks_cooldown.value * 1000;
}

void jwks_configure(struct jwks *jwks, const struct config *config)
{
	struct jwks_set **set = calloc(config->issuers.count + 1, sizeof(struct jwks_set *));
	uint32_t old;

	if (set == NULL)
		abort(); /* as control/arena.h: some kilobytes */
	for (uint32_t i = 0; i < config->issuers.count; i++) {
		const struct config_issuer *issuer = config_issuer(config, i);

		if (!config_issuer_fetches(issuer))
			continue;
		old = jwks_find(jwks, issuer);
		if (old < jwks->count) {
			set[i] = jwks->set[old];
			set[i]->line = issuer->jwks.line;
			jwks->set[old] = NULL;
		} else {
			set[i] = jwks_set_new(jwks, config, issuer);
			jwks->dirty = true;
		}
	}
	for (uint32_t i = 0; i < jwks->count; i++)
		jwks_set_free(jwks->set[i]);
	free(jwks->set);
	jwks->set = set;
	jwks->count = config->issuers.count;
	jwks_limits(jwks, config);
	jwks_tick(jwks);
}

struct jwks *jwks_new(const struct jwks_config *config)
{
	struct jwks *jwks = calloc(1, sizeof(*jwks));

	if (jwks != NULL)
		jwks->config = *config;
	return jwks;
}

void jwks_free(struct jwks *jwks)
{
	if (jwks == NULL)
		return;
	for (uint32_t i = 0; i < jwks->count; i++)
		jwks_set_free(jwks->set[i]);
	free(jwks->set);
	free(jwks);
}

/* ---- what is known --------------------------------------------------------------------------- */

static uint64_t jwks_seconds(uint64_t from_ms, uint64_t to_ms)
{
	return to_ms > from_ms ? (to_ms - from_ms) / 1000 : 0;
}

static void jwks_look_at(const struct jwks_set *set, struct jwks_view *view)
{
	uint64_t now_ms = jwks_now(set->jwks);

	view->state = jwks_state(set, now_ms);
	view->keys = &set->keys;
	view->issuer = set->issuer;
	view->age_s = set->held != NULL ? jwks_seconds(set->fetched_ms, now_ms) : 0;
	view->refresh_s = set->flight == NULL ? jwks_seconds(now_ms, set->due_ms) : 0;
	view->error = set->error;
}

void jwks_look(const struct jwks *jwks, const struct config_issuer *issuer, struct jwks_view *view)
{
	uint32_t i;

	*view = (struct jwks_view){.state = JWKS_FILE, .keys = &issuer->keys, .error = ""};
	if (!config_issuer_fetches(issuer))
		return;
	view->state = JWKS_WAITING;
	view->issuer.missing = true;
	i = jwks != NULL ? jwks_find(jwks, issuer) : 0;
	if (jwks != NULL && i < jwks->count)
		jwks_look_at(jwks->set[i], view);
}
