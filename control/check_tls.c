/* SPDX-License-Identifier: BSD-3-Clause */
#include "checking.h"
#include "file.h"
#include "tls_context.h"

#define PEM_MAX (256 * 1024)

static void check_refuse_pair(const struct check *c, uint32_t i, const char *what, const char *why)
{
	const struct config_certificate *row =
		ELEMENT(config_certificate, c->config->access.tls.certificates, i);

	check_refuse(c, row->certificate.line, "access.tls.certificates[]: %s, %s: %s%s",
		     row->certificate.text, row->key.text, what, why);
}

/** Once, so that all workers get the same. */
static bool check_read_pair(const struct check *c, uint32_t i, struct tls_certificate *read)
{
	const struct config_certificate *row =
		ELEMENT(config_certificate, c->config->access.tls.certificates, i);
	struct arena *arena = c->config->arena;
	const char *why;

	if (!check_given(row->certificate) || !check_given(row->key))
		return false;
	why = file_read(config_path(c->config, row->certificate), PEM_MAX, arena, &read->chain);
	if (why != NULL) {
		check_refuse_pair(c, i, "certificate: ", why);
		return false;
	}
	why = file_read(config_path(c->config, row->key), PEM_MAX, arena, &read->key);
	if (why != NULL)
		check_refuse_pair(c, i, "key: ", why);
	return why == NULL;
}

static bool check_read_pairs(const struct check *c)
{
	struct config *config = c->config;
	uint32_t count = config->access.tls.certificates.count;
	bool good = count > 0;

	config->access.tls.pem = arena_get(config->arena, count * sizeof(struct tls_certificate));
	for (uint32_t i = 0; i < count; i++)
		good = check_read_pair(c, i, &config->access.tls.pem[i]) && good;
	return good;
}

static void check_refuse_fault(const struct check *c, const struct tls_fault *fault)
{
	const struct config *config = c->config;

	switch (fault->of) {
	case TLS_FAULT_CERTIFICATE:
	case TLS_FAULT_KEY:
		check_refuse_pair(c, fault->certificate, "", fault->why);
		return;
	case TLS_FAULT_CIPHERS:
		check_refuse(c, config->access.tls.ciphers.line, "access.tls.ciphers: %s",
			     fault->why);
		return;
	case TLS_FAULT_GROUPS:
		check_refuse(c, config->access.tls.groups.line, "access.tls.groups: %s",
			     fault->why);
		return;
	case TLS_FAULT_AUTHORITIES: /* clients are asked for no certificate */
	case TLS_FAULT_VERSION: /* a choice of the table: always a good one */
	case TLS_FAULT_NONE:
		check_refuse(c, config->access.tls.certificates.line, "access.tls: %s", fault->why);
	}
}

/** What OpenSSL makes of it, it says best: a context is made, and given back. */
void check_tls(const struct check *c)
{
	struct tls_config tls;
	struct tls_fault fault;
	struct tls_part *part;

	if (!check_read_pairs(c))
		return;
	config_tls(c->config, &tls);
	if (tls_part_new(&tls_libssl, &tls, 1, &fault, &part) == GW_OK)
		part->part.free(&part->part);
	else
		check_refuse_fault(c, &fault);
}
