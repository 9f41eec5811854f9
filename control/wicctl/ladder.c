/* SPDX-License-Identifier: BSD-3-Clause */
#include "ladder.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LANE = 44, TIME = 15, LABEL_MAX = 512 };

static const char line_ends[] = "\r\n";

static const char *member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

void ladder_head(FILE *out)
{
	fprintf(out, "%-*s  %-*s%-*s%s\n", TIME, "UTC", LANE - 2, "WIC", LANE + 1, "wicgate",
		"core");
}

/** The value of CSeq, of len bytes; "" when there is none. */
static const char *cseq_of(const char *text, size_t *len)
{
	static const char name[] = "CSeq:";
	const char *line = text;

	*len = 0;
	while ((line = strchr(line, '\n')) != NULL) {
		line++;
		if (strncasecmp(line, name, sizeof(name) - 1) != 0)
			continue;
		line += sizeof(name) - 1;
		line += strspn(line, " \t");
		*len = strcspn(line, line_ends);
		return line;
	}
	return "";
}

/** "INVITE sip:bob@home1.net", "200 OK (1 INVITE)". */
static void label_of(const char *text, char label[LABEL_MAX])
{
	static const char version[] = "SIP/2.0";
	size_t len, cseq_len, tail = sizeof(version) - 1;
	const char *cseq;

	text += strspn(text, line_ends);
	len = strcspn(text, line_ends);
	if (strncmp(text, version, tail) == 0 && len > tail) {
		cseq = cseq_of(text, &cseq_len);
		snprintf(label, LABEL_MAX, "%.*s (%.*s)", (int)(len - tail - 1), text + tail + 1,
			 (int)cseq_len, cseq);
		return;
	}
	if (len > tail && strncmp(text + len - tail, version, tail) == 0)
		len -= tail + 1;
	snprintf(label, LABEL_MAX, "%.*s", (int)len, text);
}

/** One lane with an arrow in it; head: '<' or '>'. */
static void arrow(const char *label, char head, char lane[LANE + 1])
{
	size_t len = strlen(label), room = LANE - 8;
	size_t shown = len < room ? len : room;

	memset(lane, '-', LANE);
	lane[LANE] = '\0';
	lane[head == '>' ? LANE - 1 : 0] = head;
	lane[3] = ' ';
	memcpy(lane + 4, label, shown);
	lane[4 + shown] = ' ';
	if (shown < len)
		memcpy(lane + 4 + shown - 2, "..", 2);
}

static void print_whole(const char *text, FILE *out)
{
	fputc('\n', out);
	while (*text != '\0') {
		size_t len = strcspn(text, line_ends);

		fprintf(out, "    %.*s\n", (int)len, text);
		text += len;
		text += *text == '\r';
		text += *text == '\n';
	}
	fputc('\n', out);
}

void ladder_message(const json_t *message, enum ladder_form form, FILE *out)
{
	const char *from = member(message, "from"), *to = member(message, "to");
	const char *text = member(message, "text"), *ts = member(message, "ts");
	bool wic = strcmp(from, "wic") == 0 || strcmp(to, "wic") == 0;
	char label[LABEL_MAX], lane[LANE + 1];

	label_of(text, label);
	arrow(label, strcmp(from, "wic") == 0 || strcmp(to, "core") == 0 ? '>' : '<', lane);
	ts = strchr(ts, 'T') != NULL ? strchr(ts, 'T') + 1 : ts;
	fprintf(out, "%-*.*s  |%-*s|%-*s|  %s %s%s\n", TIME, TIME, ts, LANE, wic ? lane : "", LANE,
		wic ? "" : lane, member(message, "transport"), member(message, "peer"),
		json_is_true(json_object_get(message, "cut")) ? " (cut)" : "");
	if (form == LADDER_WHOLE)
		print_whole(text, out);
}
