/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp/tcb.h"

/*
 * A SYN cookie is an ISN: 24 bits of MAC, and what the SYN asked for in 8 bits, which the first
 * byte of the MAC hides. Options lie in the ISN and not in a timestamp because Windows does not
 * offer timestamps, and would lose scale and SACK (TCP.md 5.4).
 */

#define COOKIE_MAC 0xffffff00u
#define COOKIE_PARITY 1u /* which secret */
#define COOKIE_SACK 2u
#define COOKIE_MSS_SHIFT 2
#define COOKIE_SCALE_SHIFT 5
#define COOKIE_INDEX 7u

static const uint16_t mss4[] = {216, 536, 1200, 1300, 1360, 1400, 1440, 1460};
static const uint16_t mss6[] = {1220, 1280, 1340, 1360, 1380, 1400, 1420, 1440};
static const uint8_t scales[] = {0, 0, 1, 2, 4, 6, 7, 8}; /* the first: not offered */

struct cookie_input {
	struct tcp_ends ends;
	uint32_t irs;
	uint8_t bits;
	uint8_t pad[3]; /* zero: hashed as bytes */
};
_Static_assert(sizeof(struct cookie_input) == 44, "without holes");

static uint32_t cookie_mac(const struct tcp *tcp, const struct tcp_ends *ends, uint32_t irs,
			   uint8_t bits)
{
	const struct cookie_input input = {*ends, irs, bits, {0}};

	return (uint32_t)siphash(tcp->secrets.cookie[bits & COOKIE_PARITY],
				 span_of(&input, sizeof(input))) &
	       COOKIE_MAC;
}

static const uint16_t *cookie_mss_table(const struct tcp_ends *ends)
{
	return ip_address_is_v4(&ends->remote) ? mss4 : mss6;
}

static uint8_t cookie_bits(const struct tcp_ends *ends, const struct cookie_options *options)
{
	const uint16_t *mss = cookie_mss_table(ends);
	uint32_t m = COOKIE_INDEX, s = 0;

	while (m > 0 && mss[m] > options->mss)
		m--;
	if (options->has_scale)
		for (s = COOKIE_INDEX; s > 1 && scales[s] > options->scale;)
			s--;
	return (uint8_t)(s << COOKIE_SCALE_SHIFT | m << COOKIE_MSS_SHIFT |
			 (options->sack ? COOKIE_SACK : 0));
}

uint32_t cookie_make(const struct tcp *tcp, const struct tcp_ends *ends, uint32_t irs,
		     const struct cookie_options *options)
{
	uint8_t bits = cookie_bits(ends, options) | (tcp->secrets.cookie_newer & COOKIE_PARITY);
	uint32_t mac = cookie_mac(tcp, ends, irs, bits);

	return mac | (uint8_t)(bits ^ mac >> 24);
}

bool cookie_read(const struct tcp *tcp, const struct tcp_ends *ends, uint32_t irs, uint32_t cookie,
		 struct cookie_options *options)
{
	uint8_t bits = (uint8_t)(cookie ^ cookie >> 24);
	uint32_t scale = bits >> COOKIE_SCALE_SHIFT;

	if (cookie_mac(tcp, ends, irs, bits) != (cookie & COOKIE_MAC))
		return false;
	*options = (struct cookie_options){
		.mss = cookie_mss_table(ends)[bits >> COOKIE_MSS_SHIFT & COOKIE_INDEX],
		.has_scale = scale > 0,
		.scale = scales[scale],
		.sack = (bits & COOKIE_SACK) != 0,
	};
	return true;
}

void cookie_rotate(struct tcp *tcp)
{
	tcp->secrets.cookie_newer ^= COOKIE_PARITY;
	secret_key(tcp, tcp->secrets.cookie[tcp->secrets.cookie_newer]);
}
