/* SPDX-License-Identifier: BSD-3-Clause */
#include "origins.h"

#include <strings.h>

#include "discovery.h"

/** Origins of one site: more are never asked for. */
#define ORIGINS_END UINT32_MAX

/** Its identities are of that home domain, as far as the configuration says. A site of which it
 * does not say has all. */
static bool is_of_realm(const struct config_wwsf *wwsf, const char *domain)
{
	const struct option_list *domains = &wwsf->identities.domains;
	const char *wildcard = strrchr(wwsf->identities.wildcard.text, '@');

	for (uint32_t i = 0; i < domains->count; i++)
		if (strcasecmp(config_text(domains, i)->text, domain) == 0)
			return true;
	if (wildcard != NULL)
		return strcasecmp(wildcard + 1, domain) == 0;
	return domains->count == 0;
}

/** The default Origin i. */
static bool origins_default(const struct config *config, const struct config_wwsf *wwsf, uint32_t i,
			    char origin[ADDRESS_ORIGIN_MAX])
{
	struct discovery found;

	for (uint32_t r = 0; r < config->realms.count; r++) {
		const char *domain = ELEMENT(config_realm, config->realms, r)->domain.text;

		if (!is_of_realm(wwsf, domain) || discovery_of_domain(domain, &found) != NULL ||
		    i-- > 0)
			continue;
		strcpy(origin, found.origin);
		return true;
	}
	return false;
}

bool origins_at(const struct config *config, uint32_t w, uint32_t i,
		char origin[ADDRESS_ORIGIN_MAX])
{
	const struct config_wwsf *wwsf = config_wwsf(config, w);

	if (wwsf->origins.count == 0)
		return origins_default(config, wwsf, i, origin);
	if (i >= wwsf->origins.count)
		return false;
	if (address_origin(config_text(&wwsf->origins, i)->text, origin) != NULL)
		origin[0] = '\0'; /* refused */
	return true;
}

/* ---- the check ------------------------------------------------------------------------------ */

/** Where the configuration has it: a default one stands nowhere. */
static uint32_t line_of(const struct config *config, uint32_t w, uint32_t i)
{
	const struct config_wwsf *wwsf = config_wwsf(config, w);

	return wwsf->origins.count > 0 ? config_text(&wwsf->origins, i)->line : wwsf->name.line;
}

/** Looks for origin in web site w, before its Origin end. */
static bool find_origin(const struct config *config, uint32_t w, uint32_t end, const char *origin,
			uint32_t *line)
{
	char other[ADDRESS_ORIGIN_MAX];

	for (uint32_t i = 0; i < end && origins_at(config, w, i, other); i++) {
		if (strcmp(other, origin) != 0)
			continue;
		*line = line_of(config, w, i);
		return true;
	}
	return false;
}

/** Two sites that list none would have the same ones. */
static void refuse_repeated(const struct check *c, uint32_t w, uint32_t i, const char *origin)
{
	const struct config_wwsf *wwsf = config_wwsf(c->config, w), *first;
	uint32_t line;

	for (uint32_t other = 0; other <= w; other++) {
		if (!find_origin(c->config, other, other == w ? i : ORIGINS_END, origin, &line))
			continue;
		first = config_wwsf(c->config, other);
		check_refuse(
			c, line_of(c->config, w, i),
			"wwsf[].origins: %s\"%s\" belongs to WWSF \"%s\" already, on line %u%s",
			wwsf->origins.count == 0 ? "must be given: the default " : "", origin,
			first->name.text, line,
			first->origins.count == 0 ? ", which lists none" : "");
		return;
	}
}

static void check_listed(const struct check *c, const struct option_text *text)
{
	char origin[ADDRESS_ORIGIN_MAX];
	const char *why = check_given(*text) ? address_origin(text->text, origin) : NULL;

	if (why != NULL)
		check_refuse(c, text->line, "wwsf[].origins: \"%s\": %s", text->text, why);
}

void check_origins(const struct check *c, uint32_t w)
{
	const struct config_wwsf *wwsf = config_wwsf(c->config, w);
	char origin[ADDRESS_ORIGIN_MAX];
	uint32_t i = 0;

	for (uint32_t k = 0; k < wwsf->origins.count; k++)
		check_listed(c, config_text(&wwsf->origins, k));
	for (; origins_at(c->config, w, i, origin); i++)
		if (origin[0] != '\0')
			refuse_repeated(c, w, i, origin);
	if (i == 0)
		check_refuse(c, wwsf->name.line,
			     "wwsf[].origins: must be given: its identities are of no home domain "
			     "of realms[], whose default Origin it could have");
}
