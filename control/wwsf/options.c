/* SPDX-License-Identifier: BSD-3-Clause */
#include "options.h"

#include <getopt.h>
#include <netdb.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "issuer.h"

enum {
	OPTIONS_LIFETIME_DEFAULT = 600, /* seconds */
	OPTIONS_HOST_SIZE = 64,		/* bytes: the longest numeric address, with brackets */
	OPTIONS_FIRST = 256,		/* getopt's value of the first row: no character has it */
	OPTIONS_VALUE_HELP = 1,
	OPTIONS_VALUE_VERSION,
};

/** Sets of commands, for the table. */
enum {
	SERVE = 1 << OPTIONS_SERVE,
	JWKS = 1 << OPTIONS_JWKS,
	TOKEN = 1 << OPTIONS_TOKEN,
};

/** One option; parser and help read the same row. */
static const struct options_row {
	const char *name;
	const char *value;
	const char *help;
	unsigned int required; /* commands that need it */
	unsigned int allowed;  /* commands that take it */
	size_t field;	       /* of struct options */
} options_table[] = {
	{"listen", "ADDRESS:PORT",
	 "where to serve HTTPS; an IPv6 address in brackets, port 0 for a free one", SERVE, SERVE,
	 offsetof(struct options, listen)},
	{"certificate", "PEM", "certificate chain of the site", SERVE, SERVE,
	 offsetof(struct options, certificate)},
	{"key", "PEM", "private key of the certificate", SERVE, SERVE,
	 offsetof(struct options, key)},
	{"root", "DIR",
	 "folder of the site's files; symbolic links and hidden files are not served", SERVE, SERVE,
	 offsetof(struct options, root)},
	{"pairs", "CSV", "identities to give away, one impi,impu per line", SERVE, SERVE,
	 offsetof(struct options, pairs)},
	{"pool", "FILE",
	 "lend the pairs to visitors, and keep here who has which (default: each is its user's)", 0,
	 SERVE, offsetof(struct options, pool)},
	{"signing-key", "PEM", "P-256 private key that signs the tokens", SERVE | JWKS | TOKEN,
	 SERVE | JWKS | TOKEN, offsetof(struct options, signing_key)},
	{"kid", "ID", "name of that key in tokens and in the JWKS", SERVE | JWKS | TOKEN,
	 SERVE | JWKS | TOKEN, offsetof(struct options, kid)},
	{"issuer", "URI", "claim iss", SERVE | TOKEN, SERVE | TOKEN,
	 offsetof(struct options, issuer)},
	{"audience", "URI", "claim aud: the gateway's audience", SERVE | TOKEN, SERVE | TOKEN,
	 offsetof(struct options, audience)},
	{"wwsf", "NAME", "claim wwsf (default: no such claim)", 0, SERVE | TOKEN,
	 offsetof(struct options, wwsf)},
	{"lifetime", "SECONDS", "of a token, 1 to 86400 (default: 600)", 0, SERVE | TOKEN,
	 offsetof(struct options, lifetime)},
	{"impi", "NAI", "claim impi (default: no such claim)", 0, TOKEN,
	 offsetof(struct options, impi)},
	{"impu", "URI", "claim impu", TOKEN, TOKEN, offsetof(struct options, impu)},
	{"subject", "ID", "claim sub (default: web- and the user part of the IMPU)", 0, TOKEN,
	 offsetof(struct options, subject)},
};
enum { OPTIONS_ROWS = sizeof(options_table) / sizeof(options_table[0]) };

/** By enum options_command. */
static const char *const options_commands[] = {"serve", "jwks", "token"};

static const char **options_field(struct options *options, const struct options_row *row)
{
	return (const char **)((char *)options + row->field);
}

static void options_long(struct option table[OPTIONS_ROWS + 3])
{
	for (int i = 0; i < OPTIONS_ROWS; i++)
		table[i] = (struct option){options_table[i].name, required_argument, NULL,
					   OPTIONS_FIRST + i};
	table[OPTIONS_ROWS] = (struct option){"help", no_argument, NULL, OPTIONS_VALUE_HELP};
	table[OPTIONS_ROWS + 1] =
		(struct option){"version", no_argument, NULL, OPTIONS_VALUE_VERSION};
	table[OPTIONS_ROWS + 2] = (struct option){0};
}

/** Fills the fields from the words of the command line. */
static enum options_outcome options_scan(int argc, char *argv[], struct options *options,
					 struct reason *reason)
{
	struct option table[OPTIONS_ROWS + 3];
	int value;

	options_long(table);
	optind = 0; /* GNU: start anew */
	opterr = 0;
	while ((value = getopt_long(argc, argv, "+:", table, NULL)) != -1) {
		if (value == OPTIONS_VALUE_HELP)
			return OPTIONS_HELP;
		if (value == OPTIONS_VALUE_VERSION)
			return OPTIONS_VERSION;
		if (value < OPTIONS_FIRST) {
			reason_set(reason,
				   value == ':' ? "%s: value missing" : "%s: no such option",
				   argv[optind - 1]);
			return OPTIONS_WRONG;
		}
		*options_field(options, &options_table[value - OPTIONS_FIRST]) = optarg;
	}
	if (optind == argc)
		return OPTIONS_RUN;
	reason_set(reason, "%s: not an option", argv[optind]);
	return OPTIONS_WRONG;
}

/** Everything the command needs, nothing it does not take. */
static bool options_complete(struct options *options, struct reason *reason)
{
	unsigned int command = 1U << options->command;

	for (int i = 0; i < OPTIONS_ROWS; i++) {
		const struct options_row *row = &options_table[i];
		const char *value = *options_field(options, row);

		if ((row->required & command) != 0 && (value == NULL || value[0] == '\0')) {
			reason_set(reason, "--%s: missing", row->name);
			return false;
		}
		if ((row->allowed & command) == 0 && value != NULL) {
			reason_set(reason, "--%s: not for the command %s", row->name,
				   options_commands[options->command]);
			return false;
		}
	}
	return true;
}

/** getaddrinfo() takes a port modulo 65536; this does not. */
static bool options_is_port(const char *text)
{
	return text[0] != '\0' && strspn(text, "0123456789") == strlen(text) && strlen(text) <= 5 &&
	       strtoul(text, NULL, 10) <= UINT16_MAX;
}

socklen_t options_address(const char *text, struct sockaddr_storage *address)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				       .ai_socktype = SOCK_STREAM};
	const char *colon = strrchr(text, ':');
	bool bracketed = text[0] == '[' && colon != NULL && colon[-1] == ']';
	size_t from = bracketed ? 1 : 0;
	struct addrinfo *found;
	char host[OPTIONS_HOST_SIZE];
	socklen_t len;
	size_t n;

	if (colon == NULL || colon == text || !options_is_port(colon + 1))
		return 0;
	n = (size_t)(colon - text) - 2 * from;
	if (n == 0 || n >= sizeof(host) || (memchr(text, ':', n) != NULL && !bracketed))
		return 0;
	memcpy(host, text + from, n);
	host[n] = '\0';
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		return 0;
	len = found->ai_addrlen;
	memcpy(address, found->ai_addr, len);
	freeaddrinfo(found);
	return len;
}

/** Turns the words that are more than words into what they mean. */
static bool options_convert(struct options *options, struct reason *reason)
{
	options->lifetime_s = OPTIONS_LIFETIME_DEFAULT;
	if (options->lifetime != NULL &&
	    !issuer_lifetime_read(span_text(options->lifetime), OPTIONS_LIFETIME_MAX,
				  &options->lifetime_s)) {
		reason_set(reason, "--lifetime %s: not a number of seconds in 1 to %u",
			   options->lifetime, OPTIONS_LIFETIME_MAX);
		return false;
	}
	if (options->listen == NULL)
		return true;
	options->address_len = options_address(options->listen, &options->address);
	if (options->address_len == 0)
		reason_set(reason, "--listen %s: not ADDRESS:PORT with a numeric address",
			   options->listen);
	return options->address_len > 0;
}

static bool options_command_read(const char *word, enum options_command *command)
{
	for (unsigned int i = OPTIONS_JWKS; i <= OPTIONS_TOKEN; i++)
		if (strcmp(word, options_commands[i]) == 0) {
			*command = i;
			return true;
		}
	return false;
}

enum options_outcome options_read(int argc, char *argv[], struct options *options,
				  struct reason *reason)
{
	int words = argc > 1 && argv[1][0] != '-' ? 1 : 0;
	enum options_outcome outcome;

	*options = (struct options){.command = OPTIONS_SERVE};
	if (words > 0 && !options_command_read(argv[1], &options->command)) {
		reason_set(reason, "%s: no such command", argv[1]);
		return OPTIONS_WRONG;
	}
	outcome = options_scan(argc - words, argv + words, options, reason);
	if (outcome != OPTIONS_RUN)
		return outcome;
	if (!options_complete(options, reason) || !options_convert(options, reason))
		return OPTIONS_WRONG;
	return OPTIONS_RUN;
}

static void options_help_command(FILE *to, enum options_command command, const char *head)
{
	fprintf(to, "\n%s\n", head);
	for (int i = 0; i < OPTIONS_ROWS; i++) {
		const struct options_row *row = &options_table[i];

		if ((row->allowed & 1U << command) != 0)
			fprintf(to, "  --%-11s %-12s  %s\n", row->name, row->value, row->help);
	}
}

void options_help(FILE *to)
{
	fputs("Reference WWSF: a web site that gives a browser its IMS identities and a signed "
	      "token.\n",
	      to);
	options_help_command(to, OPTIONS_SERVE,
			     "wicgate-wwsf OPTIONS         serve the site, /token and /jwks.json");
	options_help_command(
		to, OPTIONS_JWKS,
		"wicgate-wwsf jwks OPTIONS    print the public key as a JWK Set, for the gateway");
	options_help_command(to, OPTIONS_TOKEN, "wicgate-wwsf token OPTIONS   print one token");
	fputs("\nwicgate-wwsf --help | --version\n"
	      "\nExit status: 0 done, 1 something failed, 2 wrong command line. SIGTERM ends the "
	      "server.\n",
	      to);
}
