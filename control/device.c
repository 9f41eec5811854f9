/* SPDX-License-Identifier: BSD-3-Clause */
#include "device.h"

#include "span.h"

enum { DEVICE_IFACE_MAX = 15 /* IFNAMSIZ without its terminator */ };

static bool device_is_tap(struct span device)
{
	return span_starts(device, SPAN("tap:"));
}

/** As the kernel names interfaces (dev_valid_name), and without '%', which it would number. */
static bool device_is_iface(struct span name)
{
	if (name.len == 0 || name.len > DEVICE_IFACE_MAX || span_equal(name, SPAN(".")) ||
	    span_equal(name, SPAN("..")))
		return false;
	for (uint32_t i = 0; i < name.len; i++)
		if (name.at[i] <= ' ' || name.at[i] > '~' ||
		    strchr("/:%", (char)name.at[i]) != NULL)
			return false;
	return true;
}

/** What names a DPDK device: all before the arguments. */
static struct span device_name(struct span device)
{
	return span_cut(device, 0, span_find(device, ','));
}

/** Takes n hexadecimal digits and the character behind them; end 0: nothing may be left. */
static bool device_hex(struct span *in, uint32_t n, char end)
{
	uint8_t c;

	for (uint32_t i = 0; i < n; i++)
		if (!span_u8(in, &c) ||
		    !((c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f')))
			return false;
	return end == 0 ? in->len == 0 : span_u8(in, &c) && c == (uint8_t)end;
}

/** The domain may be left out: "03:00.0". */
static bool device_is_pci(struct span name)
{
	struct span whole = name;

	if (device_hex(&whole, 4, ':'))
		name = whole;
	return device_hex(&name, 2, ':') && device_hex(&name, 2, '.') && device_hex(&name, 1, 0);
}

static bool device_is_vdev(struct span name)
{
	if (!span_starts(name, SPAN("net_")) || name.len == 4)
		return false;
	for (uint32_t i = 0; i < name.len; i++)
		if (!(ascii_lower(name.at[i]) >= 'a' && ascii_lower(name.at[i]) <= 'z') &&
		    !(name.at[i] >= '0' && name.at[i] <= '9') && name.at[i] != '_')
			return false;
	return true;
}

static bool device_is_printable(struct span device)
{
	for (uint32_t i = 0; i < device.len; i++)
		if (device.at[i] <= ' ' || device.at[i] > '~')
			return false;
	return true;
}

const char *device_check(const char *text)
{
	struct span device = span_text(text);

	if (span_equal(device, SPAN("kernel")))
		return NULL;
	if (device_is_tap(device))
		return device_is_iface(span_from(device, 4))
			       ? NULL
			       : "the name of an interface has 1 to 15 characters without '/', "
				 "':', '%' "
				 "and white space";
	if (!device_is_pci(device_name(device)) && !device_is_vdev(device_name(device)))
		return "none of kernel, tap:IFACE, a PCI address as 0000:03:00.0, a vdev as "
		       "net_af_packet0,iface=eth1";
	return device_is_printable(device) ? NULL : "white space in the arguments";
}

static struct span device_identity(struct span device)
{
	struct span name = device_is_tap(device) ? device : device_name(device);

	/* domain 0 is the one that may be left out */
	return span_starts(name, SPAN("0000:")) ? span_from(name, 5) : name;
}

bool device_same(const char *a, const char *b)
{
	struct span x = span_text(a), y = span_text(b);

	if (span_equal(x, SPAN("kernel")))
		return false;
	/* only PCI addresses may be written in both cases */
	if (device_is_pci(device_name(x)))
		return span_equal_nocase(device_identity(x), device_identity(y));
	return span_equal(device_identity(x), device_identity(y));
}
