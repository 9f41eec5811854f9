/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>

#include "eal.h"
#include "eal_arguments.h"

/** EAL keeps pointers into the arguments until eal_stop(). */
struct eal {
	struct eal_arguments arguments;
};

#define HUGE_PAGES "/sys/kernel/mm/hugepages"

/** Bytes of the free pages of one size: "hugepages-2048kB". */
static uint64_t huge_bytes(const char *size)
{
	unsigned long long kib, pages = 0;
	char path[320];
	FILE *file;

	if (sscanf(size, "hugepages-%llukB", &kib) != 1)
		return 0;
	snprintf(path, sizeof(path), HUGE_PAGES "/%s/free_hugepages", size);
	file = fopen(path, "r");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%llu", &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * kib * 1024;
}

static void host_look(struct eal_host *host)
{
	DIR *sizes = opendir(HUGE_PAGES);
	const struct dirent *size;

	*host = (struct eal_host){0};
	if (sched_getaffinity(0, sizeof(host->allowed), &host->allowed) != 0)
		CPU_ZERO(&host->allowed);
	if (sizes == NULL)
		return;
	while ((size = readdir(sizes)) != NULL)
		host->free_huge_bytes += huge_bytes(size->d_name);
	closedir(sizes);
}

enum gw_err eal_start(const struct config *config, struct eal **started, char *why, size_t why_size)
{
	struct eal *eal = calloc(1, sizeof(*eal));
	struct eal_arguments *a;
	struct eal_host host;

	if (eal == NULL)
		return GW_NO_MEMORY;
	a = &eal->arguments;
	host_look(&host);
	eal_arguments_make(config, &host, a);
	if (!a->full && rte_eal_init(a->count, a->at) >= 0) {
		*started = eal;
		return GW_OK;
	}
	if (a->full)
		snprintf(why, why_size, "EAL: too many arguments");
	else if (rte_errno == ENODEV) /* its own line, on standard error, has the name */
		snprintf(why, why_size,
			 "EAL: a device in ports: or eal: that no driver of DPDK knows");
	else
		snprintf(why, why_size, "EAL: %s", rte_strerror(rte_errno));
	free(eal);
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
