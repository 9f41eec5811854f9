/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REASON_H
#define REASON_H

#include <stdarg.h>
#include <stdio.h>

/** Why something was refused, in words for the operator: file, line and cause. The caller's
 * storage. */
struct reason {
	char text[320];
};

/** Replaces the text; what does not fit is cut. Never put a key or a token in it. */
__attribute__((format(printf, 2, 3))) static inline void reason_set(struct reason *reason,
								    const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vsnprintf(reason->text, sizeof(reason->text), format, values);
	va_end(values);
}

#endif
