/* SPDX-License-Identifier: BSD-3-Clause */
#include "flight.h"

/* RFC 8446 section 5.1; what is encrypted there is another type */
#define RECORD_CHANGE_CIPHER_SPEC 20
#define RECORD_HANDSHAKE 22

/** Takes what is still missing of a head. True: it is whole. */
static bool head_take(struct span *bytes, uint8_t *head, uint32_t size, uint8_t *have)
{
	struct span part = span_cut(*bytes, 0, size - *have);

	if (part.len > 0)
		memcpy(head + *have, part.at, part.len);
	(void)span_skip(bytes, part.len);
	*have = (uint8_t)(*have + part.len);
	return *have == size;
}

/** A part of a handshake record: messages go on over the ends of records. */
static bool flight_messages(struct tls_flight *f, struct span bytes)
{
	uint32_t longest = f->chain ? TLS_FLIGHT_CHAIN_MAX : TLS_FLIGHT_MESSAGE_MAX;
	uint32_t n;

	while (bytes.len > 0) {
		n = span_cut(bytes, 0, f->message_left).len;
		(void)span_skip(&bytes, n);
		f->message_left -= n;
		if (f->message_left > 0 ||
		    !head_take(&bytes, f->message, sizeof(f->message), &f->message_len))
			return true;
		f->message_len = 0;
		f->message_left = (uint32_t)f->message[1] << 16 | (uint32_t)f->message[2] << 8 |
				  f->message[3];
		if (f->message_left > longest)
			return false;
	}
	return true;
}

bool tls_flight_pass(struct tls_flight *f, struct span bytes)
{
	struct span part;

	while (bytes.len > 0 && !f->over) {
		if (f->record_left == 0) {
			if (!head_take(&bytes, f->record, sizeof(f->record), &f->record_len))
				return true;
			f->record_len = 0;
			f->record_left = (uint16_t)(f->record[3] << 8 | f->record[4]);
			/* of TLS 1.2 the rest is encrypted; of TLS 1.3 at most a second ServerHello
			 * is not, and libssl has a bound for that */
			f->over = f->chain && f->record[0] == RECORD_CHANGE_CIPHER_SPEC;
			continue;
		}
		part = span_cut(bytes, 0, f->record_left);
		(void)span_skip(&bytes, part.len);
		f->record_left = (uint16_t)(f->record_left - part.len);
		if (f->record[0] == RECORD_HANDSHAKE && !flight_messages(f, part))
			return false;
	}
	return true;
}
