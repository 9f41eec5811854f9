/* SPDX-License-Identifier: BSD-3-Clause */
#include "fetch.h"

#include <stdio.h>
#include <stdlib.h>

enum { FETCH_RETRY_MS = 10 };

/** One kind of list. */
struct fetch_kind {
	const char *name;
	uint32_t row_size;
	json_t *(*row)(uint16_t worker, const uint8_t *bytes);
	json_t *(*end)(json_t *rows_owned); /* NULL: the list, under name */
};

enum page { PAGE_TO_SEND, PAGE_AWAITED, PAGE_LAST };

struct fetch_worker {
	enum page page;
	uint32_t cursor;
	json_t *rows;
};

/** One request under way. */
struct job {
	struct job *next;
	struct cli_request *request;
	const struct fetch_kind *kind;
	struct fetch_order order;
	uint32_t id;
	uint32_t rows;
	bool truncated;
	uint64_t deadline_ms;
	struct fetch_worker worker[];
};

struct fetch {
	struct fetch_config config;
	uv_timer_t retry; /* runs while there are jobs */
	struct job *jobs;
	uint32_t last_id;
};

/* ---- rows ---------------------------------------------------------------------------------- */

/** A text of a worker: what is not printable would not be JSON. */
static json_t *fetch_text(const char *text, size_t size)
{
	char copy[160];
	size_t len = strnlen(text, size < sizeof(copy) ? size : sizeof(copy) - 1);

	for (size_t i = 0; i < len; i++)
		copy[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	return json_stringn(copy, len);
}

json_t *fetch_hash(uint64_t hash)
{
	char text[24];

	snprintf(text, sizeof(text), "h:%016llx", (unsigned long long)hash);
	return json_string(text);
}

static json_t *fetch_connection(uint16_t worker, const uint8_t *bytes)
{
	static const char *const stacks[NET_BACK_ENDS] = {"kernel", "packets"};
	char local[ENDPOINT_TEXT_MAX], peer[ENDPOINT_TEXT_MAX];
	struct row_connection row;
	const struct conn_row *conn = &row.conn;

	memcpy(&row, bytes, sizeof(row));
	return json_pack("{s:i, s:I, s:s, s:o, s:I, s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, "
			 "s:I, s:I, s:I}",
			 "worker", (int)worker, "slot", (json_int_t)conn->ref.slot, "stack",
			 row.back_end < NET_BACK_ENDS ? stacks[row.back_end] : "?", "state",
			 fetch_text(conn->state, sizeof(conn->state)), "recv_q",
			 (json_int_t)conn->receive_bytes, "send_q", (json_int_t)conn->send_bytes,
			 "local", endpoint_format(&conn->local, local), "peer",
			 endpoint_format(&conn->peer, peer), "srtt_us", (json_int_t)conn->srtt_us,
			 "rto_us", (json_int_t)conn->rto_us, "cwnd", (json_int_t)conn->cwnd,
			 "ssthresh", (json_int_t)conn->ssthresh, "mss", (json_int_t)conn->mss,
			 "send_window", (json_int_t)conn->send_window, "receive_window",
			 (json_int_t)conn->receive_window, "retransmits",
			 (json_int_t)conn->retransmits, "age_s", (json_int_t)conn->age_s);
}

static json_t *fetch_session(uint16_t worker, const uint8_t *bytes)
{
	char peer[ENDPOINT_TEXT_MAX];
	struct row_session row;

	memcpy(&row, bytes, sizeof(row));
	return json_pack("{s:i, s:I, s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I}", "worker",
			 (int)worker, "slot", (json_int_t)row.handle.slot, "peer",
			 endpoint_format(&row.peer, peer), "origin",
			 fetch_text(row.origin, sizeof(row.origin)), "tls",
			 fetch_text(row.tls, sizeof(row.tls)), "state",
			 fetch_text(row.state, sizeof(row.state)), "age_s", (json_int_t)row.age_s,
			 "idle_s", (json_int_t)row.idle_s, "messages_in",
			 (json_int_t)row.messages_in, "messages_out", (json_int_t)row.messages_out,
			 "bindings", (json_int_t)row.bindings);
}

static json_t *fetch_binding(uint16_t worker, const uint8_t *bytes)
{
	struct row_binding row;

	memcpy(&row, bytes, sizeof(row));
	return json_pack("{s:i, s:I, s:I, s:o, s:o, s:o, s:I, s:I, s:o}", "worker", (int)worker,
			 "slot", (json_int_t)row.handle.slot, "flow_slot",
			 (json_int_t)row.flow.slot, "impi", fetch_hash(row.impi_hash), "impu",
			 fetch_hash(row.impu_hash), "wwsf", fetch_text(row.wwsf, sizeof(row.wwsf)),
			 "expires_s", (json_int_t)row.expires_s, "service_routes",
			 (json_int_t)row.service_routes, "reg_event",
			 fetch_text(row.reg_event, sizeof(row.reg_event)));
}

/** As a URI has it. */
static const char *fetch_transport(enum mw_transport transport)
{
	return transport == MW_UDP ? "udp" : transport == MW_TCP ? "tcp" : "tls";
}

static json_t *fetch_mw(uint16_t worker, const uint8_t *bytes)
{
	char peer[ENDPOINT_TEXT_MAX];
	struct row_mw row;

	memcpy(&row, bytes, sizeof(row));
	return json_pack("{s:i, s:o, s:s, s:s, s:o, s:I, s:I, s:I}", "worker", (int)worker, "what",
			 fetch_text(row.what, sizeof(row.what)), "peer",
			 endpoint_format(&row.peer, peer), "transport",
			 fetch_transport(row.transport), "state",
			 fetch_text(row.state, sizeof(row.state)), "priority",
			 (json_int_t)row.priority, "weight", (json_int_t)row.weight, "seconds",
			 (json_int_t)row.seconds);
}

/** What the pool of a web site comes to on one worker; the command adds them up. */
static json_t *fetch_pool(uint16_t worker, const uint8_t *bytes)
{
	struct row_pool row;

	memcpy(&row, bytes, sizeof(row));
	return json_pack("{s:i, s:o, s:I, s:I, s:I, s:I, s:I}", "worker", (int)worker, "wwsf",
			 fetch_text(row.name, sizeof(row.name)), "held", (json_int_t)row.held,
			 "granted", (json_int_t)row.granted, "in_use", (json_int_t)row.in_use,
			 "conflicts", (json_int_t)row.conflicts, "forbidden",
			 (json_int_t)row.forbidden);
}

/** As what the core has ended a block. */
static const char *fetch_ended(enum gw_err why)
{
	switch (why) {
	case GW_OK:
		return "no";
	case GW_REG_DEACTIVATED:
		return "deactivated";
	case GW_REG_PROBATION:
		return "probation";
	case GW_REG_REJECTED:
		return "rejected";
	default:
		return "ended";
	}
}

/** A block as one worker sees it; the command puts the words of all together. */
static json_t *fetch_block(uint16_t worker, const uint8_t *bytes)
{
	static const char *const states[] = {
		[ROW_BLOCK_DOWN] = "down", [ROW_BLOCK_UP] = "up", [ROW_BLOCK_LEAVING] = "leaving"};
	struct row_block row;

	memcpy(&row, bytes, sizeof(row));
	return json_pack("{s:i, s:o, s:b, s:s, s:I, s:I, s:I, s:s, s:I, s:o}", "worker",
			 (int)worker, "wwsf", fetch_text(row.name, sizeof(row.name)), "home",
			 (int)row.home, "state", states[row.state], "seconds",
			 (json_int_t)row.seconds, "last_failure", (json_int_t)row.status,
			 "bindings", (json_int_t)row.bindings, "core_ended", fetch_ended(row.ended),
			 "again_s", (json_int_t)row.again_s, "reg_event",
			 fetch_text(row.reg_event, sizeof(row.reg_event)));
}

static json_t *fetch_transaction(uint16_t worker, const uint8_t *bytes)
{
	char hop[ENDPOINT_TEXT_MAX] = "-";
	struct row_transaction row;

	memcpy(&row, bytes, sizeof(row));
	if (row.hop.sa.sa_family != AF_UNSPEC)
		endpoint_format(&row.hop, hop);
	return json_pack("{s:i, s:I, s:I, s:o, s:o, s:o, s:I, s:s, s:s}", "worker", (int)worker,
			 "slot", (json_int_t)row.handle.slot, "flow_slot",
			 (json_int_t)row.flow.slot, "kind", fetch_text(row.kind, sizeof(row.kind)),
			 "method", fetch_text(row.method, sizeof(row.method)), "state",
			 fetch_text(row.state, sizeof(row.state)), "age_ms", (json_int_t)row.age_ms,
			 "transport", mw_transport_name(row.transport), "hop", hop);
}

/** {"LIST": row}: see fetch_show_end(). */
static json_t *fetch_show(uint16_t worker, const uint8_t *bytes)
{
	struct row_show row;

	memcpy(&row, bytes, sizeof(row));
	switch (row.kind) {
	case SHOW_ROW_SESSION:
		return json_pack("{s:o}", "sessions",
				 fetch_session(worker, (const uint8_t *)&row.session));
	case SHOW_ROW_CONNECTION:
		return json_pack("{s:o}", "connections",
				 fetch_connection(worker, (const uint8_t *)&row.connection));
	case SHOW_ROW_BINDING:
		return json_pack("{s:o}", "bindings",
				 fetch_binding(worker, (const uint8_t *)&row.binding));
	case SHOW_ROW_UNREGISTERED:
		return json_pack("{s:o}", "unregistered",
				 fetch_binding(worker, (const uint8_t *)&row.binding));
	case SHOW_ROW_TRANSACTION:
		return json_pack("{s:o}", "transactions",
				 fetch_transaction(worker, (const uint8_t *)&row.transaction));
	}
	return json_object();
}

/** Rows of several kinds as a list of each. */
static json_t *fetch_show_end(json_t *rows_owned)
{
	json_t *lists = json_pack("{s:[], s:[], s:[], s:[], s:[]}", "sessions", "connections",
				  "bindings", "unregistered", "transactions");
	size_t count = json_array_size(rows_owned);

	for (size_t i = 0; i < count; i++) {
		void *row = json_object_iter(json_array_get(rows_owned, i));

		if (row != NULL)
			json_array_append(json_object_get(lists, json_object_iter_key(row)),
					  json_object_iter_value(row));
	}
	json_decref(rows_owned);
	if (count > 0)
		return lists;
	json_decref(lists);
	return json_pack("{s:s}", "error", "there is nothing of that name");
}

static const struct fetch_kind kinds[] = {
	[COMMAND_CONNECTIONS] = {"connections", sizeof(struct row_connection), fetch_connection,
				 NULL},
	[COMMAND_SESSIONS] = {"sessions", sizeof(struct row_session), fetch_session, NULL},
	[COMMAND_BINDINGS] = {"bindings", sizeof(struct row_binding), fetch_binding, NULL},
	[COMMAND_SHOW] = {"show", sizeof(struct row_show), fetch_show, fetch_show_end},
	[COMMAND_MW] = {"mw", sizeof(struct row_mw), fetch_mw, NULL},
	[COMMAND_POOLS] = {"pools", sizeof(struct row_pool), fetch_pool, NULL},
	[COMMAND_BLOCKS] = {"blocks", sizeof(struct row_block), fetch_block, NULL},
};

/* ---- jobs ---------------------------------------------------------------------------------- */

/** Unlinks and frees a job whose request has been taken out of it. */
static void job_free(struct fetch *fetch, struct job *job)
{
	struct job **link = &fetch->jobs;

	while (*link != job)
		link = &(*link)->next;
	*link = job->next;
	for (uint16_t w = 0; w < fetch->config.workers; w++)
		json_decref(job->worker[w].rows);
	free(job);
	if (fetch->jobs == NULL)
		uv_timer_stop(&fetch->retry);
}

static void job_fail(struct fetch *fetch, struct job *job, const char *why)
{
	struct cli_request *request = job->request;

	job_free(fetch, job);
	cli_fail(request, why);
}

/** Ends the job when every worker has sent its last page; true when it did. */
static bool job_end_if_complete(struct fetch *fetch, struct job *job)
{
	struct cli_request *request = job->request;
	json_t *answer, *rows;

	for (uint16_t w = 0; w < fetch->config.workers; w++)
		if (job->worker[w].page != PAGE_LAST)
			return false;
	rows = json_array();
	for (uint16_t w = 0; w < fetch->config.workers; w++)
		json_array_extend(rows, job->worker[w].rows);
	if (job->order.end != NULL)
		answer = job->order.end(job->order.context, rows);
	else
		answer = job->kind->end != NULL ? job->kind->end(rows)
						: json_pack("{s:o}", job->kind->name, rows);
	if (job->truncated)
		json_object_set_new(answer, "truncated", json_true());
	job_free(fetch, job);
	cli_reply(request, answer);
	return true;
}

static void job_send(struct fetch *fetch, struct job *job)
{
	struct span body = job->order.what == COMMAND_SHOW
				   ? span_of(&job->order.show, sizeof(job->order.show))
				   : SPAN("");

	for (uint16_t w = 0; w < fetch->config.workers; w++) {
		const struct message_command command = {
			.head = {MESSAGE_COMMAND, (uint32_t)sizeof(command) + body.len},
			.id = job->id,
			.what = job->order.what,
			.cursor = job->worker[w].cursor,
			.max = ANSWER_ROWS_MAX,
			.peer = job->order.host,
			.port = job->order.port,
		};

		if (job->worker[w].page != PAGE_TO_SEND)
			continue;
		/* full: the timer tries again until the deadline */
		if (mailbox_send(fetch->config.hub, fetch->config.workers, w,
				 span_of(&command, sizeof(command)), body) == GW_OK)
			job->worker[w].page = PAGE_AWAITED;
	}
}

static void fetch_retry(uv_timer_t *timer)
{
	struct fetch *fetch = timer->data;
	struct job *next;

	for (struct job *job = fetch->jobs; job != NULL; job = next) {
		next = job->next;
		if (uv_now(fetch->config.loop) >= job->deadline_ms)
			job_fail(fetch, job, "busy");
		else
			job_send(fetch, job);
	}
}

void fetch_start(struct fetch *fetch, struct cli_request *request, const struct fetch_order *order)
{
	uint16_t workers = fetch->config.workers;
	struct job *job = calloc(1, sizeof(*job) + workers * sizeof(job->worker[0]));

	if (job == NULL) {
		cli_fail(request, "no memory");
		return;
	}
	job->request = request;
	job->kind = &kinds[order->what];
	job->order = *order;
	job->id = ++fetch->last_id;
	/* the socket tells the client "busy" at this time too; the job must not live longer */
	job->deadline_ms = uv_now(fetch->config.loop) + cli_deadline_ms(request);
	for (uint16_t w = 0; w < workers; w++)
		job->worker[w].rows = json_array();
	if (fetch->jobs == NULL)
		uv_timer_start(&fetch->retry, fetch_retry, FETCH_RETRY_MS, FETCH_RETRY_MS);
	job->next = fetch->jobs;
	fetch->jobs = job;
	job_send(fetch, job);
}

/* ---- answers ------------------------------------------------------------------------------- */

static struct job *fetch_find(struct fetch *fetch, uint16_t from, uint32_t id)
{
	if (from >= fetch->config.workers)
		return NULL;
	for (struct job *job = fetch->jobs; job != NULL; job = job->next)
		if (job->id == id && job->worker[from].page == PAGE_AWAITED)
			return job;
	return NULL;
}

static void job_take_rows(struct fetch *fetch, struct job *job, uint16_t from, struct span rows)
{
	struct span row;

	while (span_take(&rows, job->kind->row_size, &row)) {
		if (job->rows == fetch->config.max_rows) {
			job->truncated = true;
			return;
		}
		json_array_append_new(job->worker[from].rows, job->kind->row(from, row.at));
		job->rows++;
	}
}

void fetch_answer(struct fetch *fetch, uint16_t from, struct span message)
{
	struct message_answer answer;
	struct fetch_worker *worker;
	struct span rows;
	struct job *job;

	if (!span_copy(&message, &answer, sizeof(answer)))
		return;
	job = fetch_find(fetch, from, answer.id);
	if (job == NULL)
		return;
	worker = &job->worker[from];
	if (answer.rows > ANSWER_ROWS_MAX ||
	    (answer.rows > 0 && answer.row_size != job->kind->row_size) ||
	    !span_take(&message, answer.rows * job->kind->row_size, &rows) ||
	    (answer.cursor != 0 && answer.cursor <= worker->cursor)) {
		job_fail(fetch, job, "malformed answer of a worker");
		return;
	}
	job_take_rows(fetch, job, from, rows);
	worker->cursor = answer.cursor;
	worker->page = answer.cursor == 0 || job->truncated ? PAGE_LAST : PAGE_TO_SEND;
	if (!job_end_if_complete(fetch, job))
		job_send(fetch, job);
}

/* ---- life ---------------------------------------------------------------------------------- */

struct fetch *fetch_new(const struct fetch_config *config)
{
	struct fetch *fetch = calloc(1, sizeof(*fetch));

	if (fetch == NULL)
		return NULL;
	fetch->config = *config;
	uv_timer_init(config->loop, &fetch->retry);
	fetch->retry.data = fetch;
	return fetch;
}

static void fetch_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void fetch_close(struct fetch *fetch)
{
	if (fetch == NULL)
		return;
	while (fetch->jobs != NULL)
		job_fail(fetch, fetch->jobs, "node is stopping");
	uv_close((uv_handle_t *)&fetch->retry, fetch_closed);
}
