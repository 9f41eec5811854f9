/* SPDX-License-Identifier: BSD-3-Clause */
#include "pipeline.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../test.h"

/* The one blocking call, without a worker around it. */

static uint64_t clock_us(void *context)
{
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static const struct worker_env env = {.now_us = clock_us};

static struct worker *sleeper_new(void)
{
	struct worker *w = aligned_alloc(64, (sizeof(*w) + 63) / 64 * 64);

	assert_non_null(w);
	memset(w, 0, sizeof(*w));
	w->config.env = &env;
	w->config.workers = 1;
	w->config.hub = mailbox_hub_new(2, 4096, NULL, NULL);
	assert_non_null(w->config.hub);
	EXPECT_EQ(GW_OK, sleep_open(w));
	return w;
}

static void sleeper_free(struct worker *w)
{
	sleep_close(w);
	mailbox_hub_free(w->config.hub);
	free(w);
}

/* How long it slept that was to sleep for us. */
static uint64_t slept_us(struct worker *w, uint64_t us)
{
	uint64_t begun_us = clock_us(NULL);

	sleep_wait(w, begun_us + us);
	return clock_us(NULL) - begun_us;
}

TEST(sleep, lasts_until_its_time)
{
	struct worker *w = sleeper_new();

	EXPECT(slept_us(w, 20000) >= 20000);
	EXPECT(slept_us(w, 300) >= 300);
	EXPECT(slept_us(w, 0) < 1000000);
	sleeper_free(w);
}

TEST(sleep, ends_with_a_word_of_somebody_and_takes_it_in)
{
	struct worker *w = sleeper_new();

	mailbox_nudge(w->config.hub, 0);
	EXPECT(slept_us(w, 10000000) < 5000000);
	EXPECT(slept_us(w, 20000) >= 20000); /* not woken twice */
	sleeper_free(w);
}

/* As a kernel before 5.11 answers epoll_pwait2, or a container that does not know it. */
static void forbid_pwait2(int error)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_pwait2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(rules) / sizeof(rules[0]), rules};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(2);
}

static void check_sleeps_without_pwait2(int error)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct worker *w = sleeper_new();

		forbid_pwait2(error);
		_exit(slept_us(w, 20000) >= 20000 && slept_us(w, 300) >= 300 ? 0 : 1);
	}
	EXPECT_EQ(child, waitpid(child, &status, 0));
	EXPECT(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

TEST(sleep, lasts_where_the_kernel_has_no_fine_wait)
{
	check_sleeps_without_pwait2(ENOSYS);
	check_sleeps_without_pwait2(EPERM);
}

TEST_MAIN("worker_sleep", RUN(sleep, lasts_until_its_time),
	  RUN(sleep, ends_with_a_word_of_somebody_and_takes_it_in),
	  RUN(sleep, lasts_where_the_kernel_has_no_fine_wait))
