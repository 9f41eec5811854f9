/* SPDX-License-Identifier: BSD-3-Clause */
#include "token.h"

/* Whether the ascending list has hash: a binary search. */
static bool is_listed(const uint64_t *list, uint32_t count, uint64_t hash)
{
	uint32_t from = 0;

	while (count > 0) {
		uint32_t half = count / 2;

		if (list[from + half] < hash) {
			from += half + 1;
			count -= half + 1;
		} else if (list[from + half] == hash) {
			return true;
		} else {
			count = half;
		}
	}
	return false;
}

bool token_is_revoked(const struct token_claims *claims, const struct config_part *config,
		      const struct revocation_part *revocations)
{
	if (revocations == NULL || revocations->jti_count == 0 || claims->jti.len == 0)
		return false;
	return token_jti_revoked(jti_hash(config->hash_key, claims->iss, claims->jti), revocations);
}

bool token_jti_revoked(uint64_t hash, const struct revocation_part *revocations)
{
	return revocations != NULL && hash != 0 &&
	       is_listed(revocations->jti, revocations->jti_count, hash);
}

bool token_wwsf_disabled(struct span wwsf, const struct revocation_part *revocations)
{
	uint32_t count = revocations != NULL ? revocations->wwsf_count : 0;

	for (uint32_t i = 0; i < count; i++)
		if (span_equal(wwsf, revocations->wwsf[i]))
			return true;
	return false;
}
