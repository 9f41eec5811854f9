/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FILES_H
#define FILES_H

/** A temporary folder with a certificate for ep1.home1.net (self-signed, P-256) and its key, and a
 * second pair. */
struct files {
	char folder[64];
	char certificate[96], key[96];
	char other_certificate[96], other_key[96];
	char locked_key[96]; /* key, under a pass phrase */
	char garbage[96];    /* no PEM */
};

void files_make(struct files *f);
void files_remove(const struct files *f);

#endif
