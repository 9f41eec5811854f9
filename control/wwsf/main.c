/* SPDX-License-Identifier: BSD-3-Clause */
/* wicgate-wwsf: the reference WWSF. One thread waits here for a signal, libmicrohttpd's one serves.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "assignments.h"
#include "options.h"
#include "pairs.h"
#include "site.h"
#include "writer.h"

enum {
	MAIN_FAILED = 1,
	MAIN_USAGE = 2,
	MAIN_PAIRS_MAX = 1 << 30, /* bytes: ten million pairs */
	MAIN_SUBJECT_SIZE = 512,
};

static enum gw_err main_issuer(const struct options *options, struct issuer **issuer,
			       struct reason *reason)
{
	const struct issuer_config config = {
		.signing_key = options->signing_key,
		.kid = options->kid,
		.iss = options->issuer,
		.aud = options->audience,
		.wwsf = options->wwsf,
	};

	return issuer_new(&config, issuer, reason);
}

static enum gw_err main_jwks(const struct options *options, struct reason *reason)
{
	struct issuer *issuer;
	enum gw_err err = main_issuer(options, &issuer, reason);

	if (err != GW_OK)
		return err;
	puts(issuer_jwks(issuer));
	issuer_free(issuer);
	return GW_OK;
}

/** The subject asked for, or the one the site would give to the user of the IMPU. */
static const char *main_subject(const struct options *options, char text[MAIN_SUBJECT_SIZE])
{
	struct span user = pairs_user(span_text(options->impu));

	if (options->subject != NULL)
		return options->subject;
	snprintf(text, MAIN_SUBJECT_SIZE, "web-%.*s", (int)user.len, (const char *)user.at);
	return text;
}

static enum gw_err main_token(const struct options *options, struct reason *reason)
{
	char subject[MAIN_SUBJECT_SIZE];
	const struct issuer_claims claims = {
		.sub = main_subject(options, subject),
		.impi = options->impi,
		.impu = options->impu,
		.now_s = (uint64_t)time(NULL),
		.lifetime_s = options->lifetime_s,
	};
	struct issuer *issuer;
	char *token;
	enum gw_err err = main_issuer(options, &issuer, reason);

	if (err != GW_OK)
		return err;
	err = issuer_token(issuer, &claims, &token);
	issuer_free(issuer);
	if (err != GW_OK) {
		reason_set(reason, "no token: a claim is not UTF-8, or the signature failed");
		return err;
	}
	puts(token);
	free(token);
	return GW_OK;
}

/** Serves until SIGTERM or SIGINT, which the caller has blocked in every thread. */
static enum gw_err main_serve_site(const struct options *options, const struct site_config *config,
				   const sigset_t *ending, struct reason *reason)
{
	struct site *site;
	enum gw_err err = site_start(config, &site, reason);
	int signal_number;

	if (err != GW_OK)
		return err;
	fprintf(stderr, "event=ready listen=%.*s:%u\n",
		(int)(strrchr(options->listen, ':') - options->listen), options->listen,
		site_port(site));
	sigwait(ending, &signal_number);
	site_stop(site);
	fprintf(stderr, "event=stopped signal=%d\n", signal_number);
	return GW_OK;
}

/** The pairs and, where they are a pool, who has them. */
static enum gw_err main_identities(const struct options *options, struct pairs **pairs,
				   struct assignments **assignments, struct reason *reason)
{
	struct file file = {0};
	enum gw_err err = file_load(options->pairs, MAIN_PAIRS_MAX, &file, reason);

	if (err != GW_OK)
		return err;
	err = pairs_new(options->pairs, file, pairs, reason);
	if (err != GW_OK || options->pool == NULL)
		return err;
	return assignments_new(*pairs, options->pool, (uint64_t)time(NULL), assignments, reason);
}

static enum gw_err main_serve(const struct options *options, struct reason *reason)
{
	struct assignments *assignments = NULL;
	struct issuer *issuer = NULL;
	struct pairs *pairs = NULL;
	sigset_t ending;
	enum gw_err err;

	sigemptyset(&ending);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGINT);
	sigprocmask(SIG_BLOCK, &ending, NULL);
	signal(SIGPIPE, SIG_IGN); /* a peer that closes early is no reason to end */
	err = main_issuer(options, &issuer, reason);
	if (err != GW_OK)
		return err;
	err = main_identities(options, &pairs, &assignments, reason);
	if (err == GW_OK)
		err = main_serve_site(options,
				      &(struct site_config){
					      .address = (const struct sockaddr *)&options->address,
					      .address_len = options->address_len,
					      .certificate = options->certificate,
					      .key = options->key,
					      .root = options->root,
					      .issuer = issuer,
					      .pairs = pairs,
					      .assignments = assignments,
					      .lifetime_s = options->lifetime_s,
				      },
				      &ending, reason);
	assignments_free(assignments);
	pairs_free(pairs);
	issuer_free(issuer);
	return err;
}

/** By enum options_command. */
static enum gw_err (*const main_commands[])(const struct options *, struct reason *) = {
	main_serve,
	main_jwks,
	main_token,
};

static int main_run(const struct options *options)
{
	struct reason reason = {""};

	if (main_commands[options->command](options, &reason) != GW_OK) {
		fprintf(stderr, "wicgate-wwsf: %s\n", reason.text);
		return MAIN_FAILED;
	}
	return fflush(stdout) == 0 ? EXIT_SUCCESS : MAIN_FAILED;
}

int main(int argc, char *argv[])
{
	struct reason reason = {""};
	struct options options;

	switch (options_read(argc, argv, &options, &reason)) {
	case OPTIONS_RUN:
		return main_run(&options);
	case OPTIONS_HELP:
		options_help(stdout);
		return EXIT_SUCCESS;
	case OPTIONS_VERSION:
		puts("wicgate-wwsf " WICGATE_VERSION);
		return EXIT_SUCCESS;
	case OPTIONS_WRONG:
		break;
	}
	fprintf(stderr, "wicgate-wwsf: %s\nTry wicgate-wwsf --help\n", reason.text);
	return MAIN_USAGE;
}
