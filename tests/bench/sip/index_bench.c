/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "messages.h"
#include "peers.h"
#include "sip/sip.h"

/*
 * Time to index one message: ours, libosip2's osip_message_parse() and sofia-sip's msg_make(), in
 * the same run. Theirs build a tree, ours an index; "parsed" is ours with what a REGISTER or INVITE
 * needs on top: Request-URI, every Via, From, To and Contact.
 */

enum { ROUNDS = 9, BATCH = 4000 };

typedef void (*parse_one)(struct span text);

static void fail(const char *what)
{
	fprintf(stderr, "bench_sip: %s refused the message\n", what);
	exit(1);
}

static void index_one(struct span text)
{
	static struct sip_message m; /* one per worker in the gateway, too */

	if (sip_index(text, &m) != GW_OK)
		fail("sip_index");
	__asm__ volatile("" : : "r"(&m) : "memory");
}

static uint32_t parse_addresses(const struct sip_message *m, enum sip_header id)
{
	const struct sip_field *field = sip_first(m, id);
	uint32_t good = 0;

	for (; field != NULL; field = sip_next(m, field)) {
		struct span rest = field->value, item;

		while (sip_list_next(&rest, &item))
			good += sip_address_parse(item).err == GW_OK;
	}
	return good;
}

static uint32_t parse_vias(const struct sip_message *m)
{
	const struct sip_field *field = sip_first(m, SIP_HEADER_VIA);
	uint32_t good = 0;

	for (; field != NULL; field = sip_next(m, field)) {
		struct span rest = field->value, item;

		while (sip_list_next(&rest, &item))
			good += sip_via_parse(item).err == GW_OK;
	}
	return good;
}

static void index_and_parse_one(struct span text)
{
	static struct sip_message m;

	if (sip_index(text, &m) != GW_OK)
		fail("sip_index");
	if (m.is_request && sip_uri_parse(m.uri).err != GW_OK)
		fail("sip_uri_parse");
	if (parse_vias(&m) == 0 || parse_addresses(&m, SIP_HEADER_FROM) == 0 ||
	    parse_addresses(&m, SIP_HEADER_TO) == 0)
		fail("sip_address_parse");
	parse_addresses(&m, SIP_HEADER_CONTACT);
}

static void osip_one(struct span text)
{
	if (!peers_osip_parse((const char *)text.at, text.len))
		fail("osip_message_parse");
}

static void sofia_one(struct span text)
{
	if (!peers_sofia_parse((const char *)text.at, text.len))
		fail("msg_make");
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Median of ROUNDS, each the mean of BATCH messages. */
static double measure(parse_one parse, struct span text)
{
	double rounds[ROUNDS];

	for (int r = 0; r < ROUNDS; r++) {
		double start = now_ns();

		for (int i = 0; i < BATCH; i++)
			parse(text);
		rounds[r] = (now_ns() - start) / BATCH;
	}
	qsort(rounds, ROUNDS, sizeof(rounds[0]), compare);
	return rounds[ROUNDS / 2];
}

static void print_row(const char *what, const char *name, double ours, double osip, double sofia)
{
	printf("%s | %s | %.0f | %.1f | %.1f\n", what, name, ours, osip / ours, sofia / ours);
}

static void run(const char *name, struct span text)
{
	double osip = measure(osip_one, text), sofia = measure(sofia_one, text);

	print_row("sip index", name, measure(index_one, text), osip, sofia);
	print_row("sip index, parsed", name, measure(index_and_parse_one, text), osip, sofia);
}

int main(void)
{
	peers_init();
	printf("what | message | ns | ratio to osip2 | ratio to sofia-sip\n");
	run("REGISTER (JsSIP), 900 bytes", SPAN(JSSIP_REGISTER));
	run("MESSAGE", SPAN(TEXT_MESSAGE));
	run("200 to REGISTER", SPAN(REGISTER_OK));
	run("INVITE of RFC 4475 3.1.1.1", SPAN(TORTUOUS_INVITE));
	return 0;
}
