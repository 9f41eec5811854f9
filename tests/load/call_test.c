/* SPDX-License-Identifier: BSD-3-Clause */
#include "test.h"
#include "wic.h"

/* What a WIC says in a call, frame by frame: the link is this file, which keeps what is sent. */

static struct {
	uint8_t text[4][LINK_OUT_MAX]; /* of each message, its mask taken off */
	uint32_t len[4];
	uint32_t count;
} sent;

static struct wic_world world;
static struct wic wic;
static struct tally tally;
static struct options options;
static const struct pair pair = {SPAN("user@ims.example.test"), SPAN("sip:user@ims.example.test")};

bool link_queue(struct link *l, struct span bytes)
{
	uint32_t head = (bytes.at[1] & 0x7f) == 126 ? 4 : 2;
	const uint8_t *mask = bytes.at + head;

	assert_true(sent.count < 4);
	for (uint32_t i = head + 4; i < bytes.len; i++)
		sent.text[sent.count][i - head - 4] = bytes.at[i] ^ mask[(i - head - 4) % 4];
	sent.len[sent.count++] = bytes.len - head - 4;
	return true;
}

enum link_state link_flush(struct link *l)
{
	return LINK_READY;
}

enum link_state link_open(struct link *l, const struct link_config *config,
			  const struct address *source, void *owner)
{
	return LINK_FAILED;
}

enum link_state link_connected(struct link *l)
{
	return LINK_FAILED;
}

enum link_state link_handshake(struct link *l)
{
	return LINK_FAILED;
}

enum link_state link_read(struct link *l, uint8_t *to, uint32_t room, uint32_t *got)
{
	return LINK_WAIT;
}

void link_close(struct link *l, enum link_end how)
{
}

/** A registered WIC that has said nothing yet. */
static void start(void)
{
	memset(&sent, 0, sizeof(sent));
	memset(&tally, 0, sizeof(tally));
	memset(&world, 0, sizeof(world));
	memset(&wic, 0, sizeof(wic));
	options = (struct options){.to = "sip:friend@ims.example.test"};
	world.options = &options;
	world.tally = &tally;
	wic_init(&wic, &world, 7, &pair, NULL);
	wic.state = WIC_OPEN;
	wic.registered = true;
}

static struct sip_message *message(uint32_t i)
{
	static struct sip_message m;

	assert_true(i < sent.count);
	assert_int_equal(GW_OK, sip_index(span_of(sent.text[i], sent.len[i]), &m));
	return &m;
}

/** The answer to what was sent as the i-th comes. */
static void answer(uint32_t i, uint16_t status, const char *extra)
{
	uint8_t text[2048];
	struct writer out;

	writer_init(&out, text, sizeof(text));
	assert_int_equal(GW_OK,
			 sip_reply_write(message(i), status, SPAN("them"), span_text(extra), &out));
	wic_message(&wic, writer_span(&out));
}

static const char dialog[] = "Record-Route: <sip:a.net;lr>, <sip:b.net;lr>\r\n"
			     "Record-Route: <sip:c.net;lr>\r\n"
			     "Contact: <sip:friend@198.18.0.20;x=y>\r\n";

/** The n-th Route says this. */
static void expect_route(const struct sip_message *m, uint32_t n, struct span value)
{
	const struct sip_field *f = sip_first(m, SIP_HEADER_ROUTE);

	while (f != NULL && n-- > 0)
		f = sip_next(m, f);
	EXPECT(f != NULL && span_equal(f->value, value));
}

TEST(call, is_acknowledged_and_ended_over_its_route_in_reverse)
{
	static const enum sip_method methods[] = {SIP_ACK, SIP_BYE};

	start();
	wic_do(&wic, WIC_CALL);
	EXPECT(!wic_is_idle(&wic));
	answer(0, 180, dialog);
	EXPECT_EQ(1, sent.count);
	answer(0, 200, dialog);
	EXPECT_EQ(3, sent.count);
	for (uint32_t i = 0; i < 2; i++) {
		const struct sip_message *m = message(1 + i);

		EXPECT_EQ(methods[i], m->method);
		EXPECT_EQ(1 + i, m->cseq);
		EXPECT(span_equal(m->uri, SPAN("sip:friend@198.18.0.20;x=y")));
		EXPECT(span_equal(sip_value(m, SIP_HEADER_TO),
				  SPAN("<sip:friend@ims.example.test>;tag=them")));
		expect_route(m, 0, SPAN("<sip:c.net;lr>"));
		expect_route(m, 1, SPAN("<sip:b.net;lr>"));
		expect_route(m, 2, SPAN("<sip:a.net;lr>"));
	}
	answer(2, 200, "");
	EXPECT(wic_is_idle(&wic));
	EXPECT_EQ(1, tally.took[PHASE_RAMP][DEED_CALL].count);
	EXPECT_EQ(0, tally.failures);
}

TEST(call, without_a_contact_in_the_200_is_a_failure)
{
	start();
	wic_do(&wic, WIC_CALL);
	answer(0, 200, "");
	EXPECT_EQ(1, tally.failures);
	EXPECT_EQ(FAILURE_DIALOG, tally.row[0].what);
	EXPECT_EQ(1, sent.count);
}

TEST(call, that_is_refused_is_a_failure_with_its_status)
{
	start();
	wic_do(&wic, WIC_CALL);
	answer(0, 486, "");
	EXPECT_EQ(1, tally.failures);
	EXPECT_EQ(FAILURE_INVITE_REFUSED, tally.row[0].what);
	EXPECT_EQ(486, tally.row[0].detail);
}

TEST(message, is_done_when_it_is_answered)
{
	start();
	wic_do(&wic, WIC_MESSAGE);
	EXPECT_EQ(SIP_MESSAGE, message(0)->method);
	EXPECT(span_equal(message(0)->uri, SPAN("sip:friend@ims.example.test")));
	answer(0, 200, "");
	EXPECT(wic_is_idle(&wic));
	EXPECT_EQ(1, tally.took[PHASE_RAMP][DEED_MESSAGE].count);
}

TEST(message, is_not_done_by_the_answer_to_another_one)
{
	start();
	wic_do(&wic, WIC_MESSAGE);
	answer(0, 200, "");
	wic_do(&wic, WIC_MESSAGE);
	answer(0, 200, "");
	EXPECT(!wic_is_idle(&wic));
	EXPECT_EQ(FAILURE_UNMATCHED, tally.row[0].what);
}

TEST_MAIN("load call", RUN(call, is_acknowledged_and_ended_over_its_route_in_reverse),
	  RUN(call, without_a_contact_in_the_200_is_a_failure),
	  RUN(call, that_is_refused_is_a_failure_with_its_status),
	  RUN(message, is_done_when_it_is_answered),
	  RUN(message, is_not_done_by_the_answer_to_another_one))
