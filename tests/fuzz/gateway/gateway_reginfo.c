/* SPDX-License-Identifier: BSD-3-Clause */
#include "../sip/check.h"
#include "gateway/reginfo.h"

/*
 * The input is a document of registration events. What is read of it lies where it says, and is
 * within its bounds; what is refused leaves nothing behind that the next one could meet.
 */

static const char sound[] =
	"<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"1\" state=\"full\">"
	"<registration aor=\"sip:a@h\" id=\"1\" state=\"active\"><contact id=\"1\" state=\"active\" "
	"event=\"created\"><uri>sip:a@h1</uri></contact></registration></reginfo>";

static struct reginfo_reader *reader;

static void touch(struct span s)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < s.len; i++)
		sum += s.at[i];
	MUST(sum <= s.len * 255u);
}

static void check_contacts(const struct reginfo *doc, const struct reginfo_registration *r)
{
	MUST(r->contact + r->contacts <= doc->contacts);
	for (uint32_t i = 0; i < r->contacts; i++) {
		const struct reginfo_contact *c = &doc->contact[r->contact + i];

		MUST(c->uri.len > 0 && c->state != REGINFO_INIT && c->event <= REGINFO_REJECTED);
		touch(c->uri);
		touch(c->callid);
		touch(c->instance);
		touch(c->reg_id);
	}
}

static void check(const struct reginfo *doc)
{
	uint32_t contacts = 0;

	MUST(doc->registrations <= REGINFO_REGISTRATIONS_MAX);
	MUST(doc->contacts <= REGINFO_CONTACTS_MAX);
	for (uint32_t i = 0; i < doc->registrations; i++) {
		MUST(doc->registration[i].aor.len > 0);
		touch(doc->registration[i].aor);
		touch(doc->registration[i].wildcard);
		check_contacts(doc, &doc->registration[i]);
		contacts += doc->registration[i].contacts;
	}
	MUST(contacts == doc->contacts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct reginfo *doc;

	if (reader == NULL)
		reader = reginfo_reader_new();
	MUST(reader != NULL);
	doc = reginfo_read(reader, span_of(data, (uint32_t)size), 1);
	MUST(doc->err == GW_OK || (doc->err >= GW_REGINFO_LIMIT && doc->err <= GW_REGINFO_FORM));
	if (doc->err == GW_OK)
		check(doc);
	doc = reginfo_read(reader, span_text(sound), size);
	MUST(doc->err == GW_OK && doc->registrations == 1 && doc->contacts == 1);
	MUST(span_equal(doc->contact[0].uri, SPAN("sip:a@h1")));
	return 0;
}
