/* SPDX-License-Identifier: BSD-3-Clause */
#include "destination.h"
#include "originate.h"
#include "wildcard.h"

/*
 * Requests inside dialogs, and the ACK of a 2xx (PROTOCOL 9.8). No state is kept of a dialog: our
 * URI on top of Route says whose it is, which way it began and which charging identifier it has.
 */

/** The dialog is this connection's, and its route is the one that the WIC was given. */
static enum gw_err check_dialog(struct gateway *gw, const struct wic *wic,
				const struct route_top *top)
{
	if (top->field == NULL)
		return GW_DIALOG_FOREIGN;
	if (top->err == GW_FLOW_GONE)
		return GW_SIP_NO_TRANSACTION; /* of an earlier life of this node: 481 */
	if (top->err != GW_OK) {
		counter_add(&gw_counters(gw)->flow_forged, 1);
		return top->err;
	}
	if (!route_is_of(wic, top) || !route_is_kept(gw, top))
		return GW_DIALOG_FOREIGN;
	return GW_OK;
}

/** The network of who is registered; once that is over (D-36), of who the WIC is in the dialog. */
static const struct realm_config *charged_realm(const struct gateway *gw, const struct wic *wic)
{
	const struct binding *b = binding_of(gw, wic);
	struct sip_address from;
	const struct realm_config *realm;

	if (b != NULL)
		return request_realm_of(gw_config(gw), &b->impu);
	from = sip_address_parse(sip_value(&gw->message, SIP_HEADER_FROM));
	realm = from.err == GW_OK ? request_realm(gw_config(gw), from.uri.host) : NULL;
	return realm != NULL ? realm : &gw_config(gw)->realm[0];
}

/** The charging identifier of the dialog goes with its requests (PROTOCOL 9.8). */
static void write_charging(struct gateway *gw, const struct wic *wic,
			   const struct dialog_mark *mark)
{
	const struct config_part *config = gw_config(gw);
	const struct realm_config *realm = charged_realm(gw, wic);

	if (mark->icid_len == 0)
		return;
	writer_text(&gw->lines, "P-Charging-Vector: icid-value=\"");
	writer_bytes(&gw->lines, mark->icid, mark->icid_len);
	writer_text(&gw->lines, "\"");
	if (mark->originating) {
		writer_text(&gw->lines, ";icid-generated-at=");
		writer_put(&gw->lines, config->mw_host);
		writer_text(&gw->lines, ";orig-ioi=\"");
		writer_put(&gw->lines, realm->ioi);
		writer_text(&gw->lines, "\"");
	}
	writer_text(&gw->lines, "\r\n");
}

static enum gw_err in_dialog_build(struct gateway *gw, struct transaction *t)
{
	const struct sip_message *m = &gw->message;
	const struct wic *wic = gw->env->wic(gw->env->context, t->flow);
	uint32_t mark;

	if (wic == NULL)
		return GW_STALE;
	trust_strip_in_dialog(gw, m);
	sip_splice_remove_element(&gw->splice, gw->route->field, gw->route->element);
	request_via(gw, t);
	request_max_forwards(gw, m);
	mark = writer_len(&gw->lines);
	write_charging(gw, wic, &gw->route->mark);
	sip_splice_append(&gw->splice, request_lines(gw, mark));
	return writer_ok(&gw->lines) ? GW_OK : GW_NO_ROOM;
}

/**
 * Nobody answers an ACK: it needs no transaction, and a branch of its own, which is the same when
 * the ACK comes again, for a 2xx that did (RFC 3261 16.11).
 */
static uint32_t ack_salt(const struct gateway *gw)
{
	struct sip_via via = request_top_via(&gw->message);

	return (uint32_t)siphash(gw_config(gw)->hash_key, via.branch);
}

static enum gw_err ack_to_mw(struct gateway *gw, const struct wic *wic, const struct route_top *top)
{
	struct transaction once = {
		.kind = TRANSACTION_ORIGINATE,
		.method = SIP_ACK,
		.flow = wic->flow,
		.salt = ack_salt(gw),
	};
	enum gw_err err = originate_target(gw, top->second, &once.target);

	gw->route = top;
	if (err == GW_OK)
		err = target_write(gw, &once, in_dialog_build);
	if (err == GW_OK)
		err = gw->env->to_mw(gw->env->context, &once.target, writer_span(&gw->out));
	if (err == GW_OK)
		counter_add(&gw_counters(gw)->mw_requests_out, 1);
	return err;
}

static enum gw_err in_dialog_forward(struct gateway *gw, const struct route_top *top,
				     struct transaction *t)
{
	const struct wic *wic = gw->env->wic(gw->env->context, t->flow);
	bool unregistered = wic != NULL && wildcard_of(gw, wic) != NULL;
	enum gw_err err = originate_target(gw, top->second, &t->target);

	if (err == GW_MW_DOWN) /* it waits, see failover_wait() */
		err = hops_away(gw, &t->target);
	t->origination.in_dialog = true;
	t->origination.unregistered = unregistered;
	gw->route = top;
	if (err == GW_OK)
		err = target_write(gw, t, in_dialog_build);
	return err;
}

/** Who is asked instead of the other side may say what he likes. */
static bool ends_dialog(const struct gateway *gw, const struct route_top *top)
{
	struct sip_uri uri = sip_uri_parse(gw->message.uri);

	return gw->message.method == SIP_BYE && top->mark.target == destination_target(gw, &uri);
}

enum gw_err in_dialog_request(struct gateway *gw, struct wic *wic)
{
	struct route_top top = route_read(gw);
	enum gw_err err = check_dialog(gw, wic, &top);
	struct transaction *t;

	if (err == GW_OK)
		err = destination_in_dialog(gw, wic, &top);
	if (gw->message.method == SIP_ACK) { /* never answered */
		if (err == GW_OK)
			err = ack_to_mw(gw, wic, &top);
		if (err != GW_OK)
			gateway_count(gw, err);
		return GW_OK;
	}
	if (err != GW_OK)
		return err;
	t = transaction_new(gw, TRANSACTION_ORIGINATE, wic);
	if (t == NULL)
		return GW_TRANSACTION_LIMIT;
	transaction_insert(gw, t, transaction_flow_key(gw, wic));
	if (ends_dialog(gw, &top))
		t->origination.ends = wildcard_dialog(gw);
	err = in_dialog_forward(gw, &top, t);
	if (err == GW_OK)
		return originate_send(gw, t);
	transaction_free(gw, t);
	return err;
}

void in_dialog_ack_to_wic(struct gateway *gw, struct wic *wic, const struct route_top *top)
{
	struct transaction once = {
		.kind = TRANSACTION_TERMINATE,
		.method = SIP_ACK,
		.flow = wic->flow,
		.salt = ack_salt(gw),
	};
	enum gw_err err = terminate_write(gw, &once, top);

	if (err == GW_OK)
		err = gw->env->to_wic(gw->env->context, wic->flow, writer_span(&gw->out));
	if (err == GW_OK)
		transaction_acked(gw, wic);
	else
		gateway_count(gw, err);
}
