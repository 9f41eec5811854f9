/* SPDX-License-Identifier: BSD-3-Clause */
#include "../test.h"

#include <arpa/inet.h>

#include "issuer.h"
#include "options.h"

#define READ(options, reason, ...) \
	read_words((char *[]){(char *)"wicgate-wwsf", __VA_ARGS__, NULL}, options, reason)
#define SERVE_WORDS \
	"--listen", "127.0.0.1:443", "--certificate", "c", "--key", "k", "--root", "r", "--pairs", \
		"p", "--signing-key", "s", "--kid", "w", "--issuer", "i", "--audience", "a"

static enum options_outcome read_words(char *words[], struct options *options,
				       struct reason *reason)
{
	int count = 0;

	while (words[count] != NULL)
		count++;
	*reason = (struct reason){""};
	return options_read(count, words, options, reason);
}

TEST(options, reads_what_serving_needs)
{
	struct options options;
	struct reason reason;

	EXPECT_EQ(OPTIONS_RUN, READ(&options, &reason, SERVE_WORDS, "--wwsf", "shop"));
	EXPECT_EQ(OPTIONS_SERVE, options.command);
	EXPECT_TEXT("c", options.certificate);
	EXPECT_TEXT("a", options.audience);
	EXPECT_TEXT("shop", options.wwsf);
	EXPECT(options.pool == NULL);
	EXPECT_EQ(600, options.lifetime_s);
	EXPECT_EQ(AF_INET, options.address.ss_family);
	EXPECT_EQ(OPTIONS_RUN, READ(&options, &reason, SERVE_WORDS, "--pool", "f"));
	EXPECT_TEXT("f", options.pool);
}

TEST(options, reads_the_other_commands)
{
	struct options options;
	struct reason reason;

	EXPECT_EQ(OPTIONS_RUN, READ(&options, &reason, "jwks", "--signing-key=s", "--kid", "w"));
	EXPECT_EQ(OPTIONS_JWKS, options.command);
	EXPECT_EQ(OPTIONS_RUN,
		  READ(&options, &reason, "token", "--signing-key", "s", "--kid", "w", "--issuer",
		       "i", "--audience", "a", "--impu", "sip:u@x", "--lifetime", "86400"));
	EXPECT_EQ(OPTIONS_TOKEN, options.command);
	EXPECT_EQ(86400, options.lifetime_s);
	EXPECT(options.impi == NULL);
}

TEST(options, names_what_is_missing)
{
	struct options options;
	struct reason reason;

	EXPECT_EQ(OPTIONS_WRONG, READ(&options, &reason, "jwks", "--signing-key", "s"));
	EXPECT_TEXT("--kid: missing", reason.text);
	EXPECT_EQ(OPTIONS_WRONG, READ(&options, &reason, "jwks", "--kid"));
	EXPECT_TEXT("--kid: value missing", reason.text);
	EXPECT_EQ(OPTIONS_WRONG,
		  READ(&options, &reason, "jwks", "--signing-key", "s", "--kid", ""));
	EXPECT_TEXT("--kid: missing", reason.text);
}

TEST(options, refuses_what_it_does_not_know)
{
	struct options options;
	struct reason reason;

	EXPECT_EQ(OPTIONS_WRONG, READ(&options, &reason, "jwk"));
	EXPECT_TEXT("jwk: no such command", reason.text);
	EXPECT_EQ(OPTIONS_WRONG, READ(&options, &reason, SERVE_WORDS, "--port", "1"));
	EXPECT_TEXT("--port: no such option", reason.text);
	EXPECT_EQ(OPTIONS_WRONG, READ(&options, &reason, SERVE_WORDS, "more"));
	EXPECT_TEXT("more: not an option", reason.text);
	EXPECT_EQ(OPTIONS_WRONG, READ(&options, &reason, "-x"));
	EXPECT_EQ(OPTIONS_WRONG, READ(&options, &reason, SERVE_WORDS, "--impu", "sip:u@x"));
	EXPECT_TEXT("--impu: not for the command serve", reason.text);
}

TEST(options, answers_help_and_version_before_anything_else)
{
	struct options options;
	struct reason reason;

	EXPECT_EQ(OPTIONS_HELP, READ(&options, &reason, "--help"));
	EXPECT_EQ(OPTIONS_HELP, READ(&options, &reason, "token", "--help"));
	EXPECT_EQ(OPTIONS_VERSION, READ(&options, &reason, "--version"));
}

TEST(options, reads_an_ipv4_address)
{
	struct sockaddr_storage address;
	struct sockaddr_in in;

	EXPECT_EQ(sizeof(in), options_address("198.18.0.5:443", &address));
	memcpy(&in, &address, sizeof(in));
	EXPECT_EQ(443, ntohs(in.sin_port));
	EXPECT_EQ(0xc6120005, ntohl(in.sin_addr.s_addr));
}

TEST(options, reads_an_ipv6_address_in_brackets)
{
	struct sockaddr_storage address;
	struct sockaddr_in6 in6;
	char text[INET6_ADDRSTRLEN];

	EXPECT_EQ(sizeof(in6), options_address("[fd00::1]:443", &address));
	memcpy(&in6, &address, sizeof(in6));
	EXPECT_EQ(443, ntohs(in6.sin6_port));
	EXPECT_TEXT("fd00::1", inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof(text)));
}

TEST(options, refuses_other_addresses)
{
	static const char *const wrong[] = {"",
					    ":",
					    "443",
					    ":443",
					    "127.0.0.1",
					    "127.0.0.1:",
					    "127.0.0.1:65536",
					    "127.0.0.1:https",
					    "fd00::1:443",
					    "[fd00::1]",
					    "[fd00::1:443",
					    "[]:443",
					    "[:443",
					    "]:443",
					    "shop.example:443"};
	struct sockaddr_storage address;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		EXPECT_EQ(0, options_address(wrong[i], &address));
}

TEST(options, refuses_a_listen_address_it_cannot_read)
{
	struct options options;
	struct reason reason;

	EXPECT_EQ(OPTIONS_WRONG, READ(&options, &reason, SERVE_WORDS, "--listen", "localhost:443"));
	EXPECT_TEXT("--listen localhost:443: not ADDRESS:PORT with a numeric address", reason.text);
}

TEST(options, keeps_the_lifetime_in_its_range)
{
	static const char *const wrong[] = {
		"0", "86401", "-1", "+1", "1s", "4294967297", "18446744073709551617"};
	struct options options;
	struct reason reason;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		EXPECT_EQ(OPTIONS_WRONG, READ(&options, &reason, SERVE_WORDS, "--lifetime",
					      (char *)(uintptr_t)wrong[i]));
	EXPECT_EQ(OPTIONS_RUN, READ(&options, &reason, SERVE_WORDS, "--lifetime", "1"));
	EXPECT_EQ(1, options.lifetime_s);
}

TEST_MAIN("wwsf_options", RUN(options, reads_what_serving_needs),
	  RUN(options, reads_the_other_commands), RUN(options, names_what_is_missing),
	  RUN(options, refuses_what_it_does_not_know),
	  RUN(options, answers_help_and_version_before_anything_else),
	  RUN(options, reads_an_ipv4_address), RUN(options, reads_an_ipv6_address_in_brackets),
	  RUN(options, refuses_other_addresses),
	  RUN(options, refuses_a_listen_address_it_cannot_read),
	  RUN(options, keeps_the_lifetime_in_its_range))
