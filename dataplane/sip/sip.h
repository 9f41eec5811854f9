/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIP_H
#define SIP_H

#include <stddef.h>

#include "gw_err.h"
#include "span.h"
#include "writer.h"

/**
 * SIP messages (RFC 3261): a lexer that indexes a message where it lies, parsers for the headers
 * that are acted on, and a writer that splices: what is not touched is copied as it came. One pass,
 * in place, bounded, no allocation.
 */

/** Headers that are acted on: X(identifier, name, compact form or 0). Everything else is
 * SIP_HEADER_OTHER. */
#define SIP_HEADER_LIST(X) \
	X(VIA, "Via", 'v') \
	X(FROM, "From", 'f') \
	X(TO, "To", 't') \
	X(CALL_ID, "Call-ID", 'i') \
	X(CSEQ, "CSeq", 0) \
	X(CONTACT, "Contact", 'm') \
	X(MAX_FORWARDS, "Max-Forwards", 0) \
	X(ROUTE, "Route", 0) \
	X(RECORD_ROUTE, "Record-Route", 0) \
	X(PATH, "Path", 0) \
	X(SERVICE_ROUTE, "Service-Route", 0) \
	X(EXPIRES, "Expires", 0) \
	X(MIN_EXPIRES, "Min-Expires", 0) \
	X(CONTENT_LENGTH, "Content-Length", 'l') \
	X(CONTENT_TYPE, "Content-Type", 'c') \
	X(AUTHORIZATION, "Authorization", 0) \
	X(PROXY_AUTHORIZATION, "Proxy-Authorization", 0) \
	X(WWW_AUTHENTICATE, "WWW-Authenticate", 0) \
	X(PROXY_AUTHENTICATE, "Proxy-Authenticate", 0) \
	X(AUTHENTICATION_INFO, "Authentication-Info", 0) \
	X(REQUIRE, "Require", 0) \
	X(PROXY_REQUIRE, "Proxy-Require", 0) \
	X(SUPPORTED, "Supported", 'k') \
	X(UNSUPPORTED, "Unsupported", 0) \
	X(RETRY_AFTER, "Retry-After", 0) \
	X(FLOW_TIMER, "Flow-Timer", 0) \
	X(EVENT, "Event", 'o') \
	X(PRIVACY, "Privacy", 0) \
	X(PRIORITY, "Priority", 0) \
	X(REASON, "Reason", 0) \
	X(HISTORY_INFO, "History-Info", 0) \
	X(RESOURCE_PRIORITY, "Resource-Priority", 0) \
	X(SECURITY_CLIENT, "Security-Client", 0) \
	X(SECURITY_SERVER, "Security-Server", 0) \
	X(SECURITY_VERIFY, "Security-Verify", 0) \
	X(P_ASSERTED_IDENTITY, "P-Asserted-Identity", 0) \
	X(P_PREFERRED_IDENTITY, "P-Preferred-Identity", 0) \
	X(P_ASSERTED_SERVICE, "P-Asserted-Service", 0) \
	X(P_ASSOCIATED_URI, "P-Associated-URI", 0) \
	X(P_CALLED_PARTY_ID, "P-Called-Party-ID", 0) \
	X(P_CHARGING_VECTOR, "P-Charging-Vector", 0) \
	X(P_CHARGING_FUNCTION_ADDRESSES, "P-Charging-Function-Addresses", 0) \
	X(P_VISITED_NETWORK_ID, "P-Visited-Network-ID", 0) \
	X(P_ACCESS_NETWORK_INFO, "P-Access-Network-Info", 0) \
	X(P_SERVED_USER, "P-Served-User", 0) \
	X(P_PROFILE_KEY, "P-Profile-Key", 0) \
	X(P_USER_DATABASE, "P-User-Database", 0) \
	X(P_PRIVATE_NETWORK_INDICATION, "P-Private-Network-Indication", 0) \
	X(FEATURE_CAPS, "Feature-Caps", 0) \
	X(RESTORATION_INFO, "Restoration-Info", 0) \
	X(RELAYED_CHARGE, "Relayed-Charge", 0) \
	X(SERVICE_INTERACT_INFO, "Service-Interact-Info", 0) \
	X(CELLULAR_NETWORK_INFO, "Cellular-Network-Info", 0) \
	X(RESPONSE_SOURCE, "Response-Source", 0) \
	X(ATTESTATION_INFO, "Attestation-Info", 0) \
	X(ORIGINATION_ID, "Origination-Id", 0) \
	X(ADDITIONAL_IDENTITY, "Additional-Identity", 0)

#define SIP_HEADER_ENUM(id, name, compact) SIP_HEADER_##id,
enum sip_header { SIP_HEADER_OTHER, SIP_HEADER_LIST(SIP_HEADER_ENUM) SIP_HEADER_COUNT };
#undef SIP_HEADER_ENUM

enum sip_method {
	SIP_METHOD_OTHER, /* forwarded like any other: a proxy knows no unknown methods */
	SIP_REGISTER,
	SIP_INVITE,
	SIP_ACK,
	SIP_BYE,
	SIP_CANCEL,
	SIP_OPTIONS,
	SIP_MESSAGE,
	SIP_SUBSCRIBE,
	SIP_NOTIFY,
	SIP_PUBLISH,
	SIP_REFER,
	SIP_INFO,
	SIP_UPDATE,
	SIP_PRACK
};

/* Bounds of PROTOCOL 12.3. */
#define SIP_FIELDS_MAX 128	 /* header lines of a message */
#define SIP_LINE_MAX (16 * 1024) /* bytes of a header line with its folds */
#define SIP_URI_MAX 2048	 /* bytes of a URI */
#define SIP_PARAMS_MAX 64	 /* parameters of a URI or header value */

/* ---- lexer */

/** One header line of a SIP message (RFC 3261 section 7.3.1). Spans point into the message. */
struct sip_line {
	enum gw_err err;    /* GW_OK, GW_AGAIN, or why the text was refused */
	uint32_t used;	    /* bytes consumed with CRLF and folds; on error, offset of the offending
			       byte */
	enum sip_header id; /* SIP_HEADER_OTHER: carried, never interpreted */
	struct span name;   /* as received, compact forms included */
	struct span value;  /* white space trimmed at both ends, folds kept */
};

/**
 * Reads one header line, with its folded continuation lines, at the start of text. GW_AGAIN when
 * the line's end, or the byte after it that tells a fold, is not there yet. On error name and id
 * are set when the line got that far, for the log only.
 *
 * Strict where another parser might read another header than we do, so that what must be stripped
 * cannot survive by spelling. GW_SIP_HEADER:
 *  - no colon, an empty name, a name with another byte than those of a token (so also a fold before
 *    the colon). Spaces and tabs before the colon are legal (HCOLON) and no part of the name;
 *  - a bare CR or a bare LF anywhere: lines end with CRLF, and a peer that also takes a LF for one
 *    would see a header where we see a value;
 *  - NUL, DEL or another control byte than HTAB, even escaped in a quoted string, where the grammar
 *    has them (RFC 4475 3.1.1.2): a peer written with C strings ends the value there;
 *  - a continuation line of nothing but white space, which some parsers take for the empty line.
 * Bytes from 0x80 on are legal in values. GW_SIP_HEADER_LONG past SIP_LINE_MAX.
 */
struct sip_line sip_lex_line(struct span text);

/** Which header name is, compact forms included, case ignored. Constant time but for one compare.
 */
enum sip_header sip_header_id(struct span name);

/** The header's canonical name; "" for SIP_HEADER_OTHER. */
const char *sip_header_name(enum sip_header id);

/** Which method name is; methods are case-sensitive (RFC 3261 7.1). */
enum sip_method sip_method_id(struct span name);

/* ---- message index */

/** One indexed header line. */
struct sip_field {
	enum sip_header id;
	struct span line; /* the whole line with folds and line end: what a splice removes */
	struct span name;
	struct span value; /* trimmed, folds kept */
	uint16_t next;	   /* index of the next field with the same id, SIP_HEADER_OTHER included; 0
			      when last (field 0 is never a successor) */
};

/**
 * A message, indexed in place. Everything points into the text it was made of and lives no longer.
 * About 8 KiB: one per worker, re-used for each message.
 */
struct sip_message {
	struct span text; /* start line to last byte of the body, without leading CRLFs */
	bool is_request;
	enum sip_method method; /* request: of the start line; response: of CSeq */
	struct span method_text;
	struct span uri; /* Request-URI as received */
	uint16_t status; /* response: 100..699 */
	struct span reason;
	struct span start_line;		  /* with its line end */
	struct span headers;		  /* all header lines, without the empty line */
	struct span body;		  /* cut to Content-Length when that is present */
	uint32_t cseq;			  /* number of CSeq, below 2^31 */
	uint16_t count;			  /* fields */
	uint16_t first[SIP_HEADER_COUNT]; /* index + 1 of the first field; 0 when there is none */
	uint16_t last[SIP_HEADER_COUNT];  /* index + 1 of the last field with that id */
	struct sip_field field[SIP_FIELDS_MAX]; /* the first count of them mean something */
};

/**
 * Indexes one whole message (a WebSocket message or a datagram). One pass over the header bytes.
 * Leading CRLFs are skipped. Checks what every message must have, and nothing else; a value that
 * nobody acts on may be what it likes. In order, the first failure being the result:
 *
 *  GW_SIP_START_LINE     not "Method SP Request-URI SP SIP/2.0" or "SIP/2.0 SP 3DIGIT SP [reason]"
 *                        with one space each, a Request-URI with bytes no URI has, or a status out
 *                        of 100..699
 *  GW_SIP_VERSION        such a line of another SIP version
 *  GW_SIP_HEADER, _LONG  as sip_lex_line(); also when the empty line after the headers is not
 *                        there, and when the start line is longer than SIP_LINE_MAX
 *  GW_SIP_HEADERS_MANY   more than SIP_FIELDS_MAX lines
 *  GW_SIP_REPEATED       more than one From, To, Call-ID, CSeq, Max-Forwards, Content-Length,
 *                        Content-Type or Expires
 *  GW_SIP_MISSING        no From, To, Call-ID, CSeq or Via, or an empty one
 *  GW_SIP_CSEQ           CSeq is not a number below 2^31 and a method, or not the request's method
 *  GW_SIP_CONTENT_LENGTH not a number, or larger than the body. Smaller truncates the body
 *                        (PROTOCOL 2.3), absent takes all
 *
 * On error *m holds what was indexed before it (first[] of what was seen), so that a request can
 * still be answered when its Via, From, To, Call-ID and CSeq are there. A start line that is SIP in
 * its outline (a method, or SIP/n.n at one end) does not keep the headers from being indexed;
 * another one leaves start_line empty and count 0: that was not SIP.
 */
enum gw_err GW_MUST_CHECK sip_index(struct span text, struct sip_message *m);

/** Length of the first message in a byte stream (Mw over TCP, RFC 3261 18.3). */
struct sip_frame {
	enum gw_err err; /* GW_OK; GW_AGAIN; or why the stream is beyond repair */
	uint32_t skip;	 /* keep-alive CRLFs before the message: drop them. GW_AGAIN may still have
			    skip > 0 */
	uint32_t len;	 /* bytes of the message after skip; 0 unless GW_OK */
	bool ping;	 /* skip held a double CRLF: answer CRLF (RFC 5626 4.4.1) */
};

/**
 * Finds the first message in stream. A CRLF alone at the end is not skipped yet: it may be the
 * first half of a ping; two pongs with nothing between them therefore look like a ping, which is
 * harmless.
 *
 * GW_AGAIN until the message is whole. Beyond repair: GW_SIP_START_LINE or
 * GW_SIP_HEADER_LONG, not SIP;
 * GW_SIP_HEADER, where a line ends is open to doubt (bare CR or LF, illegal name);
 * GW_SIP_CONTENT_LENGTH, none, malformed, or two that differ; GW_SIP_TOO_LONG, more than
 * max_message, known as soon as the header says so. Anything else that is wrong with a message is
 * sip_index()'s to refuse, and the stream goes on: one bad message that a peer carries for
 * somebody does not cost all others their connection.
 */
struct sip_frame sip_frame_read(struct span stream, uint32_t max_message);

/** First field with that id, or NULL. */
const struct sip_field *sip_first(const struct sip_message *m, enum sip_header id);
/** Next field with the same id, or NULL. */
const struct sip_field *sip_next(const struct sip_message *m, const struct sip_field *field);
/** Value of the first field with that id; empty when there is none. */
struct span sip_value(const struct sip_message *m, enum sip_header id);

/* ---- values */

/**
 * Takes the next element of a comma-separated value (quotes, <> and escapes respected) into *item,
 * trimmed, folds included. False at the end. Empty elements are stepped over. An unterminated quote
 * or bracket ends the list with the rest as one item: the item's own parser refuses it. A list of
 * tokens (Require, Supported) has none of its own: refuse items that are not sip_is_token(), or
 * something hides behind a quote.
 */
bool sip_list_next(struct span *rest, struct span *item);

/** text is a token (RFC 3261 25.1), not empty. */
bool sip_is_token(struct span text);

enum sip_scheme {
	SIP_SCHEME_OTHER,
	SIP_SCHEME_SIP,
	SIP_SCHEME_SIPS,
	SIP_SCHEME_TEL,
	SIP_SCHEME_URN
};

/**
 * A URI (RFC 3261 19.1, RFC 3966). Spans point into the text; nothing is unescaped, but every
 * escape is well-formed. Bytes outside the grammar (white space, quotes, brackets, UTF-8) are
 * refused.
 */
struct sip_uri {
	enum gw_err err; /* GW_OK; GW_SIP_URI: malformed or longer than SIP_URI_MAX;
			    GW_SIP_URI_SCHEME: scheme unknown. With either, and for urn, only text
			    and scheme are set */
	enum sip_scheme scheme;
	struct span text;
	struct span user; /* sip: before ':' and '@', empty when there is none. tel: the number as
			     written */
	struct span password;
	struct span host;    /* with brackets when IPv6 */
	uint16_t port;	     /* 0 when absent */
	bool has_user;	     /* also for every tel */
	struct span params;  /* after the first ';', without it */
	struct span headers; /* after '?', without it */
};
struct sip_uri sip_uri_parse(struct span text);

/**
 * RFC 3261 19.1.4, of sip: and sips: URIs: user and password by their characters, escapes resolved,
 * the rest in any case; a parameter that both have has one value; user, ttl, method, maddr and
 * transport stand in both or in none. Other parameters of one alone, and headers, are not looked
 * at.
 */
bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b);

/** The character at the front of text, a part of a URI, its escape resolved (RFC 3261 19.1.2), and
 * its bytes; -1 at the end. */
int sip_uri_char(struct span text, uint32_t *bytes);

/**
 * An address: "Display" <uri>;params, <uri>;params, or uri;params (then the parameters are the
 * header's, and '?' or ',' in the URI is refused, RFC 3261 20). One element: a comma outside quotes
 * and brackets is GW_SIP_ADDRESS, so are parameters whose names are no tokens or that are more than
 * SIP_PARAMS_MAX. Unquoted display names may have UTF-8.
 */
struct sip_address {
	enum gw_err err;     /* GW_OK; GW_SIP_ADDRESS: nothing is set; or the URI's: all is set */
	struct span display; /* with quotes when quoted; empty when none */
	struct span uri_text;
	struct sip_uri uri;
	struct span params; /* after the address, without the first ';' */
	bool star;	    /* Contact: * */
};
struct sip_address sip_address_parse(struct span value);

/**
 * Finds parameter name (case ignored) in a ';'-separated list. True when it is there; *value is
 * what follows '=', trimmed, quotes kept, empty when there is none. Quoted strings are stepped
 * over.
 */
bool sip_param(struct span params, struct span name, struct span *value);

/** Takes the next parameter of a ';'-separated list, name and value trimmed. Empty ones are stepped
 * over. False at the end. */
bool sip_param_next(struct span *rest, struct span *name, struct span *value);

/** value without its surrounding double quotes, escapes kept; as it is when not quoted. */
struct span sip_unquote(struct span value);

/** One Via element (RFC 3261 20.42) of SIP/2.0. Parameters as in struct sip_address. */
struct sip_via {
	enum gw_err err;       /* GW_OK or GW_SIP_VIA */
	struct span transport; /* "WSS", "TCP", ... */
	struct span host;      /* sent-by host, with brackets when IPv6 */
	uint16_t port;	       /* 0 when absent */
	struct span params;
	struct span branch; /* empty when absent */
};
struct sip_via sip_via_parse(struct span element);

/** A decimal number and nothing else, at most max; leading zeros are legal. False: malformed or
 * larger, *out untouched. */
bool sip_number(struct span text, uint32_t max, uint32_t *out);

/** delta-seconds of Expires and the expires parameter: a number above 2^32-1 counts as 2^32-1 (RFC
 * 3261 20.19). */
bool sip_seconds(struct span text, uint32_t *out);

/* ---- transactions */

/**
 * The state machines of RFC 3261 17 with the Accepted states of RFC 6026. A machine knows states
 * and times, not messages: an event goes in, what is to be done comes out, and its owner does it.
 * No clock, no allocation; O(1).
 */
enum sip_machine_kind {
	SIP_CLIENT_INVITE, /* 17.1.1 */
	SIP_CLIENT_OTHER,  /* 17.1.2 */
	SIP_SERVER_INVITE, /* 17.2.1 */
	SIP_SERVER_OTHER,  /* 17.2.2 */
	SIP_MACHINE_KINDS
};

enum sip_state {
	SIP_CALLING, /* clients: no response yet; RFC 3261 calls it Trying where it is no INVITE */
	SIP_TRYING,  /* SIP_SERVER_OTHER: no response yet */
	SIP_PROCEEDING,
	SIP_ACCEPTED,  /* INVITE: a 2xx has come or gone; others may follow it (RFC 6026 7) */
	SIP_COMPLETED, /* a final response, of an INVITE from 300 on */
	SIP_CONFIRMED, /* SIP_SERVER_INVITE: and its ACK */
	SIP_TERMINATED,
	SIP_STATES
};

/** What happens to a machine. Responses: clients receive them, servers are given them to send. */
enum sip_event {
	SIP_ON_PROVISIONAL, /* 1xx */
	SIP_ON_SUCCESS,	    /* 2xx */
	SIP_ON_FAILURE,	    /* 300..699 */
	SIP_ON_REQUEST,	    /* servers: the request again */
	SIP_ON_ACK,	    /* SIP_SERVER_INVITE: to a failure */
	SIP_ON_TIMER,	    /* sip_machine_due() has come */
	SIP_ON_ERROR,	    /* the transport has failed for good */
	SIP_EVENTS
};

/** What the owner does now, in this order. Bits; none: the event is absorbed. */
enum sip_action {
	SIP_DO_RESPONSE = 1, /* clients: hand the response up. Servers: send it and keep it */
	SIP_DO_ACK = 2,	     /* acknowledge the failure, or acknowledge it again */
	SIP_DO_AGAIN = 4,    /* send what was sent last again: request, or kept response */
	SIP_DO_TIMEOUT = 8,  /* tell the user: no answer (timers B, F), or no ACK (H) */
	SIP_DO_ERROR = 16,   /* tell the user: the transport has failed */
};

/** T1, T2, T4 of RFC 3261 17.1.1.1, also towards WICs (D-45). */
#define SIP_T1_US 500000ull
#define SIP_T2_US 4000000ull
#define SIP_T4_US 5000000ull
#define SIP_64T1_US (64 * SIP_T1_US)

struct sip_machine {
	enum sip_machine_kind kind;
	enum sip_state state; /* SIP_TERMINATED: nothing comes of it any more */
	bool reliable;	      /* transport: no retransmissions, D, I, J and K are 0 */
	uint32_t interval_us; /* of timer A, E or G as armed last */
	uint64_t retry_us;    /* when timer A, E or G fires; UINT64_MAX: not armed */
	uint64_t end_us;      /* the same of timers B, D, F, H, I, J, K, L or M */
};

/**
 * Begins: clients when their request has been sent, servers when one has come. Timer C is the
 * proxy's, and so is the 100 of a server.
 */
void sip_machine_start(struct sip_machine *m, enum sip_machine_kind kind, bool reliable,
		       uint64_t now_us);

/** Takes an event at now_us and gives enum sip_action bits. An event that has no meaning in a state
 * is absorbed. */
uint32_t GW_MUST_CHECK sip_machine_event(struct sip_machine *m, enum sip_event event,
					 uint64_t now_us);

/** The event that a response of this status is. */
enum sip_event sip_status_event(uint16_t status);

/** When SIP_ON_TIMER is due; UINT64_MAX: never. */
uint64_t sip_machine_due(const struct sip_machine *m);

/* ---- splicing writer */

#define SIP_EDITS_MAX 160 /* one of them is the writer's own */

enum sip_edit_kind {
	SIP_EDIT_TEXT,
	SIP_EDIT_ELEMENT, /* removes neighbouring list elements, with one comma */
	SIP_EDIT_LENGTH	  /* the Content-Length line, written last thing */
};

/** Replace the bytes [at, at + drop) of the original by text. drop 0 inserts. */
struct sip_edit {
	uint32_t at;
	uint32_t drop;
	struct span text;
	enum sip_edit_kind kind;
};

/**
 * A message in the making: the original and what changes. The original must have passed
 * sip_index(); it and everything inserted are borrowed until sip_splice_write(). Sticky: too many
 * edits, a part that is not of the original's start line and headers, or edits that overlap, make
 * the write fail with GW_SIP_EDITS_MANY or GW_INVARIANT. Overlap is: the same byte dropped twice,
 * or an insertion inside what another edit drops; at its first byte or behind its last is not
 * inside. What is inserted is the caller's text as it is: nobody looks for line ends in it.
 */
struct sip_splice {
	const struct sip_message *m;
	uint16_t count;
	enum gw_err err;
	bool body_replaced;
	struct span body;
	struct sip_edit edit[SIP_EDITS_MAX]; /* in order of at, then as they were made,
						Content-Length last */
};

void sip_splice_init(struct sip_splice *s, const struct sip_message *m);
/** Replaces part, a span cut from the original message, by text. */
void sip_splice_replace(struct sip_splice *s, struct span part, struct span text);
/** Removes a whole header line. Content-Length is the writer's own: asking for its removal changes
 * nothing. */
void sip_splice_remove(struct sip_splice *s, const struct sip_field *field);
/** Removes every line with that id. */
void sip_splice_remove_all(struct sip_splice *s, enum sip_header id);
/** Inserts whole lines (each with CRLF) before the first header line: where a proxy puts Via,
 * Route, Record-Route. */
void sip_splice_insert_top(struct sip_splice *s, struct span lines);
/** Inserts whole lines (each with CRLF) before field. */
void sip_splice_insert_before(struct sip_splice *s, const struct sip_field *field,
			      struct span lines);
/** Inserts whole lines (each with CRLF) after the last header line. */
void sip_splice_append(struct sip_splice *s, struct span lines);
/**
 * Removes one element of a comma-separated header, with the comma that goes with it; the whole line
 * when it was the only one left. element is a span sip_list_next() gave out of field's value. Any
 * number of elements may go, in any order; neighbours cost one edit together, and removing one
 * twice is removing it once.
 */
void sip_splice_remove_element(struct sip_splice *s, const struct sip_field *field,
			       struct span element);
/** Replaces the body (a media relay will do so). Content-Length follows by itself. */
void sip_splice_body(struct sip_splice *s, struct span body);
/**
 * Writes the message: edits applied in order of place, those at one place as they were made, all
 * else byte for byte; exactly one Content-Length with the true length, where there was one, else
 * behind the last header. GW_NO_ROOM when out is too small; on every error out is as it was, and
 * the write may be repeated.
 */
enum gw_err GW_MUST_CHECK sip_splice_write(struct sip_splice *s, struct writer *out);

/**
 * Writes a response to request m (RFC 3261 8.2.6): status line, every Via in order, From, To (with
 * tag appended when it has none and to_tag is not empty; not for 100), Call-ID, CSeq, then extra
 * (whole lines with CRLF, may be empty), Content-Length and body, whose Content-Type is one of
 * extra. Values are as received, folds included. A To that is no address gets no tag. m may be one
 * that sip_index() refused. GW_SIP_MISSING when m lacks one of them; GW_NO_ROOM: out is worthless
 * then.
 */
enum gw_err GW_MUST_CHECK sip_reply_write_body(const struct sip_message *m, uint16_t status,
					       struct span to_tag, struct span extra,
					       struct span body, struct writer *out);

/** The same without a body. */
enum gw_err GW_MUST_CHECK sip_reply_write(const struct sip_message *m, uint16_t status,
					  struct span to_tag, struct span extra,
					  struct writer *out);

/** The standard reason phrase of a status code, or "Error". */
const char *sip_reason(uint16_t status);

#endif
