/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CERTIFICATE_H
#define CERTIFICATE_H

/**
 * Reads the PEM files of a server certificate and its private key. NULL when the key belongs to the
 * certificate, else what is wrong, a constant. Blocks on the file system.
 */
const char *certificate_check(const char *certificate, const char *key);

#endif
