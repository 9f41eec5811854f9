/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include <strings.h>

#include "address.h"
#include "bind.h"
#include "check.h"
#include "file.h"

/* Beside those that are open: who is not upgraded yet, and hears in HTTP that there is no room. */
#define HANDSHAKES_MIN 16

struct config *config_read(const struct config_from *from, struct problems *problems)
{
	struct arena *arena = arena_new();
	struct config *config = arena_get(arena, sizeof(*config));
	const struct yaml_node *tree;
	uint32_t errors = problems_errors(problems);

	config->arena = arena;
	config->file = arena_text(arena, from->path, strlen(from->path));
	tree = yaml_read_file(config->file, arena, problems);
	if (tree != NULL) {
		bind_tree(config->file, tree, arena, problems, config);
		check_config(config, from, problems);
	}
	problems_sort(problems);
	if (problems_errors(problems) == errors)
		return config;
	config_free(config);
	return NULL;
}

struct config *config_load(const char *path, struct problems *problems)
{
	const struct config_from from = {.path = path};

	return config_read(&from, problems);
}

static void config_free_wwsf(struct config_wwsf *wwsf)
{
	pairs_put(wwsf->pairs);
	expressions_put(wwsf->destinations.allow.compiled);
	expressions_put(wwsf->destinations.deny.compiled);
}

void config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (uint32_t i = 0; i < config->wwsf.count; i++)
		config_free_wwsf(&((struct config_wwsf *)config->wwsf.at)[i]);
	expressions_put(config->patterns);
	expressions_put(config->screening.allow.compiled);
	expressions_put(config->screening.deny.compiled);
	arena_free(config->arena);
}

struct config_comparison {
	const struct config *next;
	struct problems *problems;
};

static void config_refuse_change(void *context, const struct option *option, uint32_t line)
{
	const struct config_comparison *c = context;

	problems_add(c->problems, PROBLEM_ERROR, c->next->file, line,
		     "%s: a change needs a restart", option->path);
}

void config_compare(const struct config *old, const struct config *next, struct problems *problems)
{
	struct config_comparison c = {.next = next, .problems = problems};

	bind_compare(old, next, OPTION_RESTART, config_refuse_change, &c);
	if (config_has_mw_tls(old) != config_has_mw_tls(next))
		problems_add(problems, PROBLEM_ERROR, next->file, next->mw.tls.certificate.line,
			     "mw.tls.certificate: TLS on or off needs a restart");
	problems_sort(problems);
}

uint32_t config_core(const struct config *config, uint16_t w)
{
	return (uint32_t)((const struct option_number *)config->workers.cores.at)[w].value;
}

const char *config_path(const struct config *config, struct option_text path)
{
	return file_beside(config->file, path.text, config->arena);
}

uint32_t config_share(const struct config *config, struct option_number number)
{
	uint64_t workers = config_workers(config);
	uint64_t share = workers > 1 ? number.value * 3 / 2 / workers : number.value;

	return share > 0 ? (uint32_t)share : 1;
}

void config_tls(const struct config *config, struct tls_config *tls)
{
	/* a ticket can be opened for as long as the key that made it is one of those before the
	 * last; RFC 8446 4.6.1: at most seven days */
	uint64_t life_s = (TICKET_KEYS_MAX - 1) * config->access.tls.ticket_rotation.value;

	*tls = (struct tls_config){
		.certificate = config->access.tls.pem,
		.certificates = config->access.tls.certificates.count,
		.ciphers = config->access.tls.ciphers.text,
		.groups = config->access.tls.groups.text,
		.min_version =
			config->access.tls.min_version.value == CONFIG_TLS_1_3 ? 0x0304 : 0x0303,
		.tickets = (uint8_t)config->access.tls.tickets.value,
		.key_log = config->access.tls.key_log.text[0] != '\0',
		.ticket_life_s = life_s < 604800 ? (uint32_t)life_s : 604800,
	};
}

bool config_has_mw_tls(const struct config *config)
{
	return config->mw.tls.certificate.text[0] != '\0';
}

void config_mw_tls(const struct config *config, struct tls_config *tls)
{
	*tls = (struct tls_config){
		.certificate = &config->mw.tls.pem,
		.certificates = 1,
		.authorities = config->mw.tls.ca,
		.key_log = config->access.tls.key_log.text[0] != '\0',
	};
}

struct worker_sizes config_sizes(const struct config *config)
{
	uint32_t open = config_share(config, config->limits.max_connections);

	return (struct worker_sizes){
		.connections = open + open / 16 + HANDSHAKES_MIN,
		.bindings = config_share(config, config->limits.max_bindings) + 1,
		.transactions = config_share(config, config->limits.max_transactions) + 1,
		.max_message = (uint32_t)config->limits.max_message.value,
		.max_output = (uint32_t)config->limits.max_output.value,
		.verify_jobs = 256,
		.large_buffers = 4096,
		.parked = (uint32_t)config->limits.parked_messages.value,
		.held = (uint32_t)config->limits.held_requests.value,
		.token_cache = (uint32_t)config->limits.token_cache.value,
		.token_refused = (uint32_t)config->limits.token_refused.value,
		.lease_tombstones = config_share(config, config->limits.lease_tombstones),
	};
}

void config_tcp(const struct config *config, struct worker_tcp *tcp)
{
	*tcp = (struct worker_tcp){
		.receive_bytes = (uint32_t)config->tcp.receive_buffer.value,
		.send_bytes = (uint32_t)config->tcp.send_buffer.value,
		.user_timeout_us = config->tcp.user_timeout.value * 1000000,
		.limits = {
			.half_open = (uint32_t)config->tcp.half_open.value,
			.time_waits = (uint32_t)config->tcp.time_waits.value,
			.sources = (uint32_t)config->tcp.sources.value,
			.send_packets = (uint32_t)config->tcp.send_packets.value,
			.held_packets = (uint32_t)config->tcp.held_packets.value,
			.source_half_open = (uint32_t)config->tcp.source_half_open.value,
			.source4_connections = (uint32_t)config->tcp.source4_connections.value,
			.source6_connections = (uint32_t)config->tcp.source6_connections.value,
			.source_rate = (uint32_t)config->tcp.source_rate.value,
			.source_burst = (uint32_t)config->tcp.source_burst.value,
			.syn_rate = (uint32_t)config->tcp.syn_rate.value,
			.cookies =
				config->tcp.cookies.value == CONFIG_COOKIES_ALWAYS  ? COOKIES_ALWAYS
				: config->tcp.cookies.value == CONFIG_COOKIES_NEVER ? COOKIES_NEVER
										    : COOKIES_AUTO,
		}};
}

const struct option_text *config_text(const struct option_list *list, uint32_t i)
{
	return &((const struct option_text *)list->at)[i];
}

const struct config_port *config_port(const struct config *config, uint32_t i)
{
	return &((const struct config_port *)config->ports.at)[i];
}

const struct config_issuer *config_issuer(const struct config *config, uint32_t i)
{
	return &((const struct config_issuer *)config->issuers.at)[i];
}

const struct config_wwsf *config_wwsf(const struct config *config, uint32_t i)
{
	return &((const struct config_wwsf *)config->wwsf.at)[i];
}

bool config_issuer_fetches(const struct config_issuer *issuer)
{
	return strncasecmp(issuer->jwks.text, "https:", 6) == 0;
}

bool config_port_packets(const struct config_port *port)
{
	return strcmp(port->device.text, "kernel") != 0;
}

const struct config_port *config_port_named(const struct config *config, const char *name)
{
	for (uint32_t i = 0; i < config->ports.count; i++)
		if (strcmp(config_port(config, i)->name.text, name) == 0)
			return config_port(config, i);
	return NULL;
}

bool config_mw_address(const struct config *config, struct endpoint *address)
{
	const struct config_port *port = config_port_named(config, config->mw.port.text);
	struct netif_address read;
	bool found = false;

	for (uint32_t i = 0; port != NULL && i < port->addresses.count; i++) {
		if (address_prefix(config_text(&port->addresses, i)->text, &read) != NULL)
			continue;
		if (!found ||
		    (read.address.sa.sa_family == AF_INET && address->sa.sa_family != AF_INET))
			*address = read.address;
		found = true;
	}
	return found;
}
