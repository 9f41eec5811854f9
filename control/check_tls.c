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

static const char *check_read(const struct check *c, struct option_text path, struct span *bytes)
{
	return file_read(config_path(c->config, path), PEM_MAX, c->config->arena, bytes);
}

/** Once, so that all workers get the same. */
static bool check_read_pair(const struct check *c, uint32_t i, struct tls_certificate *read)
{
	const struct config_certificate *row =
		ELEMENT(config_certificate, c->config->access.tls.certificates, i);
	const char *why;

	if (!check_given(row->certificate) || !check_given(row->key))
		return false;
	why = check_read(c, row->certificate, &read->chain);
	if (why != NULL) {
		check_refuse_pair(c, i, "certificate: ", why);
		return false;
	}
	why = check_read(c, row->key, &read->key);
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
	case TLS_FAULT_VERSION:	    /* a choice of the table: always a good one */
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

/* ---- Mw ------------------------------------------------------------------------------------- */

struct mw_file {
	const char *name;
	struct option_text path;
	struct span *bytes;
};

/** False: it is missing, or no file that can be read. */
static bool check_mw_file(const struct check *c, const struct mw_file *file)
{
	const char *why = "has to be given beside mw.tls.certificate";

	if (file->path.text[0] != '\0')
		why = check_read(c, file->path, file->bytes);
	if (why == NULL)
		return true;
	check_refuse(c,
		     file->path.text[0] != '\0' ? file->path.line
						: c->config->mw.tls.certificate.line,
		     "mw.tls.%s: %s%s%s", file->name, file->path.text,
		     file->path.text[0] != '\0' ? ": " : "", why);
	return false;
}

static void check_mw_fault(const struct check *c, const struct tls_fault *fault)
{
	const struct config *config = c->config;

	if (fault->of == TLS_FAULT_AUTHORITIES)
		check_refuse(c, config->mw.tls.authorities.line, "mw.tls.authorities: %s: %s",
			     config->mw.tls.authorities.text, fault->why);
	else if (fault->of == TLS_FAULT_KEY)
		check_refuse(c, config->mw.tls.key.line, "mw.tls.key: %s: %s",
			     config->mw.tls.key.text, fault->why);
	else
		check_refuse(c, config->mw.tls.certificate.line, "mw.tls.certificate: %s: %s",
			     config->mw.tls.certificate.text, fault->why);
}

void check_mw_tls(const struct check *c)
{
	struct config *config = c->config;
	const struct mw_file files[] = {{"certificate", config->mw.tls.certificate,
					 &config->mw.tls.pem.chain},
					{"key", config->mw.tls.key, &config->mw.tls.pem.key},
					{"authorities", config->mw.tls.authorities,
					 &config->mw.tls.ca}};
	bool good = true;
	struct tls_config tls;
	struct tls_fault fault;
	struct tls_part *part;

	if (!config_has_mw_tls(config))
		return;
	for (uint32_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		good = check_mw_file(c, &files[i]) && good;
	if (!good)
		return;
	config_mw_tls(config, &tls);
	if (tls_part_new(&tls_libssl, &tls, 1, &fault, &part) == GW_OK)
		part->part.free(&part->part);
	else
		check_mw_fault(c, &fault);
}
