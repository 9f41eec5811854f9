/* SPDX-License-Identifier: BSD-3-Clause */
#include "sip/text.h"

static const struct {
	uint16_t status;
	const char *text;
} reasons[] = {
	{100, "Trying"},
	{180, "Ringing"},
	{181, "Call Is Being Forwarded"},
	{182, "Queued"},
	{183, "Session Progress"},
	{199, "Early Dialog Terminated"},
	{200, "OK"},
	{202, "Accepted"},
	{204, "No Notification"},
	{300, "Multiple Choices"},
	{301, "Moved Permanently"},
	{302, "Moved Temporarily"},
	{305, "Use Proxy"},
	{380, "Alternative Service"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{402, "Payment Required"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{407, "Proxy Authentication Required"},
	{408, "Request Timeout"},
	{410, "Gone"},
	{412, "Conditional Request Failed"},
	{413, "Request Entity Too Large"},
	{414, "Request-URI Too Long"},
	{415, "Unsupported Media Type"},
	{416, "Unsupported URI Scheme"},
	{420, "Bad Extension"},
	{421, "Extension Required"},
	{422, "Session Interval Too Small"},
	{423, "Interval Too Brief"},
	{430, "Flow Failed"},
	{439, "First Hop Lacks Outbound Support"},
	{480, "Temporarily Unavailable"},
	{481, "Call/Transaction Does Not Exist"},
	{482, "Loop Detected"},
	{483, "Too Many Hops"},
	{484, "Address Incomplete"},
	{485, "Ambiguous"},
	{486, "Busy Here"},
	{487, "Request Terminated"},
	{488, "Not Acceptable Here"},
	{489, "Bad Event"},
	{491, "Request Pending"},
	{493, "Undecipherable"},
	{494, "Security Agreement Required"},
	{500, "Server Internal Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Server Time-out"},
	{505, "Version Not Supported"},
	{513, "Message Too Large"},
	{580, "Precondition Failure"},
	{600, "Busy Everywhere"},
	{603, "Decline"},
	{604, "Does Not Exist Anywhere"},
	{606, "Not Acceptable"},
};

const char *sip_reason(uint16_t status)
{
	for (uint32_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "Error";
}

static void write_line(const char *name, struct span value, struct writer *out)
{
	writer_text(out, name);
	writer_text(out, ": ");
	writer_put(out, value);
	writer_text(out, "\r\n");
}

static void write_status(uint16_t status, struct writer *out)
{
	writer_text(out, "SIP/2.0 ");
	writer_decimal(out, status);
	writer_text(out, " ");
	writer_text(out, sip_reason(status));
	writer_text(out, "\r\n");
}

/* A To that cannot be read gets no tag: where its parameters start is anybody's guess. */
static bool lacks_tag(struct span to)
{
	struct sip_address address = sip_address_parse(to);
	struct span tag;

	return (address.err == GW_OK || address.err == GW_SIP_URI_SCHEME) && !address.star &&
	       !sip_param(address.params, SPAN("tag"), &tag);
}

static void write_to(struct span to, uint16_t status, struct span tag, struct writer *out)
{
	writer_text(out, "To: ");
	writer_put(out, to);
	if (status > 100 && tag.len > 0 && lacks_tag(to)) {
		writer_text(out, ";tag=");
		writer_put(out, tag);
	}
	writer_text(out, "\r\n");
}

static bool has(const struct sip_message *m, enum sip_header id)
{
	return sip_value(m, id).len > 0;
}

enum gw_err sip_reply_write_body(const struct sip_message *m, uint16_t status, struct span to_tag,
				 struct span extra, struct span body, struct writer *out)
{
	const struct sip_field *via = sip_first(m, SIP_HEADER_VIA);

	if (!has(m, SIP_HEADER_VIA) || !has(m, SIP_HEADER_FROM) || !has(m, SIP_HEADER_TO) ||
	    !has(m, SIP_HEADER_CALL_ID) || !has(m, SIP_HEADER_CSEQ))
		return GW_SIP_MISSING;
	write_status(status, out);
	for (; via != NULL; via = sip_next(m, via))
		write_line("Via", via->value, out);
	write_line("From", sip_value(m, SIP_HEADER_FROM), out);
	write_to(sip_value(m, SIP_HEADER_TO), status, to_tag, out);
	write_line("Call-ID", sip_value(m, SIP_HEADER_CALL_ID), out);
	write_line("CSeq", sip_value(m, SIP_HEADER_CSEQ), out);
	writer_put(out, extra);
	writer_text(out, "Content-Length: ");
	writer_decimal(out, body.len);
	writer_text(out, "\r\n\r\n");
	writer_put(out, body);
	return writer_ok(out) ? GW_OK : GW_NO_ROOM;
}

enum gw_err sip_reply_write(const struct sip_message *m, uint16_t status, struct span to_tag,
			    struct span extra, struct writer *out)
{
	return sip_reply_write_body(m, status, to_tag, extra, SPAN(""), out);
}
