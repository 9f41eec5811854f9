/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LENT_H
#define LENT_H

#include "world.h"

/* A web site that lends its pairs: alice's is lent to visitors. */

#define S 1000000ull

/** A fresh world in which the site "shop" has a pool. */
void lent_start(void);

/** Who asks, by which token and as which client. */
struct visitor {
	const char *sub;
	const char *jti;
	int64_t iat_s, exp_s; /* from now */
	const char *instance; /* one character of its UUID; NULL: it has none, nor a reg-id */
	const char *contact;  /* user of its Contact */
	uint32_t expires_s;   /* that he asks for */
};

/** One of them: his token is of now, and lives for an hour. */
struct visitor visitor(const char *sub);

/** His REGISTER. */
const char *lent_register(const struct visitor *v);
/** He registers on that connection, and the core says 200. */
void lent_registers(uint32_t wic, const struct visitor *v);
/** He is refused on that connection: what he is told. */
const char *lent_refused(uint32_t wic, const struct visitor *v);

/** De-REGISTERs of this node since world_forget(); the last one of them. */
uint32_t farewells(void);
const char *farewell(void);

/** The n-th word to the journal since world_forget(). */
const struct message_journal *told(uint32_t n);

#endif
