/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COMMAND_LIST_H
#define COMMAND_LIST_H

/** The commands of the node: name, arguments, how many at most, help. The daemon's table and
 * wicctl's help are made of it. */
#define COMMAND_LIST(X) \
	X(status, "", 0, "what the node is and how much of it is in use") \
	X(stats, "", 0, "all counters, and every error that was counted") \
	X(workers, "", 0, "the workers: core, turns, load") \
	X(connections, "", 0, "the connections of WICs") \
	X(bindings, "", 0, "the registrations, identities as keyed hashes") \
	X(reload, "", 0, "read the configuration again; when refused nothing changes") \
	X(drain, "[SECONDS]", 1, "refuse what is new, wait at most SECONDS (default 30), stop")

#endif
