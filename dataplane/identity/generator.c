/* SPDX-License-Identifier: BSD-3-Clause */
#include "pairs.h"

static bool set_has(const struct pair_generator *g, uint32_t at, uint8_t c)
{
	return c < 128 && (g->set[at][c >> 6] >> (c & 63) & 1) != 0;
}

bool pair_generator_makes_impu(const struct pair_generator *g, struct span impu)
{
	if (impu.len != g->impu_len)
		return false;
	for (uint32_t i = 0; i < impu.len; i++)
		if (!set_has(g, i, impu.at[i]))
			return false;
	return true;
}

bool pair_generator_makes(const struct pair_generator *g, struct span impi, struct span impu)
{
	if (impi.len != g->impi_len || !pair_generator_makes_impu(g, impu))
		return false;
	for (uint32_t i = 0; i < impi.len; i++) {
		uint16_t term = g->term[i];

		if (impi.at[i] != ((term & PAIR_COPY) != 0 ? impu.at[term & ~PAIR_COPY] : term))
			return false;
	}
	return true;
}

/* What is not copied does not vary, so an IMPI has at most one IMPU: what it copies says which. */
bool pair_generator_makes_impi(const struct pair_generator *g, struct span impi)
{
	uint8_t copied[IDENTITY_MAX] = {0}; /* 0: not yet, and in no set */

	if (impi.len != g->impi_len)
		return false;
	for (uint32_t i = 0; i < impi.len; i++) {
		uint32_t from = g->term[i] & ~PAIR_COPY;
		uint8_t c = impi.at[i];

		if ((g->term[i] & PAIR_COPY) == 0 && c == g->term[i])
			continue;
		if ((g->term[i] & PAIR_COPY) == 0 || !set_has(g, from, c) ||
		    (copied[from] != 0 && copied[from] != c))
			return false;
		copied[from] = c;
	}
	return true;
}
