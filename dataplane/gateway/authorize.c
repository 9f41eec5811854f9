/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"
#include "wall.h"

/*
 * From the credential of a request to claims that are believed (PROTOCOL 3.5 steps 1-16), the cheap
 * before the dear: what was refused before is refused again, what was verified before is not
 * verified again, and only then a signature is checked.
 */

/** The token itself was refused: its repeats are told the same without a signature. */
static enum gw_err refuse(struct gateway *gw, enum gw_err err)
{
	if (err != GW_OK && err != GW_AGAIN)
		token_refused_put(gw->refused, &gw->digest, gw->time.view, gw->time.now_us, err);
	return err;
}

bool authorize_keys_missing(const struct gateway *gw, uint32_t issuer)
{
	const struct key_part *keys = gw->time.view->keys;

	return keys != NULL && keys->issuer != NULL && issuer < keys->issuer_count &&
	       keys->issuer[issuer].missing;
}

/** Steps 9-16: what holds now, and for this connection. */
static enum gw_err judge(struct gateway *gw, const struct wic *wic)
{
	const struct snapshot *view = gw->time.view;
	struct token_use use = {
		.config = view->config,
		.revocations = view->revocations,
		.wwsf = wic->wwsf,
		.method = gw->message.method,
		.now_s = wall_now_s(&gw->time),
	};

	return token_judge(&gw->claims, &use);
}

/** Where it is kept which key was asked about: a parked request is not the session's own. */
static uint32_t *asked_key(struct gateway *gw, struct wic *wic)
{
	return gw->resumed != NULL ? &gw->resumed->key : &wic->key;
}

/** Step 17 looks the token's identities up. Its memory comes while the signature is checked. */
static void expect_identities(const struct gateway *gw, const struct wic *wic)
{
	const struct wwsf_config *wwsf = register_wwsf(gw, wic->wwsf);
	struct identity impi, impu;

	if (wwsf != NULL && gw->claims.impu_count > 0 &&
	    identity_impi(gw->claims.impi, &impi) == GW_OK &&
	    identity_impu(gw->claims.impu[0], &impu) == GW_OK)
		identity_allocated_expect(wwsf, gw->time.view->pairs, &impi, &impu);
}

/** Step 8: the signature goes to the driver. GW_AGAIN: the verdict will come. */
static enum gw_err submit(struct gateway *gw, struct wic *wic)
{
	struct verify_job *job = gw->env->job(gw->env->context);
	const struct key_part *keys = gw->time.view->keys;
	enum gw_err err;

	if (job == NULL)
		return GW_POOL_EMPTY;
	*asked_key(gw, wic) = keys->row[gw->claims.key].key.id;
	err = token_job(&gw->claims, keys, job);
	job->waiter = gw->resumed != NULL ? VERIFY_WAITER_PARKED : VERIFY_WAITER_FLOW;
	job->owner = err != GW_OK	   ? handle_none()
		     : gw->resumed != NULL ? parked_handle(gw, gw->resumed)
					   : wic->flow;
	gw->env->submit(gw->env->context, job); /* one without an owner goes back to its pool */
	if (err == GW_OK)
		token_cache_put(gw->asked, &gw->digest, gw_config(gw), keys, &gw->claims);
	return err == GW_OK ? GW_AGAIN : err;
}

/** Steps 1-7 for a token that is new here. */
static enum gw_err read_and_submit(struct gateway *gw, struct wic *wic, struct span token)
{
	const struct snapshot *view = gw->time.view;
	enum gw_err err;

	gw->claims = (struct token_claims){0};
	err = token_read(token, view->config, view->keys, &gw->scratch, &gw->claims);
	if (err == GW_TOKEN_KID)
		return parked_for_keys(gw, wic);
	if (err == GW_OK && authorize_keys_missing(gw, gw->claims.issuer))
		err = GW_TOKEN_KEYS_DOWN;
	if (err == GW_OK) {
		expect_identities(gw, wic);
		err = submit(gw, wic);
	}
	return refuse(gw, err);
}

/** Finds the request's credential, and what names its token. */
static struct token_credential find(struct gateway *gw)
{
	struct token_credential credential = token_find(&gw->message, gw_config(gw));

	gw->username = credential.username;
	if (credential.err == GW_OK)
		gw->digest = token_digest(credential.token);
	return credential;
}

enum gw_err authorize_request(struct gateway *gw, struct wic *wic)
{
	const struct snapshot *view = gw->time.view;
	struct token_credential credential;
	enum gw_err err;

	if (wic->disowned)
		return GW_TOKEN_WWSF; /* no token could help, and no site is left to fetch one at */
	credential = find(gw);
	if (credential.err != GW_OK)
		return credential.err;
	err = token_refused_find(gw->refused, &gw->digest, view, gw->time.now_us);
	if (err != GW_OK) {
		counter_add(&gw_counters(gw)->token_refused_again, 1);
		return err;
	}
	if (!token_cache_find(gw->cache, &gw->digest, view->config, view->keys, &gw->claims))
		return read_and_submit(gw, wic, credential.token);
	counter_add(&gw_counters(gw)->token_cached, 1);
	if (authorize_keys_missing(gw, gw->claims.issuer))
		return GW_TOKEN_KEYS_DOWN;
	return refuse(gw, judge(gw, wic));
}

/** What was read of the token before its signature was checked; it is read again where that is not
 * kept, or where a reload might have it read otherwise. */
static enum gw_err read_before(struct gateway *gw, struct span token)
{
	const struct snapshot *view = gw->time.view;

	if (token_cache_find(gw->asked, &gw->digest, view->config, view->keys, &gw->claims))
		return GW_OK;
	return token_read(token, view->config, view->keys, &gw->scratch, &gw->claims);
}

enum gw_err authorize_verdict(struct gateway *gw, struct wic *wic, enum gw_err verdict)
{
	const struct snapshot *view = gw->time.view;
	struct token_credential credential = find(gw);
	enum gw_err err;

	if (credential.err != GW_OK)
		return credential.err; /* gw->digest is that of somebody else's token */
	err = read_before(gw, credential.token);
	if (err == GW_OK && view->keys->row[gw->claims.key].key.id != *asked_key(gw, wic))
		err = GW_TOKEN_KID; /* a reload replaced the key that the verdict is about */
	if (err == GW_OK)
		err = verdict;
	if (err == GW_OK) {
		token_cache_put(gw->cache, &gw->digest, view->config, view->keys, &gw->claims);
		err = wic->disowned ? GW_TOKEN_WWSF : judge(gw, wic);
	}
	return refuse(gw, err);
}
