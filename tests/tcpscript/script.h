/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Packet scripts: what a peer sends, what TCP must send, and when. One action a line, see
 * README.md. The parser knows words and numbers, and nothing of TCP; what a script means is
 * run.c's.
 */

#define SCRIPT_WORDS 24u
#define SCRIPT_HEX_MAX 40u
#define SCRIPT_OPTIONS 16u

/** lo..hi, both included. */
struct range {
	int64_t lo, hi;
};

enum option_kind {
	OPTION_MSS,
	OPTION_SCALE,
	OPTION_SACK_PERMITTED,
	OPTION_TIMESTAMPS,
	OPTION_SACK,
	OPTION_NOP,
	OPTION_END,
	OPTION_HEX
};

/** An option of a segment, as written. Numbers are relative as the script has them. */
struct option {
	enum option_kind kind;
	struct range value[2]; /* TS: value, echo; MSS, scale: one; SACK: start, end of one block */
	bool last;	       /* TS: echo what was sent last */
	uint8_t hex[SCRIPT_HEX_MAX], hex_len;
};

struct segment {
	uint16_t flags; /* of the header, 9 bits */
	bool push;	/* P was written */
	bool maybe_ack; /* ? was written: with ACK or without, what is expected */
	int64_t seq;
	uint32_t len;
	bool has_ack, any_ack, has_window, has_options, bad_sum;
	int64_t ack;
	struct range window;
	int64_t trail;		/* bytes behind the IP length */
	int64_t urgent, offset; /* offset: data offset in words, 0: the right one */
	uint32_t options;
	struct option option[SCRIPT_OPTIONS];
};

enum action {
	ACTION_INJECT,	 /* < */
	ACTION_SENT,	 /* > */
	ACTION_SENT_MAY, /* >? */
	ACTION_WORDS	 /* all else: word[0] names it */
};

struct line {
	const char *file;
	uint32_t number;
	uint32_t turn;		     /* of repeat, from 0 */
	bool has_time, has_range;    /* +A or +A~B in front */
	uint64_t after_us, until_us; /* after the line before it */
	uint32_t label;		     /* [n]: which peer; 1 by default */
	enum action action;
	struct segment segment;
	uint32_t words;
	char *word[SCRIPT_WORDS];
};

struct script {
	struct line *line;
	uint32_t lines, room;
	bool has_requirement; /* the file begins with "# requirement: " */
	char error[256];      /* file:line: what; empty: none */
	char **kept;	      /* texts that lines point into */
	uint32_t kept_count;
};

/** Reads a file and what it includes from folder; false: script->error says why. */
bool script_read(struct script *script, const char *path, const char *preambles);
/** The same from memory, for the parser's test. text is changed. */
bool script_parse(struct script *script, const char *name, char *text, const char *preambles);
void script_free(struct script *script);

/** "7", "-1", "0x10", "5..9", "any"; "7%3" adds 3 for each turn of a repeat. */
bool script_range(const char *text, uint32_t turn, struct range *range);
bool script_number(const char *text, uint32_t turn, int64_t *number);
/** Seconds with up to 6 decimals. */
bool script_time(const char *text, uint64_t *us);
/** As packetdrill writes it; into a buffer of size. */
void script_flags_text(uint16_t flags, char *text);

#endif
