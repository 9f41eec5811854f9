/* SPDX-License-Identifier: BSD-3-Clause */
#include <hs.h>
#include <regex.h>
#include <stdlib.h>

#include "control/ere.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool hyperscan_takes(const char *text)
{
	hs_compile_error_t *fault = NULL;
	hs_expr_info_t *info = NULL;
	bool takes = hs_expression_info(text, HS_FLAG_DOTALL, &info, &fault) == HS_SUCCESS;

	hs_free_compile_error(fault);
	free(info);
	return takes;
}

/** What is accepted has only bytes of Hyperscan's syntax that mean what was meant, which Hyperscan
 * and regcomp take as well; what is refused says where. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[ERE_WRITTEN_MAX + 8], posix[ERE_MAX + 1];
	struct writer out;
	struct ere ere;
	regex_t regex;

	if (size > 2 * ERE_MAX)
		return 0;
	writer_init(&out, text, sizeof(text) - 1);
	writer_text(&out, "\\Ax");
	ere = ere_translate(span_of(data, (uint32_t)size), &out);
	if (ere.why != NULL) {
		must(ere.at <= size);
		return 0;
	}
	must(size <= ERE_MAX && ere.states <= ERE_STATES_MAX);
	text[writer_len(&out)] = '\0';
	must(hyperscan_takes(text));
	memcpy(posix, data, size);
	posix[size] = '\0';
	if (ere.states > 64) /* regcomp unfolds them */
		return 0;
	must(regcomp(&regex, posix, REG_EXTENDED | REG_NOSUB) == 0);
	regfree(&regex);
	return 0;
}
