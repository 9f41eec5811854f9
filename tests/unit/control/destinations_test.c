/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"
#include "control/publish.h"
#include "destination_rules.h"
#include "loaded.h"

/* Rules about destinations in a configuration. */

static void refused(const char *rule, const char *reason)
{
	char to[256], said[512];

	snprintf(to, sizeof(to), "shop-pairs.csv}\n    destinations: {deny: ['%s']}", rule);
	snprintf(said, sizeof(said), "wicgate.yaml:20: wwsf[].destinations.deny: %s", reason);
	loaded_expect_refused(loaded_minimal, "shop-pairs.csv}", to, said);
}

TEST(destinations, that_are_no_rules_are_told_with_their_line)
{
	static const char kinds[] = "\"tel:PREFIX\", \"sip:*@HOST\", \"sip:USER@HOST\" or "
				    "\"re:EXPRESSION\" expected";
	static const char number[] = "after \"tel:\" the first digits of a number expected, '+' "
				     "before those of a global one, 16 characters at most";

	refused("+1900", kinds);
	refused("sip:evil.example", kinds);
	refused("*@evil.example", kinds);
	refused("sip:*@", kinds);
	refused("sip:*@*", kinds);
	refused("sip:*@evil.example:5060", kinds);
	refused("sip:*@evil.example;user=phone", kinds);
	refused("sip:*@[::1]:5060", kinds);
	refused("sip:a:b@evil.example", kinds);
	refused("sip:a b@evil.example", kinds);
	refused("http://evil.example", kinds);
	refused("tel:", number);
	refused("tel:abc", number);
	refused("tel:1+2", number);
	refused("tel:+1;x", number);
	refused("tel:+1234567890123456", number);
	refused("re:(a", "at byte 1 of the expression: '(' without ')'");
	refused("re:a{0,256}", "at byte 2 of the expression: repeated more than 255 times");
	refused("re:sip:a.{0,200}a.{0,200}@h", "the expression becomes too large");
}

/** What is published of a configuration that has these lines at its end; the test frees it. */
static struct destination_part *published(const char *lines)
{
	struct destination_part *part;
	char text[LOADED_MAX];
	struct loaded l;

	snprintf(text, sizeof(text), "%s%s", loaded_minimal, lines);
	loaded_begin(&l, text);
	problems_print(l.problems, stderr);
	assert_non_null(l.config);
	part = publish_destinations(l.config);
	loaded_end(&l); /* the part has its own */
	return part;
}

static uint64_t places(const char *number)
{
	return destination_places(span_text(number));
}

TEST(destinations, are_prefixes_hosts_URIs_and_expressions)
{
	struct destination_part *part = published(
		"    destinations:\n"
		"      deny: ['tel:+1-900', 'TEL:+19001', 'tel:(0)900', 'sip:*@Evil.Example.', "
		"'sip:*@[2001:DB8::1]', 'SIP:*@Capital.example', 'sip:a%62c@Evil.Example', "
		"'re:sip:x.*@h']\n");
	const struct destination_list *deny = &part->site[0].deny;

	EXPECT_EQ(1, part->count);
	EXPECT(part->site[0].any && !part->site[0].allows && !part->operator.any);
	EXPECT_EQ(2, deny->numbers); /* +19001 is +1900 already */
	EXPECT(destination_has_number(deny, places("+19005")));
	EXPECT(destination_has_number(deny, places("09005")));
	EXPECT(destination_has_host(deny, SPAN("evil.example")));
	EXPECT(destination_has_host(deny, SPAN("[2001:db8::1]")));
	EXPECT(destination_has_host(deny, SPAN("capital.example")));
	EXPECT(destination_has_uri(deny, SPAN("sip:abc@evil.example")));
	EXPECT(destination_has_expression(deny, 0, SPAN("sip:xy@h")));
	EXPECT(!destination_has_expression(deny, 0, SPAN("sip:xy@h2")));
	EXPECT(!destination_has_expression(deny, 0, SPAN("xsip:xy@h")));
	part->part.free(&part->part);
}

TEST(destinations, are_allowed_and_denied_by_the_operator_as_well)
{
	struct destination_part *part =
		published("screening: {allow: ['tel:+', 're:sip:.*@h'], deny: ['tel:+1900']}\n");

	EXPECT(part->operator.any && part->operator.allows && !part->site[0].any);
	EXPECT(destination_has_number(&part->operator.allow, places("+44")));
	EXPECT(destination_has_expression(&part->operator.allow, 0, SPAN("sip:a@h")));
	EXPECT(destination_has_number(&part->operator.deny, places("+19001")));
	part->part.free(&part->part);
}

TEST(destinations, have_256_expressions_at_most)
{
	char *text = malloc(65536),
	     *at = text + sprintf(text, "%s    destinations:\n      allow: [", loaded_minimal);
	struct loaded l;

	for (uint32_t i = 0; i < 257; i++)
		at += sprintf(at, "'re:a%u'%s", i, i < 256 ? ", " : "]\n");
	loaded_begin(&l, text);
	EXPECT_EQ(1, problems_count(l.problems));
	EXPECT_TEXT("wicgate.yaml:21: wwsf[].destinations.allow: more than 256 expressions",
		    loaded_problem(&l, 0));
	loaded_end(&l);
	at = text + sprintf(text, "%s    destinations:\n      deny: ['re:b']\n      allow: [",
			    loaded_minimal);
	for (uint32_t i = 0; i < 256; i++)
		at += sprintf(at, "'re:a%u'%s", i, i < 255 ? ", " : "]\n");
	loaded_begin(&l, text);
	EXPECT_EQ(1, problems_count(l.problems));
	EXPECT_TEXT("wicgate.yaml:21: destinations: more than 256 expressions in allow and deny "
		    "together",
		    loaded_problem(&l, 0));
	loaded_end(&l);
	free(text);
}

TEST(destinations, that_have_not_changed_are_not_compiled_again)
{
	static const char rules[] = "    destinations: {deny: ['re:sip:x.*@h']}\n"
				    "screening: {allow: ['re:.*']}\n";
	struct config_from from = {0};
	struct config *next;
	char text[LOADED_MAX];
	struct loaded l;

	snprintf(text, sizeof(text), "%s%s", loaded_minimal, rules);
	loaded_begin(&l, text);
	from = (struct config_from){.path = folder_path(&l.folder, "wicgate.yaml"),
				    .before = l.config};
	next = config_read(&from, l.problems);
	assert_non_null(next);
	EXPECT(config_wwsf(next, 0)->destinations.deny.compiled ==
	       config_wwsf(l.config, 0)->destinations.deny.compiled);
	EXPECT(next->screening.allow.compiled == l.config->screening.allow.compiled);
	config_free(l.config);
	l.config = next;
	EXPECT(destination_has_expression(&config_wwsf(next, 0)->destinations.deny.made, 0,
					  SPAN("sip:xa@h")));
	loaded_end(&l);
}

TEST_MAIN("destinations", RUN(destinations, that_are_no_rules_are_told_with_their_line),
	  RUN(destinations, are_prefixes_hosts_URIs_and_expressions),
	  RUN(destinations, are_allowed_and_denied_by_the_operator_as_well),
	  RUN(destinations, have_256_expressions_at_most),
	  RUN(destinations, that_have_not_changed_are_not_compiled_again))
