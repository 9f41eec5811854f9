/* SPDX-License-Identifier: BSD-3-Clause */
#include "peers.h"

#include <stdlib.h>

#include "tls/libssl.h"

const uint16_t peers_version[PEERS_VERSIONS] = {TLS1_3_VERSION, TLS1_2_VERSION};

static void must(bool ok)
{
	if (!ok)
		abort();
}

struct tls_config peers_config(const struct peers *p, enum peer_side side)
{
	return (struct tls_config){
		.certificate = &p->own[side],
		.certificates = 1,
		.authorities = p->authority.chain,
	};
}

void peers_context(struct peers *p, enum peer_side side, struct tls_config config)
{
	struct tls_fault fault;

	tls_libssl.context_free(p->context[side]);
	must(tls_libssl.context_new(&config, &fault, &p->context[side]) == GW_OK);
}

struct tls_certificate peers_issue(const struct peers *p, const char *names)
{
	return pem_issue(&(struct pem_wish){.names = names, .issuer = &p->authority});
}

struct peers *peers_new(uint16_t version)
{
	struct peers *p = calloc(1, sizeof(*p));

	must(p != NULL);
	p->version = version;
	p->authority = pem_issue(&(struct pem_wish){.constraints = "critical,CA:TRUE"});
	p->own[PEER_CLIENT] = peers_issue(p, "DNS:wic.home1.net");
	p->own[PEER_SERVER] = peers_issue(p, "DNS:icscf.home1.net");
	for (int side = 0; side < PEER_SIDES; side++) {
		fake_init(&p->fake[side]);
		peers_context(p, side, peers_config(p, side));
	}
	return p;
}

static void peers_disconnect(struct peers *p)
{
	for (int side = 0; side < PEER_SIDES; side++) {
		tls_libssl.free(p->tls[side]);
		fake_fini(&p->fake[side]);
	}
}

void peers_free(struct peers *p)
{
	peers_disconnect(p);
	for (int side = 0; side < PEER_SIDES; side++) {
		tls_libssl.context_free(p->context[side]);
		pem_free(&p->own[side]);
	}
	pem_free(&p->authority);
	free(p);
}

void peers_connect(struct peers *p, const char *name)
{
	peers_disconnect(p);
	for (int side = 0; side < PEER_SIDES; side++)
		fake_init(&p->fake[side]);
	p->tls[PEER_SERVER] =
		tls_libssl.accept(p->context[PEER_SERVER], &p->fake[PEER_SERVER].conn);
	p->tls[PEER_CLIENT] = tls_libssl.connect(p->context[PEER_CLIENT],
						 &p->fake[PEER_CLIENT].conn, span_text(name));
	must(p->tls[PEER_CLIENT] != NULL && p->tls[PEER_SERVER] != NULL);
	if (p->version != 0)
		must(SSL_set_max_proto_version(p->tls[PEER_SERVER]->ssl, p->version) == 1);
}

static bool peers_move(struct fake *from, struct fake *to, uint32_t n)
{
	if (n > from->tx_len)
		n = from->tx_len;
	fake_arrive(to, span_of(from->tx, n));
	fake_leave(from, n);
	return n > 0;
}

bool peers_carry(struct peers *p, uint32_t n)
{
	bool there = peers_move(&p->fake[PEER_CLIENT], &p->fake[PEER_SERVER], n);

	return peers_move(&p->fake[PEER_SERVER], &p->fake[PEER_CLIENT], n) || there;
}

void peers_handshake(struct peers *p, uint32_t bytes_a_step, enum gw_err err[PEER_SIDES])
{
	uint8_t to[1];

	do {
		for (int side = 0; side < PEER_SIDES; side++)
			err[side] = tls_libssl.open(p->tls[side], to, sizeof(to)).err;
	} while (peers_carry(p, bytes_a_step));
}

void peers_meet(struct peers *p)
{
	enum gw_err err[PEER_SIDES];

	peers_connect(p, "icscf.home1.net");
	peers_handshake(p, 100000, err);
	for (int side = 0; side < PEER_SIDES; side++)
		must(err[side] == GW_AGAIN && tls_libssl.ready(p->tls[side]));
}

void peers_say(struct peers *p, enum peer_side side, const char *text)
{
	uint8_t to[256];
	struct tls_result result = tls_libssl.seal(p->tls[side], span_text(text));

	must(result.err == GW_OK);
	while (peers_carry(p, 100000))
		;
	side = side == PEER_CLIENT ? PEER_SERVER : PEER_CLIENT;
	result = tls_libssl.open(p->tls[side], to, sizeof(to));
	must(result.err == GW_OK && span_equal(span_text(text), span_of(to, result.n)));
}
