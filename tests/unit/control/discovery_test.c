/* SPDX-License-Identifier: BSD-3-Clause */
#include "../../../control/discovery.h"

#include <stdio.h>

#include "../test.h"

/* PROTOCOL 1.3's rows, TS 23.003 13.12. */

#define OPERATOR_OF(mnc, mcc) "ims.mnc" mnc ".mcc" mcc

static void expect_found(const char *domain, const char *name, const struct discovery *found)
{
	char text[300];

	EXPECT_TEXT(domain, found->domain);
	snprintf(text, sizeof(text), "http://%s", name);
	EXPECT_TEXT(text, found->uri);
	snprintf(text, sizeof(text), "https://%s", name);
	EXPECT_TEXT(text, found->origin);
}

TEST(discovery, takes_the_domain_of_a_private_identity)
{
	static const struct {
		const char *impi, *domain, *name;
	} rows[] = {
		{"user@operator.com", "operator.com", "wwsf.operator.com"},
		{"234150999999999@" OPERATOR_OF("015", "234") ".3gppnetwork.org",
		 OPERATOR_OF("015", "234") ".3gppnetwork.org",
		 "wwsf." OPERATOR_OF("015", "234") ".pub.3gppnetwork.org"},
		{"u@a.3gppnetwork.org", "a.3gppnetwork.org", "wwsf.a.pub.3gppnetwork.org"},
		{"u@3GPPnetwork.ORG", "3gppnetwork.org", "wwsf.pub.3gppnetwork.org"},
		{"u@Operator.COM", "operator.com", "wwsf.operator.com"},
		/* the last two labels are others */
		{"u@not3gppnetwork.org", "not3gppnetwork.org", "wwsf.not3gppnetwork.org"},
		{"u@3gppnetwork.org.com", "3gppnetwork.org.com", "wwsf.3gppnetwork.org.com"},
		{"u@org", "org", "wwsf.org"},
	};
	struct discovery found;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EXPECT_TEXT("",
			    discovery_of_impi(rows[i].impi, &found) != NULL ? rows[i].impi : "");
		expect_found(rows[i].domain, rows[i].name, &found);
	}
}

TEST(discovery, makes_the_domain_of_a_usim_of_its_network)
{
	static const char domain[] = OPERATOR_OF("012", "345") ".3gppnetwork.org";
	static const char name[] = "wwsf." OPERATOR_OF("012", "345") ".pub.3gppnetwork.org";
	struct discovery found;

	assert_null(discovery_of_network("345", "12", &found));
	expect_found(domain, name, &found);
	assert_null(discovery_of_network("345", "012", &found));
	expect_found(domain, name, &found);
	assert_null(discovery_of_imsi("345120000000001", 2, &found));
	expect_found(domain, name, &found);
	assert_null(discovery_of_imsi("345012000000001", 3, &found));
	expect_found(domain, name, &found);
	/* the same digits are another network's when its MNC is longer */
	assert_null(discovery_of_imsi("345120000000001", 3, &found));
	expect_found(OPERATOR_OF("120", "345") ".3gppnetwork.org",
		     "wwsf." OPERATOR_OF("120", "345") ".pub.3gppnetwork.org", &found);
}

TEST(discovery, refuses_an_imsi_that_could_be_of_two_networks)
{
	struct discovery found;

	for (uint32_t digits = 0; digits < 8; digits++)
		EXPECT((discovery_of_imsi("345120000000001", digits, &found) == NULL) ==
		       (digits == 2 || digits == 3));
}

TEST(discovery, refuses_what_is_no_number_of_a_network)
{
	static const char *const imsis[] = {"", "34512", "3451200000000011", "34512000000000a",
					    "-45120000000001"};
	static const char *const mccs[] = {"", "34", "3456", "34a"};
	static const char *const mncs[] = {"", "1", "1234", "1a", " 1"};
	struct discovery found;

	for (size_t i = 0; i < sizeof(imsis) / sizeof(imsis[0]); i++)
		assert_non_null(discovery_of_imsi(imsis[i], 2, &found));
	for (size_t i = 0; i < sizeof(mccs) / sizeof(mccs[0]); i++)
		assert_non_null(discovery_of_network(mccs[i], "12", &found));
	for (size_t i = 0; i < sizeof(mncs) / sizeof(mncs[0]); i++)
		assert_non_null(discovery_of_network("345", mncs[i], &found));
	assert_null(discovery_of_imsi("345120", 2, &found));
}

/** n letters. */
static const char *letters(char text[300], uint32_t n)
{
	memset(text, 'a', n);
	text[n] = '\0';
	return text;
}

TEST(discovery, refuses_labels_that_no_domain_has)
{
	static const char *const bad[] = {"",	    ".",       ".com",	  "a..com",
					  "a.com.", "-a.com",  "a-.com",  "a.-com",
					  "a.com-", "a_b.com", "a b.com", "\xc3\xa4.com",
					  "[::1]",  "a.com/b", "a.com:80"};
	char label[300], domain[400];
	struct discovery found;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_TEXT("", discovery_of_domain(bad[i], &found) == NULL ? bad[i] : "");
	snprintf(domain, sizeof(domain), "%s.com", letters(label, 63));
	assert_null(discovery_of_domain(domain, &found));
	snprintf(domain, sizeof(domain), "%s.com", letters(label, 64));
	assert_non_null(discovery_of_domain(domain, &found));
}

TEST(discovery, refuses_names_that_would_be_too_long)
{
	char label[300], domain[400], origin[400];
	struct discovery found;
	int len;

	letters(label, 60);
	len = snprintf(domain, sizeof(domain), "%s.%s.%s.%s.", label, label, label, label);
	snprintf(domain + len, sizeof(domain) - (size_t)len, "%.*s", 248 - len, label);
	EXPECT_EQ(248, strlen(domain));
	assert_null(discovery_of_domain(domain, &found)); /* 253 with wwsf. before it */
	snprintf(origin, sizeof(origin), "https://wwsf.%.380s", domain);
	EXPECT_TEXT(origin, found.origin);
	strcat(domain, "a");
	assert_non_null(discovery_of_domain(domain, &found));
	snprintf(domain + len, sizeof(domain) - (size_t)len, "%.*s", 10, label);
	EXPECT_EQ(254, strlen(domain));
	assert_non_null(discovery_of_domain(domain, &found));
}

TEST(discovery, refuses_what_is_no_private_identity)
{
	static const char *const bad[] = {"", "user", "@operator.com", "user@", "a@b@operator.com"};
	struct discovery found;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(discovery_of_impi(bad[i], &found));
}

TEST_MAIN("discovery", RUN(discovery, takes_the_domain_of_a_private_identity),
	  RUN(discovery, makes_the_domain_of_a_usim_of_its_network),
	  RUN(discovery, refuses_an_imsi_that_could_be_of_two_networks),
	  RUN(discovery, refuses_what_is_no_number_of_a_network),
	  RUN(discovery, refuses_labels_that_no_domain_has),
	  RUN(discovery, refuses_names_that_would_be_too_long),
	  RUN(discovery, refuses_what_is_no_private_identity))
