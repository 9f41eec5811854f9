/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include "test.h"

#define NEEDED \
	"load", "--origin", "https://o", "--domain", "d", "--signing-key", "k", "--kid", "i", \
		"--issuer", "w", "--audience", "a", "--pairs", "p"
#define READ(out, ...) \
	options_read((int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)), \
		     (char *[]){__VA_ARGS__}, out)

TEST(options, have_presets_and_take_what_is_said)
{
	struct options o;

	EXPECT(READ(&o, NEEDED, "--target", "198.18.0.10:443", "--rate", "7", "--insecure"));
	EXPECT_EQ(7, o.rate);
	EXPECT_EQ(100, o.connections);
	EXPECT_TEXT("/", o.path);
	EXPECT(o.insecure && !o.clean);
	EXPECT_EQ(443, ntohs(o.target_address.v4.sin_port));
}

TEST(options, take_ipv6_with_brackets_only)
{
	struct options o;

	EXPECT(READ(&o, NEEDED, "--target", "[fd00:18::10]:8443"));
	EXPECT_EQ(AF_INET6, o.target_address.any.sa_family);
	EXPECT_EQ(8443, ntohs(o.target_address.v6.sin6_port));
	EXPECT(!READ(&o, NEEDED, "--target", "fd00:18::10:443"));
	EXPECT(!READ(&o, NEEDED, "--target", "[198.18.0.10]:443"));
}

TEST(options, take_a_list_of_sources_of_the_targets_kind)
{
	struct options o;

	EXPECT(READ(&o, NEEDED, "--target", "198.18.0.10:443", "--source",
		    "198.18.1.1,198.18.1.2"));
	EXPECT_EQ(2, o.source_count);
	EXPECT(!READ(&o, NEEDED, "--target", "198.18.0.10:443", "--source", "fd00:18::1"));
	EXPECT(!READ(&o, NEEDED, "--target", "198.18.0.10:443", "--source", "198.18.1.1,,"));
}

TEST(options, name_what_a_drive_does)
{
	struct options o;

	EXPECT(READ(&o, NEEDED, "--target", "198.18.0.10:443"));
	EXPECT_EQ(0, o.drive_operations);
	EXPECT_EQ(0, o.drive_rate);
	EXPECT(READ(&o, NEEDED, "--target", "198.18.0.10:443", "--drive", "register"));
	EXPECT_EQ(0, o.drive_deed);
	EXPECT(READ(&o, NEEDED, "--target", "198.18.0.10:443", "--drive", "call",
		    "--drive-operations", "9", "--drive-rate", "3"));
	EXPECT_EQ(2, o.drive_deed);
	EXPECT_EQ(9, o.drive_operations);
	EXPECT_EQ(3, o.drive_rate);
	EXPECT(!READ(&o, NEEDED, "--target", "198.18.0.10:443", "--drive", "calls"));
}

TEST(options, refuse_what_is_unknown_missing_or_out_of_range)
{
	struct options o;

	EXPECT(!READ(&o, NEEDED));
	EXPECT(!READ(&o, NEEDED, "--target", "198.18.0.10:0"));
	EXPECT(!READ(&o, NEEDED, "--target", "198.18.0.10:65536"));
	EXPECT(!READ(&o, NEEDED, "--target", "198.18.0.10"));
	EXPECT(!READ(&o, NEEDED, "--target", "198.18.0.10:443", "--bogus"));
	EXPECT(!READ(&o, NEEDED, "--target", "198.18.0.10:443", "--rate"));
	EXPECT(!READ(&o, NEEDED, "--target", "198.18.0.10:443", "--rate", "0"));
	EXPECT(!READ(&o, NEEDED, "--target", "198.18.0.10:443", "--rate", "-1"));
	EXPECT(!READ(&o, NEEDED, "--target", "198.18.0.10:443", "--rate", "1x"));
}

TEST(options, need_only_a_domain_to_make_pairs)
{
	struct options o;

	EXPECT(READ(&o, "load", "--make-pairs", "5", "--domain", "d"));
	EXPECT(!READ(&o, "load", "--make-pairs", "5"));
}

TEST_MAIN("load options", RUN(options, have_presets_and_take_what_is_said),
	  RUN(options, take_ipv6_with_brackets_only),
	  RUN(options, take_a_list_of_sources_of_the_targets_kind),
	  RUN(options, name_what_a_drive_does),
	  RUN(options, refuse_what_is_unknown_missing_or_out_of_range),
	  RUN(options, need_only_a_domain_to_make_pairs))
