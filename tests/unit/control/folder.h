/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FOLDER_H
#define FOLDER_H

#include <stdbool.h>

/** A folder for one test, with what a configuration names: cert.pem, key.pem, shop.jwks and
 * shop-pairs.csv. */
struct folder {
	char path[64];
};

/** Makes it; a test that cannot go on fails. */
void folder_make(struct folder *folder);

/** Removes it and the files in it, and in its folder state/. */
void folder_remove(struct folder *folder);

/** The path of a file in it, in storage that the next call but three uses again. */
const char *folder_path(const struct folder *folder, const char *name);

void folder_write(const struct folder *folder, const char *name, const char *text);

/** The text of a file anywhere, terminated; the caller frees it. */
char *folder_read(const char *path);

/** text with each from replaced by to; the caller frees it. */
char *folder_replace(const char *text, const char *from, const char *to);

#endif
