/* SPDX-License-Identifier: BSD-3-Clause */
#include "eal_arguments.h"

#include <stdarg.h>
#include <stdio.h>

#include "netif.h"

/*
 * Each packet has 384 bytes (128 rte_mbuf, 64 private, 128 headroom, 64 of the pool) and room for a
 * frame. Without huge pages it takes whole pages of 4 KiB, one at the usual MTU. A queue has one
 * pool, and descriptors and copies of the device's beside it; a worker has one to send from, with
 * room for what any port sends, and one for bytes of TCP that wait to be sent or acknowledged.
 */
#define MEMORY_BASE_MIB 64u /* the drivers' tables and rings, and everything else of EAL */
#define MEMORY_QUEUE_MIB 4u
#define MEMORY_WORKER_MIB 2u
#define PACKET_BYTES 384u
#define PACKET_FRAME_EXTRA 26u /* Ethernet header, two VLAN tags, checksum */
#define PAGE_BYTES 4096u

static void __attribute__((format(printf, 2, 3)))
add(struct eal_arguments *a, const char *format, ...)
{
	size_t room = sizeof(a->text) - a->used;
	va_list list;
	int n;

	va_start(list, format);
	n = vsnprintf(a->text + a->used, room, format, list);
	va_end(list);
	if (n < 0 || (size_t)n >= room || a->count == EAL_ARGUMENTS_MAX) {
		a->full = true;
		return;
	}
	a->at[a->count++] = a->text + a->used;
	a->used += (size_t)n + 1;
}

/* ---- lcores --------------------------------------------------------------------------------- */

static bool is_worker_core(const struct config *config, int cpu)
{
	for (uint16_t w = 0; w < config_workers(config); w++)
		if (config_core(config, w) == (uint32_t)cpu)
			return true;
	return false;
}

/** Processors of the control thread: those without a worker, or all when every one has one. */
static cpu_set_t control_cpus(const struct config *config, const cpu_set_t *allowed)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, allowed) && !is_worker_core(config, cpu))
			CPU_SET(cpu, &cpus);
	return CPU_COUNT(&cpus) > 0 ? cpus : *allowed;
}

static void add_lcores(const struct config *config, const struct eal_host *host,
		       struct eal_arguments *a)
{
	cpu_set_t cpus = control_cpus(config, &host->allowed);
	const char *comma = "";
	char text[8192];
	size_t used;

	used = (size_t)snprintf(text, sizeof(text), "--lcores=0@(");
	for (int cpu = 0; cpu < CPU_SETSIZE && used < sizeof(text) - 32; cpu++)
		if (CPU_ISSET(cpu, &cpus)) {
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%d", comma,
						 cpu);
			comma = ",";
		}
	used += (size_t)snprintf(text + used, sizeof(text) - used, ")");
	for (uint16_t w = 0; w < config_workers(config) && used < sizeof(text) - 32; w++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, ",%u@%u", w + 1u,
					 config_core(config, w));
	add(a, "%s", text);
}

/* ---- devices -------------------------------------------------------------------------------- */

enum device_kind { DEVICE_KERNEL, DEVICE_TAP, DEVICE_BUS, DEVICE_VDEV };

/** "0000:3b:00.0" and "auxiliary:..." have a colon before their arguments, "net_ring0" has none. */
static enum device_kind device_kind(struct span device)
{
	struct span name = span_cut(device, 0, span_find(device, ','));

	if (span_equal(device, SPAN("kernel")))
		return DEVICE_KERNEL;
	if (span_starts(device, SPAN("tap:")))
		return DEVICE_TAP;
	return span_find(name, ':') < name.len ? DEVICE_BUS : DEVICE_VDEV;
}

static bool has_argument(struct span device, struct span key)
{
	while (device.len > 0) {
		if (span_starts(device, key))
			return true;
		device = span_from(device, span_find(device, ',') + 1);
	}
	return false;
}

/** The driver's default of 64 makes its receive wait in the kernel: a third of the packets. */
static const char *vdev_extra(struct span device)
{
	if (!span_starts(device, SPAN("net_af_xdp")) || has_argument(device, SPAN("busy_budget=")))
		return "";
	return ",busy_budget=0";
}

static void add_device(const struct config_port *port, struct eal_arguments *a)
{
	const char *device = port->device.text;

	switch (device_kind(span_text(device))) {
	case DEVICE_KERNEL:
	case DEVICE_TAP:
		break;
	case DEVICE_BUS:
		add(a, "-a");
		add(a, "%s", device);
		break;
	case DEVICE_VDEV:
		add(a, "--vdev=%s%s", device, vdev_extra(span_text(device)));
		break;
	}
}

/** Whether eal: has a word that begins so. */
static bool operator_says(const struct config *config, const char *const *begins)
{
	for (; *begins != NULL; begins++)
		for (uint32_t i = 0; i < config->eal.count; i++)
			if (span_starts(span_text(config_text(&config->eal, i)->text),
					span_text(*begins)))
				return true;
	return false;
}

static bool names_bus_device(const struct config *config)
{
	static const char *const allow[] = {"-a", "--allow", NULL};

	for (uint32_t i = 0; i < config->ports.count; i++)
		if (device_kind(span_text(config_port(config, i)->device.text)) == DEVICE_BUS)
			return true;
	return operator_says(config, allow);
}

static void add_devices(const struct config *config, struct eal_arguments *a)
{
	/* never probe what nobody named: it may be the interface we are managed over */
	if (!names_bus_device(config))
		add(a, "--no-pci");
	for (uint32_t i = 0; i < config->ports.count; i++)
		add_device(config_port(config, i), a);
}

/* ---- memory --------------------------------------------------------------------------------- */

/** Of one packet; mtu 0, the device's own, is taken for the usual one. */
static uint64_t packet_pages(uint64_t mtu)
{
	uint64_t room = (mtu + PACKET_FRAME_EXTRA + 1023) / 1024 * 1024;

	room = room > 2048 ? room : 2048;
	return (room + PACKET_BYTES + PAGE_BYTES - 1) / PAGE_BYTES;
}

static uint64_t pool_mib(uint64_t packets, uint64_t pages)
{
	return (packets * pages * PAGE_BYTES + (1 << 20) - 1) >> 20;
}

uint64_t eal_arguments_mib(const struct config *config)
{
	uint32_t held = (uint32_t)config->tcp.held_packets.value;
	uint64_t queues = 0, most = 0;
	uint32_t ports = 0;

	for (uint32_t i = 0; i < config->ports.count; i++) {
		const struct config_port *port = config_port(config, i);
		uint64_t pages = packet_pages(port->mtu.value);

		if (device_kind(span_text(port->device.text)) == DEVICE_KERNEL)
			continue;
		ports++;
		queues += pool_mib(netif_rx_packets(held), pages) + MEMORY_QUEUE_MIB;
		most = pages > most ? pages : most;
	}
	if (ports == 0)
		return MEMORY_BASE_MIB;
	return MEMORY_BASE_MIB +
	       config_workers(config) *
		       (queues +
			pool_mib(net_shared_packets(ports) + net_shared_handed(held), most) +
			pool_mib(config->tcp.send_packets.value, 1) + MEMORY_WORKER_MIB);
}

static void add_memory(const struct config *config, const struct eal_host *host,
		       struct eal_arguments *a)
{
	static const char *const kind[] = {"--in-memory",   "--no-huge",    "--huge-dir",
					   "--huge-unlink", "--legacy-mem", NULL};
	uint64_t mib = eal_arguments_mib(config);

	if (operator_says(config, kind))
		return;
	if (host->free_huge_bytes >> 20 >= mib) {
		add(a, "--in-memory"); /* takes pages as it needs them */
		return;
	}
	add(a, "--no-huge");
	add(a, "--no-shconf");	  /* no file that a second instance would stumble over */
	add(a, "--iova-mode=va"); /* such memory has no physical addresses that hold */
	add(a, "-m");
	add(a, "%llu", (unsigned long long)mib); /* pages count when they are touched only */
}

void eal_arguments_make(const struct config *config, const struct eal_host *host,
			struct eal_arguments *made)
{
	*made = (struct eal_arguments){0};
	add(made, "wicgate");
	add_lcores(config, host, made);
	add(made, "--main-lcore=0");
	add(made, "--log-level=*:warning");
	add(made, "--no-telemetry");
	add_devices(config, made);
	add_memory(config, host, made);
	for (uint32_t i = 0; i < config->eal.count; i++)
		add(made, "%s", config_text(&config->eal, i)->text);
}
