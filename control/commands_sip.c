/* SPDX-License-Identifier: BSD-3-Clause */
#include "canonical.h"
#include "commands.h"

/* What an operator sees of registrations and calls as they go on. */

static bool word_is(const char *word, const char *text)
{
	return word != NULL && strcmp(word, text) == 0;
}

/** Whether it can be an identity: else it is a Call-ID. */
static bool is_uri(const char *word)
{
	static const char *const schemes[] = {"sip:", "sips:", "tel:"};

	for (uint32_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncasecmp(word, schemes[i], strlen(schemes[i])) == 0)
			return true;
	return false;
}

/** Writes the identity as workers compare it. False: it is none. */
static bool read_impu(const char *word, uint8_t text[TRACE_TEXT_MAX], uint16_t *len)
{
	struct writer w;

	writer_init(&w, text, TRACE_TEXT_MAX);
	if (!is_uri(word) || identity_canonical_impu(span_text(word), &w) != GW_OK)
		return false;
	*len = (uint16_t)writer_len(&w);
	return true;
}

/* ---- trace ----------------------------------------------------------------------------------- */

struct trace_words {
	const char *what;
	bool by_call_id;
	uint32_t seconds, count;
};

/** NULL, or why not. */
static const char *trace_read(const struct cli_request *request, struct trace_words *words)
{
	const char *word;

	for (uint32_t i = 1; (word = cli_word(request, i)) != NULL; i++) {
		const char *next = cli_word(request, i + 1) != NULL ? cli_word(request, i + 1) : "";

		if (word_is(word, "--call-id")) {
			words->by_call_id = true;
		} else if (word_is(word, "--seconds")) {
			if (!commands_number(next, TRACE_SECONDS_MAX, &words->seconds) ||
			    words->seconds == 0)
				return "--seconds is a number, 1 to 3600";
			i++;
		} else if (word_is(word, "--count")) {
			if (!commands_number(next, TRACE_COUNT_MAX, &words->count) ||
			    words->count == 0)
				return "--count is a number, 1 to 1000000";
			i++;
		} else if (words->what != NULL || strncmp(word, "--", 2) == 0) {
			return "what is wanted is one IMPU or CALL-ID";
		} else {
			words->what = word;
		}
	}
	return words->what != NULL ? NULL : "IMPU or CALL-ID missing";
}

static const char *trace_order(const struct trace_words *words, const uint8_t *hash_key,
			       struct trace_order *order)
{
	struct span what = span_text(words->what);

	order->count = words->count;
	order->filter.seconds = words->seconds;
	if (!words->by_call_id && is_uri(words->what)) {
		order->filter.by = TRACE_BY_IMPU;
		if (!read_impu(words->what, order->filter.text, &order->filter.len))
			return "IMPU is no identity: sip:USER@HOST or tel:+NUMBER";
		order->hash = siphash(hash_key, span_of(order->filter.text, order->filter.len));
		return NULL;
	}
	order->filter.by = TRACE_BY_CALL_ID;
	if (what.len > sizeof(order->filter.text))
		return "CALL-ID is longer than 256 characters";
	memcpy(order->filter.text, what.at, what.len);
	order->filter.len = (uint16_t)what.len;
	return NULL;
}

void command_run_trace(struct cli_request *request, void *context)
{
	struct trace_words words = {.seconds = TRACE_SECONDS};
	const char *why = trace_read(request, &words);
	const struct commands *c = context;
	struct trace_order order = {0};
	struct snapshot view;

	c->node->view(c->node_context, &view);
	if (why == NULL)
		why = trace_order(&words, view.config->hash_key, &order);
	if (why != NULL)
		cli_fail(request, why);
	else
		traces_start(c->traces, request, &order);
}

/* ---- show ------------------------------------------------------------------------------------ */

static bool show_kind(const char *word, enum show_what *what)
{
	static const char *const names[] = {
		[SHOW_BINDING] = "binding",
		[SHOW_CONNECTION] = "connection",
		[SHOW_CALL] = "call",
	};

	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (word_is(word, names[i])) {
			*what = (enum show_what)i;
			return true;
		}
	return false;
}

/** WORKER.SLOT */
static bool show_handle(const char *word, uint16_t workers, struct show_ask *ask)
{
	const char *dot = strchr(word, '.');
	uint32_t worker;
	char text[8];

	if (dot == NULL || (size_t)(dot - word) >= sizeof(text))
		return false;
	memcpy(text, word, (size_t)(dot - word));
	text[dot - word] = '\0';
	if (!commands_number(text, workers - 1u, &worker) ||
	    !commands_number(dot + 1, UINT32_MAX, &ask->slot))
		return false;
	ask->worker = (uint16_t)worker;
	return true;
}

void command_run_show(struct cli_request *request, void *context)
{
	const char *kind = cli_word(request, 1), *which = cli_word(request, 2);
	struct fetch_order order = {.what = COMMAND_SHOW};
	const struct commands *c = context;

	if (!show_kind(kind, &order.show.what) || which == NULL)
		cli_fail(request, "what is wanted is binding, connection or call, and which");
	else if (!read_impu(which, order.show.impu, &order.show.len) &&
		 !show_handle(which, c->workers, &order.show))
		cli_fail(request, "HANDLE is WORKER.SLOT of a list, IMPU sip:USER@HOST or "
				  "tel:+NUMBER");
	else
		fetch_start(c->fetch, request, &order);
}
