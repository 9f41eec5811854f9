/* SPDX-License-Identifier: BSD-3-Clause */
#include "check.h"

#include <arpa/inet.h>
#include <strings.h>

#include "address.h"
#include "checking.h"
#include "message.h"
#include "origins.h"

static void check_host_name(const struct check *c, const char *path, struct option_text text)
{
	if (check_given(text) && address_host_name(text.text) != NULL)
		check_refuse(c, text.line, "%s: \"%s\" is not a host name", path, text.text);
}

static void check_addresses(const struct check *c, const char *path,
			    const struct option_list *addresses)
{
	struct endpoint address;

	for (uint32_t i = 0; i < addresses->count; i++) {
		const struct option_text *text = config_text(addresses, i);

		if (check_given(*text) && address_plain(text->text, &address) != NULL)
			check_refuse(c, text->line, "%s: \"%s\" is not an IPv4 or IPv6 address",
				     path, text->text);
	}
}

void check_plain(const struct check *c, const char *path, struct option_text text)
{
	for (const char *p = text.text; *p != '\0'; p++) {
		if (*p > ' ' && *p <= '~' && strchr("\"\\<>", *p) == NULL)
			continue;
		check_refuse(
			c, text.line,
			"%s: white space, quotes, '<', '>' and bytes beyond ASCII cannot stand "
			"here",
			path);
		return;
	}
}

void check_repeated(const struct check *c, const char *path, const struct option_list *list,
		    size_t size, uint32_t i, check_order *order)
{
	const uint8_t *at = list->at;
	const struct option_text *text = (const void *)(at + i * size), *other;

	if (!check_given(*text))
		return;
	for (uint32_t k = 0; k < i; k++) {
		other = (const void *)(at + k * size);
		if (order(other->text, text->text) != 0)
			continue;
		check_refuse(c, text->line, "%s: \"%s\" repeated, first on line %u", path,
			     text->text, other->line);
		return;
	}
}

/* ---- node, realms, workers ------------------------------------------------------------------ */

static void check_node(const struct check *c)
{
	const struct config *config = c->config;

	check_host_name(c, "node.name", config->node.name);
	if (config->node.state_directory.text[0] != '/')
		check_refuse(c, config->node.state_directory.line,
			     "node.state_directory: not an absolute path");
	if (config->control.socket.text[0] != '/')
		check_refuse(c, config->control.socket.line,
			     "control.socket: not an absolute path");
}

/** It stands in a quoted string. */
static void check_ioi_prefix(const struct check *c, struct option_text text)
{
	for (const char *p = text.text; *p != '\0'; p++)
		if (*p < ' ' || *p > '~' || *p == '"' || *p == '\\') {
			check_refuse(c, text.line,
				     "realms[].ioi_prefix: quotes and bytes beyond ASCII cannot "
				     "stand here");
			return;
		}
}

static void check_realms(const struct check *c)
{
	const struct option_list *realms = &c->config->realms;

	for (uint32_t i = 0; i < realms->count; i++) {
		const struct config_realm *realm = ELEMENT(config_realm, *realms, i);

		check_host_name(c, "realms[].domain", realm->domain);
		check_host_name(c, "realms[].visited_network", realm->visited_network);
		check_ioi_prefix(c, realm->ioi_prefix);
		check_plain(c, "realms[].tna_value", realm->tna_value);
		check_icscf_orig(c, realm);
		check_repeated(c, "realms[].domain", realms, sizeof(*realm), i, strcasecmp);
	}
}

static bool check_power_of_two(const struct check *c, const char *path, struct option_number n)
{
	if ((n.value & (n.value - 1)) == 0)
		return true;
	check_refuse(c, n.line, "%s: not a power of two", path);
	return false;
}

static void check_workers(const struct check *c)
{
	const struct option_list *cores = &c->config->workers.cores;
	struct option_number bytes = c->config->workers.mailbox_bytes;
	uint64_t most = c->config->limits.max_message.value + sizeof(struct message_deliver);

	for (uint32_t i = 0; i < cores->count; i++) {
		const struct option_number *core = ELEMENT(option_number, *cores, i);

		for (uint32_t k = 0; k < i; k++)
			if (ELEMENT(option_number, *cores, k)->value == core->value)
				check_refuse(c, core->line, "workers.cores: core %llu repeated",
					     (unsigned long long)core->value);
	}
	(void)check_power_of_two(c, "workers.packet_ring_bytes",
				 c->config->workers.packet_ring_bytes);
	/* a message of the core may have to go to another worker, whole; 0: refused already */
	if (check_power_of_two(c, "workers.mailbox_bytes", bytes) && bytes.value != 0 &&
	    most > bytes.value / 2)
		check_refuse(c, bytes.line,
			     "workers.mailbox_bytes: half of it must hold limits.max_message and "
			     "%zu bytes more",
			     sizeof(struct message_deliver));
}

/* ---- W2 -------------------------------------------------------------------------------------- */

static void check_port_known(const struct check *c, const char *path, struct option_text name)
{
	if (check_given(name) && config_port_named(c->config, name.text) == NULL)
		check_refuse(c, name.line, "%s: no port is named \"%s\"", path, name.text);
}

static void check_listen(const struct check *c)
{
	const struct option_list *listens = &c->config->access.listen;

	for (uint32_t i = 0; i < listens->count; i++) {
		const struct config_listen *listen = ELEMENT(config_listen, *listens, i);

		check_port_known(c, "access.listen[].port", listen->port);
		for (uint32_t k = 0; k < i; k++) {
			const struct config_listen *other = ELEMENT(config_listen, *listens, k);

			if (other->tcp.value == listen->tcp.value &&
			    strcmp(other->port.text, listen->port.text) == 0)
				check_refuse(c, listen->tcp.line,
					     "access.listen[]: port %s, tcp %llu repeated",
					     listen->port.text,
					     (unsigned long long)listen->tcp.value);
		}
	}
}

void check_user(const struct check *c, const char *path, struct option_text text, const char *when)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";

	if (text.text[strspn(text.text, allowed)] != '\0')
		check_refuse(c, text.line,
			     "%s: \"%s\": letters, digits, '-', '_' and '.' expected%s", path,
			     text.text, when);
}

static void check_access(const struct check *c)
{
	const struct config *config = c->config;

	check_user(c, "access.placeholder_user", config->access.placeholder_user, "");
	check_listen(c);
	check_tls(c);
	for (uint32_t i = 0; i < config->access.paths.count; i++) {
		const struct option_text *path = config_text(&config->access.paths, i);

		check_plain(c, "access.paths", *path);
		if (check_given(*path) && path->text[0] != '/')
			check_refuse(c, path->line, "access.paths: \"%s\" does not begin with '/'",
				     path->text);
		check_repeated(c, "access.paths", &config->access.paths, sizeof(*path), i, strcmp);
	}
	if (config->access.paths.count == 0)
		check_refuse(c, config->access.paths.line, "access.paths: at least one expected");
	for (uint32_t i = 0; i < config->access.hosts.count; i++)
		check_host_name(c, "access.hosts", *config_text(&config->access.hosts, i));
	check_addresses(c, "access.proxy_protocol_from", &config->access.proxy_protocol_from);
}

/* ---- emergency calls ------------------------------------------------------------------------ */

static void check_emergency(const struct check *c)
{
	const struct option_list *numbers = &c->config->emergency.numbers;
	const struct option_text *reason = &c->config->emergency.reason;

	for (uint32_t i = 0; i < numbers->count; i++) {
		const struct option_text *number = config_text(numbers, i);
		size_t plus = number->text[0] == '+';

		if (check_given(*number) &&
		    (number->text[plus] == '\0' ||
		     number->text[strspn(number->text + plus, "0123456789*#") + plus] != '\0'))
			check_refuse(c, number->line,
				     "emergency.numbers: \"%s\": digits, '*' and '#' expected",
				     number->text);
		check_repeated(c, "emergency.numbers", numbers, sizeof(*number), i, strcmp);
	}
	for (const char *at = reason->text; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f) {
			check_refuse(c, reason->line, "emergency.reason: a control character");
			break;
		}
}

/* ---- Mw ------------------------------------------------------------------------------------- */

static bool check_is_trusted(const struct config *config, const struct endpoint *host)
{
	struct endpoint trusted;

	for (uint32_t i = 0; i < config->mw.trusted.count; i++)
		if (address_plain(config_text(&config->mw.trusted, i)->text, &trusted) == NULL &&
		    endpoint_same_host(&trusted, host))
			return true;
	return false;
}

static void check_next_hop(const struct check *c, const struct config_next_hop *row)
{
	struct next_hop_config hop;
	struct endpoint ours;
	const char *why;

	if (!check_given(row->uri))
		return;
	why = address_next_hop(row->uri.text, &hop);
	if (why != NULL)
		check_refuse(c, row->uri.line, "mw.next_hops[].uri: \"%s\": %s", row->uri.text,
			     why);
	else if (hop.transport == NEXT_HOP_TLS && !config_has_mw_tls(c->config))
		check_refuse(c, row->uri.line, "mw.next_hops[].uri: \"%s\" needs mw.tls",
			     row->uri.text);
	else if (hop.name.len > 0)
		return; /* what its addresses are is known later */
	else if (config_mw_address(c->config, &ours) &&
		 ours.sa.sa_family != hop.address.sa.sa_family)
		check_refuse(c, row->uri.line,
			     "mw.next_hops[].uri: \"%s\" is of another IP version than mw.port's "
			     "first address",
			     row->uri.text);
	else if (!check_is_trusted(c->config, &hop.address))
		check_refuse(
			c, row->uri.line,
			"mw.next_hops[].uri: \"%s\" is not in mw.trusted, its messages would be "
			"refused",
			row->uri.text);
}

/** The ports of one transport of Mw: the common one, and one for each worker. */
struct mw_ports {
	struct option_number common, base;
	const char *common_name, *base_name;
};

/** Of how many workers a port is one, from base on. */
static bool check_is_worker_port(const struct check *c, const struct mw_ports *ports, uint64_t port)
{
	return port >= ports->base.value &&
	       port < ports->base.value + c->config->workers.cores.count;
}

static void check_mw_ports(const struct check *c, const struct mw_ports *ports)
{
	const struct config *config = c->config;

	if (ports->base.value + config->workers.cores.count - 1 > 65535)
		check_refuse(c, ports->base.line, "%s: no port left for the last worker",
			     ports->base_name);
	if (check_is_worker_port(c, ports, ports->common.value))
		check_refuse(c, ports->common.line, "%s: also a port of one worker, see %s",
			     ports->common_name, ports->base_name);
	for (uint32_t i = 0; i < config->access.listen.count; i++) {
		const struct config_listen *listen =
			ELEMENT(config_listen, config->access.listen, i);

		if (strcmp(listen->port.text, config->mw.port.text) == 0 &&
		    (listen->tcp.value == ports->common.value ||
		     check_is_worker_port(c, ports, listen->tcp.value)))
			check_refuse(c, listen->tcp.line,
				     "access.listen[].tcp: %llu is a port of Mw as well",
				     (unsigned long long)listen->tcp.value);
	}
}

/** TCP and TLS share no port. */
static void check_mw_ports_apart(const struct check *c, const struct mw_ports *tcp,
				 const struct mw_ports *tls)
{
	uint32_t workers = c->config->workers.cores.count;
	bool apart = tcp->common.value != tls->common.value &&
		     !check_is_worker_port(c, tcp, tls->common.value) &&
		     !check_is_worker_port(c, tls, tcp->common.value);

	for (uint32_t w = 0; w < workers; w++)
		apart = apart && !check_is_worker_port(c, tcp, tls->base.value + w);
	if (!apart)
		check_refuse(c, tls->common.line,
			     "mw.tls.port, mw.tls.worker_port_base: also ports of mw.sip_port or "
			     "mw.worker_port_base");
}

static void check_mw_all_ports(const struct check *c)
{
	const struct config *config = c->config;
	const struct mw_ports tcp = {config->mw.sip_port, config->mw.worker_port_base,
				     "mw.sip_port", "mw.worker_port_base"};
	const struct mw_ports tls = {config->mw.tls.port, config->mw.tls.worker_port_base,
				     "mw.tls.port", "mw.tls.worker_port_base"};

	check_mw_ports(c, &tcp);
	if (!config_has_mw_tls(config))
		return;
	check_mw_ports(c, &tls);
	check_mw_ports_apart(c, &tcp, &tls);
}

static void check_mw(const struct check *c)
{
	const struct config *config = c->config;
	struct endpoint address;

	check_port_known(c, "mw.port", config->mw.port);
	if (check_given(config->mw.host) && address_plain(config->mw.host.text, &address) != NULL)
		check_host_name(c, "mw.host", config->mw.host);
	check_addresses(c, "mw.trusted", &config->mw.trusted);
	for (uint32_t i = 0; i < config->mw.next_hops.count; i++) {
		check_next_hop(c, ELEMENT(config_next_hop, config->mw.next_hops, i));
		check_repeated(c, "mw.next_hops[].uri", &config->mw.next_hops,
			       sizeof(struct config_next_hop), i, strcasecmp);
	}
	check_mw_all_ports(c);
	check_mw_tls(c);
	for (uint32_t i = 0; i < config->mw.tls.peers.count; i++)
		check_host_name(c, "mw.tls.peers", *config_text(&config->mw.tls.peers, i));
}

/* ---- issuers -------------------------------------------------------------------------------- */

static void check_algorithms(const struct check *c, struct config_issuer *issuer)
{
	enum jws_alg alg;

	for (uint32_t i = 0; i < issuer->algorithms.count; i++) {
		const struct option_text *text = config_text(&issuer->algorithms, i);

		if (keys_algorithm(text->text, &alg))
			issuer->algorithm_bits |= 1u << alg;
		else if (check_given(*text))
			check_refuse(c, text->line,
				     "issuers[].algorithms: \"%s\" is none of ES256, ES384, RS256, "
				     "PS256, EdDSA",
				     text->text);
	}
	if (issuer->algorithms.count == 0)
		check_refuse(c, issuer->algorithms.line,
			     "issuers[].algorithms: at least one expected");
}

static void check_issuer(const struct check *c, struct config_issuer *issuer)
{
	check_plain(c, "issuers[].name", issuer->name);
	check_plain(c, "issuers[].iss", issuer->iss);
	check_plain(c, "issuers[].audience", issuer->audience);
	check_plain(c, "issuers[].authz_server", issuer->authz_server);
	if (check_given(issuer->authz_server) &&
	    (strncasecmp(issuer->authz_server.text, "https://", 8) != 0 ||
	     issuer->authz_server.text[8] == '\0'))
		check_refuse(c, issuer->authz_server.line,
			     "issuers[].authz_server: not an https URI");
	check_plain(c, "issuers[].claims.impi", issuer->claims.impi);
	check_plain(c, "issuers[].claims.impu", issuer->claims.impu);
	check_plain(c, "issuers[].claims.wwsf", issuer->claims.wwsf);
	check_plain(c, "issuers[].claims.scn", issuer->claims.scn);
	check_plain(c, "issuers[].scope_register", issuer->scope_register);
	check_plain(c, "issuers[].scope_originate", issuer->scope_originate);
	for (uint32_t i = 0; i < issuer->typ.count; i++)
		check_plain(c, "issuers[].typ", *config_text(&issuer->typ, i));
	if (issuer->typ.count == 0)
		check_refuse(c, issuer->typ.line, "issuers[].typ: at least one expected");
	check_algorithms(c, issuer);
	check_jwks(c, issuer);
}

static void check_issuers(const struct check *c)
{
	const struct option_list *issuers = &c->config->issuers;

	for (uint32_t i = 0; i < issuers->count; i++) {
		struct config_issuer *issuer = ELEMENT(config_issuer, *issuers, i);

		check_issuer(c, issuer);
		check_repeated(c, "issuers[].name", issuers, sizeof(*issuer), i, strcmp);
		for (uint32_t k = 0; k < i; k++)
			if (check_given(issuer->iss) &&
			    strcmp(ELEMENT(config_issuer, *issuers, k)->iss.text,
				   issuer->iss.text) == 0)
				check_refuse(c, issuer->iss.line,
					     "issuers[].iss: \"%s\" repeated, first on line %u",
					     issuer->iss.text,
					     ELEMENT(config_issuer, *issuers, k)->iss.line);
	}
}

/* ---- WWSFs ---------------------------------------------------------------------------------- */

static void check_wwsf_issuer(const struct check *c, const struct config_wwsf *wwsf)
{
	const struct option_list *issuers = &c->config->issuers;

	if (!check_given(wwsf->issuer)) {
		check_refuse(c, wwsf->name.line, "wwsf[].issuer: must be given");
		return;
	}
	for (uint32_t i = 0; i < issuers->count; i++)
		if (strcmp(ELEMENT(config_issuer, *issuers, i)->name.text, wwsf->issuer.text) == 0)
			return;
	check_refuse(c, wwsf->issuer.line, "wwsf[].issuer: no issuer is named \"%s\"",
		     wwsf->issuer.text);
}

/** A rule for pairs, which has both of its texts. */
static bool check_generates(const struct config_wwsf *wwsf)
{
	return check_given(wwsf->identities.generator.impu) ||
	       check_given(wwsf->identities.generator.impi);
}

/** Pairs by rule are a pool's, and nothing else beside. */
static void check_generator(const struct check *c, const struct config_wwsf *wwsf)
{
	const struct option_text *impu = &wwsf->identities.generator.impu;
	const struct option_text *impi = &wwsf->identities.generator.impi;
	uint32_t line = check_given(*impu) ? impu->line : impi->line;

	if (wwsf->mode.value != CONFIG_MODE_POOL)
		check_refuse(c, line, "wwsf[].identities.generator: with mode pool only");
	else if (!check_given(*impu) || !check_given(*impi))
		check_refuse(c, line, "wwsf[].identities.generator: both impu and impi expected");
	if (check_given(wwsf->identities.file))
		check_refuse(c, line,
			     "wwsf[].identities.generator: not beside wwsf[].identities.file");
}

/** A web site's identities are those of a file, of a generator, or of domains. */
static void check_allocation(const struct check *c, const struct config_wwsf *wwsf)
{
	const struct option_list *domains = &wwsf->identities.domains;

	if (check_generates(wwsf))
		check_generator(c, wwsf);
	if (domains->count > 0 && check_given(wwsf->identities.file))
		check_refuse(c, domains->line,
			     "wwsf[].identities.domains: not beside wwsf[].identities.file");
	if (domains->count == 0 && !check_given(wwsf->identities.file) && !check_generates(wwsf))
		check_refuse(c, wwsf->name.line,
			     "wwsf[].identities.file: must be given, or "
			     "wwsf[].identities.domains");
	for (uint32_t i = 0; i < domains->count; i++)
		check_host_name(c, "wwsf[].identities.domains", *config_text(domains, i));
}

/** The core knows its users and what they show it: nothing of a token has a meaning. */
static void check_ims_auth(const struct check *c, const struct config_wwsf *wwsf)
{
	const struct option_text *file = &wwsf->identities.file;
	const struct option_list *domains = &wwsf->identities.domains;

	bool tokens = wwsf->demand_token.value != 0;

	if (tokens)
		check_wwsf_issuer(c, wwsf);
	else if (check_given(wwsf->issuer))
		check_refuse(c, wwsf->issuer.line,
			     "wwsf[].issuer: not with mode ims-auth, which takes no tokens");
	if (check_given(*file) || domains->count > 0 || check_generates(wwsf))
		check_refuse(c,
			     check_given(*file)	  ? file->line
			     : domains->count > 0 ? domains->line
						  : wwsf->identities.generator.impu.line,
			     "wwsf[].identities: not with mode ims-auth, the core knows its users");
	if (wwsf->jti.value == CONFIG_JTI_REQUIRED && !tokens)
		check_refuse(c, wwsf->jti.line,
			     "wwsf[].jti: not with mode ims-auth, which takes no tokens");
}

/** What stands in a credential for the core: a token of SIP, and a text in quotes. */
static void check_waf(const struct check *c, const struct config_wwsf *wwsf)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";
	const char *parameter = wwsf->waf_parameter.text;

	check_plain(c, "wwsf[].waf_identity", wwsf->waf_identity);
	if (parameter[strspn(parameter, allowed)] != '\0')
		check_refuse(c, wwsf->waf_parameter.line,
			     "wwsf[].waf_parameter: \"%s\": letters, digits, '-', '_' and '.' "
			     "expected",
			     parameter);
}

/** A pool is a list of pairs, and a registration never outlives its token (PROTOCOL 6.2, 6.3). */
static void check_pool(const struct check *c, const struct config_wwsf *wwsf)
{
	if (wwsf->identities.domains.count > 0)
		check_refuse(c, wwsf->identities.domains.line,
			     "wwsf[].identities.domains: not with mode pool, which has pairs");
	if (wwsf->clamp_lifetime.value == 0)
		check_refuse(c, wwsf->clamp_lifetime.line,
			     "wwsf[].clamp_lifetime: never false with mode pool: the next user of "
			     "a pair may come when the token has ended");
}

/** What a web site's mode asks for. */
static void check_mode(const struct check *c, const struct config_wwsf *wwsf)
{
	if (wwsf->mode.value == CONFIG_MODE_IMS_AUTH) {
		check_ims_auth(c, wwsf);
		return;
	}
	check_wwsf_issuer(c, wwsf);
	if (wwsf->mode.value == CONFIG_MODE_BLOCK)
		check_block(c, wwsf);
	else if (wwsf->mode.value == CONFIG_MODE_WILDCARD)
		check_wildcard_mode(c, wwsf);
	else
		check_allocation(c, wwsf);
	if (wwsf->mode.value == CONFIG_MODE_POOL)
		check_pool(c, wwsf);
	if (wwsf->aka.value != 0)
		check_refuse(c, wwsf->aka.line, "wwsf[].aka: with mode ims-auth only");
	if (wwsf->demand_token.value != 0)
		check_refuse(c, wwsf->demand_token.line,
			     "wwsf[].demand_token: with mode ims-auth only, others always do");
}

static void check_pairs_from(const struct check *c, const struct config_wwsf *wwsf,
			     struct pairs_from *from)
{
	const struct option_text *file = &wwsf->identities.file;
	bool generates = check_generates(wwsf);

	*from = (struct pairs_from){
		.path = generates ? NULL : config_path(c->config, *file),
		.impu = wwsf->identities.generator.impu.text,
		.impi = wwsf->identities.generator.impi.text,
		.kind = wwsf->mode.value == CONFIG_MODE_POOL ? PAIRS_POOL : PAIRS_LISTED,
		.file = c->config->file,
		.line = generates ? wwsf->identities.generator.impu.line : file->line,
		.impi_line = wwsf->identities.generator.impi.line,
		.stop = c->from->stop,
	};
}

/** The pairs of before that were read from the same file as it is now, held; or NULL. */
static struct pairs *check_same_pairs(const struct check *c, const struct pairs_from *from)
{
	const struct config *before = c->from->before;

	for (uint32_t i = 0; before != NULL && i < before->wwsf.count; i++) {
		struct pairs *pairs = ELEMENT(config_wwsf, before->wwsf, i)->pairs;

		if (pairs != NULL && pairs_are_from(pairs, from))
			return pairs_hold(pairs);
	}
	return NULL;
}

/** Whether the pairs of WWSF w can be read: the rest was refused already. */
static bool check_has_pairs(const struct config_wwsf *wwsf)
{
	if (wwsf->mode.value == CONFIG_MODE_IMS_AUTH || wwsf->mode.value == CONFIG_MODE_BLOCK ||
	    wwsf->mode.value == CONFIG_MODE_WILDCARD || wwsf->identities.domains.count > 0)
		return false;
	if (check_given(wwsf->identities.file))
		return !check_generates(wwsf);
	return wwsf->mode.value == CONFIG_MODE_POOL &&
	       check_given(wwsf->identities.generator.impu) &&
	       check_given(wwsf->identities.generator.impi);
}

static void check_pairs(const struct check *c, uint32_t w)
{
	struct config_wwsf *wwsf = ELEMENT(config_wwsf, c->config->wwsf, w);
	struct pairs_from from;

	if (!check_has_pairs(wwsf))
		return;
	check_pairs_from(c, wwsf, &from);
	wwsf->pairs = check_same_pairs(c, &from);
	wwsf->pairs_before = wwsf->pairs != NULL;
	if (wwsf->pairs == NULL)
		wwsf->pairs = pairs_load(&from, c->problems);
	if (wwsf->pairs == NULL)
		return;
	if (pairs_about(wwsf->pairs).count == 0)
		problems_add(c->problems, PROBLEM_WARNING, c->config->file, from.line,
			     "wwsf[].identities.file: no pairs in %s", wwsf->identities.file.text);
	for (uint32_t i = 0; i < w; i++) {
		const struct config_wwsf *other = ELEMENT(config_wwsf, c->config->wwsf, i);

		/* what two of before have in common was looked for then */
		if (other->pairs != NULL && !(other->pairs_before && wwsf->pairs_before))
			pairs_overlap(other->pairs, wwsf->pairs, c->problems);
	}
}

static void check_wwsfs(const struct check *c)
{
	const struct option_list *wwsfs = &c->config->wwsf;

	for (uint32_t w = 0; w < wwsfs->count; w++) {
		const struct config_wwsf *wwsf = ELEMENT(config_wwsf, *wwsfs, w);

		check_plain(c, "wwsf[].name", wwsf->name);
		check_repeated(c, "wwsf[].name", wwsfs, sizeof(*wwsf), w, strcmp);
		check_origins(c, w);
		check_mode(c, wwsf);
		if (wwsf->mode.value != CONFIG_MODE_BLOCK)
			check_not_block(c, wwsf);
		check_waf(c, wwsf);
		check_pairs(c, w);
	}
}

static void check_tcp(const struct check *c)
{
	(void)check_power_of_two(c, "tcp.sources", c->config->tcp.sources);
}

static void check_limits(const struct check *c)
{
	const struct config *config = c->config;

	if (config->limits.default_expires.value < config->limits.min_grant.value)
		check_refuse(c, config->limits.default_expires.line,
			     "limits.default_expires: less than limits.min_grant");
	if (config->limits.ws_silence.value <= config->limits.ws_ping.value)
		check_refuse(c, config->limits.ws_silence.line,
			     "limits.ws_silence: not more than limits.ws_ping");
	if (config->limits.jwks_cache_max.value < config->limits.jwks_cache_min.value)
		check_refuse(c, config->limits.jwks_cache_max.line,
			     "limits.jwks_cache_max: less than limits.jwks_cache_min");
	if (config->limits.max_connections.value < config->workers.cores.count)
		check_refuse(c, config->limits.max_connections.line,
			     "limits.max_connections: less than one for each worker");
}

void check_config(struct config *config, const struct config_from *from, struct problems *problems)
{
	const struct check c = {.config = config, .problems = problems, .from = from};

	check_node(&c);
	check_realms(&c);
	check_workers(&c);
	check_ports(&c);
	check_access(&c);
	check_emergency(&c);
	check_mw(&c);
	check_port_uses(&c);
	check_issuers(&c);
	check_wwsfs(&c);
	check_patterns(&c);
	check_destinations(&c);
	check_blocks(&c);
	check_tcp(&c);
	check_limits(&c);
}
