/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

#include "proxy/proxy.h"

/*
 * Who may come in. Whom a load balancer brings is asked for before TLS, and how many an address or
 * a WWSF has is looked at before the 101: a browser that is accepted and then dropped is back in
 * two seconds, for ever (docs/operations.md).
 */

#define RETRY_FULL_S 5 /* nobody knows when one of those that are open will close */

enum gw_err session_admit_open(struct worker *w)
{
	/* twice as many keys as connections: sets of a hash table fill unevenly */
	w->addresses = rates_new(2 * w->config.sizes.connections);
	w->sites = rates_new(WWSF_KEYS);
	for (uint32_t i = 0; i < sizeof(w->rates_key); i++)
		w->rates_key[i] = (uint8_t)worker_random(w);
	return w->addresses != NULL && w->sites != NULL ? GW_OK : GW_NO_MEMORY;
}

void session_admit_close(struct worker *w)
{
	rates_free(w->addresses);
	rates_free(w->sites);
}

/* ---- PROXY header --------------------------------------------------------------------------- */

bool session_admit_balancer(const struct worker *w, const struct endpoint *peer)
{
	const struct config_part *config = worker_settings(w);

	for (uint32_t i = 0; i < config->balancer_count; i++)
		if (endpoint_same_host(&config->balancer[i], peer))
			return true;
	return false;
}

/** The first bytes that have come, in one piece. */
static struct span head_peek(struct session *s, uint8_t head[PROXY_HEADER_MAX])
{
	struct writer out;
	struct span run;
	const void *at;
	uint32_t len;

	writer_init(&out, head, PROXY_HEADER_MAX);
	while ((at = conn_peek(s->conn, writer_len(&out), &len)) != NULL && len > 0) {
		run = span_of(at, len);
		writer_put(&out, span_cut(run, 0, PROXY_HEADER_MAX - writer_len(&out)));
		if (writer_len(&out) == PROXY_HEADER_MAX)
			break;
	}
	return writer_span(&out);
}

static void head_consume(struct conn *conn, uint32_t n)
{
	struct span run;
	const void *at;
	uint32_t len;

	while (n > 0 && (at = conn_peek(conn, 0, &len)) != NULL) {
		run = span_cut(span_of(at, len), 0, n);
		conn_consume(conn, run.len);
		n -= run.len;
	}
}

bool session_admit_header(struct session *s)
{
	struct worker *w = s->worker;
	uint8_t head[PROXY_HEADER_MAX];
	struct proxy_header header = proxy_read(head_peek(s, head));

	if (header.err == GW_AGAIN)
		return false;
	if (header.err != GW_OK) {
		session_cut(s, header.err);
		return false;
	}
	head_consume(s->conn, header.used);
	if (!header.local)
		s->peer = header.client;
	counter_add(&w->counters.proxy_headers, 1);
	s->state = SESSION_HANDSHAKE;
	conn_set_deadline(s->conn, worker_settings(w)->tls_handshake_s * 1000);
	return true;
}

/* ---- limits --------------------------------------------------------------------------------- */

static struct admission admitted(struct worker *w, const struct rates_answer *answer,
				 enum gw_err refusal)
{
	counter_add(&w->counters.upgrade_forgotten, answer->forgot);
	counter_add(&w->counters.upgrade_unlimited, answer->unlimited);
	if (answer->err == GW_OK)
		return (struct admission){.err = GW_OK};
	return (struct admission){refusal, answer->err == GW_RATE ? answer->wait_s : RETRY_FULL_S};
}

static struct admission admit_any(const struct worker *w)
{
	uint32_t most = worker_settings(w)->max_connections;

	if (most > 0 && counter_read(&w->counters.session_live) >= most)
		return (struct admission){GW_CONN_LIMIT, RETRY_FULL_S};
	return (struct admission){.err = GW_OK};
}

/** The address first: one that asks too often costs its WWSF nothing. */
static struct admission admit_address(struct session *s)
{
	struct worker *w = s->worker;
	const struct config_part *config = worker_settings(w);
	struct rates_answer answer;

	answer = rates_open(w->addresses, siphash(w->rates_key, endpoint_source(&s->peer)),
			    &config->upgrades, config->address_connections, w->clock.now_us);
	s->address_row = answer.row;
	return admitted(w, &answer, GW_HTTP_RATE);
}

/** By name: rows of the configuration change with a reload, what is open does not. */
static struct admission admit_site(struct session *s, const struct wwsf_config *wwsf)
{
	struct worker *w = s->worker;
	struct rates_answer answer;

	answer = rates_open(w->sites, siphash(w->rates_key, wwsf->name), &wwsf->connections,
			    wwsf->max_connections, w->clock.now_us);
	s->site_row = answer.row;
	return admitted(w, &answer, GW_HTTP_ORIGIN_LIMIT);
}

struct admission session_admit(struct session *s, uint32_t wwsf)
{
	struct admission admission = admit_any(s->worker);

	if (admission.err == GW_OK)
		admission = admit_address(s);
	if (admission.err == GW_OK)
		admission = admit_site(s, &worker_settings(s->worker)->wwsf[wwsf]);
	if (admission.err != GW_OK)
		session_dismiss(s);
	return admission;
}

void session_dismiss(struct session *s)
{
	struct worker *w = s->worker;

	if (!rates_close(w->addresses, s->address_row) || !rates_close(w->sites, s->site_row))
		counter_add(&w->counters.invariant_broken, 1);
	s->address_row = RATES_NONE;
	s->site_row = RATES_NONE;
}
