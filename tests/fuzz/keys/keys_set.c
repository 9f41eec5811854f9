/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "control/keys.h"
#include "control/thumbprint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ALL = (1 << JWS_ALG_COUNT) - 1 };

static void must(bool holds)
{
	if (!holds)
		abort();
}

/** The form that drivers start from (include/verifier.h), and the bounds of PROTOCOL 3.8. */
static void check_key(const struct verify_key *key)
{
	bool rsa = key->alg == JWS_RS256 || key->alg == JWS_PS256;
	char print[THUMBPRINT_MAX];

	must((unsigned)key->alg < JWS_ALG_COUNT && key->len <= VERIFY_KEY_MAX);
	must(rsa == (key->modulus > 0));
	if (rsa)
		must(key->modulus >= 256 && key->modulus <= 512 && key->len > key->modulus &&
		     (key->material[key->modulus - 1] & 1) == 1 &&
		     (key->material[key->len - 1] & 1) == 1);
	else if (key->alg == JWS_EDDSA)
		must(key->len == 32);
	else
		must(key->len == (key->alg == JWS_ES256 ? 65 : 97) && key->material[0] == 0x04);
	thumbprint(key, print);
	must(strlen(print) == THUMBPRINT_MAX - 1);
}

static void check_set(const struct key_list *keys, uint32_t allowed)
{
	must(keys->count <= KEYS_MAX);
	for (uint32_t i = 0; i < keys->count; i++) {
		must((1u << keys->at[i].key.alg & allowed) != 0);
		must(keys->at[i].kid.len <= KEYS_KID_MAX);
		check_key(&keys->at[i].key);
		for (uint32_t k = 0; keys->at[i].kid.len > 0 && k < i; k++)
			must(!span_equal(keys->at[k].kid, keys->at[i].kid));
	}
}

/** The first byte chooses the allowed algorithms; the rest is the set, in memory of its size. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keys_source source = {"https://keys.example/jwks", "wicgate.yaml", 1, ALL};
	struct problems *problems;
	struct key_list keys;
	struct arena *arena;

	if (size == 0 || size > KEYS_BYTES_MAX)
		return 0;
	source.algorithms = data[0] & ALL;
	problems = problems_new();
	arena = arena_new();
	keys_read(&source, span_of(data + 1, (uint32_t)size - 1), arena, &keys, problems);
	check_set(&keys, source.algorithms);
	must(keys.count > 0 || problems_errors(problems) > 0); /* else old keys would be lost */
	arena_free(arena);
	problems_free(problems);
	return 0;
}
