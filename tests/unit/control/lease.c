/* SPDX-License-Identifier: BSD-3-Clause */
#include "lease.h"

#include <stdio.h>

static uint16_t put(struct writer *text, const char *format, uint32_t n)
{
	uint32_t mark = writer_len(text);
	char bytes[160];

	snprintf(bytes, sizeof(bytes), format, n, n);
	writer_text(text, bytes);
	return (uint16_t)(writer_len(text) - mark);
}

struct message_journal lease_message(uint32_t n)
{
	struct message_journal m = {
		.head = {MESSAGE_JOURNAL, offsetof(struct message_journal, text)},
		.id = {.worker = 2, .slot = n, .generation = 0x100001},
		.state = JOURNAL_HELD,
		.path = MW_TCP,
		.outbound = true,
		.sub = 0xa0 + n,
		.jti = 0xb0 + n,
		.iat_s = LEASE_NOW_S,
		.exp_s = LEASE_NOW_S + 900,
		.until_s = LEASE_NOW_S + 600,
	};
	struct writer text;

	writer_init(&text, m.text, sizeof(m.text));
	m.impi_len = put(&text, "pool%u@ims.home1.net", n);
	m.impu_len = put(&text, "sip:pool%u@home1.net", n);
	m.wwsf_len = put(&text, "shop", n);
	m.realm_len = put(&text, "home1.net", n);
	m.contact_len = put(&text,
			    "<sip:x%u@y.invalid;transport=ws>;reg-id=1;"
			    "+sip.instance=\"<urn:uuid:%u>\"",
			    n);
	m.head.len += writer_len(&text);
	return m;
}

struct message_journal lease_over(uint32_t n)
{
	return (struct message_journal){
		.head = {MESSAGE_JOURNAL, offsetof(struct message_journal, text)},
		.id = {.worker = 2, .slot = n, .generation = 0x100001},
		.state = JOURNAL_OVER,
	};
}
