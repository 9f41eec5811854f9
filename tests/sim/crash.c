/* SPDX-License-Identifier: BSD-3-Clause */
#include "crash.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A signal handler knows nothing but these. */
static char running[128];
static int told_fd;
static struct sigaction before[NSIG];

static void on_crash(int number)
{
	ssize_t written = write(told_fd, running, strlen(running));

	(void)written;
	sigaction(number, &before[number], NULL);
	if (number == SIGALRM || number == SIGABRT)
		raise(number);
}

void crash_watch(int fd)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};
	struct sigaction action = {.sa_handler = on_crash};

	told_fd = fd;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, &before[numbers[i]]);
}

void crash_running(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(running, sizeof(running), format, arguments);
	va_end(arguments);
}
