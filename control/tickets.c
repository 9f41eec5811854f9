/* SPDX-License-Identifier: BSD-3-Clause */
#include "tickets.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state_file.h"

#define TICKETS_FILE "ticket.keys"

/* ---- the file ------------------------------------------------------------------------------- */

static bool tickets_line(const char **at, struct tickets *tickets)
{
	uint32_t i = tickets->count;

	if (!state_decimal(at, UINT32_MAX, &tickets->made_s[i]) || **at != ' ')
		return false;
	(*at)++;
	if (!state_hex(at, (uint8_t *)&tickets->key[i], sizeof(tickets->key[i])) || **at != '\n')
		return false;
	(*at)++;
	tickets->count++;
	return true;
}

static bool tickets_parse(struct tickets *tickets, const struct state_trouble *t, const char *text)
{
	while (*text != '\0') {
		if (tickets->count == TICKET_KEYS_MAX)
			return state_file_fail(t, TICKETS_FILE, "more keys than there may be");
		if (!tickets_line(&text, tickets))
			return state_file_fail(t, TICKETS_FILE,
					       "not lines of a time and 160 hex digits");
	}
	return true;
}

const char *tickets_open(struct tickets *tickets, int folder, char *why, size_t why_size)
{
	const struct state_trouble t = {why, why_size};
	char text[STATE_FILE_MAX];
	bool good = false;

	*tickets = (struct tickets){0};
	switch (state_file_read(folder, &t, TICKETS_FILE, text)) {
	case STATE_FOUND:
		good = tickets_parse(tickets, &t, text);
		break;
	case STATE_MISSING:
		good = true;
		break;
	case STATE_TROUBLE:
		break;
	}
	OPENSSL_cleanse(text, sizeof(text));
	if (good)
		return NULL;
	tickets_close(tickets);
	return why;
}

static void tickets_keep(const struct tickets *tickets, int folder, const struct state_trouble *t)
{
	char text[STATE_FILE_MAX];
	int at = 0;

	for (uint32_t i = 0; i < tickets->count; i++) {
		at += snprintf(text + at, sizeof(text) - (size_t)at, "%llu ",
			       (unsigned long long)tickets->made_s[i]);
		state_hex_write(text + at, (const uint8_t *)&tickets->key[i],
				sizeof(tickets->key[i]));
		at += 2 * (int)sizeof(tickets->key[i]);
		at += snprintf(text + at, sizeof(text) - (size_t)at, "\n");
	}
	(void)state_file_write(folder, t, TICKETS_FILE, text, 0); /* t tells */
	OPENSSL_cleanse(text, sizeof(text));
}

/* ---- time ----------------------------------------------------------------------------------- */

bool tickets_due(const struct tickets *tickets, uint64_t now_s, uint32_t rotation_s)
{
	return tickets->count == 0 || tickets->made_s[0] > now_s ||
	       now_s - tickets->made_s[0] >= rotation_s;
}

/** What a key of that time may have made has ended. */
static bool tickets_over(uint64_t made_s, uint64_t now_s, uint32_t rotation_s)
{
	return made_s + (uint64_t)TICKET_KEYS_MAX * rotation_s <= now_s;
}

bool tickets_rotate(struct tickets *tickets, int folder, uint64_t now_s, uint32_t rotation_s,
		    char *why, size_t why_size)
{
	const struct state_trouble t = {why, why_size};
	struct tickets next = {.made_s = {now_s}, .count = 1};

	if (RAND_bytes((uint8_t *)&next.key[0], sizeof(next.key[0])) != 1) {
		snprintf(why, why_size, "no random bytes");
		return false;
	}
	for (uint32_t i = 0; i < tickets->count && next.count < TICKET_KEYS_MAX; i++) {
		if (tickets_over(tickets->made_s[i], now_s, rotation_s))
			continue;
		next.key[next.count] = tickets->key[i];
		next.made_s[next.count++] = tickets->made_s[i];
	}
	*tickets = next;
	OPENSSL_cleanse(&next, sizeof(next));
	why[0] = '\0';
	tickets_keep(tickets, folder, &t);
	return true;
}

/* ---- the part ------------------------------------------------------------------------------- */

static void tickets_free_part(struct snapshot_part *part)
{
	OPENSSL_cleanse(part, sizeof(struct ticket_part));
	free(part);
}

struct ticket_part *tickets_part(const struct tickets *tickets)
{
	struct ticket_part *part = malloc(sizeof(*part));

	if (part == NULL)
		return NULL;
	*part = (struct ticket_part){.part.free = tickets_free_part, .count = tickets->count};
	memcpy(part->key, tickets->key, sizeof(part->key));
	return part;
}

void tickets_close(struct tickets *tickets)
{
	OPENSSL_cleanse(tickets, sizeof(*tickets));
}
