/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/**
 * Thin, sentence-named macros over cmocka. A test file has TEST()s and ends with one TEST_MAIN()
 *that lists them:
 *
 *	TEST(ws_frame, refuses_a_client_frame_without_a_mask) { EXPECT_EQ(GW_WS_UNMASKED, ...); }
 *	TEST_MAIN("ws_frame", RUN(ws_frame, refuses_a_client_frame_without_a_mask))
 */
#define TEST(group, sentence) static void group##_##sentence(void **state __attribute__((unused)))
#define RUN(group, sentence) cmocka_unit_test(group##_##sentence)
#define TEST_MAIN(title, ...) \
	int main(void) \
	{ \
		const struct CMUnitTest tests[] = {__VA_ARGS__}; \
		return cmocka_run_group_tests_name(title, tests, NULL, NULL); \
	}

#define EXPECT(condition) assert_true(condition)
#define EXPECT_EQ(expected, actual) assert_int_equal((expected), (actual))
#define EXPECT_TEXT(expected, actual) assert_string_equal((expected), (actual))
#define EXPECT_BYTES(expected, actual, n) assert_memory_equal((actual), (expected), (n))
/** Compares a struct span with a string literal. */
#define EXPECT_SPAN(literal, actual) \
	do { \
		struct span seen_ = (actual); \
		assert_int_equal(sizeof(literal) - 1, seen_.len); \
		assert_memory_equal(seen_.at, (literal), sizeof(literal) - 1); \
	} while (0)

#endif
