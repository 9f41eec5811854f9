/* SPDX-License-Identifier: BSD-3-Clause */
#include "journal.h"

#include <stdlib.h>

enum {
	BUFFER_BYTES = 16 * 1024 * 1024, /* touched only as far as it is needed */
	MESSAGE_ALIGN = 16,
	SYNC_MS = 900, /* and a tick: within a second */
	RETRY_MS = 1000,
};

/** What the thread does: it alone touches the file while it is at it. */
struct errand_journal {
	uv_work_t work;
	struct journal_file file;
	uint8_t *bytes; /* messages, one after the other */
	uint32_t len, done;
	bool sync;
	uint64_t wall_s;
	const char *why, *compact_why; /* what failed; NULL: nothing */
};

struct journal {
	struct journal_config config;
	uv_loop_t *loop; /* NULL: not yet, or not any more */
	struct errand_journal write;
	bool busy;	  /* the thread is at it */
	uint8_t *filling; /* config.buffer_bytes; write.bytes is as long */
	uint32_t len;
	struct journal_numbers numbers;
	uint64_t synced_ms, retry_ms;
	bool failing, compact_failing;
	bool missed; /* the workers have to tell all of it again */
};

/* ---- the thread ------------------------------------------------------------------------------ */

static uint32_t aligned(uint32_t len)
{
	return (len + MESSAGE_ALIGN - 1) / MESSAGE_ALIGN * MESSAGE_ALIGN;
}

static void write_work(uv_work_t *work)
{
	struct errand_journal *w = work->data;

	w->why = NULL;
	w->compact_why = journal_file_compact(&w->file, w->wall_s);
	while (w->done < w->len && w->why == NULL) {
		const struct message_journal *m = (const void *)(w->bytes + w->done);

		w->why = journal_file_append(&w->file, m);
		if (w->why == NULL)
			w->done += aligned(m->head.len);
	}
	if (w->sync && w->why == NULL)
		w->why = journal_file_sync(&w->file);
	if (w->done == w->len)
		explicit_bzero(w->bytes, w->len);
}

/* ---- control --------------------------------------------------------------------------------- */

static void tell_failure(struct journal *journal, bool *failing, const char *event, const char *why)
{
	if (why != NULL && !*failing)
		log_event(journal->config.log, LOG_LEVEL_ERROR, event, "why", why);
	*failing = why != NULL;
}

/** An alarm when it begins to fail, and a line when it is well again. */
static void tell(struct journal *journal)
{
	const struct errand_journal *w = &journal->write;
	bool failed = journal->failing;

	journal->numbers.failed += w->why != NULL;
	journal->numbers.failed += w->compact_why != NULL;
	tell_failure(journal, &journal->failing, "leases_not_written", w->why);
	tell_failure(journal, &journal->compact_failing, "leases_not_compacted", w->compact_why);
	if (failed && !journal->failing)
		log_event(journal->config.log, LOG_LEVEL_INFO, "leases_written_again", NULL, NULL);
}

static uint64_t now_ms(const struct journal *journal)
{
	return journal->config.now_ms(journal->config.context);
}

/** The next messages are the thread's. */
static void write_take(struct journal *journal)
{
	struct errand_journal *w = &journal->write;
	uint8_t *bytes = w->bytes;

	if (w->done < w->len)
		return;
	w->bytes = journal->filling;
	w->len = journal->len;
	w->done = 0;
	journal->filling = bytes;
	journal->len = 0;
}

/** Something is to be done. */
static bool write_begin(struct journal *journal)
{
	struct errand_journal *w = &journal->write;
	uint64_t now = now_ms(journal);

	write_take(journal);
	w->sync = now >= journal->synced_ms + SYNC_MS;
	w->wall_s = journal->config.wall_s(journal->config.context);
	w->work.data = w;
	if (w->done == w->len && !(w->sync && w->file.unsynced))
		return false;
	if (w->sync)
		journal->synced_ms = now;
	return true;
}

static void write_end(struct journal *journal)
{
	const struct errand_journal *w = &journal->write;

	tell(journal);
	journal->numbers.bindings = w->file.live;
	if (w->why != NULL)
		journal->retry_ms = now_ms(journal) + RETRY_MS;
}

static void kick(struct journal *journal);

static void written(uv_work_t *work, int status)
{
	struct errand_journal *w = work->data;
	struct journal *journal =
		(struct journal *)((uint8_t *)w - offsetof(struct journal, write));

	(void)status;
	journal->busy = false;
	write_end(journal);
	kick(journal);
}

static void kick(struct journal *journal)
{
	struct errand_journal *w = &journal->write;

	if (journal->busy || journal->loop == NULL || now_ms(journal) < journal->retry_ms ||
	    !write_begin(journal))
		return;
	journal->busy = uv_queue_work(journal->loop, &w->work, write_work, written) == 0;
}

/* ---- what is told ---------------------------------------------------------------------------- */

static void keep(struct journal *journal, struct span message)
{
	uint32_t need = aligned(message.len);

	if (need > journal->config.buffer_bytes - journal->len) {
		if (journal->numbers.lost++ == 0 || !journal->missed)
			log_event(journal->config.log, LOG_LEVEL_ERROR, "leases_lost", NULL, NULL);
		journal->missed = true;
		return;
	}
	memcpy(journal->filling + journal->len, message.at, message.len);
	journal->len += need;
	kick(journal);
}

bool journal_message(struct journal *journal, struct span message)
{
	struct message_head head;
	struct span rest = message;

	if (!span_copy(&rest, &head, sizeof(head)) || head.kind != MESSAGE_JOURNAL)
		return false;
	if (head.len == message.len && head.len >= offsetof(struct message_journal, text) &&
	    head.len <= sizeof(struct message_journal))
		keep(journal, message);
	return true;
}

void journal_tick(struct journal *journal)
{
	if (journal->missed && !journal->failing && !journal->busy && journal->len == 0)
		journal->missed = !journal->config.again(journal->config.context);
	kick(journal);
}

struct journal_numbers journal_numbers(const struct journal *journal)
{
	return journal->numbers;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void journal_free(struct journal *journal)
{
	journal_file_close(&journal->write.file);
	if (journal->write.bytes != NULL)
		explicit_bzero(journal->write.bytes, journal->write.len);
	if (journal->filling != NULL)
		explicit_bzero(journal->filling, journal->len);
	free(journal->write.bytes);
	free(journal->filling);
	free(journal);
}

static void tell_opened(const struct journal *journal)
{
	const struct journal_file *file = &journal->write.file;
	struct log_line line;

	if (file->torn > 0) {
		log_begin(journal->config.log, &line, LOG_LEVEL_WARNING, "leases_torn");
		log_number(&line, "line", file->lines + 1);
		log_number(&line, "bytes", file->torn);
		log_end(&line);
	}
	if (file->damaged > 0) {
		log_begin(journal->config.log, &line, LOG_LEVEL_ERROR, "leases_damaged");
		log_number(&line, "lines", file->damaged);
		log_number(&line, "first", file->damaged_line);
		log_end(&line);
	}
}

struct journal *journal_open(const struct journal_config *config, char *why, size_t why_size)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	const struct journal_place place = {config->folder, config->key,
					    config->wall_s(config->context)};
	const struct state_trouble t = {why, why_size};

	snprintf(why, why_size, "out of memory");
	if (journal == NULL)
		return NULL;
	journal->config = *config;
	if (config->buffer_bytes == 0)
		journal->config.buffer_bytes = BUFFER_BYTES;
	journal->write.file.fd = -1;
	journal->filling = malloc(journal->config.buffer_bytes);
	journal->write.bytes = malloc(journal->config.buffer_bytes);
	if (journal->filling == NULL || journal->write.bytes == NULL ||
	    !journal_file_open(&journal->write.file, &place, &t)) {
		journal_free(journal);
		return NULL;
	}
	tell_opened(journal);
	journal->numbers.bindings = journal->write.file.live;
	return journal;
}

bool journal_each(struct journal *journal, journal_file_take *take, void *context)
{
	bool good = journal_file_each(&journal->write.file, take, context);

	if (!good)
		log_event(journal->config.log, LOG_LEVEL_ERROR, "leases_not_read", NULL, NULL);
	return good;
}

void journal_start(struct journal *journal, uv_loop_t *loop)
{
	journal->loop = loop;
}

void journal_stop(struct journal *journal)
{
	if (journal != NULL)
		journal->loop = NULL;
}

void journal_close(struct journal *journal)
{
	if (journal == NULL)
		return;
	/* what failed, and what came behind it; and that the disk keeps it */
	for (uint32_t i = 0; i < 2; i++) {
		journal->synced_ms = 0;
		if (!write_begin(journal))
			break;
		write_work(&journal->write.work);
		write_end(journal);
	}
	journal_free(journal);
}
