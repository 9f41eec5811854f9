/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

/*
 * tcpscript MODE PREAMBLES FOLDER|FILE.tcp...: runs every script, each in a process of its own so
 * that a crash is one script's, and says ok or FAIL of each. At most 60 s of real time for one.
 * MODE: plain; numbers: the sequence numbers of both sides wrap soon after the start; clock: so do
 * 32 bits of microseconds and of milliseconds; stamps: so do our timestamps; ip6.
 */

static const char *const modes[] = {"plain", "numbers", "clock", "stamps", "ip6"};
enum mode { MODE_PLAIN, MODE_NUMBERS, MODE_CLOCK, MODE_STAMPS, MODE_IP6, MODES };

#define CLOSE_TO_WRAP 0xfffff9e0u
#define CLOCK_WRAP_US (4294967296ull * 1000) /* of both: 1000 times 2^32 us */
#define CLOCK_BEFORE_US 160000u		     /* in the preamble, or behind it */

struct run {
	enum mode mode;
	const char *preambles;
};

static void set_mode(struct world *world, enum mode mode)
{
	if (mode == MODE_NUMBERS) {
		world->wrap = WRAP_ISS;
		world->wish = CLOSE_TO_WRAP;
		world->irs = CLOSE_TO_WRAP;
	} else if (mode == MODE_CLOCK) {
		world->clock.now_us = CLOCK_WRAP_US - CLOCK_BEFORE_US;
	} else if (mode == MODE_STAMPS) {
		world->wrap = WRAP_STAMPS;
		world->wish = 0u - CLOCK_BEFORE_US / 1000;
	} else if (mode == MODE_IP6) {
		world->v6 = true;
	}
}

static bool run_file(const char *path, const struct run *run)
{
	struct script script;
	struct world *world = calloc(1, sizeof(*world));
	bool ok;

	world_init(world);
	set_mode(world, run->mode);
	if (!script_read(&script, path, run->preambles)) {
		printf("%s\n", script.error);
		ok = false;
	} else if (!script.has_requirement) {
		printf("%s:1: \"# requirement: \" expected\n", path);
		ok = false;
	} else {
		ok = run_script(world, &script);
		ok = world_end(world) && ok;
		if (!ok)
			printf("%s\n", world->error);
	}
	script_free(&script);
	free(world);
	return ok;
}

static bool run_apart(const char *path, const struct run *run)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		alarm(60);
		status = run_file(path, run) ? 0 : 1;
		fflush(stdout);
		exit(status);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* "FOLDER/a-sentence.tcp" as "family: a sentence". */
static void say(const char *path, enum mode mode, bool ok)
{
	const char *file = strrchr(path, '/'), *folder = file;
	char text[256];
	size_t n;

	while (folder != NULL && folder > path && folder[-1] != '/')
		folder--;
	if (folder == NULL || file == NULL)
		folder = file = path;
	n = (size_t)(file - folder);
	snprintf(text, sizeof(text), "%.*s: %s", (int)n, folder, *file == '/' ? file + 1 : file);
	for (char *at = text; *at != '\0'; at++)
		if (*at == '-')
			*at = ' ';
	text[strlen(text) - 4] = '\0'; /* .tcp */
	printf("%s tcp %s%s%s\n", ok ? "ok" : "FAIL", text,
	       mode == MODE_PLAIN ? ""
	       : mode == MODE_IP6 ? ", "
				  : ", wrapping ",
	       mode == MODE_PLAIN ? "" : modes[mode]);
}

static int is_script(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 4 && strcmp(entry->d_name + n - 4, ".tcp") == 0;
}

static int run_folder(const char *folder, const struct run *run)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, is_script, alphasort), failed = n <= 0;

	for (int i = 0; i < n; i++) {
		char path[1024];
		bool ok;

		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		ok = run_apart(path, run);
		say(path, run->mode, ok);
		failed += !ok;
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return failed;
}

int main(int argc, char **argv)
{
	struct run run = {.mode = MODES};
	int failed = 0;

	for (enum mode mode = 0; argc > 3 && mode < MODES; mode++)
		if (strcmp(modes[mode], argv[1]) == 0)
			run = (struct run){mode, argv[2]};
	if (run.mode == MODES) {
		fprintf(stderr,
			"tcpscript plain|numbers|clock|stamps|ip6 PREAMBLES FOLDER|FILE.tcp...\n");
		return 2;
	}
	for (int i = 3; i < argc; i++) {
		size_t n = strlen(argv[i]);

		if (n > 4 && strcmp(argv[i] + n - 4, ".tcp") == 0) {
			bool ok = run_apart(argv[i], &run);

			say(argv[i], run.mode, ok);
			failed += !ok;
		} else {
			failed += run_folder(argv[i], &run);
		}
	}
	return failed != 0;
}
