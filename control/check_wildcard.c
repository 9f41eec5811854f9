/* SPDX-License-Identifier: BSD-3-Clause */
#include <strings.h>

#include "checking.h"

/* Un-registered origination (PROTOCOL 7.1): where it enters the core, and whose it is. The wildcard
 * itself is check_patterns()'. */

/** Whether one of the parameters of a URI has that name. */
static bool check_has_param(const char *uri, const char *name)
{
	size_t len = strlen(name);
	const char *at = uri;

	while ((at = strchr(at, ';')) != NULL) {
		at++;
		if (strncasecmp(at, name, len) == 0 && (at[len] == '\0' || strchr(";=", at[len])))
			return true;
	}
	return false;
}

void check_icscf_orig(const struct check *c, const struct config_realm *realm)
{
	struct option_text uri = realm->icscf_orig;

	check_plain(c, "realms[].icscf_orig", uri);
	if (!check_given(uri))
		return;
	if (strncasecmp(uri.text, "sip:", 4) != 0 || strchr(";?", uri.text[4]) != NULL)
		check_refuse(c, uri.line, "realms[].icscf_orig: not a sip: URI");
	else if (strchr(uri.text, '?') != NULL || strchr(uri.text, ',') != NULL)
		check_refuse(c, uri.line,
			     "realms[].icscf_orig: one URI without header fields expected");
	else if (!check_has_param(uri.text, "lr"))
		check_refuse(c, uri.line, "realms[].icscf_orig: the parameter lr is missing");
	else if (!check_has_param(uri.text, "orig"))
		check_refuse(c, uri.line,
			     "realms[].icscf_orig: the parameter orig is missing: without it the "
			     "core would take the request for one to its user");
}

/** The home network of its identities; of a tel wildcard the first one. NULL: it is not served. */
static const struct config_realm *check_home(const struct check *c, const char *wildcard)
{
	const struct option_list *realms = &c->config->realms;
	const char *at = strncasecmp(wildcard, "tel:", 4) == 0 ? NULL : strrchr(wildcard, '@');

	for (uint32_t i = 0; i < realms->count; i++) {
		const struct config_realm *realm = ELEMENT(config_realm, *realms, i);

		if (at == NULL || strcasecmp(realm->domain.text, at + 1) == 0)
			return realm;
	}
	return NULL;
}

void check_wildcard_mode(const struct check *c, const struct config_wwsf *wwsf)
{
	static const char mode[] = "mode wildcard-unregistered";
	const struct option_text *wildcard = &wwsf->identities.wildcard;
	const struct config_realm *home = check_home(c, wildcard->text);

	if (!check_given(*wildcard)) {
		check_refuse(c, wwsf->name.line,
			     "wwsf[].identities.wildcard: must be given with %s", mode);
		return;
	}
	if (wwsf->identities.domains.count > 0 || check_given(wwsf->identities.file) ||
	    check_given(wwsf->identities.generator.impu) ||
	    check_given(wwsf->identities.generator.impi) ||
	    check_given(wwsf->identities.registering.impi) ||
	    check_given(wwsf->identities.registering.impu))
		check_refuse(c, wildcard->line,
			     "wwsf[].identities: with %s nothing but the wildcard", mode);
	if (home != NULL && !check_given(home->icscf_orig))
		check_refuse(c, wwsf->mode.line,
			     "wwsf[].mode: realms[].icscf_orig of \"%s\" must be given for %s",
			     home->domain.text, mode);
}
