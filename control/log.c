/* SPDX-License-Identifier: BSD-3-Clause */
#include "log.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LOG_SECOND_US = 1000000, LOG_TAIL = 40, LOG_NAME_MAX = 32 };

/** How often one event came in the current second. */
struct log_count {
	char event[LOG_NAME_MAX];
	uint64_t second;
	uint32_t written;
	uint64_t suppressed;
};

struct log {
	struct log_config config;
	uint64_t lost;
	struct log_count count[LOG_EVENTS_MAX];
};

static uint64_t log_system_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * LOG_SECOND_US + (uint64_t)now.tv_nsec / 1000;
}

struct log *log_new(const struct log_config *config)
{
	struct log *log = calloc(1, sizeof(*log));

	if (log == NULL)
		return NULL;
	log->config = *config;
	if (config->clock == NULL)
		log->config.clock = log_system_clock;
	return log;
}

void log_free(struct log *log)
{
	free(log);
}

void log_set(struct log *log, enum log_level level, uint32_t rate)
{
	log->config.level = level;
	log->config.rate = rate;
}

/* ---- fields -------------------------------------------------------------------------------- */

static bool log_is_plain(uint8_t c)
{
	return c > ' ' && c <= '~' && c != '"' && c != '\\' && c != '=';
}

static void log_escaped(struct writer *w, uint8_t c)
{
	if (c == '"' || c == '\\') {
		writer_u8(w, '\\');
		writer_u8(w, c);
	} else if (c == '\n') {
		writer_text(w, "\\n");
	} else if (c < ' ' || c > '~') {
		writer_text(w, "\\x");
		writer_hex(w, span_of(&c, 1));
	} else {
		writer_u8(w, c);
	}
}

void log_write_value(struct writer *w, struct span value)
{
	bool plain = value.len > 0;

	for (uint32_t i = 0; i < value.len && plain; i++)
		plain = log_is_plain(value.at[i]);
	if (plain) {
		writer_put(w, value);
		return;
	}
	writer_u8(w, '"');
	for (uint32_t i = 0; i < value.len; i++)
		log_escaped(w, value.at[i]);
	writer_u8(w, '"');
}

/** The last fence, should a text carry what it must not: JWS begin with the base64url of '{"', and
 * identities have an '@' or are tel URIs. */
static bool log_is_private(struct span value)
{
	static const char *const marks[] = {"eyJ", "@", "%40", "tel:"};

	for (uint32_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (value.len > 0 &&
		    memmem(value.at, value.len, marks[i], strlen(marks[i])) != NULL)
			return true;
	return false;
}

/** Writes a field, or takes it back when it does not fit before the tail. */
static void log_field(struct log_line *line, const char *key, struct span value)
{
	struct writer before = line->text;

	if (line->log == NULL)
		return;
	writer_u8(&line->text, ' ');
	writer_text(&line->text, key);
	writer_u8(&line->text, '=');
	log_write_value(&line->text, value);
	if (writer_ok(&line->text))
		return;
	line->text = before;
	line->cut = true;
}

void log_span(struct log_line *line, const char *key, struct span value)
{
	log_field(line, key, log_is_private(value) ? SPAN("[withheld]") : value);
}

void log_text(struct log_line *line, const char *key, const char *value)
{
	log_span(line, key, span_text(value));
}

void log_number(struct log_line *line, const char *key, uint64_t value)
{
	uint8_t digits[24];
	struct writer w;

	writer_init(&w, digits, sizeof(digits));
	writer_decimal(&w, value);
	log_field(line, key, writer_span(&w));
}

void log_hash(struct log_line *line, const char *key, uint64_t hash)
{
	char text[24];

	snprintf(text, sizeof(text), "h:%016llx", (unsigned long long)hash);
	log_field(line, key, span_text(text));
}

void log_endpoint(struct log_line *line, const char *key, const struct endpoint *endpoint)
{
	char text[ENDPOINT_TEXT_MAX];

	log_field(line, key, span_text(endpoint_format(endpoint, text)));
}

/* ---- lines --------------------------------------------------------------------------------- */

void log_write_time(struct writer *w, uint64_t wall_us)
{
	time_t seconds = (time_t)(wall_us / LOG_SECOND_US);
	unsigned ms = (unsigned)(wall_us % LOG_SECOND_US / 1000);
	char text[64];
	struct tm tm;
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof(text) - n, ".%03uZ", ms);
	writer_text(w, text);
}

static void log_open_line(struct log *log, struct log_line *line, enum log_level level,
			  const char *event)
{
	static const char *const levels[] = {"error", "warning", "info", "debug"};

	line->log = log;
	line->cut = false;
	writer_init(&line->text, line->bytes, sizeof(line->bytes) - LOG_TAIL);
	writer_text(&line->text, "ts=");
	log_write_time(&line->text, log->config.clock());
	log_field(line, "level", span_text(levels[level]));
	log_field(line, "event", span_text(event));
}

/** The count of event; a new one takes a free place, or shares the last. */
static struct log_count *log_count_of(struct log *log, const char *event)
{
	struct log_count *count = log->count;

	for (; count < &log->count[LOG_EVENTS_MAX - 1]; count++) {
		if (count->event[0] == '\0')
			snprintf(count->event, sizeof(count->event), "%s", event);
		if (strncmp(count->event, event, LOG_NAME_MAX - 1) == 0)
			return count;
	}
	snprintf(count->event, sizeof(count->event), "other");
	return count;
}

void log_begin(struct log *log, struct log_line *line, enum log_level level, const char *event)
{
	struct log_count *count;
	uint64_t second;

	line->log = NULL;
	if (level > log->config.level)
		return;
	count = log_count_of(log, event);
	second = log->config.clock() / LOG_SECOND_US;
	if (count->second != second) {
		count->second = second;
		count->written = 0;
	}
	if (count->written >= log->config.rate) {
		count->suppressed++;
		return;
	}
	count->written++;
	log_open_line(log, line, level, event);
	if (count->suppressed > 0)
		log_number(line, "suppressed", count->suppressed);
	count->suppressed = 0;
	if (log->lost > 0)
		log_number(line, "lost", log->lost);
}

/** A pipe is writable when it takes PIPE_BUF bytes, more than a line: write() will not block. */
static bool log_writable(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};

	return poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0;
}

void log_end(struct log_line *line)
{
	uint32_t len;

	if (line->log == NULL)
		return;
	line->text.end = line->bytes + sizeof(line->bytes);
	if (line->cut)
		writer_text(&line->text, " cut=1");
	writer_u8(&line->text, '\n');
	len = writer_len(&line->text);
	if (!log_writable(line->log->config.fd) ||
	    write(line->log->config.fd, line->bytes, len) != (ssize_t)len)
		line->log->lost++;
	line->log = NULL;
}

void log_event(struct log *log, enum log_level level, const char *event, const char *key,
	       const char *value)
{
	struct log_line line;

	log_begin(log, &line, level, event);
	if (value != NULL)
		log_text(&line, key, value);
	log_end(&line);
}

void log_tick(struct log *log)
{
	uint64_t second = log->config.clock() / LOG_SECOND_US;

	for (struct log_count *c = log->count; c < &log->count[LOG_EVENTS_MAX]; c++) {
		struct log_line line;

		if (c->suppressed == 0 || c->second == second)
			continue;
		log_open_line(log, &line, LOG_LEVEL_WARNING, c->event);
		log_number(&line, "suppressed", c->suppressed);
		c->suppressed = 0;
		log_end(&line);
	}
}
