/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "../test.h"
#include "control/generator.h"
#include "folder.h"
#include "identity/identity.h"
#include "pair_table.h"

#define IMPU "sip:pool(0[0-9]{3})@home1.net"
#define IMPI "pool\\1@ims.home1.net"

static struct pairs_from from_texts(const char *impu, const char *impi)
{
	return (struct pairs_from){
		.impu = impu, .impi = impi, .file = "wicgate.yaml", .line = 4, .impi_line = 5};
}

/** Must be accepted; the caller puts it. */
static struct pairs *made(const char *impu, const char *impi)
{
	struct pairs_from from = from_texts(impu, impi);
	struct problems *problems = problems_new();
	struct pairs *pairs = pairs_load(&from, problems);

	problems_print(problems, stderr);
	problems_free(problems);
	assert_non_null(pairs);
	return pairs;
}

static void refused(const char *impu, const char *impi, const char *reason)
{
	struct pairs_from from = from_texts(impu, impi);
	struct problems *problems = problems_new();

	EXPECT(pairs_load(&from, problems) == NULL);
	EXPECT_EQ(1, problems_count(problems));
	EXPECT_TEXT(reason, problems_text(problems, 0));
	problems_free(problems);
}

static enum gw_err outcome(const struct pairs *pairs, const char *impi, const char *impu)
{
	return identity_allowed(pairs_table(pairs), span_text(impi), span_text(impu));
}

/* PROTOCOL 6.2 */
TEST(generator, makes_the_pairs_of_its_rule_and_no_other)
{
	struct pairs *pairs = made(IMPU, IMPI);
	char impi[64], impu[64];

	EXPECT_EQ(1000, pairs_about(pairs).count);
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(impi, sizeof(impi), "pool0%03u@ims.home1.net", i);
		snprintf(impu, sizeof(impu), "sip:pool0%03u@home1.net", i);
		EXPECT_EQ(GW_OK, outcome(pairs, impi, impu));
		EXPECT_EQ(GW_IDENTITY_FOREIGN, outcome(pairs, "pool0500@ims.home1.net",
						       i == 500 ? "sip:pool0501@home1.net" : impu));
	}
	EXPECT_EQ(GW_IDENTITY_FOREIGN,
		  outcome(pairs, "pool1000@ims.home1.net", "sip:pool1000@home1.net"));
	EXPECT_EQ(GW_IDENTITY_FOREIGN,
		  outcome(pairs, "pool000@ims.home1.net", "sip:pool000@home1.net"));
	EXPECT_EQ(GW_IDENTITY_FOREIGN,
		  outcome(pairs, "pool0000@ims.home1xnet", "sip:pool0000@home1xnet"));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, outcome(pairs, "", ""));
	EXPECT_EQ(GW_IDENTITY_FOREIGN,
		  outcome(pairs, "pool0000@ims.home1.net", "sip:pool000\xff@home1.net"));
	pairs_put(pairs);
}

TEST(generator, knows_either_identity_of_its_pairs)
{
	struct pairs *pairs = made("sip:([ab])([0-9])@h", "\\2\\1\\2@h");
	const struct pair_table *table = pairs_table(pairs);

	EXPECT_EQ(20, table->count);
	EXPECT_EQ(GW_OK, outcome(pairs, "7b7@h", "sip:b7@h"));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, outcome(pairs, "7b8@h", "sip:b7@h"));
	EXPECT(identity_pooled(table, SPAN("x@h"), SPAN("sip:b7@h")));
	EXPECT(identity_pooled(table, SPAN("7b7@h"), SPAN("sip:x@h")));
	EXPECT(!identity_pooled(table, SPAN("7b8@h"), SPAN("sip:x@h")));
	EXPECT(!identity_pooled(table, SPAN("7c7@h"), SPAN("sip:c7@h")));
	EXPECT(!identity_pooled(table, SPAN("7b7@i"), SPAN("sip:x@h")));
	EXPECT(!identity_pooled(table, SPAN("7b7@"), SPAN("sip:")));
	pairs_put(pairs);
}

TEST(generator, takes_numbers_escapes_brackets_and_groups)
{
	struct pairs *pairs = made("tel:\\+1800([2-9][0-9]{6})", "1800\\1@ims.h");

	EXPECT_EQ(8000000, pairs_about(pairs).count);
	EXPECT_EQ(GW_OK, outcome(pairs, "18002345678@ims.h", "tel:+18002345678"));
	EXPECT_EQ(GW_IDENTITY_FOREIGN, outcome(pairs, "18001345678@ims.h", "tel:+18001345678"));
	pairs_put(pairs);
	pairs = made("sip:([-a-c_!]{2})\\.x@h.net", "\\1@h.net");
	EXPECT_EQ(36, pairs_about(pairs).count);
	EXPECT_EQ(GW_OK, outcome(pairs, "-!@h.net", "sip:-!.x@h.net"));
	pairs_put(pairs);
	pairs = made("sip:one@h", "one@h"); /* of one pair */
	EXPECT_EQ(1, pairs_about(pairs).count);
	pairs_put(pairs);
	pairs = made("sip:a%23([0-9])@h", "a\\1@h");
	EXPECT_EQ(GW_OK, outcome(pairs, "a1@h", "sip:a%231@h"));
	pairs_put(pairs);
}

TEST(generator, refuses_what_is_not_of_its_subset)
{
	static const struct {
		const char *impu, *why;
	} rows[] = {
		{"sip:p(0[0-9]*)@h", "'*' is not of the subset; write \\* for itself"},
		{"tel:+1([0-9])", "'+' is not of the subset; write \\+ for itself"},
		{"sip:a|b@h", "'|' is not of the subset; write \\| for itself"},
		{"sip:((a)b)@h", "a group inside a group"},
		{"sip:(a@h", "'(' without ')'"},
		{"sip:a)@h", "')' without '('"},
		{"sip:()@h", "a group with nothing in it"},
		{"sip:(a){2}@h", "{n} is for the byte or the bracket expression before it alone"},
		{"sip:a{2}{2}@h", "{n} is for the byte or the bracket expression before it alone"},
		{"sip:a{1,2}@h", "{n} has one number, from 1 to 256"},
		{"sip:a{}@h", "{n} has one number, from 1 to 256"},
		{"sip:a{0}@h", "{n} has one number, from 1 to 256"},
		{"sip:a{99999999999}@h", "{n} has one number, from 1 to 256"},
		{"sip:a{2", "{n} has one number, from 1 to 256"},
		{"sip:a{256}@h", "longer than identities may be"},
		{"sip:[^a]@h", "[^...] is not of the subset: what it leaves is not known"},
		{"sip:[[:digit:]]@h", "brackets have printable ASCII and ranges of it that ascend, "
				      "no classes"},
		{"sip:[9-0]@h", "brackets have printable ASCII and ranges of it that ascend, "
				"no classes"},
		{"sip:[ab", "'[' without ']'"},
		{"sip:a[", "'[' without ']'"},
		{"sip:\\d@h", "\\ stands before punctuation only"},
		{"sip:(a)\\1@h", "\\ stands before punctuation only"},
		{"sip:a@h\\", "\\ stands before punctuation only"},
		{"sip:a b@h", "only printable ASCII can stand here"},
		{"sip:a@\\[::1\\]", "an IPv6 address cannot stand here"},
		{"sip:%4[1-2]@h", "an escape with % does not vary"},
		{"(s)(i)(p)(:)(a)(b)(c)(d)(e)(f)@h", "more than nine groups"},
	};
	char reason[256];

	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(reason, sizeof(reason),
			 "wicgate.yaml:4: wwsf[].identities.generator.impu: %s", rows[i].why);
		refused(rows[i].impu, "x@h", reason);
	}
}

TEST(generator, refuses_two_public_identities_with_one_private_one)
{
	static const char why[] =
		"wicgate.yaml:5: wwsf[].identities.generator.impi: what varies in the public "
		"identity is not all in it: two would have one private identity";

	refused("sip:p([0-9])[0-9]@h", "p\\1@h", why);
	refused("sip:p([0-9])([0-9])@h", "p\\1@h", why);
	refused("sip:p[0-9]@h", "p@h", why);
}

TEST(generator, refuses_a_template_that_is_none)
{
	static const char line[] = "wicgate.yaml:5: wwsf[].identities.generator.impi: ";
	char reason[256];

	snprintf(reason, sizeof(reason), "%sthe public identity has no such group", line);
	refused("sip:p([0-9])@h", "p\\2@h", reason);
	snprintf(reason, sizeof(reason),
		 "%s\\1 to \\9, \\ before punctuation, and printable ASCII can stand here", line);
	refused("sip:p([0-9])@h", "p\\0@h", reason);
	refused("sip:p([0-9])@h", "p \\1@h", reason);
	snprintf(reason, sizeof(reason), "%slonger than identities may be", line);
	refused("sip:p([0-9]{100})@h", "\\1\\1\\1@h", reason);
}

TEST(generator, refuses_what_is_not_canonical_with_an_example)
{
	static const char line[] = "wicgate.yaml:4: wwsf[].identities.generator.impu: makes ";
	static const struct {
		const char *impu, *example;
	} rows[] = {
		{"sip:p([0-9])@HOME1.net", "sip:p0@HOME1.net"},
		{"SIP:p([0-9])@h", "SIP:p0@h"},
		{"sips:p([0-9])@h", "sips:p0@h"},
		{"p([0-9])@h", "p0@h"},
		{"sip:p([0-9])@h:5060", "sip:p0@h:5060"},
		{"sip:p([0-9])@h;x=y", "sip:p0@h;x=y"},
		{"sip:p([0-9:])@h", "sip:p:@h"},
		{"sip:p([0-9@])@h", "sip:p@@h"},
		{"sip:p([0-9#])@h", "sip:p#@h"},
		{"tel:\\+1([0-9]{15})", "tel:+1000000000000000"},
		{"tel:\\+1([0-9-])", "tel:+1-"},
		{"sip:p@h([ab-])([a-]).net", "sip:p@h--.net"},
		{"sip:p@([A-Za-z]).net", "sip:p@A.net"},
		{"sip:%41([0-9])@h", "sip:%410@h"},
	};
	char reason[256];

	for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(reason, sizeof(reason), "%s\"%s\", which is no canonical public identity",
			 line, rows[i].example);
		refused(rows[i].impu,
			strstr(rows[i].impu, ")(") != NULL  ? "\\1\\2@h"
			: strchr(rows[i].impu, '(') != NULL ? "\\1@h"
							    : "x@h",
			reason);
	}
	refused("sip:p([0-9])@h", "p\\1@H.net",
		"wicgate.yaml:5: wwsf[].identities.generator.impi: makes \"p0@H.net\", which is no "
		"canonical private identity");
	refused("sip:([a-])0([-a])@h", "x@\\2\\1.net",
		"wicgate.yaml:5: wwsf[].identities.generator.impi: makes \"x@--.net\", which is no "
		"canonical private identity");
	refused("sip:([0-9]{20})@h", "\\1@h",
		"wicgate.yaml:4: wwsf[].identities.generator.impu: more pairs than can be counted");
}

/** What two generators have in common. */
static enum generator_shared shared(const char *impu_a, const char *impi_a, const char *impu_b,
				    const char *impi_b, const char *expected)
{
	struct pairs *a = made(impu_a, impi_a), *b = made(impu_b, impi_b);
	char example[IDENTITY_MAX + 1] = "";
	enum generator_shared what =
		generator_overlap(pairs_table(a)->generator, pairs_table(b)->generator, example);

	EXPECT_EQ(what,
		  generator_overlap(pairs_table(b)->generator, pairs_table(a)->generator, example));
	EXPECT_TEXT(expected, what == GENERATOR_NOTHING ? "" : example);
	pairs_put(a);
	pairs_put(b);
	return what;
}

TEST(generator, shares_public_identities_with_another_exactly)
{
	EXPECT_EQ(GENERATOR_IMPU, shared("sip:p([0-9]{3})@h", "p\\1@h", "sip:p0([0-9]{2})@h",
					 "q\\1@h", "sip:p000@h"));
	EXPECT_EQ(GENERATOR_IMPU, shared("sip:([0-4])([5-9])@h", "a\\1\\2@h",
					 "sip:([4-9])([0-5])@h", "b\\1\\2@h", "sip:45@h"));
	EXPECT_EQ(GENERATOR_NOTHING, shared("sip:([0-4])([5-9])@h", "a\\1\\2@h",
					    "sip:([4-9])([0-4])@h", "b\\1\\2@h", ""));
	EXPECT_EQ(GENERATOR_NOTHING,
		  shared("sip:p([0-9]{3})@h", "p\\1@h", "sip:p([0-9]{4})@h", "p\\1@h", ""));
}

TEST(generator, shares_private_identities_with_another_exactly)
{
	EXPECT_EQ(GENERATOR_IMPI,
		  shared("sip:a([0-9])@h", "p\\1@h", "sip:b([5-9])@h", "p\\1@h", "p5@h"));
	EXPECT_EQ(GENERATOR_NOTHING,
		  shared("sip:a([0-4])@h", "p\\1@h", "sip:b([5-9])@h", "p\\1@h", ""));
	/* a twice the same digit, b two that differ in what they may be */
	EXPECT_EQ(GENERATOR_NOTHING,
		  shared("sip:a([0-9])@h", "\\1\\1@h", "sip:b([0-4])([5-9])@h", "\\1\\2@h", ""));
	EXPECT_EQ(GENERATOR_IMPI, shared("sip:a([0-9])@h", "\\1\\1@h", "sip:b([0-5])([5-9])@h",
					 "\\1\\2@h", "55@h"));
	/* equal by way of a third */
	EXPECT_EQ(GENERATOR_IMPI, shared("sip:a([0-9])([0-9])@h", "\\1\\1\\2\\2@h",
					 "sip:b([0-9])([0-9])@h", "\\1\\2\\28@h", "8888@h"));
	EXPECT_EQ(GENERATOR_NOTHING, shared("sip:a([0-7])([0-9])@h", "\\1\\1\\2\\2@h",
					    "sip:b([0-9])([0-9])@h", "\\1\\2\\28@h", ""));
}

/* All generators of three places with few letters, against what all of their pairs say. */
TEST(generator, agrees_with_trying_all_pairs)
{
	static const char *const impu[] = {"sip:([ab])([bc])@h", "sip:([a])([a-c])@h",
					   "sip:([bc])([c])@h", "sip:([a-c])([a-c])@h",
					   "sip:(c)([ab])@h"};
	static const char *const impi[] = {"\\1\\2@h", "\\2\\1@h", "\\1\\2\\1@h", "\\2\\2\\1@h",
					   "a\\1\\2@h"};
	enum { RULES = 25 };
	struct pairs *rule[RULES];
	char u[16], i[16], example[IDENTITY_MAX + 1];

	for (uint32_t r = 0; r < RULES; r++)
		rule[r] = made(impu[r / 5], impi[r % 5]);
	for (uint32_t r = 0; r < RULES * RULES; r++) {
		const struct pair_table *a = pairs_table(rule[r / RULES]);
		const struct pair_table *b = pairs_table(rule[r % RULES]);
		bool by_impu = false, by_impi = false;

		for (uint32_t n = 0; n < 27; n++) {
			snprintf(u, sizeof(u), "sip:%c%c@h", 'a' + n % 3, 'a' + n / 3 % 3);
			by_impu |= pair_generator_makes_impu(a->generator, span_text(u)) &&
				   pair_generator_makes_impu(b->generator, span_text(u));
			for (uint32_t three = 0; three < 2; three++) {
				snprintf(i, sizeof(i), three ? "%c%c%c@h" : "%c%c@h", 'a' + n % 3,
					 'a' + n / 3 % 3, three ? 'a' + n / 9 : '@');
				if (!three)
					strcpy(i + 2, "@h");
				by_impi |= pair_generator_makes_impi(a->generator, span_text(i)) &&
					   pair_generator_makes_impi(b->generator, span_text(i));
			}
		}
		EXPECT_EQ(by_impu   ? GENERATOR_IMPU
			  : by_impi ? GENERATOR_IMPI
				    : GENERATOR_NOTHING,
			  generator_overlap(a->generator, b->generator, example));
	}
	for (uint32_t r = 0; r < RULES; r++)
		pairs_put(rule[r]);
}

static void overlaps(struct pairs *a, struct pairs *b, const char *expected)
{
	struct problems *problems = problems_new();

	pairs_overlap(a, b, problems);
	EXPECT_EQ(expected[0] != '\0', problems_count(problems) > 0);
	if (expected[0] != '\0')
		EXPECT(strstr(problems_text(problems, 0), expected) != NULL);
	problems_free(problems);
}

TEST(generator, that_has_pairs_of_another_pool_is_refused)
{
	struct problems *problems = problems_new();
	struct pairs *rule = made(IMPU, IMPI),
		     *other = made("sip:p(ool00[0-9]{2})@home1.net", IMPI);
	struct pairs_from from = {.kind = PAIRS_POOL, .file = "wicgate.yaml", .line = 9};
	struct pairs *list;
	struct folder folder;

	folder_make(&folder);
	folder_write(&folder, "p.csv",
		     "a@h,sip:a@h\nb@h,sip:pool0007@home1.net\npool0009@ims.home1.net,sip:c@h\n");
	from.path = folder_path(&folder, "p.csv");
	list = pairs_load(&from, problems);
	assert_non_null(list);
	pairs_overlap(rule, list, problems);
	EXPECT_EQ(2, problems_errors(problems));
	EXPECT(strstr(problems_text(problems, 0),
		      "p.csv:2: the public identity of wicgate.yaml:4, it can belong to one WWSF "
		      "only") != NULL);
	EXPECT(strstr(problems_text(problems, 1),
		      "p.csv:3: the private identity of wicgate.yaml:4") != NULL);
	overlaps(list, rule, "wicgate.yaml:4: the public identity of ");
	overlaps(rule, other,
		 "wicgate.yaml:4: wwsf[].identities.generator: \"sip:pool0000@home1.net\" is made "
		 "by the generator of line 4 as well, it can belong to one WWSF only");
	pairs_put(other);
	other = made("sip:q(ool00[0-9]{2})@home1.net", "p\\1@ims.home1.net");
	overlaps(rule, other,
		 "\"pool0000@ims.home1.net\" is made by the generator of line 4 as well");
	pairs_put(other);
	other = made("sip:q(0[0-9]{2})@home1.net", "q\\1@ims.home1.net");
	overlaps(rule, other, "");
	pairs_put(other);
	pairs_put(rule);
	pairs_put(list);
	problems_free(problems);
	folder_remove(&folder);
}

TEST_MAIN("generator", RUN(generator, makes_the_pairs_of_its_rule_and_no_other),
	  RUN(generator, knows_either_identity_of_its_pairs),
	  RUN(generator, takes_numbers_escapes_brackets_and_groups),
	  RUN(generator, refuses_what_is_not_of_its_subset),
	  RUN(generator, refuses_two_public_identities_with_one_private_one),
	  RUN(generator, refuses_a_template_that_is_none),
	  RUN(generator, refuses_what_is_not_canonical_with_an_example),
	  RUN(generator, shares_public_identities_with_another_exactly),
	  RUN(generator, shares_private_identities_with_another_exactly),
	  RUN(generator, agrees_with_trying_all_pairs),
	  RUN(generator, that_has_pairs_of_another_pool_is_refused))
