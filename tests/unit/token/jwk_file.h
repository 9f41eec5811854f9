/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JWK_FILE_H
#define JWK_FILE_H

#include <jansson.h>

#include "relying.h"

/** A relying party that trusts one JSON Web Key, read by the control side from a file. */
struct relying *jwk_relying(const json_t *jwk, uint32_t algorithms);

#endif
