/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JSON_ORACLE_H
#define JSON_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Whether jansson accepts the document. In a file of its own: its names are also ours. */
bool json_oracle_accepts(const uint8_t *data, size_t size);

#endif
