/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COMMAND_LIST_H
#define COMMAND_LIST_H

/** The commands of the node: name, arguments, how many at most, role, help. The daemon's table and
 * wicctl's help are made of it. */
#define COMMAND_LIST(X) \
	X(status, "", 0, CLI_OPERATOR, "what the node is and how much of it is in use") \
	X(stats, "", 0, CLI_OPERATOR, "all counters, and every error that was counted") \
	X(workers, "", 0, CLI_OPERATOR, "the workers: core, turns, load") \
	X(ports, "", 0, CLI_OPERATOR, "the ports: device, link, what has passed") \
	X(neighbours, "", 0, CLI_OPERATOR, "the next hops of packet ports") \
	X(connections, "[END]", 1, CLI_OPERATOR, \
	  "the TCP connections, or those with an END: ADDRESS, PORT or ADDRESS:PORT") \
	X(sessions, "", 0, CLI_OPERATOR, "the WebSocket connections of WICs") \
	X(bindings, "", 0, CLI_OPERATOR, "the registrations, identities as keyed hashes") \
	X(mw, "", 0, CLI_OPERATOR, \
	  "the next hops of each worker, and its connections to the core") \
	X(keys, "", 0, CLI_OPERATOR, "the issuers and their public keys") \
	X(ping, "ADDRESS [COUNT]", 2, CLI_OPERATOR, \
	  "ping from a packet port, COUNT times (default 3, at most 10)") \
	X(capture, "FILTER FILE [SECONDS] | stop", 127, CLI_ADMIN, \
	  "write frames of packet ports to a pcapng FILE, at most SECONDS (default 60)") \
	X(trace, "[--full] [--seconds N] [--count N] [--call-id] IMPU|CALL-ID", 7, CLI_ADMIN, \
	  "show SIP messages of an identity or a call as they pass, for N seconds (default 60), " \
	  "until N have come, or until Ctrl-C; --full: whole, else the first line of each") \
	X(show, "binding|connection|call HANDLE|IMPU", 2, CLI_OPERATOR, \
	  "one thing with what belongs to it; HANDLE is WORKER.SLOT of the list") \
	X(revoke, "jti|jti-hash|key|undo|list ...", 4, CLI_ADMIN, \
	  "take back a token (jti ISSUER JTI [SECONDS], jti-hash HASH [SECONDS]) or a key (key " \
	  "ISSUER KID), give it back (undo before the same), list what is taken back") \
	X(disable, "WWSF", 1, CLI_ADMIN, \
	  "refuse every token for a web site, also after a restart") \
	X(enable, "WWSF", 1, CLI_ADMIN, "accept tokens for it again") \
	X(wwsf, "", 0, CLI_OPERATOR, "the web sites: issuer, origins, whether they are enabled") \
	X(pools, "", 0, CLI_OPERATOR, \
	  "the pairs of the web sites: how many, when loaded, how many are held, granted, refused") \
	X(blocks, "", 0, CLI_OPERATOR, \
	  "blocks of identities registered as one: state, until when, last failure, bindings") \
	X(explain, "[--origin ORIGIN] [TOKEN]", 3, CLI_ADMIN, \
	  "validate a token, read from standard input when it is not given, step by step") \
	X(reload, "", 0, CLI_OPERATOR, \
	  "read the configuration again and wait until that is done; when refused nothing " \
	  "changes") \
	X(drain, "[SECONDS]", 1, CLI_OPERATOR, \
	  "refuse what is new, wait at most SECONDS (default 30), stop")

#endif
