/* SPDX-License-Identifier: BSD-3-Clause */
#include "fork.h"
#include "gateway/internal.h"

/* The same on several workers: what the home worker of who is called and those of his pages say to
 * each other. */

/* ---- pages on another worker ---------------------------------------------------------------- */

static struct handle far(uint32_t slot)
{
	return (struct handle){.worker = 1, .slot = slot, .generation = 5};
}

/** guest1 is registered on that page of worker 1 as well. */
static void register_far(uint32_t slot)
{
	struct message_registrar_ask ask = {.head = {MESSAGE_REGISTRAR_ASK, sizeof(ask)},
					    .what = REGISTRAR_BIND,
					    .flow = far(slot),
					    .apart = slot,
					    .expires_s = 600,
					    .max = 3,
					    .key = block_guest_key()};

	gateway_registrar_message(world.gw, &ask.head, span_of(&ask, sizeof(ask)));
	world_forget();
}

/** The branch that worker 1 was given. */
static struct fork_branch there;

/** A call for one page here and one there. */
static void start_far(void)
{
	const struct message_fork_branch *m;

	pages_open(MW_TCP, 1);
	register_far(4);
	core_sends(core_asks(&(struct core_says){0}));
	EXPECT_EQ(1, count_of(TO_WIC, "INVITE "));
	page_got[0] = keep(page_last(0));
	m = (const void *)block_letter(MESSAGE_FORK_BRANCH)->head;
	EXPECT_EQ(1, block_letter(MESSAGE_FORK_BRANCH)->worker);
	EXPECT(begins(block_letter(MESSAGE_FORK_BRANCH)->text, "INVITE sip:block-shop@"));
	EXPECT(handle_equal(far(4), m->flow));
	EXPECT_EQ(sizeof(*m) + block_letter(MESSAGE_FORK_BRANCH)->len, m->head.len);
	there = m->branch;
	world_forget();
}

static void far_says(uint16_t status, const char *text)
{
	static _Alignas(16) uint8_t bytes[sizeof(struct message_fork_answer) + 4096];
	struct message_fork_answer m = {.head = {MESSAGE_FORK_ANSWER,
						 (uint32_t)(sizeof(m) + strlen(text))},
					.branch = there,
					.status = status,
					.worker = 1};

	memcpy(bytes, &m, sizeof(m));
	memcpy(bytes + sizeof(m), text, strlen(text));
	gateway_fork_message(world.gw, (const void *)bytes, span_of(bytes, m.head.len));
}

/** Of a page there, as its worker has written it for the core. */
static const char *far_answer(const char *status)
{
	return format("SIP/2.0 %s" CRLF "Via: SIP/2.0/TCP 198.18.0.20:5060;branch=z9hG4bKs1" CRLF
		      "From: <sip:carol@home2.net>;tag=c" CRLF "To: <" GUEST1 ">;tag=far" CRLF
		      "Call-ID: c1@home2.net" CRLF "CSeq: 1 INVITE" CRLF
		      "Content-Length: 0" CRLF CRLF,
		      status);
}

TEST(fork, goes_to_pages_of_all_workers)
{
	start_far();
	far_says(180, "");
	EXPECT_EQ(0, world.count); /* the core has it */
	page_says(0, "180 Ringing");
	world_forget();
	far_says(200, "");
	EXPECT_EQ(0, count_to(TO_SOURCE));
	EXPECT_EQ(1, count_of(TO_WIC, "CANCEL "));
	page_obeys(0);
	EXPECT_EQ(0, count_to(TO_SOURCE));
	EXPECT_EQ(0, gateway_forks(world.gw));
	far_says(486, far_answer("486 Busy Here")); /* it is none of its branches any more */
	EXPECT_EQ(0, count_to(TO_SOURCE));
	fork_nothing_left();
}

TEST(fork, is_cancelled_on_another_worker)
{
	const struct message_fork_cancel *m;

	start_far();
	page_says(0, "200 OK");
	m = (const void *)block_letter(MESSAGE_FORK_CANCEL)->head;
	EXPECT_EQ(1, block_letter(MESSAGE_FORK_CANCEL)->worker);
	EXPECT_EQ(sizeof(*m), m->head.len);
	EXPECT(handle_equal(there.fork, m->branch.fork));
	EXPECT_EQ(there.number, m->branch.number);
	core_hears(200, "w0");
}

/** What was sent: one CANCEL for it, or none. */
static void far_is_cancelled(uint32_t times)
{
	const struct sent *s = block_letter(MESSAGE_FORK_CANCEL);
	const struct message_fork_cancel *m = s != NULL ? (const void *)s->head : NULL;

	EXPECT_EQ(times, count_to(TO_WORKER));
	EXPECT_EQ(times, m != NULL);
	if (m == NULL)
		return;
	EXPECT_EQ(1, s->worker);
	EXPECT(handle_equal(there.fork, m->branch.fork));
	EXPECT_EQ(there.number, m->branch.number);
	world_forget();
}

TEST(fork, cancels_again_what_rings_on_another_worker_when_it_is_over)
{
	start_far();
	far_says(180, "");
	far_is_cancelled(0);
	page_says(0, "200 OK");
	world_forget(); /* with the CANCEL */
	far_says(180, "");
	far_is_cancelled(1);
	far_says(487, ""); /* it obeys */
	far_is_cancelled(0);
	start_far();
	page_says(0, "603 Decline");
	world_forget();
	far_says(180, "");
	far_is_cancelled(1);
	far_says(487, "");
	core_hears(603, "w0");
	start_far();
	core_sends(core_asks(&(struct core_says){.method = "CANCEL", .called = ""}));
	world_forget();
	far_says(180, "");
	far_is_cancelled(1);
}

TEST(fork, says_the_best_failure_of_all_workers)
{
	start_far();
	page_says(0, "500 Error");
	EXPECT_EQ(0, count_to(TO_SOURCE));
	far_says(486, far_answer("486 Busy Here"));
	core_hears(486, "far");
	start_far();
	page_says(0, "500 Error");
	far_says(486, ""); /* it got lost on the way */
	core_hears(486, "ep-");
	core_acknowledges();
	fork_nothing_left();
}

TEST(fork, of_a_message_takes_a_2xx_that_got_lost_for_a_failure)
{
	pages_open(MW_TCP, 1);
	register_far(4);
	core_sends(core_asks(&(struct core_says){.method = "MESSAGE"}));
	page_got[0] = keep(page_last(0));
	there = ((const struct message_fork_branch *)block_letter(MESSAGE_FORK_BRANCH)->head)
			->branch;
	world_forget();
	far_says(200, "");
	EXPECT_EQ(0, count_to(TO_SOURCE));
	page_says(0, "486 Busy Here");
	core_hears(486, "w0");
}

TEST(fork, of_a_message_cancels_nobody)
{
	pages_open(MW_TCP, 1);
	register_far(4);
	core_sends(core_asks(&(struct core_says){.method = "MESSAGE"}));
	page_got[0] = keep(page_last(0));
	page_says(0, "603 Decline");
	assert_null(block_letter(MESSAGE_FORK_CANCEL)); /* RFC 3261 9.1 */
	EXPECT_EQ(0, count_to(TO_SOURCE));
}

TEST(fork, of_a_message_has_a_2xx_of_another_worker)
{
	pages_open(MW_TCP, 1);
	register_far(4);
	core_sends(core_asks(&(struct core_says){.method = "MESSAGE"}));
	there = ((const struct message_fork_branch *)block_letter(MESSAGE_FORK_BRANCH)->head)
			->branch;
	world_forget();
	far_says(200, far_answer("200 OK"));
	core_hears(200, "far");
}

TEST(fork, that_no_worker_has_room_for_does_not_say_that_nobody_is_there)
{
	pages_open(MW_TCP, 0);
	register_far(4);
	register_far(9);
	world.to_worker_err = GW_QUEUE_FULL;
	core_sends(core_asks(&(struct core_says){0}));
	core_hears(503, "ep-"); /* as one alone */
	EXPECT_LINE("2", last_to(TO_SOURCE), "Retry-After");
	EXPECT_NO_LINE(last_to(TO_SOURCE), "Reason");
	EXPECT_EQ(0, gateway_forks(world.gw));
}

TEST(fork, that_finds_a_ring_full_goes_on_without_that_page)
{
	pages_open(MW_TCP, 1);
	register_far(4);
	world.to_worker_err = GW_QUEUE_FULL;
	core_sends(core_asks(&(struct core_says){0}));
	EXPECT_EQ(1, world_count(&world.counters.block_branch_lost));
	EXPECT_EQ(1, count_of(TO_WIC, "INVITE "));
	page_got[0] = keep(page_last(0));
	world_forget();
	page_says(0, "486 Busy Here");
	core_hears(486, "w0");
}

TEST(fork, ends_by_itself_when_another_worker_never_says_what_has_become_of_its_page)
{
	start_far();
	page_says(0, "486 Busy Here");
	world_wait(263 * S); /* timer C, a CANCEL without effect, and 64*T1 for the way */
	EXPECT_EQ(0, count_to(TO_SOURCE));
	far_says(180, ""); /* all that begins anew */
	world_wait(263 * S);
	EXPECT_EQ(0, count_to(TO_SOURCE));
	world_wait(2 * S);
	core_hears(486, "w0");
	assert_non_null(block_letter(MESSAGE_FORK_CANCEL));
	EXPECT_EQ(1, world_count(&world.counters.transaction_timeout));
	EXPECT_EQ(0, gateway_forks(world.gw));
	far_says(486, "");
	core_acknowledges();
	fork_nothing_left();
}

TEST(fork, of_which_nothing_is_heard_from_another_worker_ends_as_a_silent_one)
{
	pages_open(MW_TCP, 0);
	register_far(4);
	register_far(9);
	core_sends(core_asks(&(struct core_says){0}));
	world_wait(265 * S);
	core_hears(408, "ep-");
}

TEST(fork, does_not_believe_in_branches_that_it_has_not)
{
	start_far();
	there.number = 2;
	far_says(200, "");
	there.number = 99;
	far_says(200, "");
	there.number = 1;
	there.fork.generation++;
	far_says(200, "");
	EXPECT_EQ(1, gateway_forks(world.gw));
}

/* ---- as the worker of a page ---------------------------------------------------------------- */

/** A branch of worker 1's comes for WIC 0. */
static void branch_comes_for(struct handle flow, const char *text)
{
	static _Alignas(16) uint8_t bytes[sizeof(struct message_fork_branch) + 4096];
	struct message_fork_branch m = {
		.head = {MESSAGE_FORK_BRANCH, (uint32_t)(sizeof(m) + strlen(text))},
		.branch = {.fork = {.worker = 1, .slot = 3, .generation = 8}, .number = 5},
		.flow = flow,
		.source = world.source};

	memcpy(bytes, &m, sizeof(m));
	memcpy(bytes + sizeof(m), text, strlen(text));
	gateway_fork_message(world.gw, (const void *)bytes, span_of(bytes, m.head.len));
}

static void start_branch(void)
{
	pages_open(MW_TCP, 1);
	branch_comes_for(world.wic[0].flow, core_asks(&(struct core_says){0}));
	page_got[0] = keep(world_only(TO_WIC)); /* its 100 is the fork's */
	EXPECT(begins(page_got[0], "INVITE sip:c0@c0.invalid;transport=ws "));
	world_forget();
}

/** What the fork is told, the only such message; with these bytes behind it. */
static const struct message_fork_answer *fork_hears(uint16_t status, const char *start)
{
	const struct sent *s = block_letter(MESSAGE_FORK_ANSWER);
	const struct message_fork_answer *m;

	assert_non_null(s);
	m = (const void *)s->head;
	EXPECT_EQ(1, count_to(TO_WORKER));
	EXPECT_EQ(1, s->worker);
	EXPECT_EQ(status, m->status);
	EXPECT_EQ(sizeof(*m) + s->len, m->head.len);
	EXPECT(begins(s->text, start));
	EXPECT_EQ(start[0] == 0, s->len == 0);
	EXPECT_EQ(5, m->branch.number);
	EXPECT_EQ(8, m->branch.fork.generation);
	return m;
}

TEST(branch, answers_the_core_with_what_goes_on_at_once_and_its_fork_hears_of_it)
{
	start_branch();
	page_says(0, "180 Ringing");
	EXPECT_EQ(1, count_of(TO_SOURCE, "SIP/2.0 180"));
	fork_hears(180, "");
	world_forget();
	page_says(0, "200 OK");
	EXPECT_EQ(1, count_of(TO_SOURCE, "SIP/2.0 200"));
	fork_hears(200, "");
	world_forget();
	page_says(0, "200 OK"); /* again */
	EXPECT_EQ(1, count_of(TO_SOURCE, "SIP/2.0 200"));
	EXPECT_EQ(0, count_to(TO_WORKER));
	fork_nothing_left();
}

TEST(branch, leaves_a_failure_to_its_fork)
{
	start_branch();
	page_says(0, "486 Busy Here");
	EXPECT_EQ(0, count_to(TO_SOURCE));
	EXPECT_EQ(1, count_of(TO_WIC, "ACK "));
	fork_hears(486, "SIP/2.0 486 Busy Here" CRLF "Via: SIP/2.0/TCP 198.18.0.20:5060;");
	EXPECT_EQ(0, gateway_transactions(world.gw));
	fork_nothing_left();
}

TEST(branch, tells_its_fork_when_its_page_is_silent_or_leaves)
{
	start_branch();
	world_wait(33 * S);
	EXPECT(fork_hears(408, "")->own);
	EXPECT_EQ(0, count_to(TO_SOURCE));
	fork_nothing_left();
	start_branch();
	wic_leaves(0);
	assert_non_null(block_letter(MESSAGE_FORK_ANSWER));
	EXPECT(fork_hears(480, "")->own);
	EXPECT_EQ(0, count_to(TO_SOURCE));
}

TEST(branch, is_cancelled_by_its_fork_as_soon_as_that_may_be)
{
	struct message_fork_cancel m = {
		.head = {MESSAGE_FORK_CANCEL, sizeof(m)},
		.branch = {.fork = {.worker = 1, .slot = 3, .generation = 8}, .number = 5}};

	start_branch();
	m.branch.number = 4; /* another one */
	gateway_fork_message(world.gw, &m.head, span_of(&m, sizeof(m)));
	m.branch.number = 5;
	gateway_fork_message(world.gw, &m.head, span_of(&m, sizeof(m)));
	EXPECT_EQ(0, world.count); /* RFC 3261 9.1 */
	page_says(0, "180 Ringing");
	EXPECT_EQ(0, count_to(TO_SOURCE));
	EXPECT_EQ(0, count_to(TO_WORKER));
	page_obeys(0);
	EXPECT(!fork_hears(487, "SIP/2.0 487")->own);
	gateway_fork_message(world.gw, &m.head, span_of(&m, sizeof(m))); /* it has ended */
	EXPECT_EQ(1, count_of(TO_WIC, "CANCEL "));
	fork_nothing_left();
}

TEST(branch, tells_its_fork_without_the_response_when_the_ring_is_full)
{
	start_branch();
	world.to_worker_err = GW_QUEUE_FULL;
	page_says(0, "180 Ringing"); /* is not kept */
	EXPECT_EQ(0, world_count(&world.counters.outbox_kept));
	page_says(0, "486 Busy Here");
	EXPECT_EQ(1, world_count(&world.counters.outbox_kept));
	EXPECT_EQ(1, world_count(&world.counters.block_branch_lost));
	world.to_worker_err = GW_OK;
	world_wait(10 * MS);
	fork_hears(486, "");
}

TEST(branch, for_who_is_not_there_any_more_is_told_so)
{
	struct handle gone = {.worker = 0, .slot = 77, .generation = 1};

	pages_open(MW_TCP, 1);
	branch_comes_for(gone, core_asks(&(struct core_says){0}));
	fork_hears(480, "");
	EXPECT_EQ(0, count_to(TO_SOURCE));
	EXPECT_EQ(0, gateway_transactions(world.gw));
	world_forget();
	branch_comes_for(world.wic[1].flow, core_asks(&(struct core_says){0})); /* no binding */
	fork_hears(480, "");
	world_forget();
	world.to_wic_err = GW_WS_SLOW;
	branch_comes_for(world.wic[0].flow, core_asks(&(struct core_says){0}));
	fork_hears(480, "");
	world_forget();
	branch_comes_for(world.wic[0].flow, "x");
	fork_hears(500, "");
	EXPECT_EQ(1, world_count(&world.counters.errors[GW_INVARIANT]));
	EXPECT_EQ(0, gateway_transactions(world.gw));
}

TEST(branch, that_this_worker_has_no_room_for_is_not_said_to_be_absent)
{
	void *lent;

	pages_open(MW_TCP, 1); /* one long block */
	lent = slots_get_unzeroed(world.gw->heads);
	branch_comes_for(
		world.wic[0].flow,
		core_asks(&(struct core_says){
			.lines = format("Via: SIP/2.0/TCP 198.18.0.30;branch=z9hG4bK%01300d" CRLF,
					0)}));
	EXPECT(fork_hears(503, "")->own);
	EXPECT_EQ(0, gateway_transactions(world.gw));
	EXPECT(slots_put(world.gw->heads, lent));
	world_forget();
	for (uint32_t i = 0; i < 8; i++)
		core_sends(core_asks(
			&(struct core_says){.method = "MESSAGE", .branch = format("m%u", i)}));
	world_forget();
	branch_comes_for(world.wic[0].flow, core_asks(&(struct core_says){0}));
	EXPECT(fork_hears(503, "")->own);
	EXPECT_EQ(1, world_count(&world.counters.errors[GW_TRANSACTION_LIMIT]));
}

TEST(branch, of_a_message_leaves_its_2xx_to_its_fork)
{
	pages_open(MW_TCP, 1);
	branch_comes_for(world.wic[0].flow, core_asks(&(struct core_says){.method = "MESSAGE"}));
	page_got[0] = keep(world_only(TO_WIC));
	world_forget();
	page_says(0, "200 OK");
	EXPECT_EQ(0, count_to(TO_SOURCE));
	fork_hears(200, "SIP/2.0 200 OK");
	EXPECT_EQ(0, world_transactions());
}

TEST_MAIN("block_branch", RUN(fork, goes_to_pages_of_all_workers),
	  RUN(fork, is_cancelled_on_another_worker),
	  RUN(fork, cancels_again_what_rings_on_another_worker_when_it_is_over),
	  RUN(fork, says_the_best_failure_of_all_workers),
	  RUN(fork, of_a_message_takes_a_2xx_that_got_lost_for_a_failure),
	  RUN(fork, of_a_message_cancels_nobody),
	  RUN(fork, of_a_message_has_a_2xx_of_another_worker),
	  RUN(fork, that_no_worker_has_room_for_does_not_say_that_nobody_is_there),
	  RUN(fork, that_finds_a_ring_full_goes_on_without_that_page),
	  RUN(fork, ends_by_itself_when_another_worker_never_says_what_has_become_of_its_page),
	  RUN(fork, of_which_nothing_is_heard_from_another_worker_ends_as_a_silent_one),
	  RUN(fork, does_not_believe_in_branches_that_it_has_not),
	  RUN(branch, answers_the_core_with_what_goes_on_at_once_and_its_fork_hears_of_it),
	  RUN(branch, leaves_a_failure_to_its_fork),
	  RUN(branch, tells_its_fork_when_its_page_is_silent_or_leaves),
	  RUN(branch, is_cancelled_by_its_fork_as_soon_as_that_may_be),
	  RUN(branch, tells_its_fork_without_the_response_when_the_ring_is_full),
	  RUN(branch, for_who_is_not_there_any_more_is_told_so),
	  RUN(branch, that_this_worker_has_no_room_for_is_not_said_to_be_absent),
	  RUN(branch, of_a_message_leaves_its_2xx_to_its_fork))
