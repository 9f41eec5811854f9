/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/time.h>
#include <time.h>

#include <osip2/osip.h>
#include <osipparser2/osip_parser.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_protos.h>

#include "peers.h"

void peers_init(void)
{
	parser_init();
}

bool peers_osip_parse(const char *text, size_t len)
{
	osip_message_t *message;
	bool good;

	if (osip_message_init(&message) != 0)
		return false;
	good = osip_message_parse(message, text, len) == 0;
	osip_message_free(message);
	return good;
}

bool peers_sofia_parse(const char *text, size_t len)
{
	msg_t *msg = msg_make(sip_default_mclass(), 0, text, (ssize_t)len);
	const sip_t *sip = msg != NULL ? sip_object(msg) : NULL;
	bool good = sip != NULL && sip->sip_error == NULL;

	msg_destroy(msg);
	return good;
}
