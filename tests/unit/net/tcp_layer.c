/* SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_layer.h"

static bool on_segment(void *context, const struct stack_segment *segment, enum stack_claim claim)
{
	struct layer_worker *worker = context;
	struct layer *layer = worker->layer;
	struct told *told = &layer->told[layer->count];

	EXPECT(segment->packet != NULL && *segment->packet != NULL);
	if (claim == CLAIM_KNOWN && !worker->knows) {
		layer->refused++;
		return false;
	}
	EXPECT(++layer->count < LAYER_TOLD && segment->tcp.payload.len <= LAYER_DATA);
	*told = (struct told){.worker = worker->index,
			      .claim = claim,
			      .local = segment->local,
			      .remote = segment->remote,
			      .tcp = segment->tcp,
			      .running = layer->s->running};
	memcpy(told->data, segment->tcp.payload.at, segment->tcp.payload.len);
	told->tcp.payload.at = told->data;
	if (worker->takes) {
		worker->kept[worker->kept_count++] = *segment->packet;
		*segment->packet = NULL;
	}
	return true;
}

static void on_error(void *context, const struct stack_tcp_error *error)
{
	struct layer_worker *worker = context;
	struct layer *layer = worker->layer;

	EXPECT(layer->errors < LAYER_TOLD);
	layer->error_worker[layer->errors] = worker->index;
	layer->error[layer->errors++] = *error;
}

static const struct stack_tcp_ops ops = {.segment = on_segment, .error = on_error};

struct layer *layer_new(struct scene *s)
{
	struct layer *layer = calloc(1, sizeof(*layer));

	EXPECT(layer != NULL);
	layer->s = s;
	for (uint16_t w = 0; w < s->workers; w++) {
		layer->worker[w].layer = layer;
		layer->worker[w].index = w;
		stack_tcp(s->worker[w].stack, &ops, &layer->worker[w]);
	}
	return layer;
}

void layer_forget(struct layer *layer)
{
	for (uint16_t w = 0; w < layer->s->workers; w++) {
		struct layer_worker *worker = &layer->worker[w];

		while (worker->kept_count > 0)
			packet_put(worker->kept[--worker->kept_count]);
	}
	layer->count = layer->errors = layer->refused = 0;
	scene_forget(layer->s);
}

void layer_free(struct layer *layer)
{
	layer_forget(layer);
	scene_free(layer->s);
	free(layer);
}

const struct told *layer_only(const struct layer *layer)
{
	EXPECT_EQ(1, layer->count);
	return &layer->told[0];
}

static struct tcp_packet segment_with(struct span data)
{
	return (struct tcp_packet){.seq = 1000,
				   .ack = 2000,
				   .flags = TCP_ACK | TCP_PSH,
				   .window = 4000,
				   .options = {.has_timestamps = true, .ts_value = 7, .ts_echo = 8},
				   .payload = data};
}

void layer_feed(struct layer *layer, uint16_t queue, const struct flow *flow, struct span data)
{
	struct tcp_packet tcp = segment_with(data);
	struct frame f;

	frame_tcp(&f, &layer->s->in, flow, &tcp);
	scene_feed(layer->s, 0, queue, &f);
}

enum gw_err layer_send(struct layer *layer, uint16_t worker, const struct flow *flow,
		       struct span data)
{
	struct ip_address src = ip_of(flow->src), dst = ip_of(flow->dst);
	struct tcp_packet tcp = segment_with(data);

	tcp.src_port = flow->src_port;
	tcp.dst_port = flow->dst_port;
	return stack_tcp_send(layer->s->worker[worker].stack, &src, &dst, &tcp);
}
