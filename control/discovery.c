/* SPDX-License-Identifier: BSD-3-Clause */
#include "discovery.h"

#include <stdio.h>
#include <string.h>

enum { LABEL_MAX = 63, NAME_MAX_LEN = 253 };

#define OPERATORS SPAN("3gppnetwork.org")

static bool is_letter_or_digit(uint8_t c)
{
	c = ascii_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/** RFC 1123 2.1: letters, digits and hyphens, none of these at an end. */
static bool is_label(struct span label)
{
	if (label.len == 0 || label.len > LABEL_MAX)
		return false;
	for (uint32_t i = 0; i < label.len; i++)
		if (!is_letter_or_digit(label.at[i]) && label.at[i] != '-')
			return false;
	return label.at[0] != '-' && label.at[label.len - 1] != '-';
}

static bool are_labels(struct span name)
{
	struct span label;

	do {
		label = span_cut(name, 0, span_find(name, '.'));
		if (!is_label(label))
			return false;
		name = span_from(name, label.len);
		if (name.len == 1)
			return false; /* a dot, and nothing behind it */
		name = span_from(name, 1);
	} while (name.len > 0);
	return true;
}

/** The labels before 3gppnetwork.org, with their dot; all of name when it does not end so. */
static bool is_of_operators(struct span name, struct span *before)
{
	uint32_t at = name.len > OPERATORS.len ? name.len - OPERATORS.len : 0;

	if (!span_equal_nocase(span_from(name, at), OPERATORS) ||
	    (at > 0 && name.at[at - 1] != '.'))
		return false;
	*before = span_cut(name, 0, at);
	return true;
}

static void to_lower(char *text)
{
	for (; *text != '\0'; text++)
		*text = (char)ascii_lower((uint8_t)*text);
}

static const char *discover(struct span domain, struct discovery *found)
{
	struct span before = domain;
	const char *pub = is_of_operators(domain, &before) ? "pub.3gppnetwork.org" : "";
	char name[512];

	if (domain.len > NAME_MAX_LEN || !are_labels(domain))
		return "not a domain name: labels of 1 to 63 letters, digits and '-', none of "
		       "which begins or ends with '-'";
	snprintf(name, sizeof(name), "wwsf.%.*s%s", (int)before.len, (const char *)before.at, pub);
	if (strlen(name) > NAME_MAX_LEN)
		return "the name of its web site would be longer than 253 bytes";
	to_lower(name);
	snprintf(found->domain, sizeof(found->domain), "%.*s", (int)domain.len,
		 (const char *)domain.at);
	to_lower(found->domain);
	snprintf(found->uri, sizeof(found->uri), "http://%.253s", name);
	snprintf(found->origin, sizeof(found->origin), "https://%.253s", name);
	return NULL;
}

const char *discovery_of_domain(const char *domain, struct discovery *found)
{
	return discover(span_text(domain), found);
}

const char *discovery_of_impi(const char *impi, struct discovery *found)
{
	struct span all = span_text(impi);
	uint32_t at = span_find(all, '@');
	struct span realm = span_from(all, at + 1);

	if (at == 0 || at == all.len || span_find(realm, '@') != realm.len)
		return "not a private identity, user@realm";
	return discover(realm, found);
}

static bool are_digits(const char *text, size_t min, size_t max)
{
	size_t len = strlen(text);

	return len >= min && len <= max && strspn(text, "0123456789") == len;
}

const char *discovery_of_network(const char *mcc, const char *mnc, struct discovery *found)
{
	char domain[64];

	if (!are_digits(mcc, 3, 3))
		return "MCC has three digits";
	if (!are_digits(mnc, 2, 3))
		return "MNC has two or three digits";
	snprintf(domain, sizeof(domain), "ims.mnc%s%s.mcc%s.3gppnetwork.org",
		 strlen(mnc) == 2 ? "0" : "", mnc, mcc); /* TS 23.003 13.2 */
	return discover(span_text(domain), found);
}

const char *discovery_of_imsi(const char *imsi, uint32_t mnc_digits, struct discovery *found)
{
	char mcc[4], mnc[4];

	if (!are_digits(imsi, 6, 15))
		return "IMSI has six to fifteen digits";
	if (mnc_digits != 2 && mnc_digits != 3)
		return "an IMSI does not say how long its MNC is: say it, 2 or 3 digits";
	snprintf(mcc, sizeof(mcc), "%.3s", imsi);
	snprintf(mnc, sizeof(mnc), "%.*s", (int)mnc_digits, imsi + 3);
	return discovery_of_network(mcc, mnc, found);
}
