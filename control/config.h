/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFIG_H
#define CONFIG_H

#include "arena.h"
#include "destinations.h"
#include "expressions.h"
#include "gw_err.h"
#include "keys.h"
#include "option.h"
#include "pairs.h"
#include "problem.h"
#include "tls_context.h"
#include "wildcard.h"
#include "worker.h"

/**
 * The configuration as control keeps it: the file's values, and what the files it names hold.
 * Workers never see it; control/publish.h makes the snapshot parts of it.
 */

/* Choices, in the order of their rows in control/option.c. */
enum config_idle { CONFIG_IDLE_SLEEP, CONFIG_IDLE_POLL };
enum config_reg_event_route { CONFIG_REG_EVENT_NEXT_HOP, CONFIG_REG_EVENT_SERVICE_ROUTE };
enum config_advertise { CONFIG_ADVERTISE_WORKER, CONFIG_ADVERTISE_COMMON };
enum config_driver { CONFIG_DRIVER_AUTO, CONFIG_DRIVER_OPENSSL };
/** The choices of wwsf[].mode, as enum wwsf_mode has them. */
enum config_mode {
	CONFIG_MODE_INDIVIDUAL,
	CONFIG_MODE_IMS_AUTH,
	CONFIG_MODE_POOL,
	CONFIG_MODE_WILDCARD,
	CONFIG_MODE_BLOCK
};
enum config_jti { CONFIG_JTI_OPTIONAL, CONFIG_JTI_REQUIRED };
enum config_cookies { CONFIG_COOKIES_AUTO, CONFIG_COOKIES_ALWAYS, CONFIG_COOKIES_NEVER };
enum config_tls_version { CONFIG_TLS_1_2, CONFIG_TLS_1_3 };
enum config_audit { CONFIG_AUDIT_HASH, CONFIG_AUDIT_CLEAR };
enum config_socket_mode { CONFIG_SOCKET_0600, CONFIG_SOCKET_0660 };

struct config_realm {
	struct option_text domain, icscf_orig, visited_network, ioi_prefix, tna_value;
	struct option_number orig_served_user, orig_profile_key;
};

struct config_port {
	struct option_text name, device;
	struct option_list addresses; /* struct option_text */
	struct option_list gateways;
	struct option_number vlan, mtu, neighbour_probe;
	struct option_text mac;
};

struct config_listen {
	struct option_text port;
	struct option_number tcp;
};

struct config_certificate {
	struct option_text certificate, key; /* as written; see config_path() */
};

struct config_next_hop {
	struct option_text uri;
	struct option_number priority, weight;
};

struct config_issuer {
	struct option_text name, iss, audience, jwks, jwks_ca, authz_server;
	struct option_list algorithms, typ; /* struct option_text */
	struct {
		struct option_text impi, impu, wwsf, scn;
	} claims;
	struct option_text scope_register, scope_originate;
	struct option_number leeway;
	uint32_t algorithm_bits; /* 1 << enum jws_alg */
	struct key_list keys;	 /* of jwks: file: */
};

struct config_wwsf {
	struct option_text name, issuer, waf_parameter, waf_identity;
	struct option_list origins; /* struct option_text */
	struct option_number mode, jti, aka, demand_token, clamp_lifetime, fork;
	struct {
		struct option_text file, wildcard;
		struct option_list domains; /* struct option_text */
		struct {
			struct option_text impu, impi;
		} generator, registering;
	} identities;
	struct {
		struct config_destinations allow, deny;
	} destinations;
	struct {
		struct option_number connections_per_second, max_connections,
			registrations_per_second, requests_per_second, calls_in_setup, max_bindings;
	} limits;
	struct pairs *pairs;	  /* held; NULL where it has none */
	bool pairs_before;	  /* those of the configuration before */
	struct wildcard wildcard; /* what identities.wildcard says, when that is given */
	uint32_t pattern;	  /* its expression in config.patterns */
};

struct config {
	struct arena *arena;
	const char *file;

	struct {
		struct option_text name, state_directory;
	} node;
	struct option_list realms; /* struct config_realm */
	struct {
		struct option_list cores; /* struct option_number; one worker each */
		struct option_number idle, mailbox_bytes, packet_ring_bytes;
	} workers;
	struct option_list eal;
	struct option_list ports; /* struct config_port */
	struct {
		struct option_list listen; /* struct config_listen */
		struct option_list paths, hosts;
		struct option_text placeholder_user;
		struct option_number from_check, token_in_body, warn_reason, cache_wildcard_auth;
		struct {
			struct option_list certificates; /* struct config_certificate */
			struct option_number min_version, tickets, ticket_rotation, steps_per_turn;
			struct option_text ciphers, groups, engine, key_log;
			struct tls_certificate *pem; /* what the files hold; of certificates[] */
		} tls;
		struct option_list proxy_protocol_from;
	} access;
	struct {
		struct option_list numbers; /* struct option_text */
		struct option_number policy;
		struct option_text reason;
	} emergency;
	struct {
		struct option_text port, host;
		struct option_number sip_port, worker_port_base, advertise_port, options_interval,
			keep_alive, reg_event, reg_event_route;
		struct {
			struct option_number port, worker_port_base;
			struct option_text certificate, key, authorities;
			struct option_list peers;   /* struct option_text */
			struct tls_certificate pem; /* what the files hold */
			struct span ca;
		} tls;			      /* of certificate "": none */
		struct option_list next_hops; /* struct config_next_hop */
		struct option_list trusted, name_servers;
	} mw;
	struct {
		struct option_number half_open, time_waits, sources, send_packets, held_packets,
			source_half_open, source4_connections, source6_connections, source_rate,
			source_burst, syn_rate, cookies, user_timeout, receive_buffer, send_buffer;
	} tcp;
	struct option_list issuers;   /* struct config_issuer */
	struct {
		struct config_destinations allow, deny;
	} screening;
	struct option_list wwsf;      /* struct config_wwsf */
	struct expressions *patterns; /* of wildcards; held; NULL: there is none */
	struct {
		struct option_number driver;
	} verify;
	struct {
		struct option_number max_connections, max_bindings, max_transactions, max_message,
			max_output, mw_output, max_token_bytes, max_token_lifetime,
			lease_tombstones, max_pool_lifetime, max_revocations, min_grant,
			default_expires, ws_ping, ws_silence, tls_handshake, http_upgrade, pre_auth,
			timer_c, flow_grace, hold_indialog, held_requests, parked_messages,
			token_cache, token_refused, jwks_cache_min, jwks_cache_max, jwks_stale_max,
			jwks_cooldown, upgrades_per_second, upgrades_burst, connections_per_address,
			requests_per_second, dialog_requests_per_second;
	} limits;
	struct {
		struct option_number expires, retry, retry_max, contacts;
		struct config_absent {
			struct option_number status, cause;
			struct option_text text;
		} absent, unknown;
	} block;
	struct option_text store;
	struct {
		struct option_text socket, metrics;
		struct option_number mode, max_rows;
	} control;
	struct {
		struct option_text file;
		struct option_number identities;
	} audit;
	struct {
		struct option_number level; /* enum log_level */
		struct option_number rate;
	} log;
};

/** What a configuration is read from. Lent. */
struct config_from {
	const char *path;
	const struct config
		*before;	 /* files of pairs that it has are not read again; may be NULL */
	const atomic_bool *stop; /* set: end early, refused; may be NULL */
};

/**
 * Reads the configuration and every file it names, checking all of it. NULL when problems got an
 * error; problems may hold warnings beside a good result. What it returns is the caller's. Touches
 * nothing else but how often pairs of before are held, so that it may run on the thread pool while
 * control uses before; blocks on the file system.
 */
struct config *config_read(const struct config_from *from, struct problems *problems);

/** The same of the file at path alone. */
struct config *config_load(const char *path, struct problems *problems);

/** Wipes and frees. NULL does nothing. */
void config_free(struct config *config);

/**
 * Adds a problem for each value of next that differs from old although it counts only after a
 * restart. A reload is refused when there is one.
 */
void config_compare(const struct config *old, const struct config *next, struct problems *problems);

/** Workers, one for each core. */
static inline uint16_t config_workers(const struct config *config)
{
	return (uint16_t)config->workers.cores.count;
}

/** The core of worker w < config_workers(). */
uint32_t config_core(const struct config *config, uint16_t w);

/** A path of the configuration as open() wants it: relative ones are beside the configuration. */
const char *config_path(const struct config *config, struct option_text path);

/**
 * What one of several workers may have of a number that is for all: half as much again as its part,
 * since connections do not spread evenly. A single worker has all of it; one is left at least.
 */
uint32_t config_share(const struct config *config, struct option_number number);

/** The settings of access.tls:, lent by config. */
void config_tls(const struct config *config, struct tls_config *tls);
/** Those of mw.tls:. */
void config_mw_tls(const struct config *config, struct tls_config *tls);
/** True when Mw has TLS. */
bool config_has_mw_tls(const struct config *config);

/** What a worker has room for. */
struct worker_sizes config_sizes(const struct config *config);

/** The settings of tcp:. */
void config_tcp(const struct config *config, struct worker_tcp *tcp);

/** True when the keys of an issuer are fetched (control/jwks.h), false when they are from a file.
 */
bool config_issuer_fetches(const struct config_issuer *issuer);

/** Elements of lists; i < list.count. */
const struct option_text *config_text(const struct option_list *list, uint32_t i);
const struct config_port *config_port(const struct config *config, uint32_t i);
const struct config_issuer *config_issuer(const struct config *config, uint32_t i);
const struct config_wwsf *config_wwsf(const struct config *config, uint32_t i);
/** True for a port with packets of our own, false for the kernel's sockets. */
bool config_port_packets(const struct config_port *port);
/** The port of that name, or NULL. */
const struct config_port *config_port_named(const struct config *config, const char *name);

/** Our address on Mw, port 0: the first IPv4 address of mw.port, else its first one. False: none.
 */
bool config_mw_address(const struct config *config, struct endpoint *address);

#endif
