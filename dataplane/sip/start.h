/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIP_START_H
#define SIP_START_H

#include "sip.h"

/** A start line (RFC 3261 7.1, 7.2). Spans point into the text. */
struct sip_start {
	enum gw_err
		err;   /* GW_OK, GW_AGAIN, GW_SIP_START_LINE, GW_SIP_VERSION, GW_SIP_HEADER_LONG */
	uint32_t used; /* bytes with CRLF; 0 when this is not SIP at all. With an error and not 0
			  the headers that follow can still be read, to answer */
	bool is_request;
	struct span method;
	struct span uri;
	uint16_t status;
	struct span reason;
};
struct sip_start sip_start_read(struct span text);

#endif
