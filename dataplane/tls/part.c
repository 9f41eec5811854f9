/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdatomic.h>
#include <stdlib.h>

#include "tls.h"

/** The part and what frees the contexts that nobody took. */
struct tls_part_owned {
	struct tls_part part;
	const struct tls_ops *ops;
	_Atomic(struct tls_context *) context[];
};

static void part_free(struct snapshot_part *part)
{
	struct tls_part_owned *owned = (struct tls_part_owned *)(void *)part;

	for (uint16_t w = 0; w < owned->part.count; w++)
		owned->ops->context_free(atomic_exchange(&owned->context[w], NULL));
	free(owned);
}

enum gw_err tls_part_new(const struct tls_ops *ops, const struct tls_config *config,
			 uint16_t workers, struct tls_fault *fault, struct tls_part **made)
{
	struct tls_part_owned *owned =
		calloc(1, sizeof(*owned) + workers * sizeof(owned->context[0]));
	struct tls_context *context;
	enum gw_err err = GW_OK;

	*fault = (struct tls_fault){.why = "out of memory"};
	if (owned == NULL)
		return GW_NO_MEMORY;
	owned->part = (struct tls_part){.part.free = part_free, .context = owned->context};
	owned->ops = ops;
	while (err == GW_OK && owned->part.count < workers) {
		err = ops->context_new(config, fault, &context);
		if (err == GW_OK)
			atomic_init(&owned->context[owned->part.count++], context);
	}
	if (err != GW_OK) {
		part_free(&owned->part.part);
		return err;
	}
	*made = &owned->part;
	return GW_OK;
}
