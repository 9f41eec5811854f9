/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIP_TEXT_H
#define SIP_TEXT_H

#include "sip.h"

/** Characters, white space and quoting of RFC 3261 25.1, as the parsers of this layer share them.
 */

/** Bits of sip_text_classes[]: which byte may stand where. Escapes (%HH) are not in any of the URI
 * classes but GENERIC; see sip_text_escapes_ok(). */
enum sip_text_class {
	SIP_TEXT_TOKEN = 1 << 0,
	SIP_TEXT_DIGIT = 1 << 1,
	SIP_TEXT_HEX = 1 << 2,
	SIP_TEXT_SCHEME = 1 << 3,   /* of a URI scheme after its first letter */
	SIP_TEXT_USER = 1 << 4,	    /* user part, '%' included */
	SIP_TEXT_PASSWORD = 1 << 5, /* '%' included */
	SIP_TEXT_HOST = 1 << 6,	    /* host name or IPv4 address; '_' as found in practice */
	SIP_TEXT_PARAM = 1 << 7,    /* URI parameters with their ';', '=' and '%' */
	SIP_TEXT_HFIELD = 1 << 8,   /* URI headers with their '&', '=' and '%' */
	SIP_TEXT_GENERIC = 1 << 9,  /* any URI (RFC 3986), no fragment */
	SIP_TEXT_WORD = 1 << 10	    /* unquoted display name: token, white space, UTF-8 */
};

extern const uint16_t sip_text_classes[256];

/** The byte at offset i is there and of class. */
static inline bool sip_text_is(struct span s, uint32_t i, enum sip_text_class class)
{
	int c = span_at(s, i);

	return c >= 0 && (sip_text_classes[c] & class) != 0;
}

/** Offset of the first byte at or after from that is not of class, or s.len. */
static inline uint32_t sip_text_run(struct span s, uint32_t from, enum sip_text_class class)
{
	while (sip_text_is(s, from, class))
		from++;
	return from;
}

/** Every byte is of class; true for an empty span. */
static inline bool sip_text_all(struct span s, enum sip_text_class class)
{
	return sip_text_run(s, 0, class) == s.len;
}

/** White space as the lexer lets it through: CR and LF occur in folds only. */
static inline bool sip_text_is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/** Offset of the first byte at or after from that is not white space, or s.len. */
static inline uint32_t sip_text_space(struct span s, uint32_t from)
{
	while (sip_text_is_space(span_at(s, from)))
		from++;
	return from;
}

/** s without white space and folds at both ends. */
static inline struct span sip_text_trim(struct span s)
{
	s = span_from(s, sip_text_space(s, 0));
	while (s.len > 0 && sip_text_is_space(s.at[s.len - 1]))
		s.len--;
	return s;
}

/** Offset after the quoted string that starts at from (its '"'), or s.len + 1 when it never ends.
 */
uint32_t sip_text_quoted(struct span s, uint32_t from);

/** Offset of the first byte c outside quoted strings, or s.len when there is none. */
uint32_t sip_text_find(struct span s, uint8_t c);

/** Every '%' begins an escape: two hexadecimal digits follow. */
bool sip_text_escapes_ok(struct span s);

/** A port of a URI or sent-by: 1 to 65535. */
bool sip_text_port(struct span digits, uint16_t *port);

/** A host name, an IPv4 address, or an IPv6 address in brackets. Names are not looked up here, so
 * only their characters count. */
bool sip_text_host_ok(struct span host);

/** Length of the host at the start of s, brackets included; what follows it is the caller's. */
uint32_t sip_text_host_len(struct span s);

/**
 * Parameters of a header value, after the first ';': at most SIP_PARAMS_MAX, names are tokens,
 * quotes end, and no byte of another structure (',' '<' '>') outside quotes. Empty ones are legal
 * here: what stands between two semicolons says nothing.
 */
bool sip_text_params_ok(struct span params);

#endif
