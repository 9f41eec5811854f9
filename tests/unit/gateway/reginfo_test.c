/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdio.h>

#include "gateway/reginfo.h"
#include "test.h"

/* Documents of registration events: RFC 3680, PROTOCOL 8.1, 9.9. */

#define NAMESPACES \
	"xmlns=\"urn:ietf:params:xml:ns:reginfo\" xmlns:ere=\"urn:3gpp:ns:extRegExp:1.0\" " \
	"xmlns:gr=\"urn:ietf:params:xml:ns:gruuinfo\""
#define HEAD "<?xml version=\"1.0\"?>\n<reginfo " NAMESPACES " version=\"0\" state=\"full\">"
#define REGISTRATION "<registration aor=\"sip:a@h\" id=\"r\" state=\"active\">"
#define CONTACT "<contact id=\"c\" state=\"active\" event=\"registered\">"
#define URI "<uri>sip:a@h1</uri>"
#define TAIL "</contact></registration></reginfo>"

static const struct reginfo *read_bytes(const void *bytes, uint32_t len)
{
	static struct reginfo_reader *reader;
	static void *copy;
	const struct reginfo *doc;

	reginfo_reader_free(reader);
	free(copy);
	reader = reginfo_reader_new();
	copy = malloc(len + 1); /* nothing is read past the end */
	assert_non_null(reader);
	memcpy(copy, bytes, len);
	doc = reginfo_read(reader, span_of(copy, len), 7);
	return doc;
}

static const struct reginfo *read_text(const char *text)
{
	return read_bytes(text, (uint32_t)strlen(text));
}

/** As RFC 3680 5.3 shows one: a user with a new contact, and one whose contacts are gone. */
static const char two_users[] =
	HEAD "<registration aor=\"sip:alice@home1.net\" id=\"as9\" state=\"active\">\n"
	     "<contact id=\"76\" state=\"active\" event=\"registered\" duration-registered=\"7322\""
	     " q=\"0.8\" expires=\"3600\" callid=\"r1@k3\" cseq=\"1\">\n"
	     "  <uri>sip:alice@k3.invalid;transport=ws</uri>\n"
	     "  <display-name>Alice</display-name>\n"
	     "  <unknown-param name=\"+sip.instance\">\"&lt;urn:uuid:6c1e&gt;\"</unknown-param>\n"
	     "  <unknown-param name=\"reg-id\">1</unknown-param>\n"
	     "  <unknown-param name=\"+sip.ice\"></unknown-param>\n"
	     "  <gr:pub-gruu uri=\"sip:alice@home1.net;gr=urn:uuid:6c1e\"/>\n"
	     "</contact>\n"
	     "<contact id=\"77\" state=\"terminated\" event=\"probation\" retry-after=\"20\""
	     " expires=\"0\"><uri>sip:alice@old.invalid</uri></contact>\n"
	     "</registration>\n"
	     "<registration aor=\"tel:+15551230001\" id=\"as10\" state=\"terminated\"/>"
	     "<registration aor=\"sip:acme-1@home1.net\" id=\"w\" state=\"init\">"
	     "<ere:wildcardedIdentity>sip:acme-!.*!@home1.net</ere:wildcardedIdentity>"
	     "</registration></reginfo>";

TEST(reginfo, tells_registrations_and_their_contacts)
{
	const struct reginfo *doc = read_text(two_users);
	const struct reginfo_contact *c = &doc->contact[0];

	EXPECT_EQ(GW_OK, doc->err);
	EXPECT_EQ(0, doc->version);
	EXPECT(doc->full);
	EXPECT_EQ(3, doc->registrations);
	EXPECT_EQ(2, doc->contacts);
	EXPECT_SPAN("sip:alice@home1.net", doc->registration[0].aor);
	EXPECT_EQ(REGINFO_ACTIVE, doc->registration[0].state);
	EXPECT_EQ(0, doc->registration[0].contact);
	EXPECT_EQ(2, doc->registration[0].contacts);
	EXPECT_EQ(REGINFO_TERMINATED, doc->registration[1].state);
	EXPECT_EQ(0, doc->registration[1].contacts);
	EXPECT_SPAN("sip:alice@k3.invalid;transport=ws", c->uri);
	EXPECT_EQ(REGINFO_ACTIVE, c->state);
	EXPECT_EQ(REGINFO_REGISTERED, c->event);
	EXPECT(c->has_expires && !c->has_retry_after && c->has_cseq);
	EXPECT_EQ(3600, c->expires_s);
	EXPECT_EQ(1, c->cseq);
	EXPECT_SPAN("r1@k3", c->callid);
	EXPECT_SPAN("\"<urn:uuid:6c1e>\"", c->instance);
	EXPECT_SPAN("1", c->reg_id);
}

TEST(reginfo, tells_how_long_a_probation_is)
{
	const struct reginfo_contact *c = &read_text(two_users)->contact[1];

	EXPECT_EQ(REGINFO_TERMINATED, c->state);
	EXPECT_EQ(REGINFO_PROBATION, c->event);
	EXPECT(c->has_retry_after && !c->has_cseq);
	EXPECT_EQ(20, c->retry_after_s);
	EXPECT_EQ(0, c->callid.len);
}

TEST(reginfo, tells_the_wildcarded_identity)
{
	EXPECT_SPAN("sip:acme-!.*!@home1.net", read_text(two_users)->registration[2].wildcard);
	EXPECT_EQ(0, read_text(two_users)->registration[0].wildcard.len);
}

TEST(reginfo, knows_each_event)
{
	static const struct {
		const char *name;
		enum reginfo_event event;
	} rows[] = {
		{"registered", REGINFO_REGISTERED}, {"created", REGINFO_CREATED},
		{"refreshed", REGINFO_REFRESHED},   {"shortened", REGINFO_SHORTENED},
		{"expired", REGINFO_EXPIRED},	    {"deactivated", REGINFO_DEACTIVATED},
		{"probation", REGINFO_PROBATION},   {"unregistered", REGINFO_UNREGISTERED},
		{"rejected", REGINFO_REJECTED},	    {"vanished", REGINFO_OTHER},
	};
	char text[1000];

	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text),
			 HEAD REGISTRATION
			 "<contact id=\"c\" state=\"terminated\" event=\"%s\">" URI TAIL,
			 rows[i].name);
		EXPECT_EQ(GW_OK, read_text(text)->err);
		EXPECT_EQ(rows[i].event, read_text(text)->contact[0].event);
	}
}

TEST(reginfo, tells_partial_state_from_full)
{
	const struct reginfo *doc =
		read_text("<reginfo " NAMESPACES " version=\"4294967295\" state=\"partial\"/>");

	EXPECT_EQ(GW_OK, doc->err);
	EXPECT(!doc->full);
	EXPECT_EQ(UINT32_MAX, doc->version);
	EXPECT_EQ(0, doc->registrations);
}

TEST(reginfo, is_the_same_under_another_prefix_and_with_what_it_does_not_know)
{
	const struct reginfo *doc = read_text(
		"<?xml version='1.0' encoding='UTF-8'?><!-- why --><?pi x?>"
		"<q:reginfo xmlns:q='urn:ietf:params:xml:ns:reginfo' xmlns:z='urn:z' version=' 3 ' "
		"state='partial' z:more='1'><z:new><z:in><uri>sip:no@h</uri></z:in></z:new>"
		"<q:registration aor='sip:a@h' id='1' state='active'><z:x/>"
		"<q:contact id='1' state='active' event='created' q='1' expires='soon'>"
		"<z:uri>sip:z@h</z:uri><q:uri><![CDATA[sip:a@h1]]>;x=&#38;<z:y>no</z:y></q:uri>"
		"</q:contact></q:registration></q:reginfo>");

	EXPECT_EQ(GW_OK, doc->err);
	EXPECT_EQ(3, doc->version);
	EXPECT_EQ(1, doc->contacts);
	EXPECT_SPAN("sip:a@h1;x=&", doc->contact[0].uri);
	EXPECT(!doc->contact[0].has_expires);
}

TEST(reginfo, in_another_namespace_is_none)
{
	EXPECT_EQ(GW_REGINFO_FORM, read_text("<reginfo version=\"0\" state=\"full\"/>")->err);
	EXPECT_EQ(GW_REGINFO_FORM, read_text("<reginfo xmlns=\"urn:ietf:params:xml:ns:dialog-info\""
					     " version=\"0\" state=\"full\"/>")
					   ->err);
}

TEST(reginfo, without_what_it_has_to_have_is_refused)
{
	static const char *const texts[] = {
		"<reginfo " NAMESPACES " state=\"full\"/>",
		"<reginfo " NAMESPACES " version=\"-1\" state=\"full\"/>",
		"<reginfo " NAMESPACES " version=\"4294967296\" state=\"full\"/>",
		"<reginfo " NAMESPACES " version=\"1\"/>",
		"<reginfo " NAMESPACES " version=\"1\" state=\"half\"/>",
		HEAD "<registration id=\"1\" state=\"active\"/></reginfo>",
		HEAD "<registration aor=\"\" id=\"1\" state=\"active\"/></reginfo>",
		HEAD "<registration aor=\"sip:a@h\" id=\"1\"/></reginfo>",
		HEAD "<registration aor=\"sip:a@h\" id=\"1\" state=\"gone\"/></reginfo>",
		HEAD REGISTRATION "<contact id=\"1\" event=\"created\">" URI TAIL,
		HEAD REGISTRATION "<contact id=\"1\" state=\"init\" event=\"created\">" URI TAIL,
		HEAD REGISTRATION CONTACT TAIL,
		HEAD REGISTRATION CONTACT "<uri> </uri>" TAIL,
	};

	for (uint32_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		EXPECT_EQ(GW_REGINFO_FORM, read_text(texts[i])->err);
}

TEST(reginfo, that_is_not_well_formed_is_refused)
{
	static const char *const texts[] = {
		"",
		" ",
		"sip",
		HEAD,
		HEAD REGISTRATION "</reginfo>",
		HEAD "</reginfo>x",
		HEAD REGISTRATION CONTACT "<uri>sip:&lol;@h</uri>" TAIL,
		HEAD REGISTRATION CONTACT "<uri>sip:\xff@h</uri>" TAIL,
		HEAD "<registration aor=\"a\" aor=\"b\" id=\"1\" state=\"active\"/></reginfo>",
		HEAD "<u:registration/></reginfo>",
		"<?xml version=\"1.0\" encoding=\"EBCDIC\"?><reginfo/>",
	};

	for (uint32_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		EXPECT_EQ(GW_REGINFO_XML, read_text(texts[i])->err);
	EXPECT_EQ(GW_REGINFO_XML, read_bytes(HEAD "\0</reginfo>", sizeof(HEAD) + 10)->err);
}

TEST(reginfo, with_a_document_type_is_refused_before_its_entities_count)
{
	EXPECT_EQ(GW_REGINFO_DOCTYPE,
		  read_text("<!DOCTYPE reginfo [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
			    "\"&a;&a;&a;&a;\">]><reginfo " NAMESPACES
			    " version=\"0\" state=\"full\">&b;</reginfo>")
			  ->err);
	EXPECT_EQ(GW_REGINFO_DOCTYPE,
		  read_text("<!DOCTYPE reginfo SYSTEM \"file:///etc/passwd\"><reginfo/>")->err);
}

/** A document of so many pieces between head and tail. */
static const struct reginfo *repeated(const char *head, const char *piece, uint32_t times,
				      const char *tail)
{
	size_t size = strlen(head) + strlen(piece) * times + strlen(tail) + 1;
	char *text = malloc(size), *at = text;
	const struct reginfo *doc;

	assert_non_null(text);
	at += sprintf(at, "%s", head);
	for (uint32_t i = 0; i < times; i++)
		at += sprintf(at, "%s", piece);
	sprintf(at, "%s", tail);
	doc = read_text(text);
	free(text);
	return doc;
}

TEST(reginfo, has_bounds)
{
	const char *one = "<registration aor=\"sip:a@h\" id=\"r\" state=\"active\"/>";
	const char *contact = CONTACT URI "</contact>";

	EXPECT_EQ(GW_OK, repeated(HEAD, one, REGINFO_REGISTRATIONS_MAX, "</reginfo>")->err);
	EXPECT_EQ(GW_REGINFO_LIMIT,
		  repeated(HEAD, one, REGINFO_REGISTRATIONS_MAX + 1, "</reginfo>")->err);
	EXPECT_EQ(GW_OK, repeated(HEAD REGISTRATION, contact, REGINFO_CONTACTS_MAX,
				  "</registration></reginfo>")
				 ->err);
	EXPECT_EQ(GW_REGINFO_LIMIT, repeated(HEAD REGISTRATION, contact, REGINFO_CONTACTS_MAX + 1,
					     "</registration></reginfo>")
					    ->err);
	EXPECT_EQ(GW_REGINFO_LIMIT, repeated(HEAD, "<x>", REGINFO_DEPTH_MAX, "")->err);
	EXPECT_EQ(GW_REGINFO_XML, repeated(HEAD, "<x>", REGINFO_DEPTH_MAX - 1, "")->err);
	EXPECT_EQ(GW_REGINFO_LIMIT, repeated(HEAD, " ", REGINFO_BYTES_MAX, "</reginfo>")->err);
	EXPECT_EQ(GW_OK,
		  repeated(HEAD, " ", REGINFO_BYTES_MAX - sizeof(HEAD) - 10, "</reginfo>")->err);
	/* of another encoding, what is kept is longer than what was read */
	EXPECT_EQ(GW_REGINFO_LIMIT,
		  repeated("<?xml version='1.0' encoding='ISO-8859-1'?><reginfo " NAMESPACES
			   " version=\"0\" state=\"full\">" REGISTRATION CONTACT "<uri>",
			   "\xe4", 50000, "</uri>" TAIL)
			  ->err);
}

TEST(reginfo, of_many_attributes_costs_no_more_memory_than_there_is)
{
	char *text = malloc(REGINFO_BYTES_MAX + 1), *at = text;
	const struct reginfo *doc;

	at += sprintf(at, "<reginfo " NAMESPACES " version=\"0\" state=\"full\"");
	for (uint32_t i = 0; at - text < REGINFO_BYTES_MAX - 100; i++)
		at += sprintf(at, " a%x=\"\"", i);
	sprintf(at, "/>");
	doc = read_text(text);
	EXPECT(doc->err == GW_OK || doc->err == GW_REGINFO_LIMIT);
	free(text);
}

TEST(reginfo, cut_anywhere_is_refused_and_the_next_one_is_read)
{
	struct reginfo_reader *reader = reginfo_reader_new();

	assert_non_null(reader);
	for (uint32_t n = 0; n < sizeof(two_users) - 1; n++) {
		uint8_t *copy = malloc(n + 1);

		memcpy(copy, two_users, n);
		EXPECT_EQ(GW_REGINFO_XML, reginfo_read(reader, span_of(copy, n), n)->err);
		free(copy);
	}
	EXPECT_EQ(GW_OK, reginfo_read(reader, span_text(two_users), 0)->err);
	EXPECT_EQ(2, reginfo_read(reader, span_text(two_users), 1)->contacts);
	reginfo_reader_free(reader);
}

TEST_MAIN("reginfo", RUN(reginfo, tells_registrations_and_their_contacts),
	  RUN(reginfo, tells_how_long_a_probation_is), RUN(reginfo, tells_the_wildcarded_identity),
	  RUN(reginfo, knows_each_event), RUN(reginfo, tells_partial_state_from_full),
	  RUN(reginfo, is_the_same_under_another_prefix_and_with_what_it_does_not_know),
	  RUN(reginfo, in_another_namespace_is_none),
	  RUN(reginfo, without_what_it_has_to_have_is_refused),
	  RUN(reginfo, that_is_not_well_formed_is_refused),
	  RUN(reginfo, with_a_document_type_is_refused_before_its_entities_count),
	  RUN(reginfo, has_bounds),
	  RUN(reginfo, of_many_attributes_costs_no_more_memory_than_there_is),
	  RUN(reginfo, cut_anywhere_is_refused_and_the_next_one_is_read))
