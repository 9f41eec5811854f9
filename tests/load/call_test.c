/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage.h"

/* What a WIC says in a call, frame by frame. */

static const struct pair pair = {SPAN("user@ims.example.test"), SPAN("sip:user@ims.example.test")};

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

	stage_start(&pair);
	wic_do(&stage.wic, WIC_CALL);
	EXPECT(!wic_is_idle(&stage.wic));
	stage_answer(0, 180, dialog);
	EXPECT_EQ(1, stage.sent.count);
	stage_answer(0, 200, dialog);
	EXPECT_EQ(3, stage.sent.count);
	for (uint32_t i = 0; i < 2; i++) {
		const struct sip_message *m = stage_message(1 + i);

		EXPECT_EQ(methods[i], m->method);
		EXPECT_EQ(1 + i, m->cseq);
		EXPECT(span_equal(m->uri, SPAN("sip:friend@198.18.0.20;x=y")));
		EXPECT(span_equal(sip_value(m, SIP_HEADER_TO),
				  SPAN("<sip:friend@ims.example.test>;tag=them")));
		expect_route(m, 0, SPAN("<sip:c.net;lr>"));
		expect_route(m, 1, SPAN("<sip:b.net;lr>"));
		expect_route(m, 2, SPAN("<sip:a.net;lr>"));
	}
	stage_answer(2, 200, "");
	EXPECT(wic_is_idle(&stage.wic));
	EXPECT_EQ(1, stage.tally.took[PHASE_RAMP][DEED_CALL].count);
	EXPECT_EQ(0, stage.tally.failures);
}

TEST(call, without_a_contact_in_the_200_is_a_failure)
{
	stage_start(&pair);
	wic_do(&stage.wic, WIC_CALL);
	stage_answer(0, 200, "");
	EXPECT_EQ(1, stage.tally.failures);
	EXPECT_EQ(FAILURE_DIALOG, stage.tally.row[0].what);
	EXPECT_EQ(1, stage.sent.count);
}

TEST(call, that_is_refused_is_a_failure_with_its_status)
{
	stage_start(&pair);
	wic_do(&stage.wic, WIC_CALL);
	stage_answer(0, 486, "");
	EXPECT_EQ(1, stage.tally.failures);
	EXPECT_EQ(FAILURE_INVITE_REFUSED, stage.tally.row[0].what);
	EXPECT_EQ(486, stage.tally.row[0].detail);
}

TEST(message, is_done_when_it_is_answered)
{
	stage_start(&pair);
	wic_do(&stage.wic, WIC_MESSAGE);
	EXPECT_EQ(SIP_MESSAGE, stage_message(0)->method);
	EXPECT(span_equal(stage_message(0)->uri, SPAN("sip:friend@ims.example.test")));
	stage_answer(0, 200, "");
	EXPECT(wic_is_idle(&stage.wic));
	EXPECT_EQ(1, stage.tally.took[PHASE_RAMP][DEED_MESSAGE].count);
}

TEST(message, is_not_done_by_the_answer_to_another_one)
{
	stage_start(&pair);
	wic_do(&stage.wic, WIC_MESSAGE);
	stage_answer(0, 200, "");
	wic_do(&stage.wic, WIC_MESSAGE);
	stage_answer(0, 200, "");
	EXPECT(!wic_is_idle(&stage.wic));
	EXPECT_EQ(FAILURE_UNMATCHED, stage.tally.row[0].what);
}

TEST_MAIN("load call", RUN(call, is_acknowledged_and_ended_over_its_route_in_reverse),
	  RUN(call, without_a_contact_in_the_200_is_a_failure),
	  RUN(call, that_is_refused_is_a_failure_with_its_status),
	  RUN(message, is_done_when_it_is_answered),
	  RUN(message, is_not_done_by_the_answer_to_another_one))
