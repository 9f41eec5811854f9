/* SPDX-License-Identifier: BSD-3-Clause */
#include "wwsf_uri.h"

#include <string.h>

#include "../discovery.h"

static const char wrong_words[] = "wwsf-uri takes an IMPI, MCC and MNC, or --mnc-digits 2|3 and an "
				  "IMSI";

/** An IMSI alone could be of two networks: nothing in it says how long its MNC is. */
static const char *of_imsi(const char *digits, const char *imsi, struct discovery *found)
{
	uint32_t mnc_digits = strcmp(digits, "2") == 0 ? 2 : strcmp(digits, "3") == 0 ? 3 : 0;

	return discovery_of_imsi(imsi, mnc_digits, found);
}

static const char *understand(char **words, int count, struct discovery *found)
{
	static const char option[] = "--mnc-digits";

	if (count == 1 && strchr(words[0], '@') != NULL)
		return discovery_of_impi(words[0], found);
	if (count == 1)
		return of_imsi("", words[0], found);
	if (count == 2)
		return discovery_of_network(words[0], words[1], found);
	if (count == 3 && strcmp(words[0], option) == 0)
		return of_imsi(words[1], words[2], found);
	if (count == 3 && strcmp(words[1], option) == 0)
		return of_imsi(words[2], words[0], found);
	return wrong_words;
}

json_t *wwsf_uri_answer(char **words, int count, const char **why)
{
	struct discovery found;

	*why = count == 0 ? wrong_words : understand(words, count, &found);
	if (*why != NULL)
		return NULL;
	return json_pack("{s:{s:s, s:s, s:s}}", "wwsf-uri", "domain", found.domain, "uri",
			 found.uri, "origin", found.origin);
}
