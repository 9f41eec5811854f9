/* SPDX-License-Identifier: BSD-3-Clause */
#include "mailbox.h"

#include <stdalign.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define CACHE_LINE 64
#define RECORD_ALIGN 16u
#define RING_BYTES_MIN 4096u
#define RECORD_WRAP UINT32_MAX /* record_head.len: the rest of the ring is padding */

/* Before each message. Its size is the alignment, so one always fits before the end of the ring. */
struct record_head {
	uint32_t len; /* bytes of the message, or RECORD_WRAP */
	uint32_t unused[3];
};
_Static_assert(sizeof(struct record_head) == RECORD_ALIGN, "a record head keeps the alignment");

/*
 * One writer, one reader. Positions count bytes since start and never wrap. Each side remembers
 * where it last saw the other, so that most calls touch no line the other side writes.
 */
struct ring {
	/* the writer's */
	alignas(CACHE_LINE) _Atomic uint64_t tail; /* bytes before it are published */
	uint64_t head_seen;
	/* the reader's */
	alignas(CACHE_LINE) _Atomic uint64_t head; /* bytes before it are free again */
	uint64_t tail_seen;
};

/* What belongs to one receiver. */
struct box {
	alignas(CACHE_LINE) _Atomic uint32_t asleep;
	int fd;
	uint16_t turn; /* the sender to be looked at next; the receiver's own */
};

struct mailbox_hub {
	struct ring *rings; /* [receiver * endpoints + sender] */
	struct box *boxes;
	uint8_t *bytes; /* of all rings, touched only where messages have been */
	mailbox_wake *wake;
	void *wake_context;
	uint32_t ring_bytes;
	uint16_t endpoints;
};

static size_t hub_rings(const struct mailbox_hub *hub)
{
	return (size_t)hub->endpoints * hub->endpoints;
}

static void hub_close_fds(struct mailbox_hub *hub, uint16_t opened)
{
	for (uint16_t i = 0; i < opened; i++)
		if (hub->boxes[i].fd >= 0)
			close(hub->boxes[i].fd);
}

static bool hub_open_fds(struct mailbox_hub *hub)
{
	for (uint16_t i = 0; i < hub->endpoints; i++) {
		hub->boxes[i].fd = -1;
		if (hub->wake != NULL)
			continue;
		hub->boxes[i].fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (hub->boxes[i].fd < 0) {
			hub_close_fds(hub, i);
			return false;
		}
	}
	return true;
}

/* Zeroed memory on cache lines, or NULL. */
static void *hub_lines(size_t n, size_t size)
{
	void *lines = aligned_alloc(CACHE_LINE, n * size);

	if (lines != NULL)
		memset(lines, 0, n * size);
	return lines;
}

struct mailbox_hub *mailbox_hub_new(uint16_t endpoints, uint32_t ring_bytes, mailbox_wake *wake,
				    void *wake_context)
{
	struct mailbox_hub *hub;

	if (endpoints == 0 || ring_bytes < RING_BYTES_MIN || (ring_bytes & (ring_bytes - 1)) != 0)
		return NULL;
	hub = calloc(1, sizeof(*hub));
	if (hub == NULL)
		return NULL;
	hub->endpoints = endpoints;
	hub->ring_bytes = ring_bytes;
	hub->wake = wake;
	hub->wake_context = wake_context;
	hub->rings = hub_lines(hub_rings(hub), sizeof(struct ring));
	if (hub->rings == NULL)
		goto free_hub;
	hub->boxes = hub_lines(endpoints, sizeof(struct box));
	if (hub->boxes == NULL)
		goto free_rings;
	hub->bytes = mmap(NULL, hub_rings(hub) * ring_bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (hub->bytes == MAP_FAILED)
		goto free_boxes;
	if (!hub_open_fds(hub))
		goto unmap_bytes;
	return hub;

unmap_bytes:
	munmap(hub->bytes, hub_rings(hub) * ring_bytes);
free_boxes:
	free(hub->boxes);
free_rings:
	free(hub->rings);
free_hub:
	free(hub);
	return NULL;
}

void mailbox_hub_free(struct mailbox_hub *hub)
{
	if (hub == NULL)
		return;
	hub_close_fds(hub, hub->endpoints);
	munmap(hub->bytes, hub_rings(hub) * hub->ring_bytes);
	free(hub->boxes);
	free(hub->rings);
	free(hub);
}

static size_t ring_index(const struct mailbox_hub *hub, uint16_t from, uint16_t to)
{
	return (size_t)to * hub->endpoints + from;
}

static uint8_t *ring_bytes_at(const struct mailbox_hub *hub, size_t ring, uint64_t position)
{
	return hub->bytes + ring * hub->ring_bytes + (position & (hub->ring_bytes - 1));
}

/* n bytes after tail are free: asks the reader's side only when the last look does not do. */
static bool ring_has_room(struct ring *ring, uint64_t tail, uint64_t n, uint64_t ring_bytes)
{
	if (tail + n - ring->head_seen <= ring_bytes)
		return true;
	ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
	return tail + n - ring->head_seen <= ring_bytes;
}

static void record_write(uint8_t *at, struct span head, struct span body)
{
	struct record_head *record = (struct record_head *)(void *)at;

	record->len = head.len + body.len;
	if (head.len > 0)
		memcpy(at + sizeof(*record), head.at, head.len);
	if (body.len > 0)
		memcpy(at + sizeof(*record) + head.len, body.at, body.len);
}

void mailbox_nudge(struct mailbox_hub *hub, uint16_t to)
{
	const uint64_t one = 1;
	ssize_t written;

	if (hub->wake != NULL) {
		hub->wake(hub->wake_context, to);
		return;
	}
	written = write(hub->boxes[to].fd, &one, sizeof(one));
	(void)written; /* EAGAIN: the counter is full, so the descriptor is readable already */
}

/*
 * The sender's half of the protocol: it has published (seq_cst), now it looks (seq_cst). Of several
 * senders that see the sleeper, one writes.
 */
static void box_wake(struct mailbox_hub *hub, uint16_t to)
{
	struct box *box = &hub->boxes[to];

	if (atomic_load_explicit(&box->asleep, memory_order_seq_cst) != 0 &&
	    atomic_exchange_explicit(&box->asleep, 0, memory_order_seq_cst) != 0)
		mailbox_nudge(hub, to);
}

enum gw_err mailbox_send(struct mailbox_hub *hub, uint16_t from, uint16_t to, struct span head,
			 struct span body)
{
	size_t index = ring_index(hub, from, to);
	struct ring *ring = &hub->rings[index];
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	uint64_t record = sizeof(struct record_head) + (uint64_t)head.len + body.len;
	uint64_t before_end = hub->ring_bytes - (tail & (hub->ring_bytes - 1));
	uint64_t pad = 0;

	if (record > hub->ring_bytes / 2)
		return GW_NO_ROOM;
	record = (record + RECORD_ALIGN - 1) & ~(uint64_t)(RECORD_ALIGN - 1);
	if (record > before_end)
		pad = before_end;
	if (!ring_has_room(ring, tail, pad + record, hub->ring_bytes))
		return GW_QUEUE_FULL;
	if (pad > 0)
		((struct record_head *)(void *)ring_bytes_at(hub, index, tail))->len = RECORD_WRAP;
	record_write(ring_bytes_at(hub, index, tail + pad), head, body);
	atomic_store_explicit(&ring->tail, tail + pad + record, memory_order_seq_cst);
	box_wake(hub, to);
	return GW_OK;
}

/* There is something to be read at head. */
static bool ring_has_record(struct ring *ring, uint64_t head)
{
	if (head != ring->tail_seen)
		return true;
	ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
	return head != ring->tail_seen;
}

/* Hands one message over. False: the ring is empty. */
static bool ring_receive(struct mailbox_hub *hub, size_t index, uint16_t from,
			 mailbox_handler *handler, void *context)
{
	struct ring *ring = &hub->rings[index];
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	const struct record_head *record;
	uint64_t taken;

	if (!ring_has_record(ring, head))
		return false;
	record = (const struct record_head *)(void *)ring_bytes_at(hub, index, head);
	if (record->len == RECORD_WRAP) { /* published together with the record after it */
		head += hub->ring_bytes - (head & (hub->ring_bytes - 1));
		record = (const struct record_head *)(void *)ring_bytes_at(hub, index, head);
	}
	taken = (sizeof(*record) + (uint64_t)record->len + RECORD_ALIGN - 1) &
		~(uint64_t)(RECORD_ALIGN - 1);
	handler(context, from, span_of(record + 1, record->len));
	atomic_store_explicit(&ring->head, head + taken, memory_order_release);
	return true;
}

uint32_t mailbox_receive(struct mailbox_hub *hub, uint16_t self, uint32_t max,
			 mailbox_handler *handler, void *context)
{
	struct box *box = &hub->boxes[self];
	uint32_t received = 0;
	uint16_t empty = 0; /* rings found empty in a row */

	while (received < max && empty < hub->endpoints) {
		uint16_t from = box->turn;

		box->turn = (uint16_t)(from + 1 < hub->endpoints ? from + 1 : 0);
		if (ring_receive(hub, ring_index(hub, from, self), from, handler, context)) {
			received++;
			empty = 0;
		} else {
			empty++;
		}
	}
	return received;
}

/* seq_cst: the sleeper's second access. On x86 it costs what a plain load does. */
bool mailbox_empty(const struct mailbox_hub *hub, uint16_t self)
{
	for (uint16_t from = 0; from < hub->endpoints; from++) {
		const struct ring *ring = &hub->rings[ring_index(hub, from, self)];

		if (atomic_load_explicit(&ring->tail, memory_order_seq_cst) !=
		    atomic_load_explicit(&ring->head, memory_order_relaxed))
			return false;
	}
	return true;
}

bool mailbox_sleep_begin(struct mailbox_hub *hub, uint16_t self)
{
	atomic_store_explicit(&hub->boxes[self].asleep, 1, memory_order_seq_cst);
	if (mailbox_empty(hub, self))
		return true;
	mailbox_sleep_end(hub, self);
	return false;
}

void mailbox_sleep_end(struct mailbox_hub *hub, uint16_t self)
{
	atomic_store_explicit(&hub->boxes[self].asleep, 0, memory_order_seq_cst);
}

bool mailbox_asleep(const struct mailbox_hub *hub, uint16_t self)
{
	return atomic_load_explicit(&hub->boxes[self].asleep, memory_order_seq_cst) != 0;
}

int mailbox_wake_fd(const struct mailbox_hub *hub, uint16_t self)
{
	return hub->boxes[self].fd;
}

uint16_t mailbox_endpoints(const struct mailbox_hub *hub)
{
	return hub->endpoints;
}
