/* SPDX-License-Identifier: BSD-3-Clause */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state_file.h"

enum { STATE_EPOCH_SHIFT = 20 };

static bool state_open_folder(const struct state_trouble *t, const char *path, struct state *state)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return state_file_fail_system(t, path);
	state->folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (state->folder < 0)
		return state_file_fail_system(t, path);
	if (!state_file_private(t, path, state->folder, S_IFDIR))
		return false;
	if (flock(state->folder, LOCK_EX | LOCK_NB) != 0)
		return state_file_fail(t, path, "in use by another process");
	return true;
}

/* ---- what the files hold -------------------------------------------------------------------- */

static bool state_flow_key(const char **at, struct flow_key *key)
{
	uint64_t id;

	if (!state_decimal(at, 255, &id) || **at != ' ')
		return false;
	(*at)++;
	key->id = (uint8_t)id;
	if (!state_hex(at, key->secret, sizeof(key->secret)) || **at != '\n')
		return false;
	(*at)++;
	return true;
}

static bool state_parse_flow_keys(struct state *state, const struct state_trouble *t,
				  const char *text)
{
	while (*text != '\0') {
		if (state->flow_key_count == FLOW_KEYS_MAX)
			return state_file_fail(t, "flow.keys", "more keys than there may be");
		if (!state_flow_key(&text, &state->flow_key[state->flow_key_count]))
			return state_file_fail(t, "flow.keys",
					       "not lines of an id and 64 hex digits");
		for (uint32_t i = 0; i < state->flow_key_count; i++)
			if (state->flow_key[i].id == state->flow_key[state->flow_key_count].id)
				return state_file_fail(t, "flow.keys", "one id twice");
		state->flow_key_count++;
	}
	return state->flow_key_count > 0 || state_file_fail(t, "flow.keys", "no key in it");
}

static bool state_make_flow_key(struct state *state, const struct state_trouble *t, char *text)
{
	uint8_t random[1 + sizeof(state->flow_key[0].secret)];
	int at;
	bool good;

	if (RAND_bytes(random, sizeof(random)) != 1)
		return state_file_fail(t, "flow.keys", "no random bytes");
	/* a random id: tokens of a lost key are told from forged ones but for 1 in 256 */
	at = snprintf(text, STATE_FILE_MAX, "%u ", random[0]);
	state_hex_write(text + at, random + 1, sizeof(random) - 1);
	strcat(text, "\n");
	OPENSSL_cleanse(random, sizeof(random));
	good = state_file_write(state->folder, t, "flow.keys", text, RENAME_NOREPLACE);
	return good && state_parse_flow_keys(state, t, text);
}

static bool state_flow_keys(struct state *state, const struct state_trouble *t)
{
	char text[STATE_FILE_MAX];
	bool good = false;

	switch (state_file_read(state->folder, t, "flow.keys", text)) {
	case STATE_FOUND:
		good = state_parse_flow_keys(state, t, text);
		break;
	case STATE_MISSING:
		good = state_make_flow_key(state, t, text);
		break;
	case STATE_TROUBLE:
		break;
	}
	OPENSSL_cleanse(text, sizeof(text));
	return good;
}

static bool state_hash_key(struct state *state, const struct state_trouble *t)
{
	char text[STATE_FILE_MAX];
	const char *at = text;
	bool good = true;

	switch (state_file_read(state->folder, t, "hash.key", text)) {
	case STATE_FOUND:
		break;
	case STATE_MISSING:
		good = RAND_bytes(state->hash_key, sizeof(state->hash_key)) == 1;
		state_hex_write(text, state->hash_key, sizeof(state->hash_key));
		strcat(text, "\n");
		good = good &&
		       state_file_write(state->folder, t, "hash.key", text, RENAME_NOREPLACE);
		break;
	case STATE_TROUBLE:
		return false;
	}
	if (good &&
	    (!state_hex(&at, state->hash_key, sizeof(state->hash_key)) || strcmp(at, "\n") != 0))
		good = state_file_fail(t, "hash.key", "not 32 hex digits");
	OPENSSL_cleanse(text, sizeof(text));
	return good;
}

static bool state_epoch(struct state *state, const struct state_trouble *t)
{
	char text[STATE_FILE_MAX];
	const char *at = text;
	uint64_t starts = 0;

	switch (state_file_read(state->folder, t, "epoch", text)) {
	case STATE_FOUND:
		if (!state_decimal(&at, UINT32_MAX, &starts) || strcmp(at, "\n") != 0)
			return state_file_fail(t, "epoch", "not a number");
		break;
	case STATE_MISSING:
		break;
	case STATE_TROUBLE:
		return false;
	}
	starts++;
	state->epoch = (uint32_t)(starts << STATE_EPOCH_SHIFT) | 1;
	snprintf(text, sizeof(text), "%llu\n", (unsigned long long)starts);
	return state_file_write(state->folder, t, "epoch", text, 0);
}

const char *state_open(struct state *state, const char *path, char *why, size_t why_size)
{
	const struct state_trouble t = {why, why_size};

	*state = (struct state){.folder = -1};
	snprintf(why, why_size, "no random bytes");
	if (state_open_folder(&t, path, state) && state_flow_keys(state, &t) &&
	    state_hash_key(state, &t) && state_epoch(state, &t))
		return NULL;
	state_close(state);
	return why;
}

void state_close(struct state *state)
{
	if (state->folder >= 0)
		close(state->folder);
	OPENSSL_cleanse(state, sizeof(*state));
	state->folder = -1;
}
