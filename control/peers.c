/* SPDX-License-Identifier: BSD-3-Clause */
#include "peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "address.h"

#define TTL_MIN_S 5
#define TTL_MAX_S 3600
#define FAILED_S 30	     /* until a lookup that brought nothing is repeated */
#define UNWANTED_MS 3600000u /* a row that nobody asked for in so long goes */
#define QUESTIONS_MAX 32     /* of one lookup */

/** What is asked next when the questions before brought no address (RFC 3263 4.1, 4.2). */
enum stage { STAGE_NAPTR, STAGE_SRV, STAGE_ADDRESS, STAGES };

struct question {
	char name[PEER_NAME_MAX + 8]; /* with the labels of a service */
	uint16_t type;
	uint16_t port;
	enum next_hop_transport transport;
	uint32_t priority, weight;
};

struct row {
	struct peers *peers;
	char name[PEER_NAME_MAX];
	uint16_t port;
	enum next_hop_transport asked;
	bool used, configured;
	uint64_t wanted_ms; /* last time */
	uint64_t due_ms;    /* of the next lookup */
	struct peer_address known[PEER_ADDRESSES_MAX];
	uint32_t known_count;
	/* the lookup under way */
	uint64_t id; /* of its question; 0: none */
	enum stage stage;
	bool failed; /* one of its questions was not answered */
	uint32_t ttl_s;
	uint32_t next, count;
	struct question question[QUESTIONS_MAX];
	struct peer_address found[PEER_ADDRESSES_MAX];
	uint32_t found_count;
};

struct peers {
	struct peers_config config;
	bool ipv6, tls; /* what Mw has */
	bool changed;	/* to be published */
	struct row row[PEERS_MAX];
};

struct owned_peers {
	struct peer_part part;
	struct peer_row row[PEERS_MAX];
	struct peer_address address[PEERS_MAX][PEER_ADDRESSES_MAX];
	char name[PEERS_MAX][PEER_NAME_MAX];
};

static uint64_t now_ms(const struct peers *peers)
{
	return peers->config.now_ms(peers->config.context);
}

/* ---- a lookup ------------------------------------------------------------------------------- */

static void push(struct row *r, struct question q, const char *service, const char *name)
{
	if (r->count == QUESTIONS_MAX)
		return;
	if ((size_t)snprintf(q.name, sizeof(q.name), "%s%s", service, name) < sizeof(q.name))
		r->question[r->count++] = q;
}

static void push_service(struct row *r, enum next_hop_transport transport, uint32_t priority)
{
	static const char *const services[] = {[NEXT_HOP_UDP] = "_sip._udp.",
					       [NEXT_HOP_TCP] = "_sip._tcp.",
					       [NEXT_HOP_TLS] = "_sips._tcp."};
	struct question q = {.type = PEERS_SRV, .transport = transport, .priority = priority};

	push(r, q, services[transport], r->name);
}

static void push_address(struct row *r, struct question q, const char *name)
{
	q.type = r->peers->ipv6 ? PEERS_AAAA : PEERS_A;
	push(r, q, "", name);
}

/** The questions of the next stage. False: there is none. */
static bool stage_begin(struct row *r)
{
	enum next_hop_transport own = r->asked == NEXT_HOP_ANY ? NEXT_HOP_UDP : r->asked;
	struct question q = {.type = PEERS_NAPTR};

	if (r->stage == STAGES)
		return false;
	switch (r->stage++) {
	case STAGE_NAPTR:
		if (r->port == 0 && r->asked == NEXT_HOP_ANY)
			push(r, q, "", r->name);
		return true;
	case STAGE_SRV:
		if (r->port == 0 && r->asked == NEXT_HOP_ANY) {
			push_service(r, NEXT_HOP_UDP, 0);
			push_service(r, NEXT_HOP_TCP, 1);
		} else if (r->port == 0) {
			push_service(r, r->asked, 0);
		}
		return true;
	default:
		q.port = r->port != 0 ? r->port : own == NEXT_HOP_TLS ? 5061 : 5060;
		q.transport = own;
		push_address(r, q, r->name);
		return true;
	}
}

/** The lookup is over. */
static void row_end(struct row *r)
{
	uint32_t ttl_s = r->ttl_s < TTL_MAX_S ? r->ttl_s : TTL_MAX_S;
	bool found = r->found_count > 0;

	if (!found)
		ttl_s = FAILED_S;
	r->due_ms = now_ms(r->peers) + 1000ull * (ttl_s > TTL_MIN_S ? ttl_s : TTL_MIN_S);
	if (!found && r->known_count > 0 && r->failed)
		return; /* nobody said that it has gone */
	if (!found)
		log_event(r->peers->config.log, LOG_LEVEL_WARNING, "mw_name_unknown", "name",
			  r->name);
	memcpy(r->known, r->found, sizeof(r->known));
	r->known_count = r->found_count;
	r->peers->changed = true;
}

static void question_done(void *context, const struct peers_answer *answer);

/** Asks the next question, of the next stage when this one brought nothing, or ends the lookup. */
static void row_go_on(struct row *r)
{
	const struct peers_resolver *resolver = &r->peers->config.resolver;

	for (;;) {
		struct peers_question ask = {.done = question_done, .context = r};

		while (r->next == r->count && r->found_count == 0 && stage_begin(r))
			continue;
		if (r->next == r->count)
			break;
		ask.name = r->question[r->next].name;
		ask.type = r->question[r->next].type;
		r->next++;
		r->id = resolver->start(resolver->context, &ask);
		if (r->id != 0)
			return;
		r->failed = true;
	}
	row_end(r);
}

static void row_begin(struct row *r)
{
	r->stage = STAGE_NAPTR;
	r->failed = false;
	r->ttl_s = TTL_MAX_S;
	r->next = r->count = r->found_count = 0;
	row_go_on(r);
}

/* ---- what comes back ------------------------------------------------------------------------ */

/** Reads a domain name; false: malformed or too long. The root is "". */
static bool read_name(struct span *in, char name[PEER_NAME_MAX])
{
	uint32_t at = 0;
	struct span label;
	uint8_t len = 1;

	while (span_u8(in, &len) && len > 0) {
		if (len > 63 || !span_take(in, len, &label) || at + len + 2 > PEER_NAME_MAX ||
		    span_find(label, 0) != label.len)
			return false;
		if (at > 0)
			name[at++] = '.';
		memcpy(name + at, label.at, len);
		at += len;
		len = 1; /* the loop's end is the root's 0 alone */
	}
	name[at] = '\0';
	return len == 0;
}

static bool read_text(struct span *in, struct span *text)
{
	uint8_t len;

	return span_u8(in, &len) && span_take(in, len, text);
}

static void take_address(struct row *r, const struct question *q, struct span data)
{
	struct peer_address *a = &r->found[r->found_count];
	uint32_t len = r->peers->ipv6 ? 16 : 4;

	if (data.len != len || r->found_count == PEER_ADDRESSES_MAX)
		return;
	memset(a, 0, sizeof(*a));
	a->address.sa.sa_family = r->peers->ipv6 ? AF_INET6 : AF_INET;
	memcpy(r->peers->ipv6 ? (void *)&a->address.v6.sin6_addr : (void *)&a->address.v4.sin_addr,
	       data.at, len);
	endpoint_set_port(&a->address, q->port);
	a->transport = q->transport;
	a->priority = q->priority;
	a->weight = q->weight;
	r->found_count++;
}

/** RFC 2782. The target "." says that there is no such service. */
static void take_srv(struct row *r, const struct question *q, struct span data)
{
	uint16_t priority, weight, port;
	char target[PEER_NAME_MAX];
	struct question next = *q;

	if (!span_u16_be(&data, &priority) || !span_u16_be(&data, &weight) ||
	    !span_u16_be(&data, &port) || !read_name(&data, target) || target[0] == '\0' ||
	    port == 0)
		return;
	next.priority = q->priority << 16 | priority;
	next.weight = weight;
	next.port = port;
	push_address(r, next, target);
}

/** RFC 3403, RFC 3263 4.1: order and preference, then the service that leads to SRV. */
static void take_naptr(struct row *r, struct span data)
{
	struct question next = {.type = PEERS_SRV};
	struct span flags, service, expression;
	uint16_t order, preference;
	char target[PEER_NAME_MAX];

	if (!span_u16_be(&data, &order) || !span_u16_be(&data, &preference) ||
	    !read_text(&data, &flags) || !read_text(&data, &service) ||
	    !read_text(&data, &expression) || !read_name(&data, target) ||
	    !span_equal_nocase(flags, SPAN("s")) || target[0] == '\0')
		return;
	if (span_equal_nocase(service, SPAN("SIP+D2U")))
		next.transport = NEXT_HOP_UDP;
	else if (span_equal_nocase(service, SPAN("SIP+D2T")))
		next.transport = NEXT_HOP_TCP;
	else if (span_equal_nocase(service, SPAN("SIPS+D2T")) && r->peers->tls)
		next.transport = NEXT_HOP_TLS;
	else
		return; /* not spoken here */
	next.priority = (order < 128 ? order : 127u) << 8 | (preference < 256 ? preference : 255u);
	push(r, next, "", target);
}

static void question_done(void *context, const struct peers_answer *answer)
{
	struct row *r = context;
	struct question q = r->question[r->next - 1];

	r->id = 0;
	r->failed |= answer->failed;
	if (answer->count > 0 && answer->ttl_s < r->ttl_s)
		r->ttl_s = answer->ttl_s;
	for (uint32_t i = 0; !answer->failed && i < answer->count; i++) {
		if (q.type == PEERS_NAPTR)
			take_naptr(r, answer->rdata[i]);
		else if (q.type == PEERS_SRV)
			take_srv(r, &q, answer->rdata[i]);
		else
			take_address(r, &q, answer->rdata[i]);
	}
	row_go_on(r);
}

/* ---- rows ----------------------------------------------------------------------------------- */

static void row_drop(struct row *r)
{
	if (r->id != 0)
		r->peers->config.resolver.cancel(r->peers->config.resolver.context, r->id);
	r->peers->changed |= r->known_count > 0;
	*r = (struct row){0};
}

static struct row *row_find(struct peers *peers, struct span name, uint16_t port,
			    enum next_hop_transport asked)
{
	for (uint32_t i = 0; i < PEERS_MAX; i++) {
		struct row *r = &peers->row[i];

		if (r->used && r->port == port && r->asked == asked &&
		    span_equal_nocase(span_text(r->name), name))
			return r;
	}
	return NULL;
}

/** NULL: the table is full. */
static struct row *row_want(struct peers *peers, struct span name, uint16_t port,
			    enum next_hop_transport asked)
{
	struct row *r = row_find(peers, name, port, asked);

	for (uint32_t i = 0; r == NULL && i < PEERS_MAX; i++)
		if (!peers->row[i].used)
			r = &peers->row[i];
	if (r == NULL || name.len >= PEER_NAME_MAX)
		return NULL;
	r->wanted_ms = now_ms(peers);
	if (r->used)
		return r;
	r->used = true;
	r->peers = peers;
	r->port = port;
	r->asked = asked;
	for (uint32_t i = 0; i < name.len; i++)
		r->name[i] = (char)ascii_lower(name.at[i]);
	row_begin(r);
	return r;
}

struct peers *peers_new(const struct peers_config *config)
{
	struct peers *peers = calloc(1, sizeof(*peers));

	if (peers != NULL)
		peers->config = *config;
	return peers;
}

void peers_free(struct peers *peers)
{
	for (uint32_t i = 0; peers != NULL && i < PEERS_MAX; i++)
		if (peers->row[i].used)
			row_drop(&peers->row[i]);
	free(peers);
}

void peers_configure(struct peers *peers, const struct config *config)
{
	const struct option_list *hops = &config->mw.next_hops;
	struct endpoint ours;

	peers->tls = config_has_mw_tls(config);
	peers->ipv6 = config_mw_address(config, &ours) && ours.sa.sa_family == AF_INET6;
	for (uint32_t i = 0; i < PEERS_MAX; i++)
		peers->row[i].configured = false;
	for (uint32_t i = 0; i < hops->count; i++) {
		const struct config_next_hop *from = &((const struct config_next_hop *)hops->at)[i];
		struct next_hop_config hop;
		struct row *r;

		if (address_next_hop(from->uri.text, &hop) != NULL || hop.name.len == 0)
			continue;
		r = row_want(peers, hop.name, hop.port, hop.transport);
		if (r != NULL)
			r->configured = true;
	}
}

bool peers_message(struct peers *peers, struct span message)
{
	struct message_peer_wanted wanted;
	struct span rest = message;
	char name[PEER_NAME_MAX];

	if (!span_copy(&rest, &wanted, sizeof(wanted)) || wanted.head.kind != MESSAGE_PEER_WANTED)
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)wanted.name_len, wanted.name);
	if (wanted.name_len < PEER_NAME_MAX && address_host_name(name) == NULL &&
	    row_want(peers, span_text(name), wanted.port, wanted.transport) == NULL)
		log_event(peers->config.log, LOG_LEVEL_WARNING, "mw_names_many", "name", name);
	return true;
}

void peers_tick(struct peers *peers)
{
	uint64_t now = now_ms(peers);

	for (uint32_t i = 0; i < PEERS_MAX; i++) {
		struct row *r = &peers->row[i];

		if (!r->used || r->id != 0)
			continue;
		if (!r->configured && now - r->wanted_ms > UNWANTED_MS)
			row_drop(r);
		else if (now >= r->due_ms)
			row_begin(r);
	}
	if (peers->changed)
		peers->changed = peers->config.publish(peers->config.context) != GW_OK;
}

/* ---- for workers ---------------------------------------------------------------------------- */

static void part_free(struct snapshot_part *part)
{
	free(part);
}

struct peer_part *peers_part(const struct peers *peers)
{
	struct owned_peers *owned = calloc(1, sizeof(*owned));
	uint32_t n = 0;

	if (owned == NULL)
		return NULL;
	owned->part.part.free = part_free;
	owned->part.row = owned->row;
	for (uint32_t i = 0; i < PEERS_MAX; i++) {
		const struct row *r = &peers->row[i];

		if (!r->used || (r->id != 0 && r->known_count == 0))
			continue; /* of the others it is known at least that there is nothing */
		memcpy(owned->name[n], r->name, sizeof(owned->name[n]));
		memcpy(owned->address[n], r->known, sizeof(owned->address[n]));
		owned->row[n] = (struct peer_row){
			.name = span_text(owned->name[n]),
			.port = r->port,
			.asked = r->asked,
			.address = owned->address[n],
			.count = r->known_count,
		};
		n++;
	}
	owned->part.count = n;
	return &owned->part;
}
