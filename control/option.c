/* SPDX-License-Identifier: BSD-3-Clause */
#include "option.h"

#include <string.h>

#include "config.h"
#include "verifier.h"

#define HERE(field) offsetof(struct config, field)
#define REALM(field) offsetof(struct config_realm, field)
#define PORT(field) offsetof(struct config_port, field)
#define LISTEN(field) offsetof(struct config_listen, field)
#define CERT(field) offsetof(struct config_certificate, field)
#define HOP(field) offsetof(struct config_next_hop, field)
#define ISSUER(field) offsetof(struct config_issuer, field)
#define WWSF(field) offsetof(struct config_wwsf, field)

#define MAP(path, help) \
	{ \
		path, OPTION_MAP, "", "{}", 0, 0, NULL, 0, OPTION_RELOAD, 0, 0, help \
	}
#define LIST(path, element, min, max, when, at, help) \
	{ \
		path, OPTION_LIST, "", (min) > 0 ? NULL : "[]", min, max, NULL, 0, when, at, \
			sizeof(struct element), help \
	}
#define TEXT(path, preset, min, max, when, at, help) \
	{ \
		path, OPTION_TEXT, "", preset, min, max, NULL, 0, when, at, 0, help \
	}
#define TEXTS(path, preset, min, max, when, at, help) \
	{ \
		path, OPTION_TEXTS, "", preset, min, max, NULL, 0, when, at, 0, help \
	}
#define NUMBER(path, unit, preset, min, max, when, at, help) \
	{ \
		path, OPTION_NUMBER, unit, preset, min, max, NULL, 0, when, at, 0, help \
	}
#define NUMBERS(path, preset, min, max, when, at, help) \
	{ \
		path, OPTION_NUMBERS, "", preset, min, max, NULL, 0, when, at, 0, help \
	}
#define CHOICE(path, preset, choices, built, when, at, help) \
	{ \
		path, OPTION_CHOICE, "", preset, 0, 0, choices, built, when, at, 0, help \
	}
#define BOOL(path, preset, when, at, help) \
	{ \
		path, OPTION_BOOL, "", preset, 0, 1, NULL, 0, when, at, 0, help \
	}

static const struct option options[] = {
	MAP("node", "This gateway."),
	TEXT("node.name", NULL, 1, 253, OPTION_RESTART, HERE(node.name),
	     "Host name of this node. Flow tokens and the default audience carry it."),
	TEXT("node.state_directory", "/var/lib/wicgate", 1, 4000, OPTION_RESTART,
	     HERE(node.state_directory),
	     "Folder of keys and counters that outlive a restart; mode 0700, made when missing."),

	LIST("realms", config_realm, 1, 64, OPTION_RELOAD, HERE(realms),
	     "IMS home domains this gateway serves."),
	TEXT("realms[].domain", NULL, 1, 253, OPTION_RELOAD, REALM(domain), "Home domain name."),
	TEXT("realms[].icscf_orig", "''", 0, 512, OPTION_RELOAD, REALM(icscf_orig),
	     "SIP URI where requests of users who are not registered enter the core, as "
	     "sip:icscf.home1.net;lr;orig: with lr and orig; empty: none, and no web site with "
	     "mode "
	     "wildcard-unregistered."),
	BOOL("realms[].orig_served_user", "false", OPTION_RELOAD, REALM(orig_served_user),
	     "Such requests carry P-Served-User, for a core that wants it there (D-23)."),
	BOOL("realms[].orig_profile_key", "false", OPTION_RELOAD, REALM(orig_profile_key),
	     "And P-Profile-Key, the wildcard (D-24); an I-CSCF mostly inserts its own."),
	TEXT("realms[].visited_network", "''", 0, 253, OPTION_RELOAD, REALM(visited_network),
	     "P-Visited-Network-ID and orig-ioi; empty: the domain."),
	TEXT("realms[].ioi_prefix", "''", 0, 32, OPTION_RELOAD, REALM(ioi_prefix),
	     "Stands before the visited network in orig-ioi and term-ioi, as 'Type 1' for a core "
	     "that "
	     "wants the type spelled out (D-35); empty: nothing."),
	TEXT("realms[].tna_value", "auth-done", 1, 64, OPTION_RELOAD, REALM(tna_value),
	     "Value of integrity-protected that tells this core that authentication is done."),

	MAP("workers", "The threads that carry traffic."),
	NUMBERS("workers.cores", "[1]", 1, 64, OPTION_RESTART, HERE(workers.cores),
		"CPU cores, one worker on each."),
	CHOICE("workers.idle", "sleep", "sleep|poll", 2, OPTION_RESTART, HERE(workers.idle),
	       "What a worker without work does."),
	NUMBER("workers.mailbox_bytes", "bytes", "262144", 65536, 16777216, OPTION_RESTART,
	       HERE(workers.mailbox_bytes),
	       "Ring between two threads, a power of two; a message takes at most half of it."),
	NUMBER("workers.packet_ring_bytes", "bytes", "1048576", 262144, 67108864, OPTION_RESTART,
	       HERE(workers.packet_ring_bytes),
	       "Ring over which a worker hands packets to another, a power of two."),

	TEXTS("eal", "[]", 1, 255, OPTION_RESTART, HERE(eal),
	      "Arguments added to those that the gateway gives to DPDK."),

	LIST("ports", config_port, 1, 16, OPTION_RESTART, HERE(ports), "Network ports."),
	TEXT("ports[].name", NULL, 1, 31, OPTION_RESTART, PORT(name),
	     "Name that access.listen and mw.port use."),
	TEXT("ports[].device", "kernel", 1, 255, OPTION_RESTART, PORT(device),
	     "kernel: sockets of the operating system; tap:IFACE: a TAP interface of our own; else "
	     "a "
	     "DPDK device, a PCI address or a vdev as net_af_packet0,iface=eth1."),
	TEXTS("ports[].addresses", NULL, 1, 64, OPTION_RESTART, PORT(addresses),
	      "IPv4 and IPv6 addresses with prefix length, as 198.18.0.10/24."),
	TEXTS("ports[].gateways", "[]", 1, 64, OPTION_RESTART, PORT(gateways),
	      "Routers on the link, the first of a family is used; not for kernel."),
	NUMBER("ports[].vlan", "", "0", 0, 4094, OPTION_RESTART, PORT(vlan),
	       "VLAN tag, 0: none; not for kernel."),
	NUMBER("ports[].mtu", "bytes", "0", 0, 9000, OPTION_RESTART, PORT(mtu),
	       "Longest IP packet, 1280 at least; 0: the device's own; not for kernel."),
	TEXT("ports[].mac", "''", 0, 17, OPTION_RESTART, PORT(mac),
	     "Hardware address; empty: the device's, or one made of node.name and the port's name; "
	     "not for kernel."),
	NUMBER("ports[].neighbour_probe", "s", "30", 1, 3600, OPTION_RESTART, PORT(neighbour_probe),
	       "Time between two questions to a next hop that answers."),

	MAP("access", "W2: the side of the browsers."),
	LIST("access.listen", config_listen, 1, 16, OPTION_RESTART, HERE(access.listen),
	     "Where WebSocket connections are accepted: every address of the port."),
	TEXT("access.listen[].port", NULL, 1, 31, OPTION_RESTART, LISTEN(port), "Name of a port."),
	NUMBER("access.listen[].tcp", "", "443", 1, 65535, OPTION_RESTART, LISTEN(tcp),
	       "TCP port."),
	TEXTS("access.paths", "[/]", 1, 255, OPTION_RELOAD, HERE(access.paths),
	      "HTTP paths that are upgraded."),
	TEXTS("access.hosts", "[]", 1, 253, OPTION_RELOAD, HERE(access.hosts),
	      "Host names that are served; empty: any."),
	BOOL("access.from_check", "true", OPTION_RELOAD, HERE(access.from_check),
	     "Refuse requests whose From is not an identity of the sender (D-33)."),
	BOOL("access.warn_reason", "false", OPTION_RELOAD, HERE(access.warn_reason),
	     "Tell a WIC in a Warning why its token is refused (D-12); for tests only."),
	TEXT("access.placeholder_user", "wic", 0, 31, OPTION_RELOAD, HERE(access.placeholder_user),
	     "User part that a page without an identity of its own registers, at its home domain: "
	     "the token's first identity takes its place, and that of "
	     "sip:anonymous@anonymous.invalid (D-18); empty: neither."),
	BOOL("access.cache_wildcard_auth", "true", OPTION_RELOAD, HERE(access.cache_wildcard_auth),
	     "With mode wildcard-unregistered: the token that a connection has shown stands for "
	     "its "
	     "later requests without one, until it ends (D-22). False: each request that begins "
	     "something shows its own."),
	BOOL("access.token_in_body", "false", OPTION_RELOAD, HERE(access.token_in_body),
	     "Also take a token from an application/jwt part, by-reference, of a multipart/mixed "
	     "body (D-09)."),
	MAP("access.tls", "TLS of W2."),
	LIST("access.tls.certificates", config_certificate, 1, TLS_CERTIFICATES_MAX, OPTION_RELOAD,
	     HERE(access.tls.certificates),
	     "Server certificates: the first whose DNS names have the server name that a client "
	     "asks for, a wildcard only when none has it exactly; the first of all for who asks "
	     "for none. Two of the same names may stand together, one RSA and one ECDSA."),
	TEXT("access.tls.certificates[].certificate", NULL, 1, 4000, OPTION_RELOAD,
	     CERT(certificate), "PEM file: the chain, leaf first."),
	TEXT("access.tls.certificates[].key", NULL, 1, 4000, OPTION_RELOAD, CERT(key),
	     "PEM file: the private key."),
	CHOICE("access.tls.min_version", "1.2", "1.2|1.3", 2, OPTION_RELOAD,
	       HERE(access.tls.min_version), "Oldest TLS version."),
	TEXT("access.tls.ciphers", TLS_CIPHERS_DEFAULT, 1, 1000, OPTION_RELOAD,
	     HERE(access.tls.ciphers),
	     "Ciphers of TLS 1.3 and 1.2 in order of preference; of 1.2 only ECDHE with AEAD."),
	TEXT("access.tls.groups", TLS_GROUPS_DEFAULT, 1, 255, OPTION_RELOAD,
	     HERE(access.tls.groups), "Key exchange groups in order of preference."),
	NUMBER("access.tls.tickets", "", "1", 0, 2, OPTION_RELOAD, HERE(access.tls.tickets),
	       "Tickets after a TLS 1.3 handshake, with which a client resumes; 0: none, nor with "
	       "TLS 1.2."),
	NUMBER("access.tls.ticket_rotation", "s", "3600", 60, 604800, OPTION_RELOAD,
	       HERE(access.tls.ticket_rotation),
	       "Time after which tickets get a new key; a ticket lives twice as long, seven days "
	       "at most."),
	NUMBER("access.tls.steps_per_turn", "", "8", 1, 1024, OPTION_RELOAD,
	       HERE(access.tls.steps_per_turn),
	       "Steps of handshakes in one turn of a worker; the others wait for the next."),
	TEXT("access.tls.key_log", "''", 0, 4000, OPTION_RELOAD, HERE(access.tls.key_log),
	     "File to which the secrets of all connections are written, for debugging with a "
	     "capture: who reads it reads the connections; empty: none."),
	TEXT("access.tls.engine", "none", 1, 255, OPTION_LATER, HERE(access.tls.engine),
	     "OpenSSL engine for private keys."),
	TEXTS("access.proxy_protocol_from", "[]", 1, 64, OPTION_RELOAD,
	      HERE(access.proxy_protocol_from),
	      "Addresses of load balancers: each of their connections must begin with a PROXY "
	      "protocol header of version 2, within limits.http_upgrade; the client it names is "
	      "the "
	      "peer from there on. tcp.source* still count the balancer."),

	MAP("emergency", "Emergency calls (D-32): requests of WICs to urn:service:sos, to services "
			 "below it, and to numbers."),
	TEXTS("emergency.numbers", "[]", 1, 32, OPTION_RELOAD, HERE(emergency.numbers),
	      "Numbers that are emergency calls too, as [112, 911]: in tel URIs, in SIP URIs with "
	      "user=phone, and as users of the home domains."),
	CHOICE("emergency.policy", "alternative-service", "alternative-service|forbidden|forward",
	       3, OPTION_RELOAD, HERE(emergency.policy),
	       "alternative-service: 380 with a body of application/3gpp-ims+xml, for the page to "
	       "point to a telephone; forbidden: 403; forward: to the core, as any other request."),
	TEXT("emergency.reason", "'Emergency calls are not served here: use a telephone.'", 0, 255,
	     OPTION_RELOAD, HERE(emergency.reason), "What the 380 gives as its reason."),

	MAP("mw", "Mw: the side of the core."),
	TEXT("mw.port", "access", 1, 31, OPTION_RESTART, HERE(mw.port),
	     "Name of the port that faces the core."),
	TEXT("mw.host", "''", 0, 253, OPTION_RELOAD, HERE(mw.host),
	     "Host in Via and Path; empty: the first IPv4 address of the port, else its first."),
	NUMBER("mw.sip_port", "", "5060", 1, 65535, OPTION_RESTART, HERE(mw.sip_port),
	       "UDP and TCP port that all workers share."),
	NUMBER("mw.worker_port_base", "", "5070", 1, 65535, OPTION_RESTART,
	       HERE(mw.worker_port_base), "Worker w also listens on this port + w."),
	CHOICE("mw.advertise_port", "worker", "worker|common", 2, OPTION_RELOAD,
	       HERE(mw.advertise_port), "Which of the two ports Via and Path name."),
	MAP("mw.tls", "TLS with the core, each side with a certificate."),
	TEXT("mw.tls.certificate", "''", 0, 4000, OPTION_RELOAD, HERE(mw.tls.certificate),
	     "PEM file: our chain, leaf first; empty: no TLS. A core that checks names looks for "
	     "mw.host in it."),
	TEXT("mw.tls.key", "''", 0, 4000, OPTION_RELOAD, HERE(mw.tls.key),
	     "PEM file: the private key."),
	TEXT("mw.tls.authorities", "''", 0, 4000, OPTION_RELOAD, HERE(mw.tls.authorities),
	     "PEM file: certificates of who may have signed those of the core."),
	TEXTS("mw.tls.peers", "[]", 1, 253, OPTION_RELOAD, HERE(mw.tls.peers),
	      "Names that certificates of the core are for: one that the core opens a connection "
	      "with has to have one of them, one that we meet there one of them or the host of its "
	      "URI; empty: only the latter is looked at."),
	NUMBER("mw.tls.port", "", "5061", 1, 65535, OPTION_RESTART, HERE(mw.tls.port),
	       "TLS port that all workers share."),
	NUMBER("mw.tls.worker_port_base", "", "5170", 1, 65535, OPTION_RESTART,
	       HERE(mw.tls.worker_port_base), "Worker w also listens on this port + w."),
	LIST("mw.next_hops", config_next_hop, 1, 64, OPTION_RELOAD, HERE(mw.next_hops),
	     "Where requests enter the core."),
	TEXT("mw.next_hops[].uri", NULL, 1, 255, OPTION_RELOAD, HOP(uri),
	     "sip:HOST[:PORT][;transport=udp|tcp|tls]; of an address port 5060, with tls 5061, "
	     "transport udp; what a name leaves out its NAPTR and SRV records say (RFC 3263). Its "
	     "addresses have to be "
	     "in mw.trusted as well."),
	NUMBER("mw.next_hops[].priority", "", "1", 0, 65535, OPTION_RELOAD, HOP(priority),
	       "Lower ones are used first."),
	NUMBER("mw.next_hops[].weight", "", "1", 1, 65535, OPTION_RELOAD, HOP(weight),
	       "Share among those of one priority."),
	NUMBER("mw.options_interval", "s", "30", 0, 3600, OPTION_RELOAD, HERE(mw.options_interval),
	       "Time between two OPTIONS of a worker to a next hop, 5 at most to one that is down; "
	       "0: none."),
	NUMBER("mw.keep_alive", "s", "0", 0, 3600, OPTION_RELOAD, HERE(mw.keep_alive),
	       "Silence on a TCP connection of ours until it is pinged (RFC 5626 4.4.1); it is "
	       "given "
	       "up when nothing comes in 10 s. 0: none is, for cores that do not answer."),
	BOOL("mw.reg_event", "true", OPTION_RELOAD, HERE(mw.reg_event),
	     "Subscribe to the registration events of each user (RFC 3680), so that what the core "
	     "ends, shortens or bars takes effect here; false: for a core that has no such "
	     "events."),
	CHOICE("mw.reg_event_route", "next-hop", "next-hop|service-route", 2, OPTION_RELOAD,
	       HERE(mw.reg_event_route),
	       "Where a SUBSCRIBE goes first: to a next hop, which finds the user's S-CSCF, or by "
	       "the Service-Route of the registration."),
	TEXTS("mw.name_servers", "[]", 1, 64, OPTION_RESTART, HERE(mw.name_servers),
	      "Addresses, or ADDRESS@PORT, of the name servers for hosts of the core; empty: the "
	      "system's."),
	TEXTS("mw.trusted", NULL, 1, 64, OPTION_RELOAD, HERE(mw.trusted),
	      "Addresses of the core, next hops included; Mw messages of others are refused."),

	MAP("tcp",
	    "TCP connections. Numbers of connections and packets are of one worker; all but the "
	    "last three are of packet ports, the operating system has its own."),
	NUMBER("tcp.half_open", "", "32768", 64, 1048576, OPTION_RESTART, HERE(tcp.half_open),
	       "Connections that have not sent their first byte."),
	NUMBER("tcp.time_waits", "", "65536", 64, 4194304, OPTION_RESTART, HERE(tcp.time_waits),
	       "Closed connections in TIME-WAIT; the oldest makes room."),
	NUMBER("tcp.sources", "", "16384", 64, 1048576, OPTION_RESTART, HERE(tcp.sources),
	       "Sources known at a time, IPv4 addresses and IPv6 /64s; a power of two."),
	NUMBER("tcp.send_packets", "", "16384", 1024, 1048576, OPTION_RESTART,
	       HERE(tcp.send_packets), "Packets of bytes not sent or not acknowledged yet."),
	NUMBER("tcp.held_packets", "", "8192", 1024, 1048576, OPTION_RESTART,
	       HERE(tcp.held_packets), "Received packets that connections may keep."),
	NUMBER("tcp.source_half_open", "", "64", 1, 65536, OPTION_RESTART,
	       HERE(tcp.source_half_open), "Half-open connections of one source."),
	NUMBER("tcp.source4_connections", "", "4096", 1, 10000000, OPTION_RESTART,
	       HERE(tcp.source4_connections),
	       "Connections of one IPv4 address, which may be that of many users."),
	NUMBER("tcp.source6_connections", "", "128", 1, 10000000, OPTION_RESTART,
	       HERE(tcp.source6_connections), "Connections of one IPv6 /64."),
	NUMBER("tcp.source_rate", "1/s", "200", 1, 1000000, OPTION_RESTART, HERE(tcp.source_rate),
	       "New connections of one source."),
	NUMBER("tcp.source_burst", "", "400", 1, 1000000, OPTION_RESTART, HERE(tcp.source_burst),
	       "New connections of one source at once."),
	NUMBER("tcp.syn_rate", "1/s", "5000", 1, 10000000, OPTION_RESTART, HERE(tcp.syn_rate),
	       "SYNs above which cookies auto sends cookies."),
	CHOICE("tcp.cookies", "auto", "auto|always|never", 3, OPTION_RESTART, HERE(tcp.cookies),
	       "When SYNs are answered by cookies instead of a half-open connection."),
	NUMBER("tcp.user_timeout", "s", "45", 5, 3600, OPTION_RESTART, HERE(tcp.user_timeout),
	       "Time without progress after which a connection that has sent something is over."),
	NUMBER("tcp.receive_buffer", "bytes", "65536", 32768, 262144, OPTION_RESTART,
	       HERE(tcp.receive_buffer), "Received bytes of one connection that wait."),
	NUMBER("tcp.send_buffer", "bytes", "65536", 32768, 262144, OPTION_RESTART,
	       HERE(tcp.send_buffer), "Sent bytes of one connection that wait."),

	LIST("issuers", config_issuer, 0, 256, OPTION_RELOAD, HERE(issuers), "Who issues tokens."),
	TEXT("issuers[].name", NULL, 1, 63, OPTION_RELOAD, ISSUER(name),
	     "Name that wwsf[].issuer uses."),
	TEXT("issuers[].iss", NULL, 1, 512, OPTION_RELOAD, ISSUER(iss),
	     "The claim iss, compared byte for byte."),
	TEXT("issuers[].audience", "''", 0, 512, OPTION_RELOAD, ISSUER(audience),
	     "What the claim aud must contain; empty: sip: and node.name."),
	TEXTS("issuers[].algorithms", "[ES256]", 1, 16, OPTION_RELOAD, ISSUER(algorithms),
	      "Allowed signatures: ES256, ES384, RS256, PS256, EdDSA."),
	TEXTS("issuers[].typ", "[at+jwt, JWT]", 1, 64, OPTION_RELOAD, ISSUER(typ),
	      "Accepted typ of the token's header; a token without one counts as JWT (D-46)."),
	TEXT("issuers[].jwks", NULL, 1, 4000, OPTION_RELOAD, ISSUER(jwks),
	     "The JSON Web Key Set: file:PATH, or https://HOST[:PORT]/PATH, fetched again and "
	     "again."),
	TEXT("issuers[].jwks_ca", "''", 0, 4000, OPTION_RELOAD, ISSUER(jwks_ca),
	     "PEM file of the CAs that the https server is checked with; empty: the system's."),
	TEXT("issuers[].authz_server", NULL, 1, 512, OPTION_RELOAD, ISSUER(authz_server),
	     "https URI that the Bearer challenge names (RFC 8898)."),
	MAP("issuers[].claims", "Names of the claims that this issuer chooses (D-10)."),
	TEXT("issuers[].claims.impi", "impi", 1, 128, OPTION_RELOAD, ISSUER(claims.impi),
	     "Private identity."),
	TEXT("issuers[].claims.impu", "impu", 1, 128, OPTION_RELOAD, ISSUER(claims.impu),
	     "Public identity, or a list of them."),
	TEXT("issuers[].claims.wwsf", "wwsf", 1, 128, OPTION_RELOAD, ISSUER(claims.wwsf),
	     "Name of the web site, or one of its origins."),
	TEXT("issuers[].claims.scn", "scn", 1, 128, OPTION_RELOAD, ISSUER(claims.scn),
	     "Scenario that the token is narrowed to."),
	TEXT("issuers[].scope_register", "''", 0, 128, OPTION_RELOAD, ISSUER(scope_register),
	     "What the claim scope must contain to register; empty: nothing."),
	TEXT("issuers[].scope_originate", "''", 0, 128, OPTION_RELOAD, ISSUER(scope_originate),
	     "What it must contain for other requests with a token; empty: nothing."),
	NUMBER("issuers[].leeway", "s", "30", 0, 60, OPTION_RELOAD, ISSUER(leeway),
	       "Clock difference that is forgiven."),

	MAP("screening", "Whom users of any web site may reach: rules of the operator, before "
			 "those of wwsf[].destinations."),
	TEXTS("screening.allow", "[]", 1, 512, OPTION_RELOAD, HERE(screening.allow.texts),
	      "As wwsf[].destinations.allow."),
	TEXTS("screening.deny", "[]", 1, 512, OPTION_RELOAD, HERE(screening.deny.texts),
	      "As wwsf[].destinations.deny."),

	LIST("wwsf", config_wwsf, 0, 256, OPTION_RELOAD, HERE(wwsf),
	     "Web sites whose users come here."),
	TEXT("wwsf[].name", NULL, 1, 31, OPTION_RELOAD, WWSF(name),
	     "Name of the web site; also the claim wwsf."),
	TEXT("wwsf[].issuer", "''", 0, 63, OPTION_RELOAD, WWSF(issuer),
	     "Name of its issuer; none with mode ims-auth that demands no token."),
	TEXTS("wwsf[].origins", "[]", 1, 253, OPTION_RELOAD, WWSF(origins),
	      "Origins of its pages, https only; each belongs to one web site. Empty: the default "
	      "Origins of its home domains, https://wwsf.DOMAIN as wicctl wwsf-uri has it (D-02): "
	      "those of identities.domains and of identities.wildcard, else all of realms[]; of "
	      "two "
	      "sites with the same one, one has to list its own."),
	CHOICE("wwsf[].mode", "individual", "individual|ims-auth|pool|wildcard-unregistered|block",
	       5, OPTION_RELOAD, WWSF(mode),
	       "How its users are registered: individual, by a token that names them; ims-auth, "
	       "by the Digest or AKA that the core asks of them; pool, by a token that lends them "
	       "a pair of the web site's, which nobody else has meanwhile; wildcard-unregistered, "
	       "not at all: what they begin shows a token that names an identity of the wildcard; "
	       "block, by a token, here: the core holds one registration for all of them."),
	BOOL("wwsf[].aka", "false", OPTION_RELOAD, WWSF(aka),
	     "With mode ims-auth: a REGISTER whose Digest has no response yet begins IMS AKA, "
	     "whatever its algorithm says."),
	BOOL("wwsf[].fork", "false", OPTION_RELOAD, WWSF(fork),
	     "With mode block: what the core sends to an identity goes to all of its bindings at "
	     "once, and who answers first has the call; false: to the youngest alone."),
	BOOL("wwsf[].demand_token", "false", OPTION_RELOAD, WWSF(demand_token),
	     "With mode ims-auth: a connection must also show a token of the issuer before its "
	     "REGISTERs go to the core, and again when that has ended (D-13)."),
	TEXT("wwsf[].waf_identity", "''", 0, 255, OPTION_RELOAD, WWSF(waf_identity),
	     "Who issues its tokens, where that is a third party: the core is told with each "
	     "REGISTER by a token, to check it against the subscription (D-15); empty: nothing "
	     "is."),
	TEXT("wwsf[].waf_parameter", "authorization-entity", 1, 63, OPTION_RELOAD,
	     WWSF(waf_parameter), "Parameter of Authorization that says so."),
	BOOL("wwsf[].clamp_lifetime", "true", OPTION_RELOAD, WWSF(clamp_lifetime),
	     "With mode individual: a registration ends with its token at the latest (D-19). "
	     "False: "
	     "it lives as long as the core grants, and a token that has ended cannot be revoked "
	     "any "
	     "more."),
	CHOICE("wwsf[].jti", "optional", "optional|required", 2, OPTION_RELOAD, WWSF(jti),
	       "Whether its tokens must have a jti, by which they can be revoked."),
	MAP("wwsf[].identities", "The identities that belong to it."),
	TEXT("wwsf[].identities.file", "''", 0, 4000, OPTION_RELOAD, WWSF(identities.file),
	     "File of identity pairs, impi,impu on each line; this, domains or with mode pool a "
	     "generator must be given, but with mode ims-auth. With mode pool each private and "
	     "each "
	     "public identity stands there once, and in no other pool."),
	TEXTS("wwsf[].identities.domains", "[]", 1, 253, OPTION_RELOAD, WWSF(identities.domains),
	      "Home domains, instead of a file: public identities are SIP URIs of one of them, "
	      "private ones of it or of a domain below it; which belong together, the issuer "
	      "says."),
	TEXT("wwsf[].identities.wildcard", "''", 0, 512, OPTION_RELOAD, WWSF(identities.wildcard),
	     "Wildcarded public identity, with mode wildcard-unregistered or block: a SIP or tel "
	     "URI with an extended regular expression (POSIX, at most 256 bytes) between '!', as "
	     "sip:guest!.*!@home1.net, of a home domain. It matches all of what stands in its "
	     "place. No identity of it is in the pairs or the wildcard of another web site."),
	MAP("wwsf[].identities.generator",
	    "Pairs made by rule, instead of a file; with mode pool."),
	TEXT("wwsf[].identities.generator.impu", "''", 0, 512, OPTION_RELOAD,
	     WWSF(identities.generator.impu),
	     "The public identities: an extended regular expression of literals ('.' is one), "
	     "\\ before punctuation, brackets with ranges, {n} and groups, as "
	     "sip:pool(0[0-9]{3})@home1.net."),
	TEXT("wwsf[].identities.generator.impi", "''", 0, 512, OPTION_RELOAD,
	     WWSF(identities.generator.impi),
	     "The private identity of each, \\1 to \\9 being what the groups match: all that "
	     "varies must be in it, as pool\\1@ims.home1.net."),
	MAP("wwsf[].identities.registering", "The pair that registers a block."),
	TEXT("wwsf[].identities.registering.impi", "''", 0, 512, OPTION_RELOAD,
	     WWSF(identities.registering.impi), "Private identity; with mode block."),
	TEXT("wwsf[].identities.registering.impu", "''", 0, 512, OPTION_RELOAD,
	     WWSF(identities.registering.impu),
	     "Public identity, of a home domain: distinct, of the same implicit registration set "
	     "as the wildcard, and nobody's who comes here."),
	MAP("wwsf[].destinations",
	    "Whom its users may reach, by initial requests and by Refer-To; docs/operations.md has "
	    "how to write rules."),
	TEXTS("wwsf[].destinations.allow", "[]", 1, 512, OPTION_RELOAD,
	      WWSF(destinations.allow.texts),
	      "Rules, one of which must fit: tel:PREFIX, sip:*@HOST, sip:USER@HOST or "
	      "re:EXPRESSION (POSIX, of all of the canonical URI, at most 256); empty: whatever is "
	      "not denied."),
	TEXTS("wwsf[].destinations.deny", "[]", 1, 512, OPTION_RELOAD,
	      WWSF(destinations.deny.texts), "Rules, none of which may fit; they go first."),
	MAP("wwsf[].limits",
	    "What it may use. Where limits are shared out, each worker grants value / workers, one "
	    "at least; a burst is twice the rate."),
	NUMBER("wwsf[].limits.connections_per_second", "1/s", "1000", 1, 1000000, OPTION_RELOAD,
	       WWSF(limits.connections_per_second),
	       "Upgrades from its origins, shared out to the workers; more get 503."),
	NUMBER("wwsf[].limits.max_connections", "", "100000", 1, 10000000, OPTION_RELOAD,
	       WWSF(limits.max_connections),
	       "Open connections from its origins, shared out to the workers; more get 503."),
	NUMBER("wwsf[].limits.registrations_per_second", "1/s", "1000", 1, 1000000, OPTION_RELOAD,
	       WWSF(limits.registrations_per_second),
	       "Requests of connections without a binding, shared out to the workers."),
	NUMBER("wwsf[].limits.requests_per_second", "1/s", "20", 1, 1000000, OPTION_RELOAD,
	       WWSF(limits.requests_per_second),
	       "Requests of one binding, those inside dialogs left out."),
	NUMBER("wwsf[].limits.calls_in_setup", "", "4", 1, 1000, OPTION_RELOAD,
	       WWSF(limits.calls_in_setup), "Calls that one binding sets up at a time."),
	NUMBER("wwsf[].limits.max_bindings", "", "100000", 1, 10000000, OPTION_RELOAD,
	       WWSF(limits.max_bindings), "Bindings, shared out to the workers; more get 503."),

	MAP("verify", "Checking of token signatures."),
	CHOICE("verify.driver", "auto", "auto|openssl|crypto_mb|cryptodev|engine", 2,
	       OPTION_RESTART, HERE(verify.driver), "Driver; auto picks the best present."),

	MAP("limits", "Bounds of the whole node, and times."),
	NUMBER("limits.max_connections", "", "100000", 1, 10000000, OPTION_RESTART,
	       HERE(limits.max_connections),
	       "Open connections of WICs, shared out to the workers; more get 503."),
	NUMBER("limits.max_bindings", "", "100000", 1, 10000000, OPTION_RESTART,
	       HERE(limits.max_bindings), "Bindings, shared out to the workers."),
	NUMBER("limits.max_transactions", "", "200000", 1, 10000000, OPTION_RESTART,
	       HERE(limits.max_transactions),
	       "SIP transactions under way, shared out to the workers; eight finished ones "
	       "for each are remembered."),
	NUMBER("limits.max_message", "bytes", "65536", 2048, 1048576, OPTION_RESTART,
	       HERE(limits.max_message), "Longest SIP message."),
	NUMBER("limits.max_output", "bytes", "65536", 4096, 16777216, OPTION_RESTART,
	       HERE(limits.max_output), "Bytes that may wait for a WIC that does not read."),
	NUMBER("limits.mw_output", "bytes", "1048576", 65536, 16777216, OPTION_RELOAD,
	       HERE(limits.mw_output),
	       "Bytes that may wait for one connection with the core; beyond, requests get 503."),
	NUMBER("limits.max_token_bytes", "bytes", "8192", 256, VERIFY_TEXT_MAX, OPTION_RELOAD,
	       HERE(limits.max_token_bytes), "Longest token."),
	NUMBER("limits.max_token_lifetime", "s", "86400", 60, 31536000, OPTION_RELOAD,
	       HERE(limits.max_token_lifetime), "Longest exp - iat."),
	NUMBER("limits.max_pool_lifetime", "s", "3600", 60, 31536000, OPTION_RELOAD,
	       HERE(limits.max_pool_lifetime),
	       "The same with mode pool: one value, agreed with all web sites."),
	NUMBER("limits.lease_tombstones", "", "1048576", 1024, 67108864, OPTION_RESTART,
	       HERE(limits.lease_tombstones),
	       "Pool pairs whose last token is remembered until 5 minutes behind its end."),
	NUMBER("limits.max_revocations", "", "100000", 1, 500000, OPTION_RELOAD,
	       HERE(limits.max_revocations),
	       "Tokens, keys and web sites that are taken back at a time; more are refused."),
	NUMBER("limits.jwks_cache_min", "s", "60", 1, 86400, OPTION_RELOAD,
	       HERE(limits.jwks_cache_min),
	       "Fetched key sets are kept so long at least, whatever HTTP says; also the longest "
	       "time between two attempts after a failure."),
	NUMBER("limits.jwks_cache_max", "s", "86400", 1, 604800, OPTION_RELOAD,
	       HERE(limits.jwks_cache_max), "Fetched key sets are kept so long at most."),
	NUMBER("limits.jwks_stale_max", "s", "86400", 0, 2592000, OPTION_RELOAD,
	       HERE(limits.jwks_stale_max),
	       "Time that key sets are used beyond that, while fetches fail."),
	NUMBER("limits.jwks_cooldown", "s", "60", 1, 3600, OPTION_RELOAD,
	       HERE(limits.jwks_cooldown),
	       "Time between two fetches that tokens with an unknown kid ask for."),
	NUMBER("limits.min_grant", "s", "60", 1, 3600, OPTION_RELOAD, HERE(limits.min_grant),
	       "Shortest registration."),
	NUMBER("limits.default_expires", "s", "600", 1, 604800, OPTION_RELOAD,
	       HERE(limits.default_expires), "Registration that asks for no time."),
	NUMBER("limits.ws_ping", "s", "25", 1, 3600, OPTION_RELOAD, HERE(limits.ws_ping),
	       "Time between two pings of a WIC."),
	NUMBER("limits.ws_silence", "s", "60", 2, 7200, OPTION_RELOAD, HERE(limits.ws_silence),
	       "Silence after which a connection is dead; more than ws_ping."),
	NUMBER("limits.tls_handshake", "s", "10", 1, 120, OPTION_RELOAD, HERE(limits.tls_handshake),
	       "Time for the TLS handshake."),
	NUMBER("limits.http_upgrade", "s", "10", 1, 120, OPTION_RELOAD, HERE(limits.http_upgrade),
	       "Time from there to the WebSocket upgrade."),
	NUMBER("limits.pre_auth", "s", "30", 1, 600, OPTION_RELOAD, HERE(limits.pre_auth),
	       "Time from there to an accepted REGISTER."),
	NUMBER("limits.timer_c", "s", "185", 180, 3600, OPTION_RELOAD, HERE(limits.timer_c),
	       "Time that an INVITE may ring since the last provisional response; then it is "
	       "cancelled."),
	NUMBER("limits.flow_grace", "s", "30", 0, 600, OPTION_RELOAD, HERE(limits.flow_grace),
	       "Time that a registration outlives its connection and waits for another one."),
	NUMBER("limits.hold_indialog", "s", "0", 0, 4, OPTION_RELOAD, HERE(limits.hold_indialog),
	       "Time that a request of the core inside a dialog waits for a WIC to come back, "
	       "within limits.flow_grace; 0: it is answered at once."),
	NUMBER("limits.held_requests", "", "256", 1, 65536, OPTION_RESTART,
	       HERE(limits.held_requests),
	       "Requests of one worker that wait so, of at most 8 KiB, four for one WIC; more are "
	       "answered at once."),
	NUMBER("limits.parked_messages", "", "1024", 1, 65536, OPTION_RESTART,
	       HERE(limits.parked_messages),
	       "Requests of one worker that wait for keys of an issuer; half of them for one."),
	NUMBER("limits.token_cache", "", "16384", 0, 10000000, OPTION_RESTART,
	       HERE(limits.token_cache), "Verified tokens that one worker remembers."),
	NUMBER("limits.token_refused", "", "65536", 0, 10000000, OPTION_RESTART,
	       HERE(limits.token_refused), "Refused tokens that one worker remembers."),
	NUMBER("limits.upgrades_per_second", "1/s", "20", 1, 1000000, OPTION_RELOAD,
	       HERE(limits.upgrades_per_second),
	       "WebSocket upgrades of one address (IPv4 address or IPv6 /64); more get 429. Each "
	       "worker grants value / workers, one at least, here and in the next two."),
	NUMBER("limits.upgrades_burst", "", "50", 1, 1000000, OPTION_RELOAD,
	       HERE(limits.upgrades_burst), "Upgrades of one address at once."),
	NUMBER("limits.connections_per_address", "", "1024", 1, 10000000, OPTION_RELOAD,
	       HERE(limits.connections_per_address),
	       "Open WebSocket connections of one address; more get 429."),
	NUMBER("limits.requests_per_second", "1/s", "100", 1, 1000000, OPTION_RELOAD,
	       HERE(limits.requests_per_second),
	       "SIP requests of one connection, twice as many at once; more get 503."),
	NUMBER("limits.dialog_requests_per_second", "1/s", "400", 1, 1000000, OPTION_RELOAD,
	       HERE(limits.dialog_requests_per_second),
	       "ACK, BYE, CANCEL, requests inside dialogs and answers that end nothing of one "
	       "connection, which no other limit counts; twice as many at once."),

	MAP("block", "Blocks of identities that this node registers as one (wwsf[].mode: block)."),
	NUMBER("block.expires", "s", "600000", 60, 31536000, OPTION_RELOAD, HERE(block.expires),
	       "Registration that is asked of the core; it is refreshed 600 s before its end, of "
	       "1200 s and less at half."),
	NUMBER("block.retry", "s", "30", 1, 1800, OPTION_RELOAD, HERE(block.retry),
	       "After n failures in a row it is tried again in 2^n times this, of that between a "
	       "half and all (RFC 5626 4.5)."),
	NUMBER("block.retry_max", "s", "1800", 1, 86400, OPTION_RELOAD, HERE(block.retry_max),
	       "The most of that."),
	NUMBER("block.contacts", "", "8", 1, 16, OPTION_RELOAD, HERE(block.contacts),
	       "Bindings of one identity; more get 503."),
	MAP("block.absent", "What the core is told when it calls an identity of a block that "
			    "nobody has registered here (D-25)."),
	NUMBER("block.absent.status", "", "480", 400, 699, OPTION_RELOAD, HERE(block.absent.status),
	       "Status code."),
	NUMBER("block.absent.cause", "", "20", 0, 127, OPTION_RELOAD, HERE(block.absent.cause),
	       "Q.850 cause in Reason; 0: no Reason."),
	TEXT("block.absent.text", "Subscriber absent", 0, 127, OPTION_RELOAD,
	     HERE(block.absent.text), "Text in Reason; empty: none."),
	MAP("block.unknown", "The same for one that is in no block."),
	NUMBER("block.unknown.status", "", "404", 400, 699, OPTION_RELOAD,
	       HERE(block.unknown.status), "Status code."),
	NUMBER("block.unknown.cause", "", "1", 0, 127, OPTION_RELOAD, HERE(block.unknown.cause),
	       "Q.850 cause in Reason; 0: no Reason."),
	TEXT("block.unknown.text", "''", 0, 127, OPTION_RELOAD, HERE(block.unknown.text),
	     "Text in Reason; empty: none."),

	TEXT("store", "embedded", 1, 255, OPTION_LATER, HERE(store), "Where leases are kept."),

	MAP("control", "How the node is operated."),
	TEXT("control.socket", "/run/wicgate/control.sock", 1, 107, OPTION_RESTART,
	     HERE(control.socket), "Unix socket of wicctl."),
	CHOICE("control.mode", "0600", "0600|0660", 2, OPTION_RESTART, HERE(control.mode),
	       "Permissions of the socket."),
	NUMBER("control.max_rows", "", "10000", 1, 10000000, OPTION_RESTART, HERE(control.max_rows),
	       "Rows in the answer to one command."),
	TEXT("control.metrics", "''", 0, 255, OPTION_LATER, HERE(control.metrics),
	     "Address and port of the metrics."),

	MAP("audit",
	    "The audit stream: a line for each start, refresh and end of a registration and "
	    "for each answer to and end of a call."),
	TEXT("audit.file", "''", 0, 4000, OPTION_RELOAD, HERE(audit.file),
	     "File that lines are added to, opened anew at SIGHUP and reload; stderr: standard "
	     "error; empty: none."),
	CHOICE("audit.identities", "hash", "hash|clear", 2, OPTION_RELOAD, HERE(audit.identities),
	       "How identities are written: by their keyed hash, as in the log, or as they are."),

	MAP("log", "The log on standard error."),
	CHOICE("log.level", "info", "error|warning|info|debug", 4, OPTION_RELOAD, HERE(log.level),
	       "Least important lines that are written."),
	NUMBER("log.rate", "1/s", "20", 1, 100000, OPTION_RELOAD, HERE(log.rate),
	       "Lines of one event in a second; more are counted and left out."),
};

const struct option *option_at(uint32_t i)
{
	return i < sizeof(options) / sizeof(options[0]) ? &options[i] : NULL;
}

const char *option_leaf(const struct option *option)
{
	const char *dot = strrchr(option->path, '.');

	return dot != NULL ? dot + 1 : option->path;
}

bool option_in(const struct option *option, const char *parent)
{
	size_t len = strlen(parent);
	const char *leaf = option_leaf(option);

	if (leaf == option->path)
		return len == 0;
	return (size_t)(leaf - option->path) == len + 1 && memcmp(option->path, parent, len) == 0;
}

size_t option_element_size(const struct option *option)
{
	switch (option->type) {
	case OPTION_LIST:
		return option->size;
	case OPTION_TEXTS:
		return sizeof(struct option_text);
	case OPTION_NUMBERS:
		return sizeof(struct option_number);
	default:
		return 0;
	}
}

bool option_choice(const struct option *option, uint32_t i, char *out, size_t out_size)
{
	const char *word = option->choices;
	size_t len;

	while (i-- > 0) {
		word = strchr(word, '|');
		if (word == NULL)
			return false;
		word++;
	}
	len = strcspn(word, "|");
	if (len >= out_size)
		return false;
	memcpy(out, word, len);
	out[len] = '\0';
	return true;
}

static const char *option_type_text(const struct option *option)
{
	static const char *const texts[] = {
		[OPTION_MAP] = "mapping",      [OPTION_LIST] = "list of mappings",
		[OPTION_TEXT] = "text",	       [OPTION_TEXTS] = "list of texts",
		[OPTION_NUMBER] = "number",    [OPTION_NUMBERS] = "list of numbers",
		[OPTION_BOOL] = "true, false", [OPTION_CHOICE] = "choice",
	};

	return texts[option->type];
}

static void option_print_range(const struct option *option, FILE *out)
{
	char word[64];

	switch (option->type) {
	case OPTION_NUMBER:
		fprintf(out, "%llu..%llu %s", (unsigned long long)option->min,
			(unsigned long long)option->max, option->unit);
		break;
	case OPTION_CHOICE:
		for (uint32_t i = 0; option_choice(option, i, word, sizeof(word)); i++)
			fprintf(out, "%s%s%s", i > 0 ? ", " : "", word,
				i < option->built ? "" : " (not in this version)");
		break;
	case OPTION_LIST:
		fprintf(out, "%llu..%llu elements", (unsigned long long)option->min,
			(unsigned long long)option->max);
		break;
	default:
		break;
	}
}

static void option_print_row(const struct option *option, FILE *out)
{
	static const char *const when[] = {
		[OPTION_RELOAD] = "reload",
		[OPTION_RESTART] = "restart",
		[OPTION_LATER] = "not in this version",
	};

	fprintf(out, "| `%s` | %s | ", option->path, option_type_text(option));
	option_print_range(option, out);
	if (option->type == OPTION_MAP)
		fprintf(out, " |  |  | %s |\n", option->help);
	else if (option->preset == NULL)
		fprintf(out, " | must be given | %s | %s |\n", when[option->when], option->help);
	else
		fprintf(out, " | `%s` | %s | %s |\n", option->preset, when[option->when],
			option->help);
}

void option_print_markdown(FILE *out)
{
	fputs("# Configuration\n\n"
	      "Made from the option table of `control/option.c`; do not edit. `[]` stands for an "
	      "element of a list.\nRelative paths start at the folder of the configuration file. "
	      "\"reload\" and \"restart\" say when a changed\nvalue counts; of what is not in this "
	      "version only the default is accepted.\n\n"
	      "| setting | type | range | default | counts after | meaning |\n"
	      "|---|---|---|---|---|---|\n",
	      out);
	for (uint32_t i = 0; option_at(i) != NULL; i++)
		option_print_row(option_at(i), out);
}
