/* SPDX-License-Identifier: BSD-3-Clause */
#include "lent.h"

void lent_start(void)
{
	world_start();
	world.wwsf[0].mode = WWSF_POOL;
	world.config.max_pool_lifetime_s = 3600;
	world.names_unheard = true;
}

struct visitor visitor(const char *sub)
{
	return (struct visitor){.sub = sub,
				.jti = sub,
				.exp_s = 3600,
				.instance = sub,
				.contact = sub,
				.expires_s = 600};
}

const char *lent_register(const struct visitor *v)
{
	static uint32_t requests;
	const char *token =
		token_of(GOOD_HEADER,
			 format("{\"iss\":\"https://waf.home1.net\",\"aud\":\"sip:ep1.home1.net\","
				"\"sub\":\"%s\",\"jti\":\"%s\",\"impi\":\"alice@ims.home1.net\","
				"\"impu\":\"sip:alice@home1.net\",\"iat\":%lld,\"exp\":%lld}",
				v->sub, v->jti, (long long)world.wall_s + v->iat_s,
				(long long)world.wall_s + v->exp_s));
	const char *instance =
		v->instance != NULL
			? format(";reg-id=1;+sip.instance=\"<urn:uuid:%c0000000-0000-4000-8000-"
				 "000000000000>\"",
				 v->instance[0])
			: "";

	requests++;
	return format("REGISTER sip:home1.net SIP/2.0" CRLF
		      "Via: SIP/2.0/WSS %s.invalid;branch=z9hG4bKp%u" CRLF
		      "From: <sip:alice@home1.net>;tag=a" CRLF "To: <sip:alice@home1.net>" CRLF
		      "Call-ID: %s@%s.invalid" CRLF "CSeq: %u REGISTER" CRLF
		      "Contact: <sip:%s@%s.invalid;transport=ws>%s" CRLF "Expires: %u" CRLF
		      "Supported: path, outbound" CRLF "Authorization: Bearer %s" CRLF CRLF,
		      v->contact, requests, v->contact, v->contact, requests, v->contact,
		      v->contact, instance, v->expires_s, token);
}

void lent_registers(uint32_t wic, const struct visitor *v)
{
	EXPECT_EQ(GW_OK, wic_sends(wic, lent_register(v)));
	core_registers(600);
	EXPECT(!handle_is_none(world.wic[wic].binding));
}

const char *lent_refused(uint32_t wic, const struct visitor *v)
{
	uint32_t before = world.count;

	EXPECT(wic_sends(wic, lent_register(v)) != GW_OK);
	EXPECT_EQ(before + 1, world.count);
	EXPECT_EQ(TO_WIC, world_sent(before)->to);
	return world_sent(before)->text;
}

uint32_t farewells(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < world.count; i++)
		n += world.sent[i].to == TO_MW &&
		     contains(world.sent[i].text, "\r\nExpires: 0\r\n");
	return n;
}

const char *farewell(void)
{
	for (uint32_t i = world.count; i-- > 0;)
		if (world.sent[i].to == TO_MW && contains(world.sent[i].text, "\r\nExpires: 0\r\n"))
			return world.sent[i].text;
	fail_msg("nothing was said to the core");
	return NULL;
}

const struct message_journal *told(uint32_t n)
{
	assert_true(n < world.told);
	return &world.journal[n];
}
