/* SPDX-License-Identifier: BSD-3-Clause */
#include "reginfo.h"

#include <stdlib.h>

#include "expat_arena.h"
#include "sip/sip.h"
#include "writer.h"

/* expat keeps a copy of the document, rounded up to a power of two, and its tables */
#define ARENA_BYTES (512u * 1024)
#define REGINFO_NAME "urn:ietf:params:xml:ns:reginfo "
#define WILDCARD_NAME "urn:3gpp:ns:extRegExp:1.0 wildcardedIdentity"

/** Whose character data is kept. */
enum reginfo_text { TEXT_NONE, TEXT_URI, TEXT_PARAM, TEXT_WILDCARD };

/** Where in the document the reader is. */
enum reginfo_place {
	PLACE_OUTSIDE,
	PLACE_REGINFO,
	PLACE_REGISTRATION,
	PLACE_CONTACT,
	PLACE_TEXT, /* in an element whose character data is kept */
};

struct reginfo_reader {
	XML_Parser parser;
	struct reginfo doc;
	enum reginfo_place place;
	uint32_t depth;
	uint32_t aside; /* depth of the element that is stepped over with all in it; 0: none is */
	enum reginfo_text text;
	uint32_t mark;	   /* where in kept its character data begins */
	struct span *into; /* where it goes */
	struct writer kept;
	struct expat_arena arena;
	uint8_t kept_memory[REGINFO_BYTES_MAX];
	_Alignas(16) uint8_t arena_memory[ARENA_BYTES];
};

static void refuse(struct reginfo_reader *r, enum gw_err err)
{
	if (r->doc.err == GW_OK)
		r->doc.err = err;
	(void)XML_StopParser(r->parser, XML_FALSE);
}

/* ---- attributes ------------------------------------------------------------------------------ */

/** The value of the attribute; empty when there is none. */
static struct span attribute(const XML_Char **attributes, const char *name)
{
	for (; attributes[0] != NULL; attributes += 2)
		if (strcmp(attributes[0], name) == 0)
			return span_trim(span_text(attributes[1]));
	return SPAN("");
}

/** A copy that outlives the parser. */
static struct span keep(struct reginfo_reader *r, struct span text)
{
	uint32_t mark = writer_len(&r->kept);

	writer_put(&r->kept, text);
	if (!writer_ok(&r->kept)) {
		refuse(r, GW_REGINFO_LIMIT);
		return SPAN("");
	}
	return writer_since(&r->kept, mark);
}

static bool read_state(struct span text, enum reginfo_state *state)
{
	if (span_equal(text, SPAN("init")))
		*state = REGINFO_INIT;
	else if (span_equal(text, SPAN("active")))
		*state = REGINFO_ACTIVE;
	else if (span_equal(text, SPAN("terminated")))
		*state = REGINFO_TERMINATED;
	else
		return false;
	return true;
}

static enum reginfo_event read_event(struct span text)
{
	static const char *const names[] = {
		[REGINFO_OTHER] = "",
		[REGINFO_REGISTERED] = "registered",
		[REGINFO_CREATED] = "created",
		[REGINFO_REFRESHED] = "refreshed",
		[REGINFO_SHORTENED] = "shortened",
		[REGINFO_EXPIRED] = "expired",
		[REGINFO_DEACTIVATED] = "deactivated",
		[REGINFO_PROBATION] = "probation",
		[REGINFO_UNREGISTERED] = "unregistered",
		[REGINFO_REJECTED] = "rejected",
	};

	for (uint32_t i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_equal(text, span_text(names[i])))
			return (enum reginfo_event)i;
	return REGINFO_OTHER;
}

/** False: there is none. One that is no number is as good as none. */
static bool read_seconds(const XML_Char **attributes, const char *name, uint32_t *out)
{
	return sip_seconds(attribute(attributes, name), out);
}

/* ---- elements -------------------------------------------------------------------------------- */

static void open_reginfo(struct reginfo_reader *r, const XML_Char **attributes)
{
	struct span state = attribute(attributes, "state");

	r->doc.full = span_equal(state, SPAN("full"));
	if (!sip_number(attribute(attributes, "version"), UINT32_MAX, &r->doc.version) ||
	    (!r->doc.full && !span_equal(state, SPAN("partial"))))
		refuse(r, GW_REGINFO_FORM);
	r->place = PLACE_REGINFO;
}

static void open_registration(struct reginfo_reader *r, const XML_Char **attributes)
{
	struct reginfo *doc = &r->doc;
	struct reginfo_registration *one = &doc->registration[doc->registrations];
	struct span aor = attribute(attributes, "aor");

	if (doc->registrations == REGINFO_REGISTRATIONS_MAX) {
		refuse(r, GW_REGINFO_LIMIT);
		return;
	}
	*one = (struct reginfo_registration){.aor = keep(r, aor), .contact = doc->contacts};
	if (aor.len == 0 || !read_state(attribute(attributes, "state"), &one->state))
		refuse(r, GW_REGINFO_FORM);
	doc->registrations++;
	r->place = PLACE_REGISTRATION;
}

static void open_contact(struct reginfo_reader *r, const XML_Char **attributes)
{
	struct reginfo *doc = &r->doc;
	struct reginfo_contact *one = &doc->contact[doc->contacts];

	if (doc->contacts == REGINFO_CONTACTS_MAX) {
		refuse(r, GW_REGINFO_LIMIT);
		return;
	}
	*one = (struct reginfo_contact){.event = read_event(attribute(attributes, "event"))};
	one->callid = keep(r, attribute(attributes, "callid"));
	one->has_expires = read_seconds(attributes, "expires", &one->expires_s);
	one->has_retry_after = read_seconds(attributes, "retry-after", &one->retry_after_s);
	one->has_cseq = sip_number(attribute(attributes, "cseq"), UINT32_MAX, &one->cseq);
	if (!read_state(attribute(attributes, "state"), &one->state) || one->state == REGINFO_INIT)
		refuse(r, GW_REGINFO_FORM);
	doc->contacts++;
	doc->registration[doc->registrations - 1].contacts++;
	r->place = PLACE_CONTACT;
}

/** The character data of this element is kept in *into. */
static void open_text(struct reginfo_reader *r, enum reginfo_text text, struct span *into)
{
	r->text = text;
	r->into = into;
	r->mark = writer_len(&r->kept);
	r->place = PLACE_TEXT;
}

/** Where a parameter of the contact goes; NULL: it is none that counts. */
static struct span *parameter(struct reginfo_contact *contact, const XML_Char **attributes)
{
	struct span name = attribute(attributes, "name");

	if (span_equal_nocase(name, SPAN("+sip.instance")))
		return &contact->instance;
	return span_equal_nocase(name, SPAN("reg-id")) ? &contact->reg_id : NULL;
}

static bool is_reginfo(const XML_Char *name, const char *local)
{
	struct span whole = span_text(name), before = SPAN(REGINFO_NAME);

	return span_starts(whole, before) &&
	       span_equal(span_from(whole, before.len), span_text(local));
}

/** False: nothing that is looked at. */
static bool open_in_registration(struct reginfo_reader *r, const XML_Char *name,
				 const XML_Char **attributes)
{
	if (is_reginfo(name, "contact"))
		open_contact(r, attributes);
	else if (strcmp(name, WILDCARD_NAME) == 0)
		open_text(r, TEXT_WILDCARD,
			  &r->doc.registration[r->doc.registrations - 1].wildcard);
	else
		return false;
	return true;
}

static bool open_in_contact(struct reginfo_reader *r, const XML_Char *name,
			    const XML_Char **attributes)
{
	struct reginfo_contact *contact = &r->doc.contact[r->doc.contacts - 1];
	struct span *param = parameter(contact, attributes);

	if (is_reginfo(name, "uri"))
		open_text(r, TEXT_URI, &contact->uri);
	else if (is_reginfo(name, "unknown-param") && param != NULL)
		open_text(r, TEXT_PARAM, param);
	else
		return false;
	return true;
}

static bool open_element(struct reginfo_reader *r, const XML_Char *name,
			 const XML_Char **attributes)
{
	switch (r->place) {
	case PLACE_OUTSIDE:
		if (!is_reginfo(name, "reginfo"))
			refuse(r, GW_REGINFO_FORM);
		else
			open_reginfo(r, attributes);
		return true;
	case PLACE_REGINFO:
		if (!is_reginfo(name, "registration"))
			return false;
		open_registration(r, attributes);
		return true;
	case PLACE_REGISTRATION:
		return open_in_registration(r, name, attributes);
	case PLACE_CONTACT:
		return open_in_contact(r, name, attributes);
	default:
		return false; /* what these have has no elements in it */
	}
}

static void on_start(void *context, const XML_Char *name, const XML_Char **attributes)
{
	struct reginfo_reader *r = context;

	if (r->doc.err != GW_OK)
		return;
	if (++r->depth > REGINFO_DEPTH_MAX) {
		refuse(r, GW_REGINFO_LIMIT);
		return;
	}
	if (r->aside == 0 && !open_element(r, name, attributes))
		r->aside = r->depth;
}

static void close_text(struct reginfo_reader *r)
{
	if (!writer_ok(&r->kept))
		refuse(r, GW_REGINFO_LIMIT);
	else
		*r->into = span_trim(writer_since(&r->kept, r->mark));
	r->place = r->text == TEXT_WILDCARD ? PLACE_REGISTRATION : PLACE_CONTACT;
	r->text = TEXT_NONE;
}

static void close_contact(struct reginfo_reader *r)
{
	if (r->doc.contact[r->doc.contacts - 1].uri.len == 0)
		refuse(r, GW_REGINFO_FORM);
	r->place = PLACE_REGISTRATION;
}

static void on_end(void *context, const XML_Char *name)
{
	struct reginfo_reader *r = context;

	(void)name;
	if (r->doc.err != GW_OK)
		return;
	if (r->aside == r->depth)
		r->aside = 0;
	else if (r->aside != 0)
		;
	else if (r->place == PLACE_TEXT)
		close_text(r);
	else if (r->place == PLACE_CONTACT)
		close_contact(r);
	else
		r->place = r->place == PLACE_REGISTRATION ? PLACE_REGINFO : PLACE_OUTSIDE;
	r->depth--;
}

static void on_text(void *context, const XML_Char *text, int len)
{
	struct reginfo_reader *r = context;

	if (r->text != TEXT_NONE && r->aside == 0)
		writer_bytes(&r->kept, text, (uint32_t)len);
}

/* without a document type there are no entities but XML's own five */
static void on_doctype(void *context, const XML_Char *name, const XML_Char *system,
		       const XML_Char *public, int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	refuse(context, GW_REGINFO_DOCTYPE);
}

/* ---- the whole ------------------------------------------------------------------------------- */

struct reginfo_reader *reginfo_reader_new(void)
{
	return calloc(1, sizeof(struct reginfo_reader));
}

void reginfo_reader_free(struct reginfo_reader *reader)
{
	free(reader);
}

static void begin(struct reginfo_reader *r)
{
	r->doc.err = GW_OK;
	r->doc.registrations = r->doc.contacts = 0;
	r->place = PLACE_OUTSIDE;
	r->depth = r->aside = 0;
	r->text = TEXT_NONE;
	writer_init(&r->kept, r->kept_memory, sizeof(r->kept_memory));
	r->arena.memory = r->arena_memory;
	r->arena.size = sizeof(r->arena_memory);
}

static void parse(struct reginfo_reader *r, struct span document)
{
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	if (XML_Parse(r->parser, (const char *)document.at, (int)document.len, XML_TRUE) ==
		    XML_STATUS_OK ||
	    r->doc.err != GW_OK)
		return;
	r->doc.err = XML_GetErrorCode(r->parser) == XML_ERROR_NO_MEMORY ? GW_REGINFO_LIMIT
									: GW_REGINFO_XML;
}

const struct reginfo *reginfo_read(struct reginfo_reader *reader, struct span document,
				   uint64_t salt)
{
	begin(reader);
	if (document.len > REGINFO_BYTES_MAX) {
		reader->doc.err = GW_REGINFO_LIMIT;
		return &reader->doc;
	}
	reader->parser = expat_arena_open(&reader->arena, salt);
	if (reader->parser != NULL)
		parse(reader, document);
	else
		reader->doc.err = GW_REGINFO_LIMIT;
	expat_arena_close(&reader->arena, reader->parser);
	reader->parser = NULL;
	return &reader->doc;
}
