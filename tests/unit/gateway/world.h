/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WORLD_H
#define WORLD_H

#include "gateway/gateway.h"
#include "test.h"

/**
 * One gateway, worker 0 of 2, between WICs and a core that are both this test: time stands still
 * until world_wait(), what the gateway sends is kept in order, tokens are signed here and their
 * signatures judged as world.verdict says.
 */

#define CRLF "\r\n"
#define WORLD_WALL_S 1795167000 /* Unix time at the start: token times are relative to it */
#define SENT_MAX 160
#define SENT_TEXT_MAX 20000

enum sent_to { TO_WIC, TO_MW, TO_SOURCE, TO_WORKER };

/** One message of the gateway. */
struct sent {
	enum sent_to to;
	uint64_t at_us;
	struct handle flow;		/* TO_WIC */
	struct mw_target target;	/* TO_MW */
	struct mw_source source;	/* TO_SOURCE */
	uint16_t worker;		/* TO_WORKER */
	_Alignas(16) uint8_t head[512]; /* TO_WORKER */
	uint32_t len;
	char text[SENT_TEXT_MAX + 1]; /* terminated */
};

/** A message about a home entry or a lease, to another worker. */
struct letter {
	uint16_t worker;
	_Alignas(16) uint8_t bytes[256]; /* whole */
};

#define WICS 3
#define WORLD_HOPS 4

struct world {
	struct gateway *gw;
	struct gateway_env env;
	struct gateway_config gateway_config;
	struct counters counters;
	struct config_part config;
	struct realm_config realm[2];
	struct issuer_config issuer[2];
	struct wwsf_config wwsf[2];
	struct next_hop_config hop[WORLD_HOPS]; /* two of them configured */
	struct key_part keys;
	struct key_issuer key_issuer[2]; /* world_fetchable() makes them part of keys */
	struct revocation_part revocations;
	uint64_t revoked[1];
	struct span disabled;
	struct pair_part pairs;
	struct snapshot view;
	uint64_t now_us, wall_s;
	uint32_t wall_part_us; /* of the wall's second, gone already */
	uint64_t randoms;
	struct wic wic[WICS];
	bool gone[WICS];
	uint32_t waiting[WICS];	 /* bytes of its message that waits for a home worker; 0: none */
	struct mw_source source; /* of what the core says next */
	enum gw_err verdict;	 /* of every signature */
	enum gw_err to_wic_err, to_mw_err, to_worker_err;
	uint32_t mw_failures; /* so many requests to the core cannot be sent */
	bool hop_down[WORLD_HOPS];
	bool names_unheard; /* what control is asked to look up is not told */
	bool no_job;
	uint32_t jobs;	   /* handed out and not submitted */
	bool hold_verdict; /* of a parked request: it gets lost */
	bool parked_job;   /* one of its was submitted */
	uint32_t count;
	struct sent sent[SENT_MAX];
	uint32_t letters;
	struct letter letter[SENT_MAX];
	bool journal_full;
	uint32_t told;
	struct message_journal journal[SENT_MAX]; /* what control was told of bindings of pools */
	uint32_t events;
	struct message_event event[SENT_MAX];
	struct message_audit audit[SENT_MAX]; /* the same with what follows; zeros: nothing */
};
extern struct world world;

/** Transactions of which something is left, the finished ones with them. */
static inline uint32_t world_transactions(void)
{
	return gateway_transactions(world.gw) + gateway_finished(world.gw);
}

/** A fresh world: next hop TCP, alice and bob allowed, a token of alice lives for 3570 s. */
void world_start(void);
/** The same with a next hop over UDP. */
void world_start_udp(void);
/** The same with a next hop over TLS. */
void world_start_tls(void);
/** Its gateway is another one, which has room for so many transactions; nothing has happened yet. */
void world_room(uint32_t transactions);
/** The issuers' keys are fetched; the set has waf-1 only. */
void world_fetchable(void);
/** A fetch of issuer 0's keys has ended, a new set is live, and what waited for it goes on. */
void world_fetched(void);
/** The set knows issuer 0's key by this kid from now on. */
void world_key_named(const char *kid);
/** That token is revoked, or that web site is disabled, from now on. */
void world_revoke(const char *jti);
void world_disable(const char *wwsf);
/** Alice's home is that worker from now on; after world_start() it is 0, this one. */
void world_home(uint16_t worker);
/** Another configuration is live: what world.config and what it points to say now. */
void world_reload(void);
/** These addresses of that host are known from now on; asked as by a URI without port. */
void world_name(const char *name, const struct peer_address *addresses, uint32_t count);
/** "address:port" as an endpoint. */
struct endpoint world_endpoint(const char *text);
/** Only the first next hop is configured: nothing goes to another one. */
void world_one_hop(void);
/** A turn begins, and what can go on goes on. */
void world_turn(void);
/** What the clocks of world say. */
struct gateway_time world_time(void);
/** They go on, and nobody has looked at them yet. */
void world_clock(uint64_t us);
/** Time passes; timers fire at their times. */
void world_wait(uint64_t us);
/** Forgets what was sent. */
void world_forget(void);
/** The n-th message since world_forget(); fails the test when there are fewer. */
const struct sent *world_sent(uint32_t n);
/** Text of the only message since world_forget(), which has to go there. */
const char *world_only(enum sent_to to);
/** What a counter says. */
uint64_t world_count(const _Atomic uint64_t *counter);

/** A WIC sends a message; the session's part (verdict, refusal) is played here. GW_AGAIN: it waits
 * for its pair's home worker. */
enum gw_err wic_sends(uint32_t wic, const char *text);
/** What waits for a home worker goes on, when that has answered; world_turn() does so too. */
void world_leased(void);
/** The same for one WIC, answered or not: as when its session has waited long enough. */
enum gw_err wic_goes_on(uint32_t wic);
/** The connection of a WIC ends. */
void wic_leaves(uint32_t wic);
/** The core sends a message from world.source. */
void core_sends(const char *text);
/** The core answers the request that went to it last: status line's end and header lines. */
void core_answers(const char *status, const char *lines);
/** The core answers the REGISTER it got last with 200, this Contact expiry and a Service-Route. */
void core_registers(uint32_t expires_s);

/** Signs a payload; valid until the next call. */
const char *token_of(const char *header, const char *payload);
/** A good token of alice that lives for so long. */
const char *token_alice(int64_t lifetime_s);
/** A payload of these identities that lives for so long. */
const char *payload_of(const char *impi, const char *impu, int64_t lifetime_s);
#define GOOD_HEADER "{\"typ\":\"at+jwt\",\"alg\":\"ES256\",\"kid\":\"waf-1\"}"

/** JsSIP's REGISTER of alice, with this token (NULL: none) and these seconds. */
const char *register_jssip(const char *token, uint32_t expires_s);
/** SIP.js's: no Expires header, compact nothing. */
const char *register_sipjs(const char *token, uint32_t expires_s);
/** WIC 0 is registered as alice for 600 s, nothing sent is left. */
void world_register(void);
/** Sends alice's REGISTER and gives what the core gets of it. */
const char *mw_register(const char *request);
/** Sends alice's REGISTER with a good token, answers it, and gives what the WIC gets. */
const char *registered(const char *status, const char *lines);
/** The Contact of register_jssip(), and one that is not. */
#define OUR_CONTACT "<sip:mfdnmi6p@v5e0bm0sd9mg.invalid;transport=ws>"
#define OTHER_CONTACT "<sip:other@198.18.9.9:5060>"
/** A MESSAGE of alice to bob with these lines before From. */
const char *message_with(const char *lines);
/** The same to another Request-URI. */
const char *message_to(const char *uri, const char *lines);
/** The core's MESSAGE to alice by way of route, with these lines. */
const char *core_message(const char *route, const char *lines);
/** The URI of the Path that alice's REGISTER got, without <>. Valid after world_register(). */
const char *path_uri(void);
/** That of this REGISTER, as the core got it, from now on. */
void path_remember(const char *mw_register);
/** The WIC's answer to the request that it got last. */
const char *wic_answer(const char *status, const char *lines);

/** The value of the n-th line named name (case ignored), or NULL; valid for some calls of format().
 */
const char *line_n(const char *message, const char *name, uint32_t n);
const char *line(const char *message, const char *name);
uint32_t lines(const char *message, const char *name);
/** text is somewhere in message, case ignored. */
bool contains(const char *message, const char *text);
/** Status of a response. */
uint32_t status_of(const char *message);
/** printf into one of a few buffers. */
const char *format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define EXPECT_LINE(wanted, message, name) \
	do { \
		const char *seen_ = line(message, name); \
		assert_non_null(seen_); \
		assert_string_equal(seen_, wanted); \
	} while (0)
#define EXPECT_NO_LINE(message, name) assert_int_equal(0, lines(message, name))

#endif
