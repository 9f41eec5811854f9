/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WWSF_URI_H
#define WWSF_URI_H

#include <jansson.h>

/** What `wwsf-uri` takes, and its help. */
#define WWSF_URI_ARGUMENTS "IMPI | MCC MNC | --mnc-digits 2|3 IMSI"
#define WWSF_URI_HELP \
	"where a WIC finds the web site of its home network, and the Origin it then has; asks no " \
	"node"

/**
 * Works out the default WWSF URI of what the words say, without a node: {"wwsf-uri": {domain, uri,
 * origin}}, the caller's. NULL: *why says what is wrong with them, a constant.
 */
json_t *wwsf_uri_answer(char **words, int count, const char **why);

#endif
