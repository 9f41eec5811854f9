/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum option_kind { OPTION_TEXT, OPTION_NUMBER, OPTION_FLAG };

/** One option: a row is all that parser and help know of it. */
struct option {
	const char *name;
	enum option_kind kind;
	const char *value;  /* what the help calls its value */
	const char *preset; /* NULL: none, and needed unless pairs are made */
	uint64_t min, max;
	size_t at;
	const char *help;
};

#define AT(field) offsetof(struct options, field)
#define TEXT(name, value, preset, field, help) \
	{ \
		name, OPTION_TEXT, value, preset, 0, 0, AT(field), help \
	}
#define NUMBER(name, preset, min, max, field, help) \
	{ \
		name, OPTION_NUMBER, "N", preset, min, max, AT(field), help \
	}
#define FLAG(name, field, help) \
	{ \
		name, OPTION_FLAG, "", "", 0, 1, AT(field), help \
	}

static const struct option options[] = {
	TEXT("--target", "ADDRESS:PORT", NULL, target, "the gateway"),
	TEXT("--origin", "URL", NULL, origin, "Origin of the page the WICs come from"),
	TEXT("--domain", "NAME", NULL, domain, "home domain"),
	TEXT("--signing-key", "FILE", NULL, signing_key, "PEM of the P-256 key that signs tokens"),
	TEXT("--kid", "TEXT", NULL, kid, "its name in the issuer's key set"),
	TEXT("--issuer", "TEXT", NULL, issuer, "claim iss"),
	TEXT("--audience", "TEXT", NULL, audience, "claim aud"),
	TEXT("--pairs", "FILE", NULL, pairs, "impi,impu on each line; WIC i has the i-th"),
	TEXT("--path", "PATH", "/", path, "HTTP path"),
	TEXT("--server-name", "NAME", "", server_name,
	     "for SNI, Host and the certificate; else the target's address"),
	TEXT("--ca", "FILE", "", ca, "PEM of the authorities to trust; else the system's"),
	FLAG("--insecure", insecure, "do not verify the server's certificate"),
	TEXT("--source", "ADDRESS[,..]", "", source, "local addresses to spread connections over"),
	NUMBER("--connections", "100", 1, 100000, connections, "WICs"),
	NUMBER("--rate", "100", 1, 100000, rate,
	       "new connections a second; at the end, departures"),
	NUMBER("--hold", "0", 0, 1000000, hold_s, "seconds to stay once all have registered"),
	TEXT("--drive", "WHAT", "message", drive,
	     "register, message or call: what is done in a drive"),
	NUMBER("--drive-operations", "0", 0, 100000000, drive_operations,
	       "then as many of these as fast as they are answered, one at a time each"),
	NUMBER("--drive-rate", "0", 0, 100000, drive_rate,
	       "no more than so many a second; 0: as many as can be"),
	TEXT("--to", "URI", "sip:echo@core.invalid", to,
	     "whom messages and calls of a drive are for"),
	NUMBER("--churn", "0", 0, 1000000, churn_s, "seconds of churn after that"),
	NUMBER("--churn-rate", "50", 1, 100000, churn_rate, "operations a second in the churn"),
	NUMBER("--settle", "0", 0, 1000000, settle_s, "seconds to stay after the churn, all back"),
	NUMBER("--visits", "0", 0, 4000000000, visits,
	       "instead of all that: anonymous visitors, --rate a second, of a site that lends "
	       "pairs"),
	NUMBER("--pool", "100", 1, 10000000, pool, "how many of --pairs it lends"),
	NUMBER("--browsers", "20000", 1, 2000000000, browsers,
	       "that visitors come from, one after the other"),
	NUMBER("--stay", "100", 1, 86400, stay_s, "longest visit, s"),
	NUMBER("--talk", "20", 1, 86400, talk_s, "between two things a visitor says, s"),
	NUMBER("--dishonest", "0", 0, 1000, dishonest,
	       "tokens that break the agreement, for 1000 visits"),
	NUMBER("--min-grant", "60", 1, 3600, min_grant_s,
	       "shortest registration of the gateway, s"),
	NUMBER("--max-lifetime", "3600", 3, 31536000, max_lifetime_s,
	       "longest token of a pool that was agreed with the gateway, s"),
	NUMBER("--seed", "1", 0, UINT64_MAX, seed, "what the churn follows from"),
	NUMBER("--expires", "3600", 60, 600000, expires_s, "lifetime that REGISTER asks for, s"),
	NUMBER("--token-lifetime", "3600", 3, 31536000, token_lifetime_s,
	       "from iat to exp of a token, s"),
	FLAG("--reuse-token", reuse_token, "one token for all REGISTERs of a WIC while it is good"),
	FLAG("--clean", clean, "un-REGISTER at the end instead of just going away"),
	NUMBER("--report", "10", 1, 3600, report_s, "seconds between lines on standard error"),
	FLAG("--json", json, "print the result as JSON"),
	NUMBER("--make-pairs", "0", 0, 10000000, make_pairs,
	       "print this many pairs of --domain and end"),
	FLAG("--help", help, "this text"),
};

#define OPTION_COUNT (sizeof(options) / sizeof(options[0]))

static bool number_set(const struct option *o, const char *text, void *field)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || value < o->min || value > o->max) {
		fprintf(stderr, "wicgate-load: %s: %s is not a number from %llu to %llu\n", o->name,
			text, (unsigned long long)o->min, (unsigned long long)o->max);
		return false;
	}
	*(uint64_t *)field = value;
	return true;
}

static bool option_set(const struct option *o, const char *text, struct options *out)
{
	void *field = (char *)out + o->at;

	switch (o->kind) {
	case OPTION_TEXT:
		*(const char **)field = text;
		return true;
	case OPTION_NUMBER:
		return number_set(o, text, field);
	default:
		*(bool *)field = true;
		return true;
	}
}

static const struct option *option_find(const char *name)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

static bool preset(struct options *out)
{
	*out = (struct options){0};
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (options[i].kind != OPTION_FLAG && options[i].preset != NULL &&
		    !option_set(&options[i], options[i].preset, out))
			return false;
	return true;
}

/** What is needed depends on whether pairs are made or WICs are played. */
static bool complete(const struct options *out)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const char *const *field = (const char *const *)((const char *)out + options[i].at);

		if (options[i].preset != NULL || *field != NULL)
			continue;
		if (out->make_pairs > 0 && field != &out->domain)
			continue;
		fprintf(stderr, "wicgate-load: %s is missing\n", options[i].name);
		return false;
	}
	return true;
}

static bool source_add(struct options *out, const char *text, size_t len)
{
	char host[ADDRESS_TEXT_MAX];

	if (out->source_count == OPTIONS_SOURCES_MAX || len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	return address_alone(host, &out->sources[out->source_count]) &&
	       out->sources[out->source_count++].any.sa_family == out->target_address.any.sa_family;
}

static bool sources_read(struct options *out)
{
	const char *at = out->source;

	while (*at != '\0') {
		size_t len = strcspn(at, ",");

		if (!source_add(out, at, len))
			return false;
		at += len + (at[len] == ',' ? 1 : 0);
	}
	return true;
}

static bool addresses_read(struct options *out)
{
	if (!address_with_port(out->target, &out->target_address)) {
		fprintf(stderr, "wicgate-load: --target %s is not ADDRESS:PORT\n", out->target);
		return false;
	}
	if (!sources_read(out)) {
		fprintf(stderr,
			"wicgate-load: --source %s is no list of addresses like the target's\n",
			out->source);
		return false;
	}
	return true;
}

/** The names of --drive, in the order of enum wic_deed. */
static bool drive_read(struct options *out)
{
	static const char *const names[] = {"register", "message", "call"};

	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(out->drive, names[i]) == 0) {
			out->drive_deed = i;
			return true;
		}
	fprintf(stderr, "wicgate-load: --drive %s is not register, message or call\n", out->drive);
	return false;
}

bool options_read(int argc, char **argv, struct options *out)
{
	if (!preset(out))
		return false;
	for (int i = 1; i < argc; i++) {
		const struct option *o = option_find(argv[i]);
		const char *value = "";

		if (o == NULL || (o->kind != OPTION_FLAG && ++i == argc)) {
			fprintf(stderr, "wicgate-load: %s %s\n", argv[o == NULL ? i : i - 1],
				o == NULL ? "is not an option; see --help" : "needs a value");
			return false;
		}
		if (o->kind != OPTION_FLAG)
			value = argv[i];
		if (!option_set(o, value, out))
			return false;
	}
	if (out->help)
		return true;
	return complete(out) && drive_read(out) && (out->make_pairs > 0 || addresses_read(out));
}

void options_help(FILE *to)
{
	fprintf(to, "wicgate-load: many WICs (SIP over WebSocket over TLS) in one thread\n\n");
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option *o = &options[i];
		int width = fprintf(to, "  %s %s", o->name, o->value);

		fprintf(to, "%*s%s", width < 28 ? 28 - width : 1, "", o->help);
		if (o->preset == NULL)
			fprintf(to, "; needed");
		else if (o->preset[0] != '\0')
			fprintf(to, "; %s", o->preset);
		fprintf(to, "\n");
	}
	fprintf(to,
		"\nEnds with 0; 1 when anything unexpected was seen; 2 when it could not start.\n");
}
