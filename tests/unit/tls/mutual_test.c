/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include "peers.h"

static void expect_sent(struct peers *p, enum peer_side from, const char *text)
{
	enum peer_side to = from == PEER_CLIENT ? PEER_SERVER : PEER_CLIENT;
	uint8_t got[256];
	struct tls_result result;

	EXPECT_EQ(GW_OK, tls_libssl.seal(p->tls[from], span_text(text)).err);
	while (peers_carry(p, 100000))
		;
	result = tls_libssl.open(p->tls[to], got, sizeof(got));
	EXPECT_EQ(GW_OK, result.err);
	EXPECT_EQ(strlen(text), result.n);
	EXPECT_BYTES(text, got, result.n);
}

static void expect_met(struct peers *p, const char *version)
{
	peers_meet(p);
	EXPECT_TEXT(version, tls_libssl.info(p->tls[PEER_CLIENT]).version);
	EXPECT_TEXT(version, tls_libssl.info(p->tls[PEER_SERVER]).version);
	EXPECT_TEXT("icscf.home1.net", tls_libssl.info(p->tls[PEER_CLIENT]).sni);
	EXPECT_TEXT("icscf.home1.net", tls_libssl.info(p->tls[PEER_SERVER]).sni);
	EXPECT(tls_libssl.peer_is(p->tls[PEER_CLIENT], SPAN("icscf.home1.net")));
	EXPECT(!tls_libssl.peer_is(p->tls[PEER_CLIENT], SPAN("wic.home1.net")));
	EXPECT(tls_libssl.peer_is(p->tls[PEER_SERVER], SPAN("wic.home1.net")));
	EXPECT(!tls_libssl.peer_is(p->tls[PEER_SERVER], SPAN("icscf.home1.net")));
	expect_sent(p, PEER_CLIENT, "OPTIONS");
	expect_sent(p, PEER_SERVER, "200 OK");
}

TEST(tls_mutual, both_sides_know_each_other)
{
	struct peers *p = peers_new();

	expect_met(p, "TLSv1.3");
	peers_free(p);
}

TEST_MAIN("tls_mutual", RUN(tls_mutual, both_sides_know_each_other))
