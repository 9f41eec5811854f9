/* SPDX-License-Identifier: BSD-3-Clause */
#include "gw_err.h"

struct err_row {
	const char *name;
	const char *text;
};

#define ERR_ROW(name, text) {#name, text},
static const struct err_row err_rows[] = {GW_ERR_LIST(ERR_ROW)};
#undef ERR_ROW

const char *gw_err_text(enum gw_err err)
{
	return (unsigned)err < GW_ERR_COUNT ? err_rows[err].text : "unknown error";
}

const char *gw_err_name(enum gw_err err)
{
	return (unsigned)err < GW_ERR_COUNT ? err_rows[err].name : "GW_UNKNOWN";
}
