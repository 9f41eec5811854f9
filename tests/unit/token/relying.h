/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RELYING_H
#define RELYING_H

#include "gw_err.h"
#include "span.h"

/**
 * A relying party (RFC 8725): one issuer whose keys the control side has read from a JSON Web Key
 * Set, and all that looks at its tokens. Without cmocka: programs of tests/oracle use it, too.
 */
struct relying;

#define RELYING_ISS "https://waf.example.com"
#define RELYING_AUD "sip:ep1.home1.net"
/** Every algorithm that is ours, as issuer_config.algorithms. */
#define RELYING_ALL ((1u << JWS_ALG_COUNT) - 1)

/**
 * A relying party that trusts the keys of the file at path for the algorithms named. One whose
 * keys are all refused has none. Aborts without memory. The caller frees it.
 */
struct relying *relying_new(const char *path, uint32_t algorithms);
void relying_free(struct relying *relying);

/** Keys that were read. */
uint32_t relying_keys(const struct relying *relying);

/** True when the key reader's complaints have these words. */
bool relying_complains(const struct relying *relying, const char *words);

/**
 * The verdict of the JWS layer alone, whatever the payload says: header, key and signature of the
 * bytes as they are. GW_TOKEN_MALFORMED also when the payload is not base64url.
 */
enum gw_err relying_jws(struct relying *relying, struct span token);

/** The verdict of the whole pipeline: read, verified, judged at now_s. */
enum gw_err relying_whole(struct relying *relying, struct span token, uint64_t now_s);

#endif
