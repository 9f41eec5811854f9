/* SPDX-License-Identifier: BSD-3-Clause */
#include <hs.h>

#include "unregistered.h"

/* ---- the wildcard ---------------------------------------------------------------------------- */

static struct pattern_row rows[2];
static struct pattern_database made;
static struct hs_scratch *scratch[3];
static struct pattern_part patterns;

static void patterns_start(void)
{
	hs_compile_error_t *fault = NULL;

	if (made.database == NULL) {
		EXPECT_EQ(HS_SUCCESS, hs_compile("\\Asip:web[^@]*@home1\\.net\\z",
						 HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH,
						 HS_MODE_BLOCK, NULL, &made.database, &fault));
		for (uint32_t i = 0; i < 3; i++)
			EXPECT_EQ(HS_SUCCESS, hs_alloc_scratch(made.database, &scratch[i]));
		made.scratch = scratch;
		made.workers = 2;
	}
	rows[0] = (struct pattern_row){.wildcard = SPAN("sip:web![^@]*!@home1.net"),
				       .literal = SPAN("sip:web!%5B%5E%40%5D*!@home1.net"),
				       .prefix = SPAN("sip:web"),
				       .suffix = SPAN("@home1.net")};
	patterns = (struct pattern_part){.part.generation = 1,
					 .database = &made,
					 .row = rows,
					 .count = 2};
	world.view.patterns = &patterns;
}

void unregistered_start(void)
{
	call_world(MW_TCP);
	world_start();
	patterns_start();
	world.wwsf[0].mode = WWSF_WILDCARD;
	world.wwsf[0].requests = (struct rate_limit){0};
	world.realm[0].icscf_orig = SPAN("<sip:198.18.0.50:5060;lr;orig>");
	world.config.from_check = true;
	world.config.cache_wildcard_auth = true;
	world_reload();
}

/* ---- tokens ---------------------------------------------------------------------------------- */

const char *guest_token_of(const char *members, int64_t lifetime_s)
{
	return token_of(GOOD_HEADER,
			format("{\"iss\":\"https://waf.home1.net\",\"aud\":\"sip:ep1.home1.net\","
			       "\"sub\":\"anon-1\",%s,\"iat\":%lld,\"exp\":%lld}",
			       members, (long long)world.wall_s - 30,
			       (long long)world.wall_s + lifetime_s));
}

const char *guest_token(const char *impu, int64_t lifetime_s)
{
	return guest_token_of(format("\"jti\":\"j-%.*s\",\"impu\":\"%s\"",
				     (int)strcspn(impu + 4, "@"), impu + 4, impu),
			      lifetime_s);
}

const char *good_token(void)
{
	return guest_token(WEB_77, 600);
}

/* ---- requests -------------------------------------------------------------------------------- */

const char *guest_asks_as(const char *from, const char *method, const char *more)
{
	static uint32_t requests;

	requests++;
	return format("%s sip:bob@home2.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS q1.invalid;branch=z9hG4bKg%u" CRLF "Max-Forwards: 70" CRLF
		      "%sFrom: %s;tag=w1" CRLF "To: <sip:bob@home2.net>" CRLF
		      "Call-ID: g%u@q1.invalid" CRLF "CSeq: 1 %s" CRLF
		      "Contact: <sip:web@q1.invalid;transport=ws>" CRLF
		      "Content-Length: 0" CRLF CRLF,
		      method, requests, more, from, requests, method);
}

const char *guest_asks(const char *method, const char *more)
{
	return guest_asks_as("<" WEB_77 ">", method, more);
}

const char *guest_shows(const char *method, const char *more)
{
	return guest_asks(method, format("%s" BEARER(token), more, good_token()));
}

const char *guest_onward(const char *request)
{
	world_forget();
	EXPECT_EQ(GW_OK, wic_sends(0, request));
	for (uint32_t i = 0; i < world.count; i++)
		if (world.sent[i].to == TO_MW)
			return keep(world.sent[i].text);
	fail_msg("nothing went to the core");
	return NULL;
}

const char *guest_refused(enum gw_err err, uint32_t status, const char *request)
{
	const char *answer;

	world_forget();
	EXPECT_EQ(err, wic_sends(0, request));
	EXPECT_EQ(0, count_to(TO_MW));
	answer = world_only(TO_WIC);
	EXPECT_EQ(status, status_of(answer));
	return answer;
}

const char *guest_bearer(const char *token)
{
	return keep(format("Authorization: Bearer access_token=\"%s\"" CRLF, token));
}

void guest_none(void)
{
	EXPECT_EQ(0, world_count(&world.counters.wildcard_live));
	EXPECT_EQ(0, world_transactions());
}

void unregistered_is_known(void)
{
	struct gateway_ended none;
	bool more;

	unregistered_start();
	(void)guest_onward(guest_shows("MESSAGE", ""));
	core_answers("200 OK", "");
	EXPECT(!gateway_revoked(world.gw, &none, &more));
}

/* ---- calls ----------------------------------------------------------------------------------- */

/** The route that bob sees: the core's proxies have recorded themselves above us. */
static const char *recorded(const char *request)
{
	return keep(format("%sRecord-Route: %s" CRLF, CORE_ROUTES, line(request, "Record-Route")));
}

struct call guest_called(void)
{
	struct call c;

	world_forget();
	c.invite = keep(guest_shows("INVITE", ""));
	EXPECT_EQ(GW_OK, wic_sends(0, c.invite));
	c.onward = keep(only_of(TO_MW, "INVITE "));
	core_sends(bare_answer_of(c.onward, "200 OK", "b1",
				  format("%sContact: <sip:bob@198.18.0.60>" CRLF,
					 recorded(c.onward))));
	c.routes = keep(routes_of_response(only_of(TO_WIC, "SIP/2.0 200")));
	c.backward = keep(routes_of_request(c.onward));
	return c;
}

const char *bob_asks_guest(const struct call *c, const char *method, const char *more)
{
	static uint32_t requests;

	requests++;
	return format("%s sip:web@q1.invalid;transport=ws SIP/2.0" CRLF
		      "Via: SIP/2.0/TCP 198.18.0.20:5060;branch=z9hG4bKb%u" CRLF
		      "Max-Forwards: 60" CRLF "%s%sFrom: <sip:bob@home2.net>;tag=b1" CRLF
		      "To: <" WEB_77 ">;tag=w1" CRLF "Call-ID: %s" CRLF "CSeq: %u %s" CRLF
		      "Content-Length: 0" CRLF CRLF,
		      method, requests, c->backward, more, keep(line(c->invite, "Call-ID")),
		      requests, method);
}

const char *guest_in_call(const struct call *c, const char *method, const char *more)
{
	static uint32_t requests;

	requests++;
	return format("%s sip:bob@198.18.0.60 SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS q1.invalid;branch=z9hG4bKd%u" CRLF "Max-Forwards: 70" CRLF
		      "%s%sFrom: <" WEB_77 ">;tag=w1" CRLF "To: <sip:bob@home2.net>;tag=b1" CRLF
		      "Call-ID: %s" CRLF "CSeq: %u %s" CRLF "Content-Length: 0" CRLF CRLF,
		      method, requests, c->routes, more, keep(line(c->invite, "Call-ID")),
		      requests + 1, method);
}
