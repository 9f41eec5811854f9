/* SPDX-License-Identifier: BSD-3-Clause */
#include <unistd.h>

#include "test.h"
#include "jwk_file.h"

struct relying *jwk_relying(const json_t *jwk, uint32_t algorithms)
{
	char path[] = "/tmp/wicgate-jwk-XXXXXX";
	json_t *set = json_pack("{s:[O]}", "keys", jwk);
	int fd = mkstemp(path);
	struct relying *relying;

	assert_non_null(set);
	EXPECT(fd >= 0);
	EXPECT_EQ(0, json_dumpfd(set, fd, 0));
	close(fd);
	relying = relying_new(path, algorithms);
	unlink(path);
	json_decref(set);
	return relying;
}
