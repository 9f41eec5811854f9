/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#define MS_US 1000.0
#define SECONDS_MAX 1e6
#define RATE_MAX 1e9
#define BYTES_MAX 1e9

enum option_kind {
	OPTION_CHANCE, /* 0 to 1 */
	OPTION_NUMBER,
	OPTION_DELAY,	  /* MIN-MAX, or one for both */
	OPTION_NUMBERS,	  /* N[,N...] */
	OPTION_ADDRESS,	  /* of the router */
	OPTION_DIRECTION, /* for which direction those that follow count */
	OPTION_HELP
};

/** Where a value goes: into the options, or into the models of the directions that are meant. */
enum option_place { PLACE_OPTIONS, PLACE_MODEL };

struct option {
	const char *name;
	enum option_kind kind;
	enum option_place place;
	size_t at;
	double max;
	const char *value, *help;
};

#define MODEL(name, kind, field, max, value, help) \
	{ \
		name, kind, PLACE_MODEL, offsetof(struct model_config, field), max, value, help \
	}
#define ALL(name, kind, field, max, value, help) \
	{ \
		name, kind, PLACE_OPTIONS, offsetof(struct options, field), max, value, help \
	}

static const struct option options[] = {
	ALL("--seed", OPTION_NUMBER, seed, 1e15, "N", "what chance follows from"),
	ALL("--seconds", OPTION_NUMBER, seconds, SECONDS_MAX, "S", "end after that"),
	ALL("--vlan", OPTION_NUMBER, vlan, 4094, "ID",
	    "tag frames to B, strip and check those from B"),
	ALL("--ptb", OPTION_ADDRESS, router, 0, "ADDRESS",
	    "what is too big is answered from it; once for IPv4, once for IPv6"),
	ALL("--a-to-b", OPTION_DIRECTION, models[0], 0, "",
	    "options behind it are for this direction"),
	ALL("--b-to-a", OPTION_DIRECTION, models[1], 0, "", "or this; those before any, for both"),
	MODEL("--loss", OPTION_CHANCE, loss, 1, "P", "chance from 0 to 1 that a frame is lost"),
	MODEL("--duplicate", OPTION_CHANCE, duplicate, 1, "P", "that it comes twice"),
	MODEL("--reorder", OPTION_CHANCE, reorder, 1, "P", "that it is overtaken"),
	MODEL("--corrupt", OPTION_CHANCE, corrupt, 1, "P", "that a bit is turned over"),
	MODEL("--delay", OPTION_DELAY, delay_min_us, 1e5, "MIN-MAX", "ms, uniform, order kept"),
	MODEL("--rate", OPTION_NUMBER, rate_kbits, RATE_MAX, "KBITS", "kbit/s"),
	MODEL("--queue", OPTION_NUMBER, queue_bytes, BYTES_MAX, "BYTES",
	      "that may wait for the rate"),
	MODEL("--mtu", OPTION_NUMBER, mtu, FRAME_MAX, "BYTES", "drop bigger IP packets"),
	MODEL("--drop-nth", OPTION_NUMBERS, drops, 1e15, "N[,N...]", "drop these, the first is 1"),
	ALL("--help", OPTION_HELP, help, 0, "", "this text"),
};

#define OPTION_COUNT (sizeof(options) / sizeof(options[0]))

/** A number from 0 to max at the start of *text, which moves behind it. */
static bool number(const char **text, double max, double *value)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*value = strtod(*text, &end);
	*text = end;
	return errno == 0 && *value <= max;
}

static bool whole(const char **text, double max, uint64_t *value)
{
	double read;

	if (!number(text, max, &read))
		return false;
	*value = (uint64_t)read;
	return (double)*value == read;
}

static bool set_chance(const char *text, double max, uint64_t *field)
{
	double chance;

	if (!number(&text, max, &chance))
		return false;
	*field = (uint64_t)(chance * MODEL_CERTAIN);
	return *text == '\0';
}

/** field: minimum and maximum, in us. */
static bool set_delay(const char *text, double max, uint64_t field[2])
{
	double ms[2];

	if (!number(&text, max, &ms[0]))
		return false;
	ms[1] = ms[0];
	if (*text == '-' && (text++, !number(&text, max, &ms[1])))
		return false;
	field[0] = (uint64_t)(ms[0] * MS_US);
	field[1] = (uint64_t)(ms[1] * MS_US);
	return *text == '\0' && ms[0] <= ms[1];
}

static bool set_numbers(const char *text, double max, uint64_t field[MODEL_DROPS_MAX])
{
	memset(field, 0, MODEL_DROPS_MAX * sizeof(field[0]));
	for (uint32_t i = 0; i < MODEL_DROPS_MAX; i++) {
		if (!whole(&text, max, &field[i]) || field[i] == 0)
			return false;
		if (*text != ',')
			return *text == '\0';
		text++;
	}
	return false;
}

static bool set_address(const char *text, struct frame_router *router)
{
	if (inet_pton(AF_INET, text, &router->address4) == 1)
		return router->v4 = true;
	return router->v6 = inet_pton(AF_INET6, text, &router->address6) == 1;
}

static bool set(const struct option *o, const char *text, void *field)
{
	switch (o->kind) {
	case OPTION_CHANCE:
		return set_chance(text, o->max, field);
	case OPTION_NUMBER:
		return whole(&text, o->max, field) && *text == '\0';
	case OPTION_DELAY:
		return set_delay(text, o->max, field);
	case OPTION_NUMBERS:
		return set_numbers(text, o->max, field);
	case OPTION_ADDRESS:
		return set_address(text, field);
	default:
		return *(bool *)field = true;
	}
}

static const struct option *option_find(const char *name)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

static bool complain(const char *what, const char *text)
{
	fprintf(stderr, "wirebox: %s %s; see --help\n", text, what);
	return false;
}

/** Which directions are meant: models[first] to models[last]. */
struct meant {
	uint32_t first, last;
};

static bool apply(const struct option *o, const char *text, struct meant meant, struct options *out)
{
	if (o->place == PLACE_OPTIONS)
		return set(o, text, (char *)out + o->at) || complain("has a wrong value", o->name);
	for (uint32_t i = meant.first; i <= meant.last; i++)
		if (!set(o, text, (char *)&out->models[i] + o->at))
			return complain("has a wrong value", o->name);
	return true;
}

static bool end_given(const char *text, struct options *out)
{
	uint32_t i = out->ends[0] == NULL ? 0 : 1;

	if (text[0] == '-' || out->ends[i] != NULL)
		return complain("is not understood", text);
	out->ends[i] = text;
	return true;
}

static bool is_flag(const struct option *o)
{
	return o->kind == OPTION_DIRECTION || o->kind == OPTION_HELP;
}

bool options_read(int argc, char *const *argv, struct options *out)
{
	struct meant meant = {0, 1};

	*out = (struct options){.seed = 1};
	for (int i = 1; i < argc; i++) {
		const struct option *o = option_find(argv[i]);

		if (o == NULL) {
			if (!end_given(argv[i], out))
				return false;
		} else if (o->kind == OPTION_DIRECTION) {
			meant.first = o->at == offsetof(struct options, models[0]) ? 0 : 1;
			meant.last = meant.first;
		} else if (!is_flag(o) && i + 1 == argc) {
			return complain("needs a value", o->name);
		} else if (!apply(o, is_flag(o) ? "" : argv[++i], meant, out)) {
			return false;
		}
	}
	return out->help || out->ends[1] != NULL || complain("are needed", "two ends");
}

void options_help(FILE *to)
{
	fprintf(to,
		"wirebox [OPTION...] A B: a wire between two ends, as bad as you like\n\n"
		"An end is tap:NAME, a TAP it makes, or packet:NAME, an interface there is.\n\n");
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		int width = fprintf(to, "  %s %s", options[i].name, options[i].value);

		fprintf(to, "%*s%s\n", width < 24 ? 24 - width : 1, "", options[i].help);
	}
	fprintf(to,
		"\nSays \"wirebox: ready\" on standard error; at its end prints what it did, as\n"
		"one line of JSON. The same seed and the same frames meet the same fate.\n");
}
