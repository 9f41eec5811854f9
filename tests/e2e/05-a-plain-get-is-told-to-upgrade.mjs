// SPDX-License-Identifier: BSD-3-Clause
import { GATEWAY_HOST, SITE_ORIGIN } from './lib/names.mjs';
import { WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';

await scenario(WORKER_COUNTS, async (world) => {
	const answer = await world.get(GATEWAY_HOST, '/', { Origin: SITE_ORIGIN });
	assert.equal(answer.status, 426);
	assert.match(answer.headers.upgrade, /^websocket$/i);
});
