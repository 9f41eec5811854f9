/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage.h"

struct stage stage;

bool link_queue(struct link *l, struct span bytes)
{
	uint32_t head = (bytes.at[1] & 0x7f) == 126 ? 4 : 2, i = stage.sent.count;
	const uint8_t *mask = bytes.at + head;

	assert_true(i < STAGE_SENT_MAX);
	for (uint32_t at = head + 4; at < bytes.len; at++)
		stage.sent.text[i][at - head - 4] = bytes.at[at] ^ mask[(at - head - 4) % 4];
	stage.sent.len[i] = bytes.len - head - 4;
	stage.sent.count++;
	return true;
}

enum link_state link_flush(struct link *l)
{
	return LINK_READY;
}

enum link_state link_open(struct link *l, const struct link_config *config,
			  const struct address *source, void *owner)
{
	return LINK_WAIT;
}

enum link_state link_connected(struct link *l)
{
	return LINK_FAILED;
}

enum link_state link_handshake(struct link *l)
{
	return LINK_FAILED;
}

enum link_state link_read(struct link *l, uint8_t *to, uint32_t room, uint32_t *got)
{
	return LINK_WAIT;
}

void link_close(struct link *l, enum link_end how)
{
}

void stage_start(const struct pair *pair)
{
	memset(&stage, 0, sizeof(stage));
	stage.options = (struct options){.to = "sip:friend@ims.example.test",
					 .domain = "ims.example.test",
					 .expires_s = 3600};
	stage.world.options = &stage.options;
	stage.world.tally = &stage.tally;
	wic_init(&stage.wic, &stage.world, 7, pair, NULL);
	stage.wic.state = WIC_OPEN;
	stage.wic.registered = true;
}

struct sip_message *stage_message(uint32_t i)
{
	static struct sip_message m;

	assert_true(i < stage.sent.count);
	assert_int_equal(GW_OK, sip_index(span_of(stage.sent.text[i], stage.sent.len[i]), &m));
	return &m;
}

void stage_answer(uint32_t i, uint16_t status, const char *extra)
{
	uint8_t text[2048];
	struct writer out;

	writer_init(&out, text, sizeof(text));
	assert_int_equal(GW_OK, sip_reply_write(stage_message(i), status, SPAN("them"),
						span_text(extra), &out));
	wic_message(&stage.wic, writer_span(&out));
}
