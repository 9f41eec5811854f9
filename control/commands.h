/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "capture.h"
#include "cli.h"
#include "counters.h"
#include "errand.h"
#include "fetch.h"
#include "journal.h"
#include "netifs.h"
#include "problem.h"
#include "revocations.h"
#include "traces.h"
#include "snapshot.h"
#include "publish.h"

/** What `status` tells. Texts are borrowed for the call. */
struct node_status {
	const char *version;
	const char *node;  /* its name */
	const char *state; /* "running", "draining" */
	const char *port_driver;
	const char *verify_driver;
	uint64_t uptime_s;
	uint32_t config_generation;
	struct journal_numbers journal;
};

/** What the commands need of the node. No entry is NULL. All run on the control loop. */
struct node_ops {
	void (*status)(void *context, struct node_status *status);
	/** The counters of worker w; they live as long as the commands. */
	const struct counters *(*counters)(void *context, uint16_t w);
	uint32_t (*core)(void *context, uint16_t w);
	/** Begins a reload, and ends the request, now or later, with commands_reloaded() or
	 * cli_fail(). */
	void (*reload)(void *context, struct cli_request *request);
	/** Begins to drain. NULL, or why not. */
	const char *(*drain)(void *context, uint32_t seconds);
	/** Port i in the order of the configuration, or NULL past the end. */
	const struct netifs_port *(*port)(void *context, uint32_t i);
	/** Fills rows[0..max) with the next hops known now and returns how many. */
	uint32_t (*neighbours)(void *context, uint32_t max, struct netifs_neighbour *rows);
	/** Fills view with the live parts; they live until the next publication. */
	void (*view)(void *context, struct snapshot *view);
	/** Puts a change of the revocations live. False: not yet, it is tried again. */
	bool (*publish_revocations)(void *context, enum revocation_kind kind);
	/** What the live keys are from. */
	struct publish_keys_from (*keys)(void *context);
};

/** The context of every command. The caller's; lives as long as the socket. */
struct commands {
	const struct node_ops *node;
	void *node_context;
	uint16_t workers;
	uv_loop_t *loop;
	struct fetch *fetch;
	struct errands *errands;
	struct capture *capture;
	struct traces *traces;
	struct revocations *revocations;
	const struct named *named; /* NULL: nothing was named */
	uint32_t max_rows;	   /* of an answer */
};

/** The table for struct cli_config. */
extern const struct cli_command commands_table[];
extern const uint32_t commands_count;

/**
 * Ends a reload: {"reload": {"generation": N, "warnings": [...]}}, or, when problems has errors,
 * {"error": "configuration refused, nothing changed", "problems": ["FILE:LINE: reason", ...]}.
 */
void commands_reloaded(struct cli_request *request, const struct problems *problems,
		       uint32_t generation);

/** Takes a message of worker from that a command waits for. False: it is another kind. */
bool commands_message(struct commands *commands, uint16_t from, struct span message);

/** Frames that workers could not hand over to a capture, since start; context: struct commands. */
uint64_t commands_capture_lost(void *context);

/** Reads a decimal number of all of word, at most max. */
bool commands_number(const char *word, uint32_t max, uint32_t *number);

/* control/commands_net.c */
void command_run_connections(struct cli_request *request, void *context);
void command_run_ports(struct cli_request *request, void *context);
void command_run_neighbours(struct cli_request *request, void *context);
void command_run_ping(struct cli_request *request, void *context);
void command_run_capture(struct cli_request *request, void *context);

/* control/commands_sip.c */
void command_run_trace(struct cli_request *request, void *context);
void command_run_show(struct cli_request *request, void *context);

/* control/commands_door.c */
void command_run_revoke(struct cli_request *request, void *context);
void command_run_disable(struct cli_request *request, void *context);
void command_run_enable(struct cli_request *request, void *context);
void command_run_wwsf(struct cli_request *request, void *context);
void command_run_explain(struct cli_request *request, void *context);
/* control/commands_keys.c */
void command_run_keys(struct cli_request *request, void *context);
/* control/commands_blocks.c */
void command_run_blocks(struct cli_request *request, void *context);
/* control/commands_pools.c */
void command_run_pools(struct cli_request *request, void *context);

/** What all workers have counted of a web site: the sum of a field over rows of COMMAND_POOLS. */
json_int_t commands_counted(const json_t *counted, const char *wwsf, const char *what);

#endif
