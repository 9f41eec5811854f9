/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JOURNAL_LINE_H
#define JOURNAL_LINE_H

#include "message.h"

/**
 * A line of the file "leases" of the state directory (control/state_line.h):
 *
 *	CHECKSUM held|leaving ID UNTIL SUB JTI IAT EXP udp|tcp|tls single|outbound IMPI IMPU WWSF
 *		REALM CONTACT
 *	CHECKSUM over ID
 *
 * ID: worker, slot and generation of the binding's first handle, 20 hexadecimal digits. UNTIL, IAT
 * and EXP: Unix time. SUB and JTI: keyed hashes. In the texts everything but visible ASCII
 * characters, and %, stands as % and two hexadecimal digits.
 */

/** Bytes of a line at most, with its line feed: every byte of the texts may stand as three. */
enum { JOURNAL_LINE_MAX = 3 * JOURNAL_TEXT_MAX + 256 };

/** Writes m as a line with its line feed to bytes. Empty: it is no whole message, or lacks a text.
 */
struct span journal_line_write(const uint8_t key[16], const struct message_journal *m,
			       uint8_t bytes[JOURNAL_LINE_MAX]);

/** Reads a line, without its line feed, into *m, whose head says how much of it is used. False: it
 * is damaged, or was written under another key. */
bool journal_line_read(const uint8_t key[16], struct span line, struct message_journal *m);

#endif
