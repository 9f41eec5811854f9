/* SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

#include <time.h>

#include "explain.h"
#include "fetch.h"
#include "state_file.h"

/* What an operator does about tokens: takes back, gives back, looks at. */

enum { SECONDS_MAX = 315360000 /* ten years */, HASH_DIGITS = 16 };

static struct snapshot command_view(const struct commands *c)
{
	struct snapshot view;

	c->node->view(c->node_context, &view);
	return view;
}

static uint64_t command_now_s(void)
{
	return (uint64_t)time(NULL);
}

static struct span command_span(const struct cli_request *request, uint32_t i)
{
	const char *word = cli_word(request, i);

	return word != NULL ? span_text(word) : SPAN("");
}

static bool command_word_is(const struct cli_request *request, uint32_t i, const char *text)
{
	return span_equal(command_span(request, i), span_text(text));
}

static json_t *command_text(struct span text)
{
	return text.len > 0 ? json_stringn((const char *)text.at, text.len) : json_string("");
}

/** The issuer of that name, or with that iss; NULL: none. */
static const struct issuer_config *command_issuer(const struct config_part *config,
						  struct span word)
{
	for (uint32_t i = 0; i < config->issuer_count; i++)
		if (span_equal(config->issuer[i].name, word) ||
		    span_equal(config->issuer[i].iss, word))
			return &config->issuer[i];
	return NULL;
}

static bool command_has_wwsf(const struct config_part *config, struct span name)
{
	for (uint32_t i = 0; i < config->wwsf_count; i++)
		if (span_equal(config->wwsf[i].name, name))
			return true;
	return false;
}

/* ---- what is meant --------------------------------------------------------------------------- */

/** What the words from number at on mean. */
struct meant {
	const char *why; /* NULL; else why they mean nothing */
	struct revocation what;
	uint32_t leeway_s;
	uint32_t next; /* the word behind */
};

/** "h:" of the log may stand before the digits. */
static struct meant meant_hash(const struct cli_request *request, uint32_t at)
{
	struct meant m = {.next = at + 1, .leeway_s = 60 /* no issuer has more */};
	struct span digits = command_span(request, at);
	uint8_t bytes[HASH_DIGITS / 2];
	struct span all = span_of(bytes, sizeof(bytes));
	const char *hex;

	if (span_starts(digits, SPAN("h:")))
		digits = span_from(digits, 2);
	hex = (const char *)digits.at;
	if (digits.len != HASH_DIGITS || !state_hex(&hex, bytes, sizeof(bytes)) ||
	    !span_u64_be(&all, &m.what.jti))
		m.why = "HASH is 16 hexadecimal digits, as the log has them after h:";
	return m;
}

static const char no_issuer[] = "ISSUER is not the name or the iss of an issuer";

static struct meant meant_jti(const struct cli_request *request, uint32_t at,
			      const struct config_part *config)
{
	const struct issuer_config *issuer = command_issuer(config, command_span(request, at));
	struct span jti = command_span(request, at + 1);
	struct meant m = {.next = at + 2};

	if (issuer == NULL) {
		m.why = no_issuer;
		return m;
	}
	if (jti.len == 0 || jti.len + issuer->iss.len >= VERIFY_TEXT_MAX)
		m.why = "JTI is missing or too long";
	else
		m.what.jti = jti_hash(config->hash_key, issuer->iss, jti);
	m.leeway_s = issuer->leeway_s;
	return m;
}

/** A key of an issuer that has gone can be given back. */
static struct meant meant_key(const struct cli_request *request, uint32_t at,
			      const struct config_part *config)
{
	struct span word = command_span(request, at);
	const struct issuer_config *issuer = command_issuer(config, word);
	struct meant m = {.next = at + 2,
			  .what = {.kind = REVOCATION_KEY,
				   .issuer = issuer != NULL ? issuer->name : word,
				   .name = command_span(request, at + 1)}};

	if (m.what.name.len == 0)
		m.why = "KID is missing";
	return m;
}

static struct meant command_meant(const struct cli_request *request, uint32_t at,
				  const struct config_part *config)
{
	if (command_word_is(request, at, "jti"))
		return meant_jti(request, at + 1, config);
	if (command_word_is(request, at, "jti-hash"))
		return meant_hash(request, at + 1);
	if (command_word_is(request, at, "key"))
		return meant_key(request, at + 1, config);
	return (struct meant){
		.why = "jti, jti-hash or key is expected, or undo before it, or list"};
}

/**
 * Until when a token is taken back: as long as asked, or else as long as any that has been accepted
 * so far can be: its iat may be a leeway ahead of us, and its exp is passed a leeway late.
 */
static const char *command_until(const struct cli_request *request,
				 const struct config_part *config, struct meant *m)
{
	const char *word = cli_word(request, m->next);
	uint32_t seconds = config->max_token_lifetime_s + 2 * m->leeway_s;

	if (m->what.kind == REVOCATION_KEY && command_issuer(config, m->what.issuer) == NULL)
		return no_issuer;
	if (word != NULL && m->what.kind == REVOCATION_JTI) {
		if (!commands_number(word, SECONDS_MAX, &seconds) || seconds == 0)
			return "SECONDS is a number, 1 to 315360000";
		m->next++;
	}
	if (m->what.kind == REVOCATION_JTI)
		m->what.until_s = command_now_s() + seconds;
	return NULL;
}

/* ---- what is answered ------------------------------------------------------------------------ */

static json_t *command_name(const struct revocation *r)
{
	return r->kind == REVOCATION_JTI ? fetch_hash(r->jti) : command_text(r->name);
}

static json_t *command_row(const struct revocation *r, uint64_t now_s)
{
	static const char *const kinds[REVOCATION_KINDS] = {"jti", "key", "wwsf"};
	bool ends = r->kind == REVOCATION_JTI && r->until_s > now_s;

	return json_pack("{s:s, s:o, s:o, s:o}", "kind", kinds[r->kind], "issuer",
			 command_text(r->issuer), "name", command_name(r), "seconds",
			 ends ? json_integer((json_int_t)(r->until_s - now_s)) : json_null());
}

/** Whether workers have a key of that name now. */
static bool command_key_is_known(const struct snapshot *view, const struct revocation *r)
{
	for (uint32_t i = 0; i < view->keys->count; i++) {
		const struct key_row *row = &view->keys->row[i];

		if (span_equal(view->config->issuer[row->issuer].name, r->issuer) &&
		    span_equal(row->kid, r->name))
			return true;
	}
	return false;
}

/** Puts the change live and ends the request. */
static void command_changed(struct cli_request *request, const struct commands *c,
			    const struct revocation *r, json_t *about)
{
	if (!c->node->publish_revocations(c->node_context, r->kind))
		json_object_set_new(about, "error",
				    json_string("kept, but not live yet: tried again until it is"));
	cli_reply(request, json_pack("{s:o}", cli_word(request, 0), about));
}

static void command_add(struct cli_request *request, const struct commands *c,
			const struct revocation *r)
{
	json_t *about = command_row(r, command_now_s());
	struct snapshot view = command_view(c);
	const char *why;

	if (r->kind == REVOCATION_KEY)
		json_object_set_new(about, "known", json_boolean(command_key_is_known(&view, r)));
	why = revocations_add(c->revocations, r);
	if (why == NULL) {
		command_changed(request, c, r, about);
		return;
	}
	json_decref(about);
	cli_fail(request, why);
}

static void command_end(struct cli_request *request, const struct commands *c,
			const struct revocation *r)
{
	json_t *about = command_row(r, command_now_s());
	const char *why = revocations_end(c->revocations, r);

	if (why == NULL) {
		command_changed(request, c, r, about);
		return;
	}
	json_decref(about);
	cli_fail(request, why);
}

/* ---- revoke ---------------------------------------------------------------------------------- */

struct listing {
	json_t *rows;
	uint64_t now_s;
	uint32_t max;
	bool truncated;
};

static void listing_row(void *context, const struct revocation *r)
{
	struct listing *listing = context;

	if (json_array_size(listing->rows) < listing->max)
		json_array_append_new(listing->rows, command_row(r, listing->now_s));
	else
		listing->truncated = true;
}

static void command_list(struct cli_request *request, const struct commands *c)
{
	struct listing listing = {json_array(), command_now_s(), c->max_rows, false};
	json_t *answer;

	revocations_each(c->revocations, listing_row, &listing);
	answer = json_pack("{s:o}", "revocations", listing.rows);
	if (listing.truncated)
		json_object_set_new(answer, "truncated", json_true());
	cli_reply(request, answer);
}

void command_run_revoke(struct cli_request *request, void *context)
{
	const struct commands *c = context;
	struct snapshot view = command_view(c);
	bool undo = command_word_is(request, 1, "undo");
	struct meant m;

	if (command_word_is(request, 1, "list") && cli_word(request, 2) == NULL) {
		command_list(request, c);
		return;
	}
	m = command_meant(request, undo ? 2 : 1, view.config);
	if (m.why == NULL && !undo)
		m.why = command_until(request, view.config, &m);
	if (m.why == NULL && cli_word(request, m.next) != NULL)
		m.why = "too many arguments";
	if (m.why != NULL)
		cli_fail(request, m.why);
	else if (undo)
		command_end(request, c, &m.what);
	else
		command_add(request, c, &m.what);
}

/* ---- web sites ------------------------------------------------------------------------------- */

void command_run_disable(struct cli_request *request, void *context)
{
	const struct revocation what = {.kind = REVOCATION_WWSF, .name = command_span(request, 1)};
	const struct commands *c = context;
	struct snapshot view = command_view(c);

	if (command_has_wwsf(view.config, what.name))
		command_add(request, c, &what);
	else
		cli_fail(request, "WWSF is not the name of a web site of the configuration");
}

void command_run_enable(struct cli_request *request, void *context)
{
	const struct revocation what = {.kind = REVOCATION_WWSF, .name = command_span(request, 1)};
	const struct commands *c = context;

	if (revocations_has(c->revocations, &what))
		command_end(request, c, &what);
	else
		cli_fail(request, "WWSF is not the name of a web site that is disabled");
}

static json_t *command_origins(const struct config_part *config, uint32_t wwsf)
{
	json_t *origins = json_array();

	for (uint32_t i = 0; i < config->origin_count; i++)
		if (config->origin[i].wwsf == wwsf)
			json_array_append_new(origins, command_text(config->origin[i].origin));
	return origins;
}

static json_t *command_issuer_of(const struct config_part *config, const struct wwsf_config *wwsf)
{
	return wwsf->issuer == WWSF_NO_ISSUER ? json_null()
					      : command_text(config->issuer[wwsf->issuer].name);
}

static json_t *wwsf_row(const struct commands *c, const struct config_part *config, uint32_t i,
			const json_t *counted)
{
	static const char *const modes[] = {[WWSF_INDIVIDUAL] = "individual",
					    [WWSF_IMS_AUTH] = "ims-auth",
					    [WWSF_POOL] = "pool",
					    [WWSF_WILDCARD] = "wildcard-unregistered",
					    [WWSF_BLOCK] = "block"};
	const struct wwsf_config *wwsf = &config->wwsf[i];
	const struct revocation disabled = {.kind = REVOCATION_WWSF, .name = wwsf->name};
	char name[32] = "";

	memcpy(name, wwsf->name.at, wwsf->name.len < 31 ? wwsf->name.len : 31);
	return json_pack("{s:o, s:s, s:o, s:b, s:I, s:o}", "name", command_text(wwsf->name), "mode",
			 modes[wwsf->mode], "issuer", command_issuer_of(config, wwsf), "enabled",
			 !revocations_has(c->revocations, &disabled), "forbidden",
			 commands_counted(counted, name, "forbidden"), "origins",
			 command_origins(config, i));
}

static json_t *wwsf_end(const void *context, json_t *counted_owned)
{
	const struct commands *c = context;
	struct snapshot view = command_view(c);
	json_t *rows = json_array();

	for (uint32_t i = 0; i < view.config->wwsf_count; i++)
		json_array_append_new(rows, wwsf_row(c, view.config, i, counted_owned));
	json_decref(counted_owned);
	return json_pack("{s:o}", "wwsf", rows);
}

void command_run_wwsf(struct cli_request *request, void *context)
{
	const struct commands *c = context;
	const struct fetch_order order = {.what = COMMAND_POOLS,
					  .end = wwsf_end,
					  .context = context};

	fetch_start(c->fetch, request, &order);
}

/* ---- explain --------------------------------------------------------------------------------- */

void command_run_explain(struct cli_request *request, void *context)
{
	const struct commands *c = context;
	struct snapshot view = command_view(c);
	bool has_origin = command_word_is(request, 1, "--origin");
	uint32_t token = has_origin ? 3 : 1;
	const struct explain_order order = {
		.token = command_span(request, token),
		.origin = has_origin ? command_span(request, 2) : SPAN(""),
		.hash_key = view.config->hash_key,
	};

	if (order.token.len == 0)
		cli_fail(request, "TOKEN missing");
	else if (cli_word(request, token + 1) != NULL)
		cli_fail(request, "too many arguments");
	else if (order.token.len > VERIFY_TEXT_MAX || order.origin.len > UINT16_MAX)
		cli_fail(request, "TOKEN is longer than any that is accepted");
	else
		explain_start(c->errands, request, &order);
}
