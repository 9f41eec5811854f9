/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

#include <stdio.h>

#include "gateway/internal.h"

static char arena[1 << 18];
static size_t arena_used;

const char *keep(const char *text)
{
	char *copy = arena + arena_used;
	size_t n = strlen(text) + 1;

	assert_true(n <= sizeof(arena) - arena_used);
	arena_used += n;
	return memcpy(copy, text, n);
}

/* ---- messages ------------------------------------------------------------------------------- */

static const char *or_else(const char *text, const char *other)
{
	return text != NULL ? text : other;
}

#define SDP "v=0" CRLF "o=- 1 1 IN IP4 0.0.0.0" CRLF "s=-" CRLF

/** first: lines before From. */
static const char *request_text(const struct says *s, const char *via, const char *first)
{
	const char *body = or_else(s->body, "");

	return format("%s %s SIP/2.0" CRLF "Via: %s;branch=z9hG4bK%s" CRLF "%s"
		      "Max-Forwards: 70" CRLF "From: %s" CRLF "To: %s" CRLF "Call-ID: %s" CRLF
		      "CSeq: %u %s" CRLF "%s"
		      "Content-Length: %zu" CRLF CRLF "%s",
		      or_else(s->method, "INVITE"), s->uri, via, s->branch, first, s->from, s->to,
		      s->call, s->cseq != 0 ? s->cseq : 1, or_else(s->method, "INVITE"),
		      or_else(s->lines, ""), strlen(body), body);
}

const char *of_alice(const struct says *given)
{
	struct says s = *given;

	s.uri = or_else(s.uri, "sip:bob@home1.net");
	s.branch = or_else(s.branch, "i1");
	s.from = or_else(s.from, "<sip:alice@home1.net>;tag=i1");
	s.to = or_else(s.to, "<sip:bob@home1.net>");
	s.call = or_else(s.call, "i1");
	return request_text(&s, "SIP/2.0/WSS v5e0bm0sd9mg.invalid", "");
}

const char *of_core(const struct says *given)
{
	struct says s = *given;
	const char *route =
		s.lines != NULL && contains(s.lines, "Route: ") &&
				(begins(s.lines, "Route: ") || contains(s.lines, CRLF "Route: "))
			? ""
			: format("Route: <%s>" CRLF, path_uri());

	s.uri = or_else(s.uri, "sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws");
	s.branch = or_else(s.branch, "c1");
	s.from = or_else(s.from, "<sip:bob@home1.net>;tag=b1");
	s.to = or_else(s.to, "<sip:alice@home1.net>");
	s.call = or_else(s.call, "c1");
	return request_text(&s,
			    world.source.transport == MW_TLS   ? "SIP/2.0/TLS 198.18.0.20:5061"
			    : world.source.transport == MW_UDP ? "SIP/2.0/UDP 198.18.0.20:5060"
							       : "SIP/2.0/TCP 198.18.0.20:5060",
			    format("Via: SIP/2.0/TCP as.home1.net;branch=z9hG4bKa1" CRLF "%s",
				   route));
}

static const char *copied(const char *message, const char *name)
{
	const char *all = "";

	for (uint32_t i = 0; line_n(message, name, i) != NULL; i++)
		all = format("%s%s: %s" CRLF, all, name, line_n(message, name, i));
	return all;
}

static const char *answer_with(const char *request, const char *status, const char *tag,
			       const char *more)
{
	const char *to = line(request, "To");

	if (!contains(to, ";tag=") && tag[0] != 0)
		to = format("%s;tag=%s", to, tag);
	return format("SIP/2.0 %s" CRLF "%sFrom: %s" CRLF "To: %s" CRLF "Call-ID: %s" CRLF
		      "CSeq: %s" CRLF "%sContent-Length: 0" CRLF CRLF,
		      status, copied(request, "Via"), line(request, "From"), to,
		      line(request, "Call-ID"), line(request, "CSeq"), more);
}

const char *bare_answer_of(const char *request, const char *status, const char *tag,
			   const char *more)
{
	return answer_with(request, status, tag, more);
}

const char *answer_of(const char *request, const char *status, const char *tag, const char *more)
{
	return answer_with(request, status, tag,
			   format("%s%s", copied(request, "Record-Route"), more));
}

/* ---- what was sent -------------------------------------------------------------------------- */

bool begins(const char *all, const char *start)
{
	return strncmp(all, start, strlen(start)) == 0;
}

uint32_t count_of(enum sent_to to, const char *start)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < world.count; i++)
		n += world.sent[i].to == to && begins(world.sent[i].text, start);
	return n;
}

uint32_t count_to(enum sent_to to)
{
	return count_of(to, "");
}

const struct sent *nth_to(enum sent_to to, uint32_t n)
{
	for (uint32_t i = 0; i < world.count; i++)
		if (world.sent[i].to == to && n-- == 0)
			return &world.sent[i];
	fail_msg("fewer were sent there");
	return NULL;
}

const char *last_to(enum sent_to to)
{
	return nth_to(to, count_to(to) - 1)->text;
}

const char *only_of(enum sent_to to, const char *start)
{
	if (count_of(to, start) != 1)
		fail_msg("%u and not one of %s", count_of(to, start), start);
	for (uint32_t i = 0; i < world.count; i++)
		if (world.sent[i].to == to && begins(world.sent[i].text, start))
			return world.sent[i].text;
	return NULL;
}

const char *routes_of_request(const char *request)
{
	const char *all = "";

	for (uint32_t i = 0; line_n(request, "Record-Route", i) != NULL; i++)
		all = format("%sRoute: %s" CRLF, all, line_n(request, "Record-Route", i));
	return all;
}

const char *routes_of_response(const char *response)
{
	const char *all = "";

	for (uint32_t i = lines(response, "Record-Route"); i > 0; i--)
		all = format("%sRoute: %s" CRLF, all, line_n(response, "Record-Route", i - 1));
	return all;
}

const char *branch_of(const char *message)
{
	const char *branch = strstr(line(message, "Via"), "branch=");

	assert_non_null(branch);
	return format("%.*s", (int)strcspn(branch + 7, ";"), branch + 7);
}

/* ---- worlds --------------------------------------------------------------------------------- */

static const char *uri_transport(enum mw_transport transport)
{
	return transport == MW_UDP ? "" : transport == MW_TLS ? ";transport=tls" : ";transport=tcp";
}

void call_world_of(enum mw_transport transport, uint32_t transactions)
{
	arena_used = 0;
	if (transport == MW_TLS)
		world_start_tls();
	else if (transport == MW_UDP)
		world_start_udp();
	else
		world_start();
	world_one_hop();
	world.names_unheard = true;
	if (transactions != world.gateway_config.max_transactions)
		world_room(transactions);
	EXPECT_EQ(GW_OK, wic_sends(0, register_jssip(token_alice(3570), 600)));
	path_remember(last_to(TO_MW));
	core_answers("200 OK",
		     format("Contact: " OUR_CONTACT ";expires=600" CRLF
			    "Service-Route: <sip:orig@198.18.0.30:6060%s;lr>" CRLF
			    "P-Associated-URI: <sip:alice@home1.net>, <tel:+15551230001>" CRLF,
			    uri_transport(transport)));
	EXPECT_EQ(1, gateway_bindings(world.gw));
	world_wait(6 * S);
	EXPECT_EQ(0, world_transactions());
	world_forget();
}

void call_no_stand_in(void)
{
	world.hop_down[0] = world.hop_down[1] = true;
}

void call_world(enum mw_transport transport)
{
	call_world_of(transport, 8);
}

static void grant_registers(void)
{
	uint32_t count = world.count;

	for (uint32_t i = 0; i < count; i++)
		if (world.sent[i].to == TO_MW && begins(world.sent[i].text, "REGISTER "))
			core_sends(bare_answer_of(world.sent[i].text, "200 OK", "reg", ""));
}

void call_wait(uint32_t seconds)
{
	for (uint32_t i = 0; i < seconds; i++) {
		world_forget();
		world_wait(S);
		grant_registers();
	}
	world_forget();
}

void alice_goes(void)
{
	wic_leaves(0);
	world_forget();
}

void alice_returns(void)
{
	EXPECT_EQ(GW_OK, wic_sends(1, register_jssip(token_alice(3000), 600)));
	core_answers("200 OK", format("Contact: " OUR_CONTACT ";expires=600" CRLF
				      "Service-Route: <sip:orig@198.18.0.30:6060%s;lr>" CRLF,
				      uri_transport(world.source.transport)));
	world_forget();
}

void call_nothing_left(void)
{
	EXPECT_EQ(0, world_transactions());
	EXPECT_EQ(0, world_count(&world.counters.transaction_live));
	EXPECT_EQ(0, world_count(&world.counters.transaction_finished));
	EXPECT_EQ(0, world_count(&world.counters.invariant_broken));
	EXPECT_EQ(0, slots_live(world.gw->heads));
	for (uint32_t i = 0; i < WICS; i++) {
		EXPECT_EQ(0, world.wic[i].transactions);
		EXPECT_EQ(0, world.wic[i].requests);
		EXPECT_EQ(0, world.wic[i].calls);
		EXPECT(world.wic[i].pending == NULL);
		EXPECT(world.wic[i].accepted == NULL);
	}
	for (uint32_t i = 0; i <= world.gw->bucket_mask; i++)
		EXPECT_EQ(0, world.gw->bucket[i]);
	EXPECT_EQ(0, slots_live(world.gw->tombs->copies));
	for (uint32_t i = 0; i <= world.gw->tombs->mask; i++) {
		EXPECT_EQ(0, world.gw->tombs->bucket[TOMB_KEY][i]);
		EXPECT_EQ(0, world.gw->tombs->bucket[TOMB_BRANCH][i]);
	}
}

/* ---- calls ---------------------------------------------------------------------------------- */

#define CONTACT "Contact: " OUR_CONTACT CRLF "Content-Type: application/sdp" CRLF

struct call alice_calls(const char *more)
{
	struct call c = {.invite = of_alice(
				 &(struct says){.lines = format(CONTACT "%s", more), .body = SDP})};

	EXPECT_EQ(GW_OK, wic_sends(0, c.invite));
	c.onward = keep(only_of(TO_MW, "INVITE "));
	return c;
}

struct call alice_called(void)
{
	struct call c = alice_calls("");
	const char *answer;

	core_sends(bare_answer_of(c.onward, "200 OK", "b1",
				  format("%s%sContact: <sip:bob@198.18.7.7>" CRLF, CORE_ROUTES,
					 copied(c.onward, "Record-Route"))));
	answer = only_of(TO_WIC, "SIP/2.0 200");
	c.routes = keep(routes_of_response(answer));
	c.backward = keep(routes_of_request(c.onward));
	return c;
}

struct call bob_calls(const char *more)
{
	struct call c = {
		.invite = keep(of_core(&(struct says){
			.lines = format(CORE_ROUTES "Contact: <sip:bob@198.18.7.7>" CRLF
						    "Content-Type: application/sdp" CRLF "%s",
					more),
			.body = SDP}))};

	core_sends(c.invite);
	c.onward = keep(only_of(TO_WIC, "INVITE "));
	return c;
}

struct call bob_called(void)
{
	struct call c = bob_calls(VECTOR);

	EXPECT_EQ(GW_OK,
		  wic_sends(0, answer_of(c.onward, "200 OK", "w1", "Contact: " OUR_CONTACT CRLF)));
	c.routes = keep(routes_of_request(c.onward));
	c.backward =
		format("Route: %s" CRLF, line(only_of(TO_SOURCE, "SIP/2.0 200"), "Record-Route"));
	return c;
}

/** CSeq of these is above that of the INVITE, but for its ACK. */
static uint32_t cseq_of(const char *method)
{
	static uint32_t next = 100;

	return strcmp(method, "ACK") == 0 ? 1 : ++next;
}

static const char *next_branch(void)
{
	static uint32_t next;

	return format("d%u", ++next);
}

const char *alice_in_call(const struct call *c, const char *method, const char *more)
{
	return of_alice(&(struct says){.method = method,
				       .uri = "sip:bob@198.18.7.7",
				       .branch = next_branch(),
				       .to = "<sip:bob@home1.net>;tag=b1",
				       .cseq = cseq_of(method),
				       .lines = format("%s%s", c->routes, more)});
}

const char *alice_in_bobs_call(const struct call *c, const char *method, const char *more)
{
	return of_alice(&(struct says){.method = method,
				       .uri = "sip:bob@198.18.7.7",
				       .branch = next_branch(),
				       .from = "<sip:alice@home1.net>;tag=w1",
				       .to = "<sip:bob@home1.net>;tag=b1",
				       .call = "c1",
				       .cseq = cseq_of(method),
				       .lines = format("%s%s", c->routes, more)});
}

const char *bob_in_alices_call(const struct call *c, const char *method, const char *more)
{
	return of_core(&(struct says){.method = method,
				      .branch = next_branch(),
				      .from = "<sip:bob@home1.net>;tag=b1",
				      .to = "<sip:alice@home1.net>;tag=i1",
				      .call = "i1",
				      .cseq = cseq_of(method),
				      .lines = format("%s%s", c->backward, more)});
}

const char *bob_in_call(const struct call *c, const char *method, const char *more)
{
	return of_core(&(struct says){.method = method,
				      .branch = next_branch(),
				      .to = "<sip:alice@home1.net>;tag=w1",
				      .cseq = cseq_of(method),
				      .lines = format("%s%s", c->backward, more)});
}
