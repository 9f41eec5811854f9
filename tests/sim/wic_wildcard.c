/* SPDX-License-Identifier: BSD-3-Clause */
#include "guest.h"
#include "wic.h"

/*
 * Guests: what they say, and what of it may reach the core. A guest shows a token, or none, or a
 * bad one, of its own name or another one, at any time; what does reach the core is sent within the
 * life of a token that its connection has shown for the name that is asserted, and is not taken
 * back.
 */

#define SEEN_US (2 * SECOND)  /* by then every worker has seen what was published */
#define GONE_US (20 * SECOND) /* by then a connection whose token is taken back has ended */
#define TEXT_MAX 4000

struct guests *guests_new(struct sim *sim)
{
	struct guests *g = table_new(sizeof(*g));

	g->cached = sim_chance(sim, 80);
	return g;
}

void guests_free(struct guests *guests)
{
	if (guests != NULL)
		table_free(guests, sizeof(*guests));
}

/* ---- tokens -----------------------------------------------------------------------------------
 */

static void write_jti(const struct wic *w, struct writer *out)
{
	text_add(out, "g%uc%u", w->index, w->number);
}

static uint64_t jti_of(const struct wic *w)
{
	static const uint8_t key[16] = SIM_HASH_KEY;
	uint8_t text[32];
	struct writer jti;

	writer_init(&jti, text, sizeof(text));
	write_jti(w, &jti);
	return jti_hash(key, SPAN("https://waf2.example"), writer_span(&jti));
}

static void write_claims(const struct wic *w, const struct request *r, struct writer *out)
{
	const char *audience =
		r->token == TOKEN_AUDIENCE ? "sip:elsewhere.example" : "sip:ep." DOMAIN;

	text_add(out, "{\"iss\":\"https://waf2.example\",\"aud\":\"%s\",\"sub\":\"g%u\",", audience,
		 w->index);
	if (r->token != TOKEN_MIXED) {
		text_add(out, "\"jti\":\"");
		write_jti(w, out);
		text_add(out, "\",");
	}
	if (r->token == TOKEN_FOREIGN)
		text_add(out, "\"impu\":\"sip:user%u@" DOMAIN "\",", w->index);
	else
		text_add(out, "\"impu\":\"sip:web%s%u@" DOMAIN "\",",
			 r->token == TOKEN_UNKNOWN ? "x" : "",
			 r->token == TOKEN_OTHER ? r->user + 1000 : r->user);
	text_add(out, "\"iat\":%llu,\"exp\":%llu}", (unsigned long long)(r->exp_s - 3600),
		 (unsigned long long)r->exp_s);
}

static void write_token(struct wic *w, struct request *r, struct writer *out)
{
	uint8_t claims[512], text[2048];
	struct writer c, token;

	r->unknown_key = w->sim->rotation.signing != w->sim->rotation.known;
	w->sim->rotation.unknown_once |= r->unknown_key;
	writer_init(&token, text, sizeof(text));
	writer_init(&c, claims, sizeof(claims));
	write_claims(w, r, &c);
	if (r->token == TOKEN_GARBAGE)
		writer_text(&token, "eyJ0eXAiOiJhdCtqd3Qi.nothing.like.a.token");
	else
		token_seal(w->sim, writer_span(&c), r->token == TOKEN_FORGED, &token);
	text_add(out, sim_chance(w->sim, 50) ? "Authorization: Bearer "
					     : "Proxy-Authorization: Bearer ");
	writer_put(out, writer_span(&token));
	text_add(out, "\r\n");
}

/* ---- what they say ----------------------------------------------------------------------------
 */

static enum token_kind draw_token(struct sim *sim)
{
	uint32_t what = sim_below(sim, 100);

	if (what < 45)
		return TOKEN_NO_TOKEN;
	return what < 82 ? TOKEN_GOOD : (enum token_kind)(1 + sim_below(sim, TOKEN_KINDS - 1));
}

/** A good token for the name that the request has been given. */
static void shows(struct wic *w, struct request *r)
{
	uint64_t *until = &w->shown_until[r->user % GUEST_NAMES];

	r->exp_s = sim_wall(w->sim) + (sim_chance(w->sim, 25) ? 3000 : sim_between(w->sim, 1, 25));
	if (r->token == TOKEN_EXPIRED)
		r->exp_s = sim_wall(w->sim) - GUEST_LEEWAY_S - sim_between(w->sim, 1, 500);
	if (r->token == TOKEN_GOOD && r->exp_s > *until)
		*until = r->exp_s;
}

static void write_request(struct wic *w, struct request *r, uint32_t number, struct writer *out)
{
	bool registers = r->kind == REQUEST_REGISTER;
	uint32_t from = r->foreign_from ? r->user + 2000 : r->user;
	uint32_t whom = sim_below(w->sim, SIM_WICS_MAX * SIM_IDENTITIES);

	if (registers)
		text_add(out, "REGISTER sip:" DOMAIN " SIP/2.0\r\n");
	else
		text_add(out, "MESSAGE sip:user%u@" DOMAIN " SIP/2.0\r\n", whom);
	text_add(out, "Via: SIP/2.0/WSS w%u.invalid;branch=z9hG4bKr%u\r\n", w->index, number);
	text_add(out, "From: <sip:web%u@" DOMAIN ">;tag=f%u\r\n", from, number);
	text_add(out, "To: <sip:%s%u@" DOMAIN ">\r\n", registers ? "web" : "user",
		 registers ? from : whom);
	text_add(out, "Call-ID: r%u@w%u.invalid\r\nCSeq: %u %s\r\n", number, w->index, ++w->cseq,
		 registers ? "REGISTER" : "MESSAGE");
	if (sim_chance(w->sim, 30))
		text_add(out, "P-Preferred-Identity: <sip:web%u@" DOMAIN ">\r\n", from);
	if (sim_chance(w->sim, 15))
		text_add(out, "Route: <sip:elsewhere.example;lr;orig>\r\n");
	if (r->token != TOKEN_NO_TOKEN)
		write_token(w, r, out);
	wic_forge(w, out);
	text_add(out, "Content-Length: 0\r\n\r\n");
}

void guest_acts(struct wic *w)
{
	struct sim *sim = w->sim;
	uint8_t text[TEXT_MAX];
	struct writer out;
	uint32_t number;
	struct request *r;

	r = request_new(sim, &number);
	if (r == NULL)
		return;
	if (sim_chance(sim, 6))
		w->user = w->index * GUEST_NAMES + sim_below(sim, GUEST_NAMES);
	r->kind = sim_chance(sim, 5) ? REQUEST_REGISTER : REQUEST_MESSAGE;
	r->guest = true;
	r->wic = w->index;
	r->conn = w->number;
	r->user = w->user;
	r->token = draw_token(sim);
	r->foreign_from = sim_chance(sim, 8);
	shows(w, r);
	writer_init(&out, text, sizeof(text));
	write_request(w, r, number, &out);
	sim_note(sim, "guest %u.%u r%u web%u token %d exp %lld%s", w->index, w->number, number,
		 r->user, (int)r->token, (long long)(r->exp_s - SIM_WALL_START),
		 r->foreign_from ? " foreign From" : "");
	wic_send(w, writer_span(&out));
}

void guest_connects(struct wic *w)
{
	w->user = w->index * GUEST_NAMES + sim_below(w->sim, GUEST_NAMES);
	w->revoked_us = 0;
	w->heard = false;
	memset(w->shown_until, 0, sizeof(w->shown_until));
}

void guest_answered(struct wic *w, const struct request *r)
{
	if (r->kind == REQUEST_REGISTER && r->status < 300)
		sim_broken(w->sim, "guest-never-registers", "wic %u got %u", w->index, r->status);
	if (r->core_status == 0 && r->status < 300)
		sim_broken(w->sim, "guest-hears-the-core", "wic %u r%u got %u that nobody said",
			   w->index, (unsigned)(r - w->sim->request), r->status);
	if (r->status == 401 && r->kind == REQUEST_MESSAGE)
		sim_broken(w->sim, "guest-is-asked-by-a-proxy", "wic %u got 401", w->index);
}

/* ---- what of it reaches the core --------------------------------------------------------------
 */

static void broken(struct sim *sim, const char *name, const struct request *r, const char *why)
{
	sim_broken(sim, name, "r%u of wic %u.%u: %s", (unsigned)(r - sim->request), r->wic, r->conn,
		   why);
}

/** Whom the request asserts is its own name, and nobody else. */
static void check_identity(struct sim *sim, struct span message, const struct request *r)
{
	struct span identity = text_header(message, "P-Asserted-Identity", 0);
	char own[64];
	struct writer name;

	writer_init(&name, own, sizeof(own));
	text_add(&name, "<sip:web%u@" DOMAIN ">%c", r->user, 0);
	if (text_count(message, "P-Asserted-Identity") != 1 ||
	    !span_equal(identity, span_text(own)))
		broken(sim, "guest-asserts-its-name", r, "another identity is asserted");
	if (text_has(message, "!"))
		broken(sim, "guest-asserts-its-name", r, "the wildcard");
	if (text_count(message, "Route") != 1 ||
	    !text_has(text_header(message, "Route", 0), ";lr;orig>") ||
	    text_has(message, "elsewhere"))
		broken(sim, "guest-enters-where-it-may", r, "another Route");
}

/** The token that it shows, or that its connection has shown. */
static void check_token(struct sim *sim, const struct request *r)
{
	const struct wic *w = &sim->wics->wic[r->wic];
	bool here = w->number == r->conn;

	if (r->token != TOKEN_GOOD && r->token != TOKEN_NO_TOKEN)
		broken(sim, "guest-token-is-good", r, "by a bad token");
	if (r->token == TOKEN_NO_TOKEN && !sim->guests->cached)
		broken(sim, "guest-token-is-good", r, "without a token");
	if (r->token == TOKEN_NO_TOKEN && here &&
	    w->shown_until[r->user % GUEST_NAMES] <= r->sent_wall)
		broken(sim, "guest-within-its-token", r, "sent past every token of its connection");
	if (r->token == TOKEN_GOOD && r->exp_s + GUEST_LEEWAY_S <= r->sent_wall)
		broken(sim, "guest-within-its-token", r, "sent past its token");
	if (here && w->revoked_us != 0 && r->sent_us > w->revoked_us + SEEN_US)
		broken(sim, "guest-revoked-is-silent", r, "sent after its token was taken back");
}

void guest_heard(struct sim *sim, struct span message, const struct request *r)
{
	struct wic *w = &sim->wics->wic[r->wic];

	if (r->kind == REQUEST_REGISTER)
		broken(sim, "guest-never-registers", r, "a REGISTER at the core");
	if (r->foreign_from)
		broken(sim, "from-is-checked", r, "a foreign From");
	check_identity(sim, message, r);
	check_token(sim, r);
	w->heard |= w->number == r->conn;
}

/* ---- the operator -----------------------------------------------------------------------------
 */

static void has_gone(struct sim *sim, void *context, uint64_t number)
{
	const struct wic *w = context;

	if (w->number == number && wic_connected(sim->wics, w->index, w->number) &&
	    !sim->draining && sim->restarted_us < w->revoked_us)
		sim_broken(sim, "guest-revoked-leaves", "wic %u.%u is still here", w->index,
			   w->number);
}

void guests_meddle(struct sim *sim)
{
	uint32_t i = sim_below(sim, sim->shape.guests);
	struct guests *g = sim->guests;
	struct wic *w = &sim->wics->wic[i];

	if (g->count == GUESTS_REVOKED_MAX || w->state != WIC_OPEN || w->revoked_us != 0)
		return;
	sim_note(sim, "operator revokes g%uc%u%s", w->index, w->number, w->heard ? ", heard" : "");
	g->revoked[g->count++] = jti_of(w);
	w->revoked_us = sim->now_us;
	parts_publish_revocations(sim);
	if (w->heard)
		sim_at(sim, sim->now_us + GONE_US, has_gone, w, w->number);
}
