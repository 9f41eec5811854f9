/* SPDX-License-Identifier: BSD-3-Clause */
#include "identity.h"

/* name is domain, or a name below it. Both in lower case. */
static bool is_within(struct span name, struct span domain)
{
	uint32_t before = name.len > domain.len ? name.len - domain.len : 0;

	return span_equal(span_from(name, before), domain) &&
	       (before == 0 || span_at(name, before - 1) == '.');
}

enum gw_err identity_at_home(const struct wwsf_config *wwsf, const struct identity *impi,
			     const struct identity *impu)
{
	struct span host = identity_host(impu), realm = identity_host(impi);
	bool host_ours = false, realm_ours = false;

	for (uint32_t i = 0; i < wwsf->domain_count; i++) {
		host_ours = host_ours || span_equal(host, wwsf->domain[i]);
		realm_ours = realm_ours || is_within(realm, wwsf->domain[i]);
	}
	return host_ours && realm_ours ? GW_OK : GW_IDENTITY_FOREIGN;
}

/** Whether another web site's pool has one of the two: then nobody else may. */
static bool is_in_pool_of_another(const struct wwsf_config *wwsf, const struct pair_part *pairs,
				  struct span impi, struct span impu)
{
	for (uint32_t i = 0; i < pairs->count; i++)
		if (i != wwsf->pairs && identity_pooled(&pairs->table[i], impi, impu))
			return true;
	return false;
}

static enum gw_err among_pairs(const struct wwsf_config *wwsf, const struct pair_part *pairs,
			       struct span impi, struct span impu)
{
	if (pairs == NULL || wwsf->pairs >= pairs->count)
		return GW_IDENTITY_FOREIGN;
	return identity_allowed(&pairs->table[wwsf->pairs], impi, impu);
}

enum gw_err identity_allocated(const struct wwsf_config *wwsf, const struct pair_part *pairs,
			       const struct identity *impi, const struct identity *impu)
{
	struct span private = identity_span(impi), public = identity_span(impu);
	enum gw_err err = wwsf->domain_count > 0 ? identity_at_home(wwsf, impi, impu)
						 : among_pairs(wwsf, pairs, private, public);

	/* that pools have nothing in common was seen when they were loaded */
	if (err != GW_OK || pairs == NULL || wwsf->mode == WWSF_POOL)
		return err;
	return is_in_pool_of_another(wwsf, pairs, private, public) ? GW_IDENTITY_FOREIGN : GW_OK;
}

void identity_allocated_expect(const struct wwsf_config *wwsf, const struct pair_part *pairs,
			       const struct identity *impi, const struct identity *impu)
{
	struct span private = identity_span(impi), public = identity_span(impu);

	if (pairs == NULL)
		return;
	if (wwsf->domain_count == 0 && wwsf->pairs < pairs->count)
		identity_expect(&pairs->table[wwsf->pairs], private, public);
	for (uint32_t i = 0; i < pairs->count && wwsf->mode != WWSF_POOL; i++)
		if (i != wwsf->pairs)
			identity_pooled_expect(&pairs->table[i], private, public);
}
