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

enum { STATE_FILE_MAX = 512, STATE_EPOCH_SHIFT = 20 };

/** Where the first fault is told. */
struct trouble {
	char *text;
	size_t size;
};

static bool state_fail(const struct trouble *t, const char *file, const char *why)
{
	snprintf(t->text, t->size, "%s: %s", file, why);
	return false;
}

static bool state_fail_system(const struct trouble *t, const char *file)
{
	return state_fail(t, file, strerrordesc_np(errno));
}

/** Ours, of the right kind, and nobody else's business. */
static bool state_private(const struct trouble *t, const char *file, int fd, mode_t kind)
{
	struct stat about;

	if (fstat(fd, &about) != 0)
		return state_fail_system(t, file);
	if ((about.st_mode & S_IFMT) != kind)
		return state_fail(t, file, "not the kind of file it must be");
	if (about.st_uid != geteuid())
		return state_fail(t, file, "belongs to another user");
	if ((about.st_mode & 077) != 0)
		return state_fail(t, file, "permissions too open, others may not use it");
	return true;
}

static bool state_open_folder(const struct trouble *t, const char *path, struct state *state)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return state_fail_system(t, path);
	state->folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (state->folder < 0)
		return state_fail_system(t, path);
	if (!state_private(t, path, state->folder, S_IFDIR))
		return false;
	if (flock(state->folder, LOCK_EX | LOCK_NB) != 0)
		return state_fail(t, path, "in use by another process");
	return true;
}

/* ---- files --------------------------------------------------------------------------------- */

enum found { STATE_FOUND, STATE_MISSING, STATE_TROUBLE };

/** Reads the whole file, terminated. */
static enum found state_read(const struct state *state, const struct trouble *t, const char *file,
			     char text[STATE_FILE_MAX])
{
	int fd = openat(state->folder, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	enum found found = STATE_TROUBLE;
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return STATE_MISSING;
	if (fd < 0) {
		state_fail_system(t, file);
		return STATE_TROUBLE;
	}
	if (!state_private(t, file, fd, S_IFREG))
		goto close_file;
	n = read(fd, text, STATE_FILE_MAX);
	if (n < 0)
		state_fail_system(t, file);
	else if (n == STATE_FILE_MAX)
		state_fail(t, file, "longer than it may be");
	else
		found = STATE_FOUND;
	if (found == STATE_FOUND)
		text[n] = '\0';
close_file:
	close(fd);
	return found;
}

static bool state_write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	return write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
}

/**
 * Puts a file in place whole or not at all: written beside, synced, renamed. flags as renameat2():
 * RENAME_NOREPLACE never takes the place of a key.
 */
static bool state_write(const struct state *state, const struct trouble *t, const char *file,
			const char *text, unsigned flags)
{
	char beside[64];
	bool good;
	int fd;

	snprintf(beside, sizeof(beside), "%s.new", file);
	unlinkat(state->folder, beside, 0); /* what a crash left */
	fd = openat(state->folder, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return state_fail_system(t, file);
	good = state_write_all(fd, text);
	if (close(fd) != 0 || !good) {
		state_fail_system(t, file);
		unlinkat(state->folder, beside, 0);
		return false;
	}
	if (renameat2(state->folder, beside, state->folder, file, flags) != 0 ||
	    fsync(state->folder) != 0)
		return state_fail_system(t, file);
	return true;
}

/* ---- what the files hold -------------------------------------------------------------------- */

static int state_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** Reads 2 n digits at *at and moves it. */
static bool state_hex(const char **at, uint8_t *bytes, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		int high = state_hex_digit((*at)[0]);
		int low = high < 0 ? -1 : state_hex_digit((*at)[1]);

		if (low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
		*at += 2;
	}
	return true;
}

static void state_hex_write(char *text, const uint8_t *bytes, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

/** Reads up to max as a decimal number at *at and moves it. */
static bool state_decimal(const char **at, uint64_t max, uint64_t *number)
{
	const char *start = *at;

	for (*number = 0; **at >= '0' && **at <= '9'; (*at)++) {
		*number = *number * 10 + (uint64_t)(**at - '0');
		if (*number > max)
			return false;
	}
	return *at > start;
}

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

static bool state_parse_flow_keys(struct state *state, const struct trouble *t, const char *text)
{
	while (*text != '\0') {
		if (state->flow_key_count == FLOW_KEYS_MAX)
			return state_fail(t, "flow.keys", "more keys than there may be");
		if (!state_flow_key(&text, &state->flow_key[state->flow_key_count]))
			return state_fail(t, "flow.keys", "not lines of an id and 64 hex digits");
		for (uint32_t i = 0; i < state->flow_key_count; i++)
			if (state->flow_key[i].id == state->flow_key[state->flow_key_count].id)
				return state_fail(t, "flow.keys", "one id twice");
		state->flow_key_count++;
	}
	return state->flow_key_count > 0 || state_fail(t, "flow.keys", "no key in it");
}

static bool state_make_flow_key(struct state *state, const struct trouble *t, char *text)
{
	uint8_t random[1 + sizeof(state->flow_key[0].secret)];
	int at;
	bool good;

	if (RAND_bytes(random, sizeof(random)) != 1)
		return state_fail(t, "flow.keys", "no random bytes");
	/* a random id: tokens of a lost key are told from forged ones but for 1 in 256 */
	at = snprintf(text, STATE_FILE_MAX, "%u ", random[0]);
	state_hex_write(text + at, random + 1, sizeof(random) - 1);
	strcat(text, "\n");
	OPENSSL_cleanse(random, sizeof(random));
	good = state_write(state, t, "flow.keys", text, RENAME_NOREPLACE);
	return good && state_parse_flow_keys(state, t, text);
}

static bool state_flow_keys(struct state *state, const struct trouble *t)
{
	char text[STATE_FILE_MAX];
	bool good = false;

	switch (state_read(state, t, "flow.keys", text)) {
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

static bool state_hash_key(struct state *state, const struct trouble *t)
{
	char text[STATE_FILE_MAX];
	const char *at = text;
	bool good = true;

	switch (state_read(state, t, "hash.key", text)) {
	case STATE_FOUND:
		break;
	case STATE_MISSING:
		good = RAND_bytes(state->hash_key, sizeof(state->hash_key)) == 1;
		state_hex_write(text, state->hash_key, sizeof(state->hash_key));
		strcat(text, "\n");
		good = good && state_write(state, t, "hash.key", text, RENAME_NOREPLACE);
		break;
	case STATE_TROUBLE:
		return false;
	}
	if (good &&
	    (!state_hex(&at, state->hash_key, sizeof(state->hash_key)) || strcmp(at, "\n") != 0))
		good = state_fail(t, "hash.key", "not 32 hex digits");
	OPENSSL_cleanse(text, sizeof(text));
	return good;
}

static bool state_epoch(struct state *state, const struct trouble *t)
{
	char text[STATE_FILE_MAX];
	const char *at = text;
	uint64_t starts = 0;

	switch (state_read(state, t, "epoch", text)) {
	case STATE_FOUND:
		if (!state_decimal(&at, UINT32_MAX, &starts) || strcmp(at, "\n") != 0)
			return state_fail(t, "epoch", "not a number");
		break;
	case STATE_MISSING:
		break;
	case STATE_TROUBLE:
		return false;
	}
	starts++;
	state->epoch = (uint32_t)(starts << STATE_EPOCH_SHIFT) | 1;
	snprintf(text, sizeof(text), "%llu\n", (unsigned long long)starts);
	return state_write(state, t, "epoch", text, 0);
}

const char *state_open(struct state *state, const char *path, char *why, size_t why_size)
{
	const struct trouble t = {why, why_size};

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
