/* SPDX-License-Identifier: BSD-3-Clause */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mint.h"

#define TEXT_MAX 8192

/* ---- sockets -------------------------------------------------------------------------------- */

static struct peer *peer_new(int fd)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	assert_non_null(peer);
	EXPECT(fd >= 0);
	EXPECT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	peer->fd = fd;
	return peer;
}

static int socket_at(const char *address, uint16_t port, int type)
{
	struct endpoint e = world_endpoint(address, port);
	int fd = socket(AF_INET, type, 0), yes = 1;

	EXPECT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)));
	EXPECT_EQ(0, bind(fd, &e.sa, sizeof(e.v4)));
	return fd;
}

static struct peer *connect_from(struct world *world, const char *from, uint16_t port)
{
	struct endpoint e = world_endpoint(world->ours, port);
	int fd = socket_at(from, 0, SOCK_STREAM), yes = 1;

	EXPECT_EQ(0, setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)));
	EXPECT_EQ(0, connect(fd, &e.sa, sizeof(e.v4)));
	world_run(world);
	return peer_new(fd);
}

struct peer *peer_connect(struct world *world)
{
	return connect_from(world, world->ours, ACCESS_PORT);
}

struct peer *peer_connect_mw(struct world *world, const char *from, uint16_t port)
{
	return connect_from(world, from, port);
}

void peer_free(struct world *world, struct peer *peer)
{
	if (peer == NULL)
		return;
	close(peer->fd);
	free(peer);
	world_run(world);
}

void peer_put(struct world *world, struct peer *peer, struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t n = send(peer->fd, bytes.at, bytes.len, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return; /* the node has cut it: the test sees that by other means */
		bytes = span_from(bytes, n > 0 ? (uint32_t)n : 0);
		world_run(world);
	}
}

void peer_take(struct world *world, struct peer *peer)
{
	ssize_t n;

	do {
		world_run(world);
		n = recv(peer->fd, peer->in + peer->len, PEER_BYTES - 1 - peer->len, 0);
		peer->len += n > 0 ? (uint32_t)n : 0;
	} while (n > 0);
	if (n == 0 || errno != EAGAIN)
		peer->ended = true;
}

void peer_drop(struct peer *peer, uint32_t n)
{
	peer->len -= n;
	memmove(peer->in, peer->in + n, peer->len);
}

const char *peer_text(struct peer *peer)
{
	peer->in[peer->len] = 0;
	return (const char *)peer->in;
}

/* ---- the WIC -------------------------------------------------------------------------------- */

void wic_upgrade(struct world *world, struct peer *peer, const char *origin)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "GET /sip HTTP/1.1\r\nHost: ep1.home1.net\r\nUpgrade: websocket\r\n"
		 "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\nOrigin: %s\r\n\r\n",
		 origin);
	peer_put(world, peer, span_text(text));
	peer_take(world, peer);
}

struct peer *wic_open(struct world *world)
{
	struct peer *peer = peer_connect(world);

	wic_upgrade(world, peer, ORIGIN);
	EXPECT_EQ(0, strncmp(peer_text(peer), "HTTP/1.1 101", 12));
	peer_drop(peer, (uint32_t)(strstr(peer_text(peer), "\r\n\r\n") + 4 - peer_text(peer)));
	return peer;
}

void wic_frame(struct world *world, struct peer *peer, enum frame_end end, enum ws_opcode opcode,
	       struct span payload)
{
	static const uint8_t mask[4] = {1, 2, 3, 4};
	uint8_t *bytes = malloc(payload.len + 16);
	struct writer w;

	assert_non_null(bytes);
	writer_init(&w, bytes, payload.len + 16);
	writer_u8(&w, (uint8_t)((end == FRAME_FINAL ? 0x80 : 0) | opcode));
	writer_u8(&w, 0x80 | (payload.len < 126 ? (uint8_t)payload.len : 126));
	if (payload.len >= 126)
		writer_u16_be(&w, (uint16_t)payload.len);
	writer_bytes(&w, mask, sizeof(mask));
	for (uint32_t i = 0; i < payload.len; i++)
		writer_u8(&w, payload.at[i] ^ mask[i & 3]);
	peer_put(world, peer, writer_span(&w));
	free(bytes);
}

void wic_text(struct world *world, struct peer *peer, const char *text)
{
	wic_frame(world, peer, FRAME_FINAL, WS_TEXT, span_text(text));
}

bool wic_next(struct world *world, struct peer *peer, uint8_t *opcode, struct span *payload)
{
	static uint8_t kept[PEER_BYTES];
	struct span in;
	uint8_t length = 0;
	uint16_t n;

	peer_take(world, peer);
	in = span_of(peer->in, peer->len);
	if (!span_u8(&in, opcode) || !span_u8(&in, &length))
		return false;
	n = length;
	if (length == 126 && !span_u16_be(&in, &n))
		return false;
	if (!span_take(&in, n, payload))
		return false;
	*opcode &= 0x0f;
	memcpy(kept, payload->at, n);
	kept[n] = 0;
	*payload = span_of(kept, n);
	peer_drop(peer, (uint32_t)(in.at - peer->in));
	return true;
}

const char *wic_message(struct world *world, struct peer *peer)
{
	struct span payload;
	uint8_t opcode;

	while (wic_next(world, peer, &opcode, &payload))
		if (opcode == WS_TEXT || opcode == WS_BINARY)
			return (const char *)payload.at;
	return "";
}

uint16_t wic_close_code(struct world *world, struct peer *peer)
{
	struct span payload;
	uint8_t opcode;
	uint16_t code;

	while (wic_next(world, peer, &opcode, &payload))
		if (opcode == WS_CLOSE && span_u16_be(&payload, &code))
			return code;
	return 0;
}

const char *wic_request(const char *method, const char *credential, uint32_t cseq)
{
	static char text[TEXT_MAX + 1024];

	snprintf(text, sizeof(text),
		 "%s sip:home1.net SIP/2.0\r\n"
		 "Via: SIP/2.0/WSS x1.invalid;branch=z9hG4bKr%u\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:a@home1.net>;tag=f\r\nTo: <sip:a@home1.net>\r\n"
		 "Call-ID: reg@x1.invalid\r\nCSeq: %u %s\r\n"
		 "Contact: <sip:u@x1.invalid;transport=ws>;expires=600\r\n"
		 "%sContent-Length: 0\r\n\r\n",
		 method, cseq, cseq, method, credential);
	return text;
}

static const char *authorization(const struct minted *token)
{
	static char line[TEXT_MAX / 2];

	snprintf(line, sizeof(line), "Authorization: Bearer %.*s\r\n", (int)token->len,
		 (const char *)token->text);
	return line;
}

const char *wic_bearer(struct world *world, const char *header, const char *members)
{
	struct minted token;

	mint(world->key, span_text(header), span_text(members), &token);
	return authorization(&token);
}

const char *wic_register(struct world *world, enum token_kind kind, uint32_t cseq)
{
	const char *kid = kind == TOKEN_ROTATED ? "k2" : "k1";
	char header[128], payload[512];
	struct minted token;

	snprintf(header, sizeof(header), "{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"%s\"}",
		 kid);
	snprintf(payload, sizeof(payload),
		 "{\"iss\":\"https://waf.example\",\"aud\":\"sip:ep1.home1.net\",\"sub\":\"s\","
		 "\"impi\":\"a@ims.home1.net\",\"impu\":\"sip:a@home1.net\",\"jti\":\"t-1\","
		 "\"iat\":%llu,\"exp\":%llu}",
		 (unsigned long long)world->wall_s, (unsigned long long)world->wall_s + 3600);
	mint(world->key, span_text(header), span_text(payload), &token);
	if (kind == TOKEN_FORGED)
		token.text[token.len - 10] = token.text[token.len - 10] == 'A' ? 'B' : 'A';
	return wic_request("REGISTER", authorization(&token), cseq);
}

const char *wic_page(uint32_t cseq)
{
	static char text[1024];

	snprintf(text, sizeof(text),
		 "MESSAGE sip:b@home1.net SIP/2.0\r\n"
		 "Via: SIP/2.0/WSS x1.invalid;branch=z9hG4bKm%u\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:a@home1.net>;tag=f\r\nTo: <sip:b@home1.net>\r\n"
		 "Call-ID: m%u@x1.invalid\r\nCSeq: %u MESSAGE\r\n"
		 "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi",
		 cseq, cseq, cseq);
	return text;
}

/* ---- the core ------------------------------------------------------------------------------- */

struct peer *core_udp(struct world *world)
{
	return peer_new(socket_at(world->core, CORE_PORT, SOCK_DGRAM));
}

struct peer *core_listen(struct world *world)
{
	int fd = socket_at(world->core, CORE_PORT, SOCK_STREAM);

	EXPECT_EQ(0, listen(fd, 8));
	return peer_new(fd);
}

struct peer *core_accept(struct world *world, struct peer *listener)
{
	int fd, yes = 1;

	world_run(world);
	fd = accept(listener->fd, NULL, NULL);
	if (fd < 0)
		return NULL;
	EXPECT_EQ(0, setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)));
	return peer_new(fd);
}

static bool is_answered(const char *line)
{
	static const char *const names[] = {"Via:",	"From:", "To:",
					    "Call-ID:", "CSeq:", "Contact:"};

	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncasecmp(line, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

const char *core_answer(const char *request, const char *status_line)
{
	static char text[TEXT_MAX];
	size_t used = (size_t)snprintf(text, sizeof(text), "%s\r\n", status_line);
	const char *line = strstr(request, "\r\n");

	EXPECT(line != NULL);
	for (line += 2; strncmp(line, "\r\n", 2) != 0; line = strstr(line, "\r\n") + 2)
		if (is_answered(line))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%.*s",
						 (int)(strstr(line, "\r\n") + 2 - line), line);
	snprintf(text + used, sizeof(text) - used, "Content-Length: 0\r\n\r\n");
	return text;
}

void core_send(struct world *world, struct peer *udp, uint16_t port, const char *text)
{
	struct endpoint to = world_endpoint(world->ours, port);

	EXPECT_EQ(strlen(text), sendto(udp->fd, text, strlen(text), 0, &to.sa, sizeof(to.v4)));
	world_run(world);
}

const char *core_page(struct world *world, const char *registered, uint32_t cseq,
		      const char *transport)
{
	static char text[TEXT_MAX];
	const char *path = strstr(registered, "\r\nPath: ");

	EXPECT(path != NULL);
	path += 8;
	snprintf(text, sizeof(text),
		 "MESSAGE sip:u@x1.invalid;transport=ws SIP/2.0\r\n"
		 "Via: SIP/2.0/%s %s:5060;branch=z9hG4bKc%u\r\nRoute: %.*s\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:b@home1.net>;tag=g\r\nTo: <sip:a@home1.net>\r\n"
		 "Call-ID: c%u@home1.net\r\nCSeq: %u MESSAGE\r\n"
		 "P-Called-Party-ID: <sip:a@home1.net>\r\n"
		 "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nyo",
		 transport, world->core, cseq, (int)(strstr(path, "\r\n") - path), path, cseq,
		 cseq);
	return text;
}
