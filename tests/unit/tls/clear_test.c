/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"

#include "fake.h"
#include "tls/tls.h"

struct clear {
	struct fake *fake;
	struct tls_context *context;
	struct tls *tls;
};

static struct clear clear_start(void)
{
	const struct tls_config config = {0};
	struct clear c = {.fake = malloc(sizeof(struct fake))};
	struct tls_fault fault;

	fake_init(c.fake);
	EXPECT_EQ(GW_OK, tls_clear.context_new(&config, &fault, &c.context));
	c.tls = tls_clear.accept(c.context, &c.fake->conn);
	EXPECT(c.tls != NULL);
	return c;
}

static void clear_end(struct clear *c)
{
	tls_clear.free(c->tls);
	tls_clear.context_free(c->context);
	fake_fini(c->fake);
	free(c->fake);
}

TEST(tls_clear, is_ready_at_once)
{
	struct clear c = clear_start();

	EXPECT(tls_clear.ready(c.tls));
	EXPECT_TEXT("clear", tls_clear.info(c.tls).version);
	EXPECT_TEXT("", tls_clear.info(c.tls).failure);
	EXPECT(!tls_clear.info(c.tls).resumed);
	EXPECT_EQ(GW_NOT_SUPPORTED, tls_clear.update(c.tls));
	clear_end(&c);
}

TEST(tls_clear, gives_what_has_arrived_run_by_run)
{
	struct clear c = clear_start();
	uint8_t to[16];

	EXPECT_EQ(GW_AGAIN, tls_clear.open(c.tls, to, sizeof(to)).err);
	fake_arrive(c.fake, SPAN("hello"));
	c.fake->rx_run = 3;
	EXPECT_EQ(GW_AGAIN, tls_clear.open(c.tls, to, 0).err);
	EXPECT_EQ(3, tls_clear.open(c.tls, to, sizeof(to)).n);
	EXPECT_BYTES("hel", to, 3);
	EXPECT_EQ(1, tls_clear.open(c.tls, to, 1).n);
	EXPECT_BYTES("l", to, 1);
	EXPECT_EQ(1, tls_clear.open(c.tls, to, sizeof(to)).n);
	EXPECT_EQ(GW_AGAIN, tls_clear.open(c.tls, to, sizeof(to)).err);
	clear_end(&c);
}

TEST(tls_clear, says_closed_after_the_last_byte)
{
	struct clear c = clear_start();
	uint8_t to[16];

	fake_arrive(c.fake, SPAN("x"));
	tls_clear.fin(c.tls);
	EXPECT_EQ(1, tls_clear.open(c.tls, to, sizeof(to)).n);
	EXPECT_EQ(GW_TLS_CLOSED, tls_clear.open(c.tls, to, sizeof(to)).err);
	clear_end(&c);
}

TEST(tls_clear, takes_what_there_is_room_for)
{
	struct clear c = clear_start();
	struct tls_result result;

	c.fake->tx_limit = 7;
	c.fake->tx_run = 2;
	result = tls_clear.seal(c.tls, SPAN("0123456789"));
	EXPECT_EQ(GW_AGAIN, result.err);
	EXPECT_EQ(7, result.n);
	EXPECT_BYTES("0123456", c.fake->tx, 7);
	fake_leave(c.fake, 7);
	result = tls_clear.seal(c.tls, SPAN("789"));
	EXPECT_EQ(GW_OK, result.err);
	EXPECT_EQ(3, result.n);
	clear_end(&c);
}

TEST(tls_clear, takes_nothing_after_close)
{
	struct clear c = clear_start();

	EXPECT_EQ(GW_OK, tls_clear.close(c.tls));
	EXPECT_EQ(GW_TLS_CLOSED, tls_clear.seal(c.tls, SPAN("x")).err);
	EXPECT_EQ(0, c.fake->tx_len);
	clear_end(&c);
}

TEST(tls_clear, connects_as_it_accepts_and_trusts_who_is_there)
{
	struct clear c = clear_start();
	struct tls *client = tls_clear.connect(c.context, &c.fake->conn, SPAN("icscf.home1.net"));

	EXPECT(tls_clear.ready(client));
	EXPECT_EQ(5, tls_clear.seal(client, SPAN("hello")).n);
	EXPECT_BYTES("hello", c.fake->tx, 5);
	EXPECT(tls_clear.peer_is(client, SPAN("icscf.home1.net")));
	EXPECT(tls_clear.peer_is(c.tls, SPAN("icscf.home1.net")));
	tls_clear.free(client);
	clear_end(&c);
}

TEST_MAIN("tls_clear", RUN(tls_clear, is_ready_at_once),
	  RUN(tls_clear, gives_what_has_arrived_run_by_run),
	  RUN(tls_clear, says_closed_after_the_last_byte),
	  RUN(tls_clear, takes_what_there_is_room_for), RUN(tls_clear, takes_nothing_after_close),
	  RUN(tls_clear, connects_as_it_accepts_and_trusts_who_is_there))
