/* SPDX-License-Identifier: BSD-3-Clause */
#include "fork.h"

const char *page_got[WICS];

static void register_page(uint32_t at)
{
	guest_registered(&(struct guest){
		.at = at, .token = token_guest(GUEST1, 3000), .cseq = 1, .expires_s = 600});
}

void pages_open(enum mw_transport transport, uint32_t pages)
{
	block_guest_home(0);
	block_call_home(0);
	block_up();
	pages_enter(transport, pages);
}

void pages_enter(enum mw_transport transport, uint32_t pages)
{
	world.wwsf[0].fork = true;
	world.config.timer_c_s = 200;
	world.source.transport = transport;
	for (uint32_t i = 0; i < pages; i++)
		register_page(i);
	world_forget();
}

const char *page_last(uint32_t page)
{
	for (uint32_t i = world.count; i > 0; i--)
		if (world.sent[i - 1].to == TO_WIC &&
		    handle_equal(world.sent[i - 1].flow, world.wic[page].flow))
			return world.sent[i - 1].text;
	fail_msg("nothing went there");
	return NULL;
}

void pages_called(const char *method, uint32_t pages)
{
	world_forget();
	core_sends(core_asks(&(struct core_says){.method = method}));
	EXPECT_EQ(pages, count_of(TO_WIC, format("%s ", method)));
	for (uint32_t i = 0; i < pages; i++)
		page_got[i] = keep(page_last(i));
	world_forget();
}

void pages_ring(uint32_t pages)
{
	pages_open(MW_TCP, pages);
	pages_called("INVITE", pages);
}

void page_says(uint32_t page, const char *status)
{
	EXPECT_EQ(GW_OK,
		  wic_sends(page,
			    answer_of(page_got[page], status, format("w%u", page),
				      status[0] == '2' ? "Contact: <sip:c@c.invalid>" CRLF : "")));
}

void page_obeys(uint32_t page)
{
	const char *cancel = keep(page_last(page));

	EXPECT(begins(cancel, "CANCEL "));
	EXPECT_EQ(GW_OK, wic_sends(page, bare_answer_of(cancel, "200 OK", "x", "")));
	page_says(page, "487 Request Terminated");
}

void core_hears(uint16_t status, const char *tag)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < world.count; i++)
		n += world.sent[i].to == TO_SOURCE && status_of(world.sent[i].text) >= 200;
	EXPECT_EQ(1, n);
	EXPECT_EQ(status, status_of(last_to(TO_SOURCE)));
	EXPECT(contains(line(last_to(TO_SOURCE), "To"), format(";tag=%s", tag)));
}

void core_acknowledges(void)
{
	core_sends(core_asks(
		&(struct core_says){.method = "ACK", .called = "", .to = "<" GUEST1 ">;tag=w"}));
}

void fork_nothing_left(void)
{
	world_wait(70 * S);
	EXPECT_EQ(0, gateway_forks(world.gw));
	call_nothing_left();
}
