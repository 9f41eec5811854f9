/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include "ws/ws.h"

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define PROTOCOL "Sec-WebSocket-Protocol: sip\r\n"
#define ORIGIN "Origin: https://wwsf.home1.net\r\n"
#define HOST "Host: epcscf1.home1.net\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define GET "GET /sip HTTP/1.1\r\n"

/* PROTOCOL 2.4 */
#define EXAMPLE GET HOST UPGRADE KEY VERSION PROTOCOL ORIGIN "\r\n"

static struct ws_upgrade read_with(struct span in, uint32_t max_head)
{
	const struct span hosts[] = {SPAN("epcscf1.home1.net"), SPAN("localhost"),
				     SPAN("[fd00::1]")};
	const struct span paths[] = {SPAN("/sip"), SPAN("/ws"), SPAN("/")};
	const struct span origins[] = {SPAN("https://other.example:8443"),
				       SPAN("https://wwsf.home1.net"),
				       SPAN("https://localhost:8444"),
				       SPAN("http://clear.example")};
	const struct ws_upgrade_policy policy = {hosts, 3, paths, 3, origins, 4, max_head};

	return ws_upgrade_read(in, &policy);
}

static enum gw_err outcome(const char *request)
{
	struct span in = span_text(request);
	struct ws_upgrade u = read_with(in, 4096);

	if (u.err != GW_AGAIN)
		EXPECT_EQ(in.len, u.used);
	return u.err;
}

TEST(ws_upgrade, accepts_the_example_of_the_specification)
{
	struct ws_upgrade u = read_with(SPAN(EXAMPLE "more"), 4096);

	EXPECT_EQ(GW_OK, u.err);
	EXPECT_EQ(sizeof(EXAMPLE) - 1, u.used);
	EXPECT_SPAN("/sip", u.path);
	EXPECT_SPAN("epcscf1.home1.net", u.host);
	EXPECT_SPAN("https://wwsf.home1.net", u.origin);
	EXPECT_EQ(1, u.origin_index);
	EXPECT_SPAN("dGhlIHNhbXBsZSBub25jZQ==", u.key);
}

TEST(ws_upgrade, accepts_what_chromium_sends)
{
	EXPECT_EQ(GW_OK,
		  outcome("GET /ws HTTP/1.1\r\n"
			  "Host: localhost:8443\r\n"
			  "Connection: Upgrade\r\n"
			  "Pragma: no-cache\r\n"
			  "Cache-Control: no-cache\r\n"
			  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n"
			  "Upgrade: websocket\r\n"
			  "Origin: https://localhost:8444\r\n"
			  "Sec-WebSocket-Version: 13\r\n"
			  "Accept-Encoding: gzip, deflate, br\r\n"
			  "Accept-Language: en-US,en;q=0.9\r\n"
			  "Cookie: a=b; c=d\r\n"
			  "Sec-WebSocket-Key: 9Ea3OQRFmNnJZ5wBeCJHEA==\r\n"
			  "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
			  "Sec-WebSocket-Protocol: sip\r\n\r\n"));
}

TEST(ws_upgrade, accepts_what_firefox_sends)
{
	EXPECT_EQ(GW_OK,
		  outcome("GET /ws?x=1 HTTP/1.1\r\n"
			  "Host: localhost:8443\r\n"
			  "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0\r\n"
			  "Accept: */*\r\n"
			  "Accept-Language: en-US,en;q=0.5\r\n"
			  "Accept-Encoding: gzip, deflate, br, zstd\r\n"
			  "Sec-WebSocket-Version: 13\r\n"
			  "Origin: https://localhost:8444\r\n"
			  "Sec-WebSocket-Protocol: sip\r\n"
			  "Sec-WebSocket-Extensions: permessage-deflate\r\n"
			  "Sec-WebSocket-Key: yj4OgUgzm2sDv2Nn2ve9mg==\r\n"
			  "Connection: keep-alive, Upgrade\r\n"
			  "Sec-Fetch-Dest: empty\r\n"
			  "Sec-Fetch-Mode: websocket\r\n"
			  "Sec-Fetch-Site: same-site\r\n"
			  "Pragma: no-cache\r\n"
			  "Cache-Control: no-cache\r\n"
			  "Upgrade: websocket\r\n\r\n"));
}

TEST(ws_upgrade, waits_for_every_byte_of_the_head)
{
	struct span whole = SPAN(EXAMPLE);

	for (uint32_t n = 0; n < whole.len; n++) {
		uint8_t *exact = malloc(n + 1);

		memcpy(exact, whole.at, n);
		EXPECT_EQ(GW_AGAIN, read_with(span_of(exact, n), 4096).err);
		free(exact);
	}
	EXPECT_EQ(GW_OK, read_with(whole, 4096).err);
}

TEST(ws_upgrade, sees_the_end_of_a_head_when_it_comes_in_whatever_pieces)
{
	struct span whole = SPAN(GET "X: \r\r\n\r\r\n" HOST "\r\nmore");
	uint32_t end = whole.len - 4;

	for (uint32_t piece = 1; piece <= whole.len; piece++) {
		uint32_t seen = 0, at = 0;

		do {
			at += piece;
			EXPECT_EQ(at >= end, ws_upgrade_ends(span_cut(whole, 0, at), &seen));
		} while (at < end);
	}
}

TEST(ws_upgrade, looks_at_each_byte_for_the_end_once)
{
	uint8_t *bytes = malloc(8192);
	uint32_t seen = 0;

	memset(bytes, '\r', 8192);
	for (uint32_t n = 1; n <= 8192; n++) {
		EXPECT(!ws_upgrade_ends(span_of(bytes, n), &seen));
		memcpy(bytes, "\r\n\r\n", n == 4 ? 4 : 0); /* not looked at again */
	}
	free(bytes);
}

TEST(ws_upgrade, refuses_a_head_longer_than_the_limit)
{
	struct span whole = SPAN(EXAMPLE);

	EXPECT_EQ(GW_OK, read_with(whole, whole.len).err);
	EXPECT_EQ(GW_HTTP_TOO_LONG, read_with(whole, whole.len - 1).err);
	EXPECT_EQ(GW_HTTP_TOO_LONG, read_with(SPAN("0123456789"), 9).err);
	EXPECT_EQ(GW_AGAIN, read_with(SPAN("0123456789"), 10).err);
}

TEST(ws_upgrade, refuses_malformed_request_lines)
{
	static const char *const lines[] = {
		"GET /sip\r\n",
		"GET  /sip HTTP/1.1\r\n",
		"GET /sip HTTP/1.0\r\n",
		"GET /sip HTTP/2.0\r\n",
		"GET /sip HTTP/1.11\r\n",
		"GET /sip http/1.1\r\n",
		"GET /sip HTTP/1.1 \r\n",
		" GET /sip HTTP/1.1\r\n",
		"GET /s\tip HTTP/1.1\r\n",
		"G(T /sip HTTP/1.1\r\n",
		"GET /sip#a HTTP/1.1\r\n",
		"GET sip HTTP/1.1\r\n",
		"GET * HTTP/1.1\r\n",
		"\r\nGET /sip HTTP/1.1\r\n",
		"GET /s\xC3\xA9 HTTP/1.1\r\n",
		"GET ftp://h/sip HTTP/1.1\r\n",
		"GET https:/sip HTTP/1.1\r\n",
		"GET /sip HTTP/1.1\n",
		"GET https:///sip HTTP/1.1\r\n",
		"GET /sip HTTP/1.1\r\r\n",
	};
	char request[1024];

	for (uint32_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		strcpy(request, lines[i]);
		strcat(request, HOST UPGRADE KEY VERSION PROTOCOL ORIGIN "\r\n");
		EXPECT_EQ(GW_HTTP_SYNTAX, outcome(request));
	}
}

TEST(ws_upgrade, refuses_malformed_header_lines)
{
	static const char *const lines[] = {
		"No colon\r\n",		" Fold: yes\r\n", "X: a\r\n fold\r\n",
		"X : space before\r\n", ": no name\r\n",  "X: bare\rcr\r\n",
		"X: bare\nlf\r\n",	"X: bell\a\r\n",  "X: del\x7F\r\n",
		"X\xC3\xA9: name\r\n",	"X: a\n\r\n",	  "\tX: a\r\n",
	};
	char request[1024];

	for (uint32_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		strcpy(request, GET);
		strcat(request, lines[i]);
		strcat(request, HOST UPGRADE KEY VERSION PROTOCOL ORIGIN "\r\n");
		EXPECT_EQ(GW_HTTP_SYNTAX, outcome(request));
	}
	EXPECT_EQ(GW_OK,
		  outcome(GET "X: \tob\xC3\xA9 \r\nY:\r\n" HOST UPGRADE KEY VERSION PROTOCOL ORIGIN
			      "\r\n"));
}

TEST(ws_upgrade, refuses_a_nul_in_a_header)
{
	EXPECT_EQ(GW_HTTP_SYNTAX,
		  read_with(SPAN(GET "X: a\0b\r\n" HOST UPGRADE KEY VERSION PROTOCOL ORIGIN "\r\n"),
			    4096)
			  .err);
}

TEST(ws_upgrade, refuses_a_request_with_a_body)
{
#define REST HOST UPGRADE KEY VERSION PROTOCOL ORIGIN "\r\n"
	EXPECT_EQ(GW_HTTP_SYNTAX, outcome(GET "Content-Length: 5\r\n" REST));
	EXPECT_EQ(GW_HTTP_SYNTAX, outcome(GET "Transfer-Encoding: chunked\r\n" REST));
	EXPECT_EQ(GW_OK, outcome(GET "Content-Length: 0\r\n" REST));
#undef REST
}

TEST(ws_upgrade, refuses_other_methods)
{
	EXPECT_EQ(GW_HTTP_METHOD,
		  outcome("POST /sip HTTP/1.1\r\n" HOST UPGRADE KEY VERSION PROTOCOL ORIGIN
			  "\r\n"));
	EXPECT_EQ(GW_HTTP_METHOD, outcome("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"));
	EXPECT_EQ(GW_HTTP_METHOD, outcome("get /sip HTTP/1.1\r\n" HOST "\r\n"));
	EXPECT_EQ(405, ws_upgrade_status(GW_HTTP_METHOD));
}

static enum gw_err with_host(const char *line)
{
	char request[1024] = GET;

	strcat(request, line);
	strcat(request, UPGRADE KEY VERSION PROTOCOL ORIGIN "\r\n");
	return outcome(request);
}

TEST(ws_upgrade, serves_its_own_names_only)
{
	EXPECT_EQ(GW_OK, with_host("Host: EPCSCF1.home1.net:443\r\n"));
	EXPECT_EQ(GW_OK, with_host("host:localhost\r\n"));
	EXPECT_EQ(GW_OK, with_host("Host: [fd00::1]:8443\r\n"));
	EXPECT_EQ(GW_OK, with_host("Host: [fd00::1]\r\n"));
	EXPECT_EQ(GW_HTTP_HOST, with_host("Host: [fd00::2]:8443\r\n"));
	EXPECT_EQ(GW_HTTP_HOST, with_host("Host: epcscf2.home1.net\r\n"));
	EXPECT_EQ(GW_HTTP_HOST, with_host("Host: epcscf1.home1.net.\r\n"));
	EXPECT_EQ(GW_HTTP_HOST, with_host("Host: xepcscf1.home1.net\r\n"));
	EXPECT_EQ(421, ws_upgrade_status(GW_HTTP_HOST));
}

TEST(ws_upgrade, wants_exactly_one_host)
{
	EXPECT_EQ(GW_HTTP_SYNTAX, with_host(""));
	EXPECT_EQ(GW_HTTP_SYNTAX, with_host("Host:\r\n"));
	EXPECT_EQ(GW_HTTP_SYNTAX, with_host(HOST HOST));
	EXPECT_EQ(400, ws_upgrade_status(GW_HTTP_SYNTAX));
}

TEST(ws_upgrade, serves_any_name_when_none_is_configured)
{
	const struct span path = SPAN("/sip"), origin = SPAN("https://wwsf.home1.net");
	const struct ws_upgrade_policy policy = {NULL, 0, &path, 1, &origin, 1, 4096};

	EXPECT_EQ(GW_OK, ws_upgrade_read(SPAN(EXAMPLE), &policy).err);
}

TEST(ws_upgrade, takes_the_host_of_an_absolute_target)
{
#define REST HOST UPGRADE KEY VERSION PROTOCOL ORIGIN "\r\n"
	EXPECT_EQ(GW_OK, outcome("GET https://LOCALHOST:1/sip?q HTTP/1.1\r\n" REST));
	EXPECT_EQ(GW_OK, outcome("GET HTTP://localhost HTTP/1.1\r\n" REST));
	EXPECT_EQ(GW_OK, outcome("GET https://localhost?/sip HTTP/1.1\r\n" REST));
	EXPECT_EQ(GW_HTTP_HOST, outcome("GET https://else.example/sip HTTP/1.1\r\n" REST));
	EXPECT_EQ(GW_WS_PATH, outcome("GET https://localhost/else HTTP/1.1\r\n" REST));
#undef REST
}

TEST(ws_upgrade, answers_a_plain_request_with_upgrade_required)
{
	EXPECT_EQ(GW_HTTP_NOT_UPGRADE, outcome(GET HOST "\r\n"));
	EXPECT_EQ(426, ws_upgrade_status(GW_HTTP_NOT_UPGRADE));
}

TEST(ws_upgrade, refuses_an_upgrade_that_is_not_to_websocket)
{
#define REST KEY VERSION PROTOCOL ORIGIN "\r\n"
	EXPECT_EQ(GW_HTTP_UPGRADE,
		  outcome(GET HOST "Upgrade: h2c\r\nConnection: upgrade\r\n" REST));
	EXPECT_EQ(GW_HTTP_UPGRADE, outcome(GET HOST "Upgrade: websocket\r\n" REST));
	EXPECT_EQ(GW_HTTP_UPGRADE,
		  outcome(GET HOST "Upgrade: websocket\r\nConnection: close, upgraded\r\n" REST));
	EXPECT_EQ(GW_HTTP_UPGRADE,
		  outcome(GET HOST "Upgrade: websockets\r\nConnection: upgrade\r\n" REST));
	EXPECT_EQ(GW_OK,
		  outcome(GET HOST "Upgrade: h2c\r\nUPGRADE: a , WebSocket\r\n"
				   "Connection: keep-alive\r\nConnection:\tUPGRADE,\r\n" REST));
	EXPECT_EQ(400, ws_upgrade_status(GW_HTTP_UPGRADE));
#undef REST
}

static enum gw_err with_version(const char *line)
{
	char request[1024] = GET HOST UPGRADE KEY PROTOCOL ORIGIN;

	strcat(request, line);
	strcat(request, "\r\n");
	return outcome(request);
}

TEST(ws_upgrade, speaks_version_13_only)
{
	EXPECT_EQ(GW_OK, with_version("sec-websocket-version:13\r\n"));
	EXPECT_EQ(GW_WS_VERSION, with_version(""));
	EXPECT_EQ(GW_WS_VERSION, with_version("Sec-WebSocket-Version: 8\r\n"));
	EXPECT_EQ(GW_WS_VERSION, with_version("Sec-WebSocket-Version: 013\r\n"));
	EXPECT_EQ(GW_WS_VERSION, with_version("Sec-WebSocket-Version: 13, 8\r\n"));
	EXPECT_EQ(GW_WS_VERSION, with_version(VERSION VERSION));
	EXPECT_EQ(426, ws_upgrade_status(GW_WS_VERSION));
}

static enum gw_err with_key(const char *line)
{
	char request[1024] = GET HOST UPGRADE VERSION PROTOCOL ORIGIN;

	strcat(request, line);
	strcat(request, "\r\n");
	return outcome(request);
}

TEST(ws_upgrade, wants_exactly_one_key_of_sixteen_bytes)
{
	EXPECT_EQ(GW_OK, with_key("Sec-WebSocket-Key:  AQIDBAUGBwgJCgsMDQ4PEC== \r\n"));
	EXPECT_EQ(GW_OK, with_key("Sec-WebSocket-Key: ++++++++++++//////////==\r\n"));
	EXPECT_EQ(GW_WS_KEY, with_key(""));
	EXPECT_EQ(GW_WS_KEY, with_key(KEY KEY));
	EXPECT_EQ(GW_WS_KEY, with_key("Sec-WebSocket-Key:\r\n"));
	EXPECT_EQ(GW_WS_KEY, with_key("Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEBE=\r\n"));
	EXPECT_EQ(GW_WS_KEY, with_key("Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEBES\r\n"));
	EXPECT_EQ(GW_WS_KEY, with_key("Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4P\r\n"));
	EXPECT_EQ(GW_WS_KEY, with_key("Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4P-_==\r\n"));
	EXPECT_EQ(GW_WS_KEY, with_key("Sec-WebSocket-Key: =QIDBAUGBwgJCgsMDQ4PEA==\r\n"));
	EXPECT_EQ(400, ws_upgrade_status(GW_WS_KEY));
}

static enum gw_err with_target(const char *target)
{
	char request[1024] = "GET ";

	strcat(request, target);
	strcat(request, " HTTP/1.1\r\n" HOST UPGRADE KEY VERSION PROTOCOL ORIGIN "\r\n");
	return outcome(request);
}

TEST(ws_upgrade, serves_configured_paths_only)
{
	EXPECT_EQ(GW_OK, with_target("/ws"));
	EXPECT_EQ(GW_OK, with_target("/ws?token=x/y"));
	EXPECT_EQ(GW_WS_PATH, with_target("/ws/"));
	EXPECT_EQ(GW_WS_PATH, with_target("/WS"));
	EXPECT_EQ(GW_WS_PATH, with_target("/w"));
	EXPECT_EQ(GW_WS_PATH, with_target("//ws"));
	EXPECT_EQ(GW_WS_PATH, with_target("/%77s"));
	EXPECT_EQ(404, ws_upgrade_status(GW_WS_PATH));
}

static enum gw_err with_protocol(const char *line)
{
	char request[1024] = GET HOST UPGRADE KEY VERSION ORIGIN;

	strcat(request, line);
	strcat(request, "\r\n");
	return outcome(request);
}

TEST(ws_upgrade, wants_the_subprotocol_sip)
{
	EXPECT_EQ(GW_OK, with_protocol("Sec-WebSocket-Protocol: xmpp, sip ,msrp\r\n"));
	EXPECT_EQ(GW_OK, with_protocol("Sec-WebSocket-Protocol: xmpp\r\n" PROTOCOL));
	EXPECT_EQ(GW_WS_SUBPROTOCOL, with_protocol(""));
	EXPECT_EQ(GW_WS_SUBPROTOCOL, with_protocol("Sec-WebSocket-Protocol: xmpp\r\n"));
	EXPECT_EQ(GW_WS_SUBPROTOCOL, with_protocol("Sec-WebSocket-Protocol: sips, xsip, si p\r\n"));
	EXPECT_EQ(GW_WS_SUBPROTOCOL, with_protocol("Sec-WebSocket-Protocol: SIP\r\n"));
	EXPECT_EQ(400, ws_upgrade_status(GW_WS_SUBPROTOCOL));
}

static enum gw_err with_origin(const char *line)
{
	char request[2048] = GET HOST UPGRADE KEY VERSION PROTOCOL;

	strcat(request, line);
	strcat(request, "\r\n");
	return outcome(request);
}

TEST(ws_upgrade, knows_an_origin_in_any_case_and_with_its_default_port)
{
	EXPECT_EQ(GW_OK, with_origin("Origin: HTTPS://WWSF.Home1.Net\r\n"));
	EXPECT_EQ(GW_OK, with_origin("origin: https://wwsf.home1.net:443\r\n"));
	EXPECT_EQ(GW_OK, with_origin("Origin: https://other.example:8443\r\n"));
}

TEST(ws_upgrade, refuses_origins_that_only_look_allowed)
{
	static const char *const lines[] = {
		"",
		"Origin:\r\n",
		"Origin: null\r\n",
		"Origin: https://wwsf.home1.net\r\nOrigin: https://wwsf.home1.net\r\n",
		"Origin: https://wwsf.home1.net\r\nOrigin: https://evil.example\r\n",
		"Origin: https://wwsf.home1.net https://wwsf.home1.net\r\n",
		"Origin: https://wwsf.home1.net,https://wwsf.home1.net\r\n",
		"Origin: https://wwsf.home1.net/\r\n",
		"Origin: https://wwsf.home1.net.\r\n",
		"Origin: https://wwsf.home1.net.evil.example\r\n",
		"Origin: https://evilwwsf.home1.net\r\n",
		"Origin: https://sub.wwsf.home1.net\r\n",
		"Origin: https://home1.net\r\n",
		"Origin: https://wwsf.home1.net@evil.example\r\n",
		"Origin: https://evil.example#wwsf.home1.net\r\n",
		"Origin: https://wwsf.home1.net:8443\r\n",
		"Origin: https://wwsf.home1.net:\r\n",
		"Origin: https://wwsf.home1.net:0443\r\n",
		"Origin: https://wwsf.home1.net:443:443\r\n",
		"Origin: https://wwsf.home1.net:80\r\n",
		"Origin: http://wwsf.home1.net\r\n",
		"Origin: http://wwsf.home1.net:443\r\n",
		"Origin: http://clear.example\r\n", /* https only, even where it is listed */
		"Origin: wwsf.home1.net\r\n",
		"Origin: https://other.example\r\n",
		"Origin: :443\r\n",
	};

	for (uint32_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		EXPECT_EQ(GW_WS_ORIGIN, with_origin(lines[i]));
	EXPECT_EQ(403, ws_upgrade_status(GW_WS_ORIGIN));
}

TEST(ws_upgrade, refuses_an_origin_longer_than_its_bound)
{
	char line[1024] = "Origin: https://";
	size_t n = strlen(line);

	memset(line + n, 'a', 600);
	strcpy(line + n + 600, "\r\n");
	EXPECT_EQ(GW_WS_ORIGIN, with_origin(line));
}

TEST(ws_upgrade, reports_the_first_failure_in_the_order_of_the_table)
{
#define BAD_PROTOCOL "Sec-WebSocket-Protocol: x\r\n"
	EXPECT_EQ(GW_HTTP_METHOD, outcome("PUT /x HTTP/1.1\r\nHost: x\r\n\r\n"));
	EXPECT_EQ(GW_HTTP_HOST, outcome("GET /x HTTP/1.1\r\nHost: x\r\n\r\n"));
	EXPECT_EQ(GW_HTTP_NOT_UPGRADE, outcome("GET /x HTTP/1.1\r\n" HOST "\r\n"));
	EXPECT_EQ(GW_WS_VERSION, outcome("GET /x HTTP/1.1\r\n" HOST UPGRADE "\r\n"));
	EXPECT_EQ(GW_WS_KEY, outcome("GET /x HTTP/1.1\r\n" HOST UPGRADE VERSION "\r\n"));
	EXPECT_EQ(GW_WS_PATH, outcome("GET /x HTTP/1.1\r\n" HOST UPGRADE VERSION KEY "\r\n"));
	EXPECT_EQ(GW_WS_SUBPROTOCOL, outcome(GET HOST UPGRADE VERSION KEY BAD_PROTOCOL "\r\n"));
	EXPECT_EQ(GW_WS_ORIGIN, outcome(GET HOST UPGRADE VERSION KEY PROTOCOL "\r\n"));
#undef BAD_PROTOCOL
}

TEST(ws_upgrade, answers_with_the_accept_value_of_rfc_6455)
{
	uint8_t buffer[512];
	struct writer out;

	writer_init(&out, buffer, sizeof(buffer));
	ws_upgrade_accept(SPAN("dGhlIHNhbXBsZSBub25jZQ=="), &out);
	EXPECT(writer_ok(&out));
	EXPECT_SPAN("HTTP/1.1 101 Switching Protocols\r\n"
		    "Upgrade: websocket\r\n"
		    "Connection: Upgrade\r\n"
		    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
		    "Sec-WebSocket-Protocol: sip\r\n\r\n",
		    writer_span(&out));
}

TEST(ws_upgrade, answers_nothing_to_a_key_that_was_not_checked)
{
	uint8_t buffer[512];
	struct writer out;

	writer_init(&out, buffer, sizeof(buffer));
	ws_upgrade_accept(SPAN("dGhlIHNhbXBsZSBub25jZQ==x"), &out);
	EXPECT(!writer_ok(&out));
}

static struct span refusal(uint16_t status, uint32_t retry_after_s, uint8_t buffer[512])
{
	struct writer out;

	writer_init(&out, buffer, 512);
	ws_upgrade_refuse(status, retry_after_s, &out);
	EXPECT(writer_ok(&out));
	return writer_span(&out);
}

TEST(ws_upgrade, refuses_with_a_whole_answer_and_closes)
{
	uint8_t b[512];

	EXPECT_SPAN("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		    refusal(403, 0, b));
	EXPECT_SPAN("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nAllow: GET\r\n"
		    "Connection: close\r\n\r\n",
		    refusal(405, 0, b));
	EXPECT_SPAN("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nUpgrade: websocket\r\n"
		    "Sec-WebSocket-Version: 13\r\nConnection: close, Upgrade\r\n\r\n",
		    refusal(426, 0, b));
	EXPECT_SPAN("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n"
		    "Connection: close\r\nRetry-After: 1\r\n\r\n",
		    refusal(429, 1, b));
	EXPECT_SPAN("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
		    "Connection: close\r\nRetry-After: 30\r\n\r\n",
		    refusal(503, 30, b));
}

TEST(ws_upgrade, gives_limits_and_everything_else_a_status)
{
	EXPECT_EQ(431, ws_upgrade_status(GW_HTTP_TOO_LONG));
	EXPECT_EQ(429, ws_upgrade_status(GW_HTTP_RATE)); /* RFC 6585 4 */
	EXPECT_EQ(503, ws_upgrade_status(GW_HTTP_ORIGIN_LIMIT));
	EXPECT_EQ(503, ws_upgrade_status(GW_CONN_LIMIT));
	EXPECT_EQ(503, ws_upgrade_status(GW_STOPPING));
	EXPECT_EQ(400, ws_upgrade_status(GW_INVARIANT));
}

TEST_MAIN("ws_upgrade", RUN(ws_upgrade, accepts_the_example_of_the_specification),
	  RUN(ws_upgrade, accepts_what_chromium_sends), RUN(ws_upgrade, accepts_what_firefox_sends),
	  RUN(ws_upgrade, waits_for_every_byte_of_the_head),
	  RUN(ws_upgrade, sees_the_end_of_a_head_when_it_comes_in_whatever_pieces),
	  RUN(ws_upgrade, looks_at_each_byte_for_the_end_once),
	  RUN(ws_upgrade, refuses_a_head_longer_than_the_limit),
	  RUN(ws_upgrade, refuses_malformed_request_lines),
	  RUN(ws_upgrade, refuses_malformed_header_lines),
	  RUN(ws_upgrade, refuses_a_nul_in_a_header),
	  RUN(ws_upgrade, refuses_a_request_with_a_body), RUN(ws_upgrade, refuses_other_methods),
	  RUN(ws_upgrade, serves_its_own_names_only), RUN(ws_upgrade, wants_exactly_one_host),
	  RUN(ws_upgrade, serves_any_name_when_none_is_configured),
	  RUN(ws_upgrade, takes_the_host_of_an_absolute_target),
	  RUN(ws_upgrade, answers_a_plain_request_with_upgrade_required),
	  RUN(ws_upgrade, refuses_an_upgrade_that_is_not_to_websocket),
	  RUN(ws_upgrade, speaks_version_13_only),
	  RUN(ws_upgrade, wants_exactly_one_key_of_sixteen_bytes),
	  RUN(ws_upgrade, serves_configured_paths_only), RUN(ws_upgrade, wants_the_subprotocol_sip),
	  RUN(ws_upgrade, knows_an_origin_in_any_case_and_with_its_default_port),
	  RUN(ws_upgrade, refuses_origins_that_only_look_allowed),
	  RUN(ws_upgrade, refuses_an_origin_longer_than_its_bound),
	  RUN(ws_upgrade, reports_the_first_failure_in_the_order_of_the_table),
	  RUN(ws_upgrade, answers_with_the_accept_value_of_rfc_6455),
	  RUN(ws_upgrade, answers_nothing_to_a_key_that_was_not_checked),
	  RUN(ws_upgrade, refuses_with_a_whole_answer_and_closes),
	  RUN(ws_upgrade, gives_limits_and_everything_else_a_status))
