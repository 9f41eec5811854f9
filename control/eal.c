/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>

#include "eal.h"

#define ARGUMENTS_MAX 64
#define TEXT_MAX 8192

/** The argument vector; EAL keeps pointers into it until eal_stop(). */
struct eal {
	char *at[ARGUMENTS_MAX + 1];
	int count;
	char text[TEXT_MAX];
	size_t used;
	bool full;
};

static void __attribute__((format(printf, 2, 3))) argument(struct eal *a, const char *format, ...)
{
	size_t room = sizeof(a->text) - a->used;
	va_list list;
	int n;

	va_start(list, format);
	n = vsnprintf(a->text + a->used, room, format, list);
	va_end(list);
	if (n < 0 || (size_t)n >= room || a->count == ARGUMENTS_MAX) {
		a->full = true;
		return;
	}
	a->at[a->count++] = a->text + a->used;
	a->used += (size_t)n + 1;
}

/** Free huge pages of the default size. */
static bool huge_pages_free(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned long pages = 0;
	char line[128];

	if (file == NULL)
		return false;
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "HugePages_Free: %lu", &pages) == 1)
			break;
	fclose(file);
	return pages > 0;
}

static bool is_worker_core(const struct config *config, int cpu)
{
	for (uint16_t w = 0; w < config_workers(config); w++)
		if (config_core(config, w) == (uint32_t)cpu)
			return true;
	return false;
}

/** Processors of the control thread: those without a worker, or all when every one has one. */
static int control_cpus(const struct config *config, cpu_set_t *cpus)
{
	cpu_set_t allowed;
	int count = 0;

	CPU_ZERO(cpus);
	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return 0;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && !is_worker_core(config, cpu)) {
			CPU_SET(cpu, cpus);
			count++;
		}
	if (count == 0)
		*cpus = allowed;
	return CPU_COUNT(cpus);
}

static void lcores(const struct config *config, struct eal *a)
{
	char text[4096];
	size_t used = 0;
	cpu_set_t cpus;
	const char *comma = "";

	control_cpus(config, &cpus);
	used += (size_t)snprintf(text, sizeof(text), "--lcores=0@(");
	for (int cpu = 0; cpu < CPU_SETSIZE && used < sizeof(text) - 16; cpu++)
		if (CPU_ISSET(cpu, &cpus)) {
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%d", comma,
						 cpu);
			comma = ",";
		}
	used += (size_t)snprintf(text + used, sizeof(text) - used, ")");
	for (uint16_t w = 0; w < config_workers(config) && used < sizeof(text) - 32; w++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, ",%u@%u", w + 1u,
					 config_core(config, w));
	argument(a, "%s", text);
}

/** Whether the operator names a PCI device; else none is probed. */
static bool names_pci(const struct config *config)
{
	for (uint32_t i = 0; i < config->eal.count; i++) {
		struct span word = span_text(config_text(&config->eal, i)->text);

		if (span_starts(word, SPAN("-a")) || span_starts(word, SPAN("--allow")))
			return true;
	}
	return false;
}

static void arguments(const struct config *config, struct eal *a)
{
	argument(a, "wicgate");
	lcores(config, a);
	argument(a, "--main-lcore=0");
	if (!names_pci(config))
		argument(a, "--no-pci");
	argument(a, "--log-level=*:warning");
	argument(a, "--no-telemetry");
	if (huge_pages_free()) {
		argument(a, "--in-memory");
	} else {
		argument(a, "--no-huge");
		argument(a, "--no-shconf");
		argument(a, "-m");
		argument(a, "64");
	}
	for (uint32_t i = 0; i < config->eal.count; i++)
		argument(a, "%s", config_text(&config->eal, i)->text);
}

enum gw_err eal_start(const struct config *config, struct eal **started, char *why, size_t why_size)
{
	struct eal *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return GW_NO_MEMORY;
	arguments(config, a);
	if (!a->full && rte_eal_init(a->count, a->at) >= 0) {
		*started = a;
		return GW_OK;
	}
	snprintf(why, why_size, "%s", a->full ? "too many EAL arguments" : rte_strerror(rte_errno));
	free(a);
	return GW_SYSTEM;
}

enum gw_err eal_launch(uint16_t w, int (*run)(void *), void *context)
{
	return rte_eal_remote_launch(run, context, w + 1u) == 0 ? GW_OK : GW_SYSTEM;
}

void eal_stop(struct eal *eal)
{
	if (eal == NULL)
		return;
	rte_eal_mp_wait_lcore();
	rte_eal_cleanup();
	free(eal);
}
