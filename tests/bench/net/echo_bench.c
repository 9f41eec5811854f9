/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>
#include <rte_eal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"
#include "echo.h"
#include "raw_tap.h"
#include "space.h"

/*
 * UDP echo over each device: the stack on one core, a kernel client on the other, in a namespace of
 * its own. The client is the limit of the fast rows, so their rates are lower bounds; what the
 * gateway's core spends on an echo is not. The ratio is against a plain read-swap-write loop over a
 * TAP descriptor, measured first in the same run.
 */

#define RUNS 5
#define RUN_MS 300
#define WINDOW 64
#define IDLE_S 2

struct row {
	double rate64, rate1400; /* a second */
	struct client_latency poll, sleep;
	double cpu_us; /* of the gateway's core for an echo of 64 bytes, when it sleeps in between
			*/
	double idle_percent; /* of a core */
};

static const struct device {
	const char *name;
	const char *device;
	const char *vdev;      /* for EAL; NULL: none */
	const char *interface; /* the kernel's end; NULL: a veth pair is made */
} devices[] = {
	{"raw TAP descriptor", NULL, NULL, "rawtap"},
	{"tap: (ours)", "tap:wictap", NULL, "wictap"},
	{"net_tap", "net_tap0", "net_tap0,iface=dtap0", "dtap0"},
	{"net_af_packet", "net_af_packet0", "net_af_packet0,iface=gate0", NULL},
	{"net_af_xdp", "net_af_xdp0", "net_af_xdp0,iface=gate0,busy_budget=0", NULL},
};

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double median_rate(uint32_t bytes)
{
	double run[RUNS];

	for (int i = 0; i < RUNS; i++)
		run[i] = client_rate(bytes, WINDOW, RUN_MS);
	qsort(run, RUNS, sizeof(run[0]), compare);
	return run[RUNS / 2];
}

static void measure_rates(struct row *row)
{
	row->rate64 = median_rate(64 - 42); /* a 64-byte frame, FCS left out */
	row->rate1400 = median_rate(1400);
	row->poll = client_latency(1000, 100);
}

static void measure_cpu(struct row *row, const _Atomic unsigned long *cpu_us)
{
	double run[RUNS], echoes;

	for (int i = 0; i < RUNS; i++) {
		unsigned long begun = atomic_load(cpu_us);

		echoes = client_rate(64 - 42, WINDOW, RUN_MS) * RUN_MS / 1000;
		usleep(2000); /* it sleeps, and says what it took */
		run[i] = (double)(atomic_load(cpu_us) - begun) / echoes;
	}
	qsort(run, RUNS, sizeof(run[0]), compare);
	row->cpu_us = run[RUNS / 2];
}

/** Asleep, without traffic. */
static double measure_idle(const _Atomic unsigned long *cpu_us)
{
	unsigned long begun;

	sleep(1);
	begun = atomic_load(cpu_us);
	sleep(IDLE_S);
	return (double)(atomic_load(cpu_us) - begun) / (IDLE_S * 1e6) * 100;
}

static void measure_asleep(struct row *row, const _Atomic unsigned long *cpu_us)
{
	measure_cpu(row, cpu_us);
	row->sleep = client_latency(1000, 1000);
	row->idle_percent = measure_idle(cpu_us);
}

static int measure_raw(const struct device *d, struct row *row)
{
	struct raw_tap tap = {0};
	pthread_t thread;

	if (raw_tap_open(&tap, d->interface) != 0 || space_address(d->interface) != 0 ||
	    pthread_create(&thread, NULL, raw_tap_run, &tap) != 0)
		return -1;
	space_pin(1);
	if (client_wait() != 0)
		return -1;
	measure_rates(row);
	atomic_store(&tap.sleeps, true);
	measure_asleep(row, &tap.cpu_us);
	atomic_store(&tap.stop, true);
	pthread_join(thread, NULL);
	close(tap.fd);
	return 0;
}

static int start_eal(const struct device *d)
{
	char vdev[128];
	char *arguments[] = {
		"bench",	  "--no-huge",		 "-m", "256", "--no-pci", "--no-shconf",
		"--no-telemetry", "--log-level=*:error", "-l", "0",   vdev};
	int count = 10;

	if (d->vdev != NULL) {
		snprintf(vdev, sizeof(vdev), "--vdev=%s", d->vdev);
		count++;
	}
	return rte_eal_init(count, arguments) >= 0 ? 0 : -1;
}

static int measure_stack(const struct device *d, struct row *row)
{
	static struct echo echo;
	pthread_t thread;

	if (d->interface == NULL && space_veth("gate0", "peer0") != 0)
		return -1;
	if (start_eal(d) != 0 || echo_open(&echo, d->device) != 0)
		return -1;
	if (d->interface != NULL && space_address(d->interface) != 0)
		return -1;
	if (pthread_create(&thread, NULL, echo_run, &echo) != 0)
		return -1;
	space_pin(1);
	if (client_wait() != 0) {
		fprintf(stderr, "%s: no echo\n", d->name);
		return -1;
	}
	measure_rates(row);
	atomic_store(&echo.idle, ECHO_SLEEP);
	measure_asleep(row, &echo.cpu_us);
	atomic_store(&echo.stop, true);
	pthread_join(thread, NULL);
	echo_close(&echo);
	return 0;
}

/** One device in a process and namespace of its own; its row comes back by a pipe. */
static int measure(const struct device *d, struct row *row)
{
	int ends[2], status = 1;
	pid_t child;

	if (pipe(ends) != 0)
		return -1;
	child = fork();
	if (child == 0) {
		struct row mine = {0};
		int failed = space_enter() != 0 ||
			     (d->device == NULL ? measure_raw(d, &mine) : measure_stack(d, &mine));

		failed = failed || write(ends[1], &mine, sizeof(mine)) != sizeof(mine);
		_exit(failed);
	}
	close(ends[1]);
	if (read(ends[0], row, sizeof(*row)) != sizeof(*row))
		memset(row, 0, sizeof(*row));
	close(ends[0]);
	waitpid(child, &status, 0);
	return status == 0 ? 0 : -1;
}

static void print_row(const struct device *d, const struct row *row, const struct row *base)
{
	printf("| %-18s | %5.0f %5.2f | %5.0f %5.2f | %5.2f %5.2f | %5.0f /%5.0f | %5.0f /%5.0f | "
	       "%5.2f |\n",
	       d->name, row->rate64 / 1000, row->rate64 / base->rate64, row->rate1400 / 1000,
	       row->rate1400 / base->rate1400, row->cpu_us, row->cpu_us / base->cpu_us,
	       row->poll.p50_us, row->poll.p99_us, row->sleep.p50_us, row->sleep.p99_us,
	       row->idle_percent);
	fflush(stdout);
}

int main(void)
{
	struct row base = {.rate64 = 1, .rate1400 = 1}, row;
	int failed = 0;

	puts("\nUDP echo: the gateway's stack on one core, a kernel client on the other, window "
	     "64; "
	     "medians; x: against the first row\n"
	     "| device             | kpps64  x   | kp1400  x   | us CPU  x   | poll p50/99 | "
	     "asleep p50/99 | idle%|\n"
	     "|--------------------|-------------|-------------|-------------|-------------|-------"
	     "--"
	     "----|-------|");
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		if (measure(&devices[i], &row) != 0) {
			printf("| %-18s | failed |\n", devices[i].name);
			failed = 1;
			continue;
		}
		base = i == 0 ? row : base;
		print_row(&devices[i], &row, &base);
	}
	return failed;
}
