/* SPDX-License-Identifier: BSD-3-Clause */
#include "upgrade.h"

#include <openssl/evp.h>

enum { UPGRADE_SHA1_BYTES = 20, UPGRADE_ACCEPT_LEN = 28, UPGRADE_STATUS_AT = 9 };

void upgrade_key(uint64_t high, uint64_t low, char key[UPGRADE_KEY_LEN + 1])
{
	uint64_t bytes[2] = {high, low};

	EVP_EncodeBlock((unsigned char *)key, (const unsigned char *)bytes, sizeof(bytes));
}

static void line(struct writer *out, const char *name, const char *value)
{
	writer_text(out, name);
	writer_text(out, ": ");
	writer_text(out, value);
	writer_text(out, "\r\n");
}

void upgrade_write(struct writer *out, const char *host, const char *path, const char *origin,
		   const char *key)
{
	writer_text(out, "GET ");
	writer_text(out, path);
	writer_text(out, " HTTP/1.1\r\n");
	line(out, "Host", host);
	line(out, "Connection", "Upgrade");
	line(out, "Pragma", "no-cache");
	line(out, "Cache-Control", "no-cache");
	line(out, "User-Agent", "wicgate-load");
	line(out, "Upgrade", "websocket");
	line(out, "Origin", origin);
	line(out, "Sec-WebSocket-Version", "13");
	line(out, "Accept-Encoding", "gzip, deflate, br");
	line(out, "Sec-WebSocket-Key", key);
	line(out, "Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits");
	line(out, "Sec-WebSocket-Protocol", "sip");
	writer_text(out, "\r\n");
}

/** RFC 6455 4.2.2 step 5.4: what proves that the server read the key. */
static bool accept_of(const char *key, char accept[UPGRADE_ACCEPT_LEN + 1])
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	uint8_t text[UPGRADE_KEY_LEN + sizeof(guid)], sha1[EVP_MAX_MD_SIZE];
	struct writer w;

	writer_init(&w, text, sizeof(text));
	writer_text(&w, key);
	writer_text(&w, guid);
	if (EVP_Digest(text, writer_len(&w), sha1, NULL, EVP_sha1(), NULL) != 1)
		return false;
	EVP_EncodeBlock((unsigned char *)accept, sha1, UPGRADE_SHA1_BYTES);
	return true;
}

/** Cuts the next line off a head, without its CRLF. */
static struct span line_take(struct span *rest)
{
	uint32_t end = span_find(*rest, '\n');
	struct span text = span_cut(*rest, 0, end);

	*rest = span_from(*rest, end + 1);
	if (text.len > 0 && text.at[text.len - 1] == '\r')
		text.len--;
	return text;
}

/** Exactly one line with that name, and it says value, case ignored where words are those of HTTP.
 */
static bool head_says(struct span head, struct span name, struct span value,
		      bool (*equal)(struct span a, struct span b))
{
	uint32_t seen = 0, right = 0;

	while (head.len > 0) {
		struct span text = line_take(&head);
		uint32_t colon = span_find(text, ':');

		if (!span_equal_nocase(span_cut(text, 0, colon), name))
			continue;
		seen++;
		right += equal(span_trim(span_from(text, colon + 1)), value) ? 1 : 0;
	}
	return seen == 1 && right == 1;
}

static bool head_has(struct span head, struct span name)
{
	while (head.len > 0) {
		struct span text = line_take(&head);

		if (span_equal_nocase(span_cut(text, 0, span_find(text, ':')), name))
			return true;
	}
	return false;
}

static uint32_t status_of(struct span first)
{
	uint32_t status = 0;

	if (!span_starts(first, SPAN("HTTP/1.1 ")))
		return 0;
	for (uint32_t i = UPGRADE_STATUS_AT; i < UPGRADE_STATUS_AT + 3; i++) {
		int c = span_at(first, i);

		if (c < '0' || c > '9')
			return 0;
		status = status * 10 + (uint32_t)(c - '0');
	}
	return status;
}

static struct upgrade_answer judge(struct span head, const char *key)
{
	char accept[UPGRADE_ACCEPT_LEN + 1];
	struct span rest = head;
	uint32_t status = status_of(line_take(&rest));
	struct upgrade_answer answer = {.err = GW_OK, .used = head.len, .status = status};

	if (status == 0)
		answer.err = GW_HTTP_SYNTAX;
	else if (status != 101)
		answer.err = GW_HTTP_UPGRADE;
	else if (!accept_of(key, accept) ||
		 !head_says(rest, SPAN("Sec-WebSocket-Accept"), span_text(accept), span_equal) ||
		 !head_says(rest, SPAN("Sec-WebSocket-Protocol"), SPAN("sip"), span_equal) ||
		 !head_says(rest, SPAN("Upgrade"), SPAN("websocket"), span_equal_nocase) ||
		 !head_says(rest, SPAN("Connection"), SPAN("Upgrade"), span_equal_nocase) ||
		 head_has(rest, SPAN("Sec-WebSocket-Extensions")))
		answer.err = GW_HTTP_SYNTAX;
	return answer;
}

struct upgrade_answer upgrade_read(struct span in, const char *key)
{
	const uint8_t *end = in.len > 0 ? memmem(in.at, in.len, "\r\n\r\n", 4) : NULL;

	if (end == NULL)
		return (struct upgrade_answer){.err = GW_AGAIN};
	return judge(span_cut(in, 0, (uint32_t)(end - in.at) + 4), key);
}
