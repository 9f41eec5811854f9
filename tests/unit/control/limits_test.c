/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"
#include "control/publish.h"
#include "loaded.h"

/* What the settings of limits become for one worker. */

/** What workers see of a configuration; freed with its part.free. */
static struct config_part *published(const char *text)
{
	struct state kept = {.folder = -1};
	struct config_part *part;
	struct loaded l;

	loaded_begin(&l, text);
	problems_print(l.problems, stderr);
	assert_non_null(l.config);
	part = publish_config(l.config, &kept);
	loaded_end(&l);
	return part;
}

/** The same with some text at its end, and a WWSF with these limits. */
static struct config_part *published_with(const char *wwsf, const char *end)
{
	char limits[512], file[LOADED_MAX];
	struct config_part *part;
	char *text;

	snprintf(limits, sizeof(limits), "    limits: {%s}\n    identities:", wwsf);
	text = folder_replace(loaded_minimal, "    identities:", limits);
	snprintf(file, sizeof(file), "%s%s", text, end);
	part = published(file);
	free(text);
	return part;
}

static void expect_rate(uint32_t per_second, uint32_t burst, struct rate_limit seen)
{
	EXPECT_EQ(per_second, seen.per_second);
	EXPECT_EQ(burst, seen.burst);
}

TEST(limits, are_there_when_nothing_is_said)
{
	struct config_part *part = published(loaded_minimal);

	EXPECT_EQ(100000, part->max_connections);
	expect_rate(20, 50, part->upgrades);
	EXPECT_EQ(1024, part->address_connections);
	expect_rate(100, 200, part->requests);
	expect_rate(400, 800, part->dialog_requests);
	expect_rate(1000, 2000, part->wwsf[0].connections);
	EXPECT_EQ(100000, part->wwsf[0].max_connections);
	expect_rate(1000, 2000, part->wwsf[0].registrations);
	expect_rate(20, 40, part->wwsf[0].requests);
	EXPECT_EQ(4, part->wwsf[0].calls_in_setup);
	EXPECT_EQ(100000, part->wwsf[0].max_bindings);
	EXPECT_EQ(0, part->balancer_count);
	part->part.free(&part->part);
}

TEST(limits, are_what_is_said)
{
	struct config_part *part = published_with(
		"connections_per_second: 1, max_connections: 2, registrations_per_second: 3, "
		"requests_per_second: 4, calls_in_setup: 5",
		"limits: {upgrades_per_second: 6, upgrades_burst: 7, connections_per_address: 8, "
		"requests_per_second: 9, dialog_requests_per_second: 10}\n");

	expect_rate(1, 2, part->wwsf[0].connections);
	EXPECT_EQ(2, part->wwsf[0].max_connections);
	expect_rate(3, 6, part->wwsf[0].registrations);
	expect_rate(4, 8, part->wwsf[0].requests);
	EXPECT_EQ(5, part->wwsf[0].calls_in_setup);
	expect_rate(6, 7, part->upgrades);
	EXPECT_EQ(8, part->address_connections);
	expect_rate(9, 18, part->requests);
	expect_rate(10, 20, part->dialog_requests);
	part->part.free(&part->part);
}

TEST(limits, that_all_workers_have_together_are_shared_out)
{
	struct config_part *part = published_with(
		"connections_per_second: 9, max_connections: 8, registrations_per_second: 12, "
		"requests_per_second: 4, calls_in_setup: 4, max_bindings: 16",
		"limits: {upgrades_per_second: 20, upgrades_burst: 50, "
		"connections_per_address: 1024, requests_per_second: 100}\n"
		"workers: {cores: [0, 1, 2, 3]}\n");

	expect_rate(5, 12, part->upgrades);
	EXPECT_EQ(256, part->address_connections);
	expect_rate(2, 4, part->wwsf[0].connections);
	EXPECT_EQ(2, part->wwsf[0].max_connections);
	expect_rate(3, 6, part->wwsf[0].registrations);
	EXPECT_EQ(4, part->wwsf[0].max_bindings);
	/* of these half as much again: they do not spread evenly */
	EXPECT_EQ(37500, part->max_connections);
	/* a connection and its binding are one worker's */
	expect_rate(100, 200, part->requests);
	expect_rate(4, 8, part->wwsf[0].requests);
	EXPECT_EQ(4, part->wwsf[0].calls_in_setup);
	part->part.free(&part->part);
}

TEST(limits, leave_each_worker_one_at_least)
{
	struct config_part *part = published_with(
		"connections_per_second: 1, max_connections: 1, registrations_per_second: 1",
		"limits: {upgrades_per_second: 1, upgrades_burst: 1, connections_per_address: 1}\n"
		"workers: {cores: [0, 1]}\n");

	expect_rate(1, 1, part->upgrades);
	EXPECT_EQ(1, part->address_connections);
	expect_rate(1, 2, part->wwsf[0].connections);
	EXPECT_EQ(1, part->wwsf[0].max_connections);
	expect_rate(1, 2, part->wwsf[0].registrations);
	part->part.free(&part->part);
}

TEST(limits, hold_twice_the_highest_rate_at_once)
{
	struct config_part *part = published_with("requests_per_second: 1000000",
						  "limits: {requests_per_second: 1000000}\n");

	expect_rate(1000000, 2000000, part->requests);
	expect_rate(1000000, 2000000, part->wwsf[0].requests);
	part->part.free(&part->part);
}

TEST(limits, are_refused_out_of_range)
{
	loaded_expect_refused(loaded_minimal, "wwsf:\n",
			      "limits: {upgrades_per_second: 0}\nwwsf:\n",
			      "wicgate.yaml:15: limits.upgrades_per_second: 0 is out of range "
			      "1..1000000");
	loaded_expect_refused(loaded_minimal, "    identities:",
			      "    limits: {calls_in_setup: 1001}\n    identities:",
			      "wicgate.yaml:19: wwsf[].limits.calls_in_setup: 1001 is out of range "
			      "1..1000");
}

TEST(balancers, are_known_by_their_addresses)
{
	char *text =
		folder_replace(loaded_minimal, "access:\n",
			       "access:\n  proxy_protocol_from: [198.18.0.30, \"fd00:18::30\"]\n");
	struct config_part *part = published(text);
	char address[ENDPOINT_TEXT_MAX];

	EXPECT_EQ(2, part->balancer_count);
	EXPECT_TEXT("198.18.0.30:0", endpoint_format(&part->balancer[0], address));
	EXPECT_TEXT("[fd00:18::30]:0", endpoint_format(&part->balancer[1], address));
	part->part.free(&part->part);
	free(text);
}

TEST(balancers, are_refused_when_they_are_no_addresses)
{
	loaded_expect_refused(loaded_minimal, "access:\n",
			      "access:\n  proxy_protocol_from: [lb.home1.net]\n",
			      "wicgate.yaml:5: access.proxy_protocol_from: \"lb.home1.net\" is not "
			      "an IPv4 or IPv6 address");
	loaded_expect_refused(loaded_minimal, "trusted: [198.18.0.20]",
			      "trusted: [198.18.0.20, 198.18.0.300]",
			      "wicgate.yaml:9: mw.trusted: \"198.18.0.300\" is not an IPv4 or IPv6 "
			      "address");
}

TEST_MAIN("limits", RUN(limits, are_there_when_nothing_is_said), RUN(limits, are_what_is_said),
	  RUN(limits, that_all_workers_have_together_are_shared_out),
	  RUN(limits, leave_each_worker_one_at_least),
	  RUN(limits, hold_twice_the_highest_rate_at_once), RUN(limits, are_refused_out_of_range),
	  RUN(balancers, are_known_by_their_addresses),
	  RUN(balancers, are_refused_when_they_are_no_addresses))
