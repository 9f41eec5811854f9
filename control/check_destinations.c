/* SPDX-License-Identifier: BSD-3-Clause */
#include "checking.h"

/* Whom WICs may reach: rules of the operator and of web sites. */

/** The web site of that name in the configuration before, or NULL. */
static const struct config_wwsf *check_before(const struct check *c, const char *name)
{
	const struct config *before = c->from->before;

	for (uint32_t i = 0; before != NULL && i < before->wwsf.count; i++)
		if (strcmp(config_wwsf(before, i)->name.text, name) == 0)
			return config_wwsf(before, i);
	return NULL;
}

static void check_rules(const struct check *c, const char *setting,
			struct config_destinations *list, const struct config_destinations *before)
{
	const struct destinations_from from = {
		.setting = setting,
		.file = c->config->file,
		.workers = config_workers(c->config),
		.before = before,
		.stop = c->from->stop,
		.arena = c->config->arena,
	};

	destinations_read(list, &from, c->problems);
}

static void check_expressions(const struct check *c, const struct config_destinations *allow,
			      const struct config_destinations *deny)
{
	if (allow->expressions + deny->expressions > DESTINATION_EXPRESSIONS_MAX)
		check_refuse(c, deny->texts.line,
			     "destinations: more than %d expressions in allow and deny together",
			     DESTINATION_EXPRESSIONS_MAX);
}

void check_destinations(const struct check *c)
{
	struct config *config = c->config;
	const struct config *before = c->from->before;

	check_rules(c, "screening.allow", &config->screening.allow,
		    before != NULL ? &before->screening.allow : NULL);
	check_rules(c, "screening.deny", &config->screening.deny,
		    before != NULL ? &before->screening.deny : NULL);
	check_expressions(c, &config->screening.allow, &config->screening.deny);
	for (uint32_t w = 0; w < config->wwsf.count; w++) {
		struct config_wwsf *wwsf = ELEMENT(config_wwsf, config->wwsf, w);
		const struct config_wwsf *was = check_before(c, wwsf->name.text);

		check_rules(c, "wwsf[].destinations.allow", &wwsf->destinations.allow,
			    was != NULL ? &was->destinations.allow : NULL);
		check_rules(c, "wwsf[].destinations.deny", &wwsf->destinations.deny,
			    was != NULL ? &was->destinations.deny : NULL);
		check_expressions(c, &wwsf->destinations.allow, &wwsf->destinations.deny);
	}
}
