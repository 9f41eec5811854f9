/* SPDX-License-Identifier: BSD-3-Clause */
#include "net/hop.h"

#define SECOND_US 1000000ull
#define ASK_US SECOND_US	       /* between two questions of a hop, at least */
#define ANSWER_US (3 * SECOND_US)      /* an answer later than that answers nothing */
#define SLOW_AFTER_US (60 * SECOND_US) /* one that is lost is asked for less often then */
#define SLOW_US (5 * SECOND_US)
#define MISSES 3u /* questions without an answer, and a hop has failed or is lost */

void hop_init(struct hop *hop, uint32_t netif, const struct ip_address *address, uint32_t probe_s,
	      uint64_t now_us)
{
	*hop = (struct hop){
		.address = *address,
		.netif = netif,
		.view = {.state = NEIGHBOUR_INCOMPLETE},
		.probe_us = (probe_s > 0 ? probe_s : 1) * SECOND_US,
		.due_us = now_us,
	};
}

/* ---- who answers -------------------------------------------------------------------------------
 */

static bool mac_is_usable(const uint8_t mac[6])
{
	static const uint8_t zero[6];

	return (mac[0] & 1) == 0 && memcmp(mac, zero, sizeof(zero)) != 0;
}

static bool hop_is_at(const struct hop *hop, const uint8_t mac[6])
{
	return hop_state_has_mac(hop->view.state) &&
	       memcmp(hop->view.mac, mac, sizeof(hop->view.mac)) == 0;
}

/* A question to the MAC that is known is no invitation to others. */
static bool hop_believes(const struct hop *hop, const uint8_t mac[6], uint64_t now_us)
{
	if (hop->asked == HOP_ASKED_NOBODY || now_us >= hop->asked_us + ANSWER_US)
		return false;
	return hop->asked == HOP_ASKED_ALL || hop_is_at(hop, mac);
}

void hop_claim(struct hop *hop, const uint8_t mac[6])
{
	bool answers = hop->view.state == NEIGHBOUR_REACHABLE || hop->view.state == NEIGHBOUR_PROBE;

	if (!mac_is_usable(mac) || (answers && hop_is_at(hop, mac)))
		return; /* no news */
	hop->claimed = answers;
	hop->due_us = hop->asked_us + ASK_US; /* at once, but not more often for more claims */
}

static void hop_learn(struct hop *hop, const uint8_t mac[6], uint64_t now_us)
{
	hop->view.state = NEIGHBOUR_REACHABLE;
	memcpy(hop->view.mac, mac, sizeof(hop->view.mac));
	hop->asked = HOP_ASKED_NOBODY;
	hop->unanswered = 0;
	hop->claimed = false;
	hop->due_us = now_us + hop->probe_us;
}

void hop_answer(struct hop *hop, const uint8_t mac[6], const struct neighbour_ops *ops,
		void *context, uint64_t now_us)
{
	bool found = hop->view.state == NEIGHBOUR_STALE;
	bool moved = hop_state_has_mac(hop->view.state) && !hop_is_at(hop, mac);

	if (!mac_is_usable(mac) || !hop_believes(hop, mac, now_us)) {
		hop_claim(hop, mac);
		return;
	}
	hop_learn(hop, mac, now_us);
	if (found)
		ops->alarm(context, GW_NEIGHBOUR_FOUND, &hop->address);
	if (moved)
		ops->alarm(context, GW_NEIGHBOUR_MOVED, &hop->address);
}

/* ---- what is due -------------------------------------------------------------------------------
 */

/* What a hop does when its time has come: whom it asks, and when it is due again. */
struct due {
	enum hop_question ask;
	uint64_t again_us;
};

static struct due due_incomplete(struct hop *hop, uint64_t now_us)
{
	if (hop->unanswered >= MISSES)
		hop->view.state = NEIGHBOUR_FAILED;
	return (struct due){HOP_ASKED_ALL, ASK_US};
}

static struct due due_failed(struct hop *hop, uint64_t now_us)
{
	return (struct due){HOP_ASKED_ALL, ASK_US};
}

static struct due due_reachable(struct hop *hop, uint64_t now_us)
{
	hop->view.state = NEIGHBOUR_PROBE;
	return (struct due){HOP_ASKED_KNOWN, ASK_US};
}

static struct due due_probe(struct hop *hop, uint64_t now_us)
{
	if (hop->unanswered < MISSES)
		return (struct due){hop->claimed ? HOP_ASKED_ALL : HOP_ASKED_KNOWN, ASK_US};
	hop->view.state = NEIGHBOUR_STALE;
	hop->lost_us = now_us;
	return (struct due){HOP_ASKED_ALL, ASK_US};
}

static struct due due_stale(struct hop *hop, uint64_t now_us)
{
	bool slow = now_us >= hop->lost_us + SLOW_AFTER_US;

	return (struct due){HOP_ASKED_ALL, slow ? SLOW_US : ASK_US};
}

void hop_run(struct hop *hop, const struct neighbour_ops *ops, void *context, uint64_t now_us)
{
	static struct due (*const on_due[NEIGHBOUR_STATES])(struct hop *, uint64_t) = {
		[NEIGHBOUR_INCOMPLETE] = due_incomplete, [NEIGHBOUR_FAILED] = due_failed,
		[NEIGHBOUR_REACHABLE] = due_reachable,	 [NEIGHBOUR_PROBE] = due_probe,
		[NEIGHBOUR_STALE] = due_stale,
	};
	enum neighbour_state before = hop->view.state;
	struct due due = on_due[before](hop, now_us);

	hop->asked = due.ask;
	hop->asked_us = now_us;
	hop->due_us = now_us + due.again_us;
	hop->unanswered++;
	if (hop->view.state == NEIGHBOUR_STALE && before != NEIGHBOUR_STALE)
		ops->alarm(context, GW_NEIGHBOUR_LOST, &hop->address);
	ops->ask(context, due.ask == HOP_ASKED_ALL ? NEIGHBOUR_ASK_ALL : NEIGHBOUR_ASK_KNOWN,
		 hop->netif, &hop->address, hop->view.mac);
}
