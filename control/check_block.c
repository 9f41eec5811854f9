/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "canonical.h"
#include "checking.h"

/* Blocks of identities that are registered as one (PROTOCOL 8). */

#define REGISTERING "wwsf[].identities.registering."

typedef enum gw_err canonical(struct span text, struct writer *out);

/** Reads an identity into text, terminated. False: refused. */
static bool check_identity(const struct check *c, const char *path, struct option_text from,
			   canonical *read, char text[IDENTITY_MAX + 1])
{
	struct writer w;

	writer_init(&w, text, IDENTITY_MAX);
	if (read(span_text(from.text), &w) != GW_OK) {
		check_refuse(c, from.line, "%s: \"%s\" is no such identity", path, from.text);
		return false;
	}
	text[writer_len(&w)] = '\0';
	return true;
}

/** The core that is asked is that of the identity's own domain. */
static void check_served(const struct check *c, struct option_text impu, const char *text)
{
	const struct option_list *realms = &c->config->realms;
	const char *at = strchr(text, '@');

	for (uint32_t i = 0; at != NULL && i < realms->count; i++)
		if (strcasecmp(ELEMENT(config_realm, *realms, i)->domain.text, at + 1) == 0)
			return;
	check_refuse(c, impu.line, REGISTERING "impu: \"%s\" is of no domain of realms", impu.text);
}

static void check_pair(const struct check *c, const struct config_wwsf *wwsf)
{
	const struct option_text *impi = &wwsf->identities.registering.impi;
	const struct option_text *impu = &wwsf->identities.registering.impu;
	char text[IDENTITY_MAX + 1];

	if (!check_given(*impi) || !check_given(*impu)) {
		check_refuse(c, wwsf->name.line,
			     "wwsf[].identities.registering: both impi and impu expected");
		return;
	}
	check_identity(c, REGISTERING "impi", *impi, identity_canonical_impi, text);
	if (check_identity(c, REGISTERING "impu", *impu, identity_canonical_impu, text))
		check_served(c, *impu, text);
}

/** Its identities are those of its wildcard, and nothing else says which. */
static void check_identities(const struct check *c, const struct config_wwsf *wwsf)
{
	const struct option_text *texts[] = {&wwsf->identities.file,
					     &wwsf->identities.generator.impu,
					     &wwsf->identities.generator.impi};
	uint32_t line = wwsf->identities.domains.count > 0 ? wwsf->identities.domains.line : 0;

	for (uint32_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (check_given(*texts[i]))
			line = texts[i]->line;
	if (line != 0)
		check_refuse(c, line,
			     "wwsf[].identities: only wildcard and registering with mode block");
	if (!check_given(wwsf->identities.wildcard))
		check_refuse(c, wwsf->name.line,
			     "wwsf[].identities.wildcard: must be given with mode block");
}

void check_block(const struct check *c, const struct config_wwsf *wwsf)
{
	/* it stands in the user of the block's Contact */
	check_user(c, "wwsf[].name", wwsf->name, " with mode block");
	check_identities(c, wwsf);
	check_pair(c, wwsf);
	if (wwsf->clamp_lifetime.value == 0)
		check_refuse(c, wwsf->clamp_lifetime.line,
			     "wwsf[].clamp_lifetime: never false with mode block: nobody else "
			     "would end a registration");
}

void check_not_block(const struct check *c, const struct config_wwsf *wwsf)
{
	const struct option_text *impi = &wwsf->identities.registering.impi;
	const struct option_text *impu = &wwsf->identities.registering.impu;

	if (check_given(*impi) || check_given(*impu))
		check_refuse(c, check_given(*impi) ? impi->line : impu->line,
			     "wwsf[].identities.registering: with mode block only");
	if (wwsf->fork.value != 0)
		check_refuse(c, wwsf->fork.line, "wwsf[].fork: with mode block only");
}

/** It stands in quotes in a header. */
static void check_reason(const struct check *c, const char *path, struct option_text text)
{
	for (const char *at = text.text; *at != '\0'; at++)
		if (*at < ' ' || *at > '~' || *at == '"' || *at == '\\') {
			check_refuse(c, text.line, "%s: printable ASCII without quotes expected",
				     path);
			return;
		}
}

void check_blocks(const struct check *c)
{
	check_reason(c, "block.absent.text", c->config->block.absent.text);
	check_reason(c, "block.unknown.text", c->config->block.unknown.text);
}
