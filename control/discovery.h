/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DISCOVERY_H
#define DISCOVERY_H

#include "address.h"

/**
 * WWSF discovery: where a WIC looks for the web site of its home network when nothing was
 * provisioned (PROTOCOL 1, TS 23.003 13.12), and the Origin that its pages then have. Pure
 * functions of texts: wicctl has them without a node, the configuration has its default Origins
 * from them.
 */

struct discovery {
	char domain[256]; /* SIP home domain, in lower case */
	char uri[264]; /* default WWSF URI; http, as TS 23.003 has it: a client upgrades (D-03) */
	char origin[ADDRESS_ORIGIN_MAX]; /* what a connection from there says; https only */
};

/* Each returns NULL when *found is filled, else the reason, a constant. */

/** Of a home network that has no name but its MCC and MNC in it, or of any other. */
const char *discovery_of_domain(const char *domain, struct discovery *found);

/** Of a private identity of an ISIM, user@realm. */
const char *discovery_of_impi(const char *impi, struct discovery *found);

/** Of a USIM alone: three digits, and two or three. */
const char *discovery_of_network(const char *mcc, const char *mnc, struct discovery *found);

/** The same of its IMSI, six to fifteen digits, whose MNC has mnc_digits of them: 2 or 3, which the
 * IMSI itself does not say. */
const char *discovery_of_imsi(const char *imsi, uint32_t mnc_digits, struct discovery *found);

#endif
