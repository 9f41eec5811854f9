/* SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

/* What a transaction keeps of its messages: inside itself, or in a longer block that is lent. */

#define HEAD_OURS 512 /* bytes of it at most: our Via and Record-Route, a Contact for its URI */

struct span transaction_kept(const struct transaction *t)
{
	return span_of(t->kept_long != NULL ? t->kept_long : t->kept, t->kept_len);
}

void transaction_forget(struct gateway *gw, struct transaction *t)
{
	if (t->kept_long != NULL && !slots_put(gw->heads, t->kept_long))
		counter_add(&gw_counters(gw)->invariant_broken, 1);
	t->kept_long = NULL;
	t->kept_len = 0;
	t->sent = false;
	t->whole = false;
}

/** What can be answered, cancelled and acknowledged again. The Contact tells a registration's apart
 * in its 200. */
static const enum sip_header head_headers[] = {
	SIP_HEADER_VIA,	 SIP_HEADER_FROM,  SIP_HEADER_TO,	    SIP_HEADER_CALL_ID,
	SIP_HEADER_CSEQ, SIP_HEADER_ROUTE, SIP_HEADER_RECORD_ROUTE,
};

static void write_lines(const struct sip_message *m, enum sip_header id, struct writer *w)
{
	for (const struct sip_field *f = sip_first(m, id); f != NULL; f = sip_next(m, f))
		writer_put(w, f->line);
}

bool transaction_head_is_long(const struct sip_message *m)
{
	uint32_t len = m->start_line.len + HEAD_OURS;

	for (uint32_t i = 0; i < sizeof(head_headers) / sizeof(head_headers[0]); i++)
		for (const struct sip_field *f = sip_first(m, head_headers[i]); f != NULL;
		     f = sip_next(m, f))
			len += f->line.len;
	return len > UDP_MAX;
}

static void write_head(const struct transaction *t, const struct sip_message *m, struct writer *w)
{
	writer_put(w, m->method_text);
	writer_text(w, " ");
	writer_put(w, m->uri);
	writer_text(w, " SIP/2.0\r\n");
	for (uint32_t i = 0; i < sizeof(head_headers) / sizeof(head_headers[0]); i++)
		write_lines(m, head_headers[i], w);
	if (t->kind == TRANSACTION_REGISTER)
		write_lines(m, SIP_HEADER_CONTACT, w);
	writer_text(w, "\r\n");
}

/** A longer block for t. Half of them are the core's: its requests have the Vias of all who handed
 * them on, and a WIC that makes its own long must not have those refused. */
static uint8_t *lend_long(struct gateway *gw, const struct transaction *t)
{
	bool of_wic = t->kind == TRANSACTION_ORIGINATE || t->kind == TRANSACTION_REGISTER;

	if (of_wic && 2 * slots_live(gw->heads) >= slots_capacity(gw->heads))
		return NULL;
	return slots_get_unzeroed(gw->heads);
}

static enum gw_err keep_head(struct gateway *gw, struct transaction *t, const struct sip_message *m)
{
	struct writer w;

	writer_init(&w, t->kept, sizeof(t->kept));
	write_head(t, m, &w);
	if (!writer_ok(&w)) {
		t->kept_long = lend_long(gw, t);
		if (t->kept_long == NULL)
			return GW_POOL_EMPTY;
		writer_init(&w, t->kept_long, HEAD_LONG);
		write_head(t, m, &w);
	}
	if (!writer_ok(&w)) {
		transaction_forget(gw, t);
		return GW_SIP_TOO_LONG;
	}
	t->kept_len = (uint16_t)writer_len(&w);
	t->sent = true;
	return GW_OK;
}

enum gw_err transaction_keep_came(struct gateway *gw, struct transaction *t)
{
	enum gw_err err;

	transaction_forget(gw, t);
	err = keep_head(gw, t, &gw->message);
	t->sent = false;
	return err;
}

/** Room for all of bytes. Long ones may have half of the blocks that are lent: the heads of others
 * need them; and none for a WIC's, whose request goes nowhere else. */
static uint8_t *room_for(struct gateway *gw, struct transaction *t, uint32_t len)
{
	if (len <= sizeof(t->kept))
		return t->kept;
	if (t->kind == TRANSACTION_TERMINATE || len > HEAD_LONG)
		return NULL;
	if (slots_live(gw->heads) >= slots_capacity(gw->heads) / 2)
		return NULL;
	t->kept_long = slots_get_unzeroed(gw->heads);
	return t->kept_long;
}

enum gw_err transaction_keep_sent(struct gateway *gw, struct transaction *t)
{
	struct span bytes = writer_span(&gw->out);
	enum gw_err err;
	uint8_t *room;

	transaction_forget(gw, t);
	room = room_for(gw, t, bytes.len);
	if (room != NULL) {
		memcpy(room, bytes.at, bytes.len);
		t->kept_len = (uint16_t)bytes.len;
		t->sent = true;
		t->whole = true;
		return GW_OK;
	}
	err = sip_index(bytes, &gw->kept);
	return err == GW_OK ? keep_head(gw, t, &gw->kept) : err;
}

bool transaction_keep_bytes(struct gateway *gw, struct transaction *t, struct span bytes)
{
	transaction_forget(gw, t);
	if (bytes.len > sizeof(t->kept))
		return false;
	memcpy(t->kept, bytes.at, bytes.len);
	t->kept_len = (uint16_t)bytes.len;
	return true;
}

enum gw_err transaction_recall(const struct transaction *t, struct sip_message *m)
{
	enum gw_err err = sip_index(transaction_kept(t), m);
	const struct sip_field *own = sip_first(m, SIP_HEADER_VIA);

	if (err == GW_OK && t->sent) /* our Via has the first line to itself: step over it */
		m->first[SIP_HEADER_VIA] = own->next != 0 ? (uint16_t)(own->next + 1) : 0;
	return err;
}
