/* SPDX-License-Identifier: BSD-3-Clause */
#include "named.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "wildcard.h"

/** What was made of URIs: by a thread of the pool, then for good. */
struct reading {
	struct arena *arena;
	struct span *wildcard; /* canonical */
	uint32_t count;
	struct expressions *expressions; /* NULL: see why */
	char why[160];			 /* it cannot be a bound */
};

/** URIs, a newline behind each. */
struct uris {
	uint32_t len;
	bool more; /* there were others, too */
	uint8_t at[BLOCK_NAMED_MAX];
};

/** What one way has named of one web site. */
struct said {
	struct uris uris;
	uint64_t version;	 /* of uris; of two rows never the same */
	uint64_t pair;		 /* of the block */
	bool asked;		 /* they have changed since they were read */
	struct reading *reading; /* as they were then; NULL: nothing was named */
};

struct site {
	struct site *next;
	char name[BLOCK_NAME_MAX + 1];
	struct said said[BLOCK_NAMED_WAYS];
};

struct named {
	struct named_config config;
	struct site *first;
	uint64_t versions;
	bool changed; /* to be published */
	bool closing;
	/* what is read, while it is */
	uv_work_t work;
	bool running;
	atomic_bool stop;
	char name[BLOCK_NAME_MAX + 1];
	enum block_named_by by;
	struct uris uris;
	uint64_t version;
	uint16_t workers;
	struct expressions *before; /* held; NULL: none */
	struct reading *reading;
};

static const char *const way_names[] = {
	[BLOCK_NAMED_BY_RESPONSE] = "response", [BLOCK_NAMED_BY_EVENT] = "event"};

/** How what one way has named stands to the configuration; the last one says most. */
enum state { STATE_NONE, STATE_CONFIGURED, STATE_UNREAD, STATE_NARROWED };

static const char *const state_names[] = {[STATE_NONE] = "none",
					  [STATE_CONFIGURED] = "configured",
					  [STATE_UNREAD] = "unread",
					  [STATE_NARROWED] = "narrowed"};

/* ---- reading, on a thread of the pool -------------------------------------------------------- */

static void reading_free(struct reading *r)
{
	if (r == NULL)
		return;
	expressions_put(r->expressions);
	arena_free(r->arena);
	free(r);
}

static void reading_refuse(struct reading *r, const char *why)
{
	if (r->why[0] == '\0')
		snprintf(r->why, sizeof(r->why), "%s", why);
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** An expression as it is meant: what cannot stand in a user is escaped in a URI (RFC 3261 19.1.2).
 */
static struct span unescape(struct span uri, struct arena *arena)
{
	uint8_t *text = arena_get(arena, uri.len);
	uint32_t n = 0;

	for (uint32_t i = 0; i < uri.len; i++) {
		int high = i + 2 < uri.len ? hex_digit(uri.at[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(uri.at[i + 2]) : -1;
		bool escaped = uri.at[i] == '%' && low >= 0;

		text[n++] = escaped ? (uint8_t)(high << 4 | low) : uri.at[i];
		i += escaped ? 2 : 0;
	}
	return span_of(text, n);
}

/** The next URI of rest. False: there is none. */
static bool next_uri(struct span *rest, struct span *uri)
{
	uint32_t end = span_find(*rest, '\n');

	if (rest->len == 0)
		return false;
	*uri = span_cut(*rest, 0, end);
	*rest = span_from(*rest, end + 1);
	return true;
}

static void reading_compile(struct reading *r, const struct expression *at,
			    const struct named *named)
{
	struct problems *problems = problems_new();
	const struct expressions_from from = {
		.at = at,
		.count = r->count,
		.file = "core",
		.workers = named->workers,
		.before = named->before,
		.stop = &named->stop,
	};

	if (problems != NULL)
		r->expressions = expressions_compile(&from, problems);
	if (r->expressions == NULL)
		reading_refuse(r, problems != NULL && problems_count(problems) > 0
					  ? problems_text(problems, 0)
					  : "no memory");
	problems_free(problems);
}

/** Reads all of them; what it needs for that lies in scratch. */
static void reading_read(struct reading *r, const struct named *named, struct arena *scratch)
{
	struct span rest = span_of(named->uris.at, named->uris.len), uri;
	struct expression *at = arena_get(scratch, NAMED_MAX * sizeof(*at));

	r->wildcard = arena_get(r->arena, NAMED_MAX * sizeof(*r->wildcard));
	for (; r->count < NAMED_MAX && next_uri(&rest, &uri); r->count++) {
		struct wildcard w = wildcard_read(unescape(uri, scratch), scratch);

		if (w.why != NULL)
			reading_refuse(r, w.why);
		r->wildcard[r->count] =
			span_of(arena_text(r->arena, w.text.at, w.text.len), w.text.len);
		at[r->count] = (struct expression){w.expression, "wildcard", r->count + 1};
	}
	if (named->uris.more || rest.len > 0)
		reading_refuse(r, "too many");
	if (r->why[0] == '\0')
		reading_compile(r, at, named);
}

static void named_read(uv_work_t *work)
{
	struct named *named = work->data;
	struct reading *r = calloc(1, sizeof(*r));
	struct arena *scratch;

	named->reading = r;
	if (r == NULL)
		return;
	scratch = arena_new();
	r->arena = arena_new();
	reading_read(r, named, scratch);
	arena_free(scratch);
}

/* ---- what is known --------------------------------------------------------------------------- */

static struct site *site_find(const struct named *named, struct span name)
{
	struct site *s = named != NULL ? named->first : NULL;

	while (s != NULL && !span_equal(span_text(s->name), name))
		s = s->next;
	return s;
}

/** NULL: the live configuration does not have it. */
static const struct config_wwsf *site_live(const struct named *named, const char *name)
{
	const struct config *config = named->config.live(named->config.context);

	for (uint32_t w = 0; w < config->wwsf.count; w++)
		if (strcmp(config_wwsf(config, w)->name.text, name) == 0)
			return config_wwsf(config, w);
	return NULL;
}

static void site_free(struct site *s)
{
	for (uint32_t by = 0; by < BLOCK_NAMED_WAYS; by++)
		reading_free(s->said[by].reading);
	free(s);
}

/** The row of that web site, made when it is live. NULL: it is not, or there is no memory. */
static struct site *site_of(struct named *named, const char *name)
{
	struct site *s = site_find(named, span_text(name));

	if (s != NULL || site_live(named, name) == NULL)
		return s;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	snprintf(s->name, sizeof(s->name), "%s", name);
	s->next = named->first;
	named->first = s;
	return s;
}

static bool reading_has(const struct reading *r, struct span wildcard)
{
	for (uint32_t i = 0; i < r->count; i++)
		if (span_equal(r->wildcard[i], wildcard))
			return true;
	return false;
}

static enum state said_state(const struct said *s, const struct config_wwsf *site)
{
	if (s->reading == NULL || site->mode.value != CONFIG_MODE_BLOCK)
		return STATE_NONE;
	if (reading_has(s->reading, site->wildcard.text))
		return STATE_CONFIGURED;
	return s->reading->expressions == NULL ? STATE_UNREAD : STATE_NARROWED;
}

/** The end of a block that another one has followed says nothing about that. */
static void said_take(struct named *named, struct said *s, const struct message_block_named *m,
		      struct span uris)
{
	struct span known = span_of(s->uris.at, s->uris.len);

	if (uris.len == 0 && !m->more && m->pair != s->pair)
		return;
	s->pair = m->pair;
	if (s->uris.more == m->more && span_equal(known, uris))
		return;
	s->uris.len = uris.len;
	s->uris.more = m->more;
	memcpy(s->uris.at, uris.at, uris.len);
	s->version = ++named->versions;
	s->asked = true;
}

/* ---- one after the other --------------------------------------------------------------------- */

static void named_done(uv_work_t *work, int status);

static void take_reading(struct named *named, struct said *s, struct reading *reading)
{
	reading_free(s->reading);
	s->reading = reading;
	named->changed = true;
}

/** Has it read. False: it cannot be begun now. */
static bool read_begin(struct named *named, const struct site *site, enum block_named_by by)
{
	const struct said *s = &site->said[by];

	memcpy(named->name, site->name, sizeof(named->name));
	named->by = by;
	named->uris = s->uris;
	named->version = s->version;
	named->workers = config_workers(named->config.live(named->config.context));
	named->work.data = named;
	if (uv_queue_work(named->config.loop, &named->work, named_read, named_done) != 0)
		return false;
	named->running = true;
	if (s->reading != NULL && s->reading->expressions != NULL)
		named->before = expressions_hold(s->reading->expressions);
	return true;
}

static void said_read(struct named *named, struct site *site, enum block_named_by by)
{
	struct said *s = &site->said[by];

	if (!s->asked)
		return;
	if (s->uris.len == 0 && !s->uris.more) {
		take_reading(named, s, NULL);
		s->asked = false;
	} else if (!named->running && read_begin(named, site, by)) {
		s->asked = false;
	}
}

static void named_go_on(struct named *named)
{
	for (struct site *s = named->first; s != NULL; s = s->next)
		for (uint32_t by = 0; by < BLOCK_NAMED_WAYS; by++)
			said_read(named, s, (enum block_named_by)by);
	if (named->changed)
		named->changed = named->config.publish(named->config.context) != GW_OK;
}

/** The log is told how it stands to the configuration; not the identities. */
static void tell(struct named *named, const struct said *s, const struct config_wwsf *site)
{
	enum state state = said_state(s, site);
	struct log_line line;

	log_begin(named->config.log, &line,
		  state >= STATE_UNREAD ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "block_named");
	log_text(&line, "wwsf", named->name);
	log_text(&line, "by", way_names[named->by]);
	log_number(&line, "wildcards", s->reading->count);
	log_text(&line, "state", state_names[state]);
	if (s->reading->why[0] != '\0')
		log_text(&line, "why", s->reading->why);
	log_end(&line);
}

/** Takes what was read, unless something else is named by now. */
static void named_take(struct named *named, struct reading *reading)
{
	const struct config_wwsf *live = site_live(named, named->name);
	struct site *site = site_find(named, span_text(named->name));
	struct said *s = site != NULL ? &site->said[named->by] : NULL;

	if (s == NULL || live == NULL || s->version != named->version) {
		reading_free(reading);
	} else if (reading == NULL) {
		s->asked = true; /* there was no memory */
	} else {
		take_reading(named, s, reading);
		tell(named, s, live);
	}
}

static void named_done(uv_work_t *work, int status)
{
	struct named *named = work->data;
	struct reading *reading = named->reading;

	(void)status;
	expressions_put(named->before);
	named->before = NULL;
	named->reading = NULL;
	named->running = false;
	if (named->closing) {
		reading_free(reading);
		named_close(named);
		return;
	}
	named_take(named, reading);
	named_go_on(named);
}

/* ---- for others ------------------------------------------------------------------------------ */

struct named *named_new(const struct named_config *config)
{
	struct named *named = calloc(1, sizeof(*named));

	if (named != NULL)
		named->config = *config;
	return named;
}

void named_close(struct named *named)
{
	if (named == NULL)
		return;
	named->closing = true;
	atomic_store(&named->stop, true);
	if (named->running)
		return; /* its end closes it */
	for (struct site *s = named->first, *next; s != NULL; s = next) {
		next = s->next;
		site_free(s);
	}
	free(named);
}

bool named_message(struct named *named, struct span message)
{
	struct message_block_named m;
	struct span rest = message;
	struct site *s;

	if (!span_copy(&rest, &m, sizeof(m)) || m.head.kind != MESSAGE_BLOCK_NAMED)
		return false;
	s = m.by < BLOCK_NAMED_WAYS && rest.len <= BLOCK_NAMED_MAX ? site_of(named, m.wwsf) : NULL;
	if (s == NULL)
		return true;
	said_take(named, &s->said[m.by], &m, rest);
	named_go_on(named);
	return true;
}

void named_configure(struct named *named)
{
	struct site **at = &named->first;

	while (*at != NULL) {
		struct site *s = *at;

		if (site_live(named, s->name) != NULL) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		site_free(s);
	}
}

void named_tick(struct named *named)
{
	named_go_on(named);
}

struct expressions *named_bound(const struct named *named, const struct config_wwsf *site,
				enum block_named_by by)
{
	const struct site *s = named != NULL ? site_find(named, span_text(site->name.text)) : NULL;

	if (s == NULL || said_state(&s->said[by], site) != STATE_NARROWED)
		return NULL;
	return s->said[by].reading->expressions;
}

const char *named_state(const struct named *named, struct span wwsf)
{
	const struct site *s = site_find(named, wwsf);
	const struct config_wwsf *live = s != NULL ? site_live(named, s->name) : NULL;
	enum state state = STATE_NONE;

	for (uint32_t by = 0; live != NULL && by < BLOCK_NAMED_WAYS; by++)
		if (said_state(&s->said[by], live) > state)
			state = said_state(&s->said[by], live);
	return state_names[state];
}
