/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LOG_H
#define LOG_H

#include "conn.h"
#include "writer.h"

/**
 * The log: one event, one line of key=value pairs. Control writes it; workers send events
 * (control/event.h). A value is quoted when it has other than plain characters, with \" \\ \n \xNN
 * inside. Tokens, keys and identities do not belong here: identities are written by their keyed
 * hash (log_hash), and a text that looks like a token or an identity is left out ("[withheld]").
 *
 *	struct log_line line;
 *
 *	log_begin(log, &line, LOG_LEVEL_INFO, "reloaded");
 *	log_number(&line, "generation", generation);
 *	log_end(&line);
 */
enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum {
	LOG_LINE_MAX =
		1024, /* bytes of a line; a field that does not fit is left out, with cut=1 */
	LOG_EVENTS_MAX = 64, /* names of events that are bounded each for itself */
};

/** Wall clock, microseconds since 1970. */
typedef uint64_t log_clock(void);

struct log_config {
	int fd;
	enum log_level level;
	uint32_t rate;	  /* lines of one event in a second; the rest is counted: suppressed=N */
	log_clock *clock; /* NULL: the system's */
};

struct log;
struct log_line {
	struct log *log; /* NULL: this line is not written */
	struct writer text;
	bool cut;
	uint8_t bytes[LOG_LINE_MAX];
};

/** NULL: no memory. The descriptor stays the caller's. */
struct log *log_new(const struct log_config *config);
void log_free(struct log *log);

/** After a reload. */
void log_set(struct log *log, enum log_level level, uint32_t rate);

/** Begins a line. event is a constant, one word. */
void log_begin(struct log *log, struct log_line *line, enum log_level level, const char *event);
void log_text(struct log_line *line, const char *key, const char *value);
void log_span(struct log_line *line, const char *key, struct span value);
void log_number(struct log_line *line, const char *key, uint64_t value);
/** An identity: "h:" and 16 hexadecimal digits. */
void log_hash(struct log_line *line, const char *key, uint64_t hash);
void log_endpoint(struct log_line *line, const char *key, const struct endpoint *endpoint);
/** Writes the line, in one write(). A reader that does not read is not waited for: the line is
 * lost, and later ones say lost=N, the number since start. */
void log_end(struct log_line *line);

/** An event without fields of its own but one text; value NULL: none. */
void log_event(struct log *log, enum log_level level, const char *event, const char *key,
	       const char *value);

/** A value as it stands behind '=', quoted when it has to be. */
void log_write_value(struct writer *w, struct span value);
/** "2026-11-20T09:30:00.123Z" */
void log_write_time(struct writer *w, uint64_t wall_us);

/** Says how much was suppressed in seconds that are over. On a timer. */
void log_tick(struct log *log);

#endif
