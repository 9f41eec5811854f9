/* SPDX-License-Identifier: BSD-3-Clause */
#include "journal.h"

#include <stdlib.h>

#define KEPT_MAX 4096

struct journal_script {
	struct message_journal *kept[KEPT_MAX];
	uint32_t count;
};

struct journal_script *journal_script_new(void)
{
	return calloc(1, sizeof(struct journal_script));
}

void journal_script_free(struct journal_script *journal)
{
	for (uint32_t i = 0; i < journal->count; i++)
		free(journal->kept[i]);
	free(journal);
}

static void check(struct sim *sim, const struct message_journal *m)
{
	struct journal_names names = {0};

	if (!journal_names(m, &names))
		sim_broken(sim, "journal-message", "%u bytes, and texts that are not as long",
			   m->head.len);
	else if (m->state != JOURNAL_OVER &&
		 (m->sub == 0 || m->exp_s == 0 || names.impi.len == 0 || names.contact.len == 0))
		sim_broken(sim, "journal-message", "a binding of nobody is journaled");
	if (token_leaks(span_of(m->text, m->head.len - offsetof(struct message_journal, text))))
		sim_broken(sim, "journal-message", "a token is journaled");
}

void journal_script_take(struct sim *sim, const struct message_journal *m)
{
	struct journal_script *j = sim->journal;
	uint32_t i = 0;

	check(sim, m);
	while (i < j->count && !handle_equal(j->kept[i]->id, m->id))
		i++;
	if (m->state == JOURNAL_OVER) {
		if (i == j->count)
			return;
		free(j->kept[i]);
		j->kept[i] = j->kept[--j->count];
		return;
	}
	if (i == KEPT_MAX) {
		sim_broken(sim, "journal-ends", "%u bindings are kept", KEPT_MAX);
		return;
	}
	if (i == j->count)
		j->kept[j->count++] = calloc(1, sizeof(*m));
	memcpy(j->kept[i], m, m->head.len);
}

static void last_word(void *context, uint16_t from, struct span message)
{
	const void *at = message.at;
	const struct message_head *head = at;

	(void)from;
	if (head->kind == MESSAGE_JOURNAL)
		journal_script_take(context, at);
}

void journal_script_last(struct sim *sim)
{
	mailbox_receive(sim->hub, sim->options.workers, UINT32_MAX, last_word, sim);
}

void journal_script_restore(struct sim *sim)
{
	static const uint8_t hash_key[16] = {1, 2, 3}; /* of parts.c */
	const struct journal_script *j = sim->journal;

	for (uint32_t i = 0; i < j->count; i++) {
		uint16_t home = worker_home(hash_key, j->kept[i], sim->options.workers);

		if (worker_restore(sim->worker[home].worker, j->kept[i]) != GW_OK)
			sim_note(sim, "no room for a binding of before");
	}
}

uint32_t journal_script_live(const struct sim *sim)
{
	return sim->journal->count;
}
