// SPDX-License-Identifier: BSD-3-Clause
// limits.max_connections is a number of connections: not one more.

import { RawWs } from './lib/raw_ws.mjs';
import { DEVICE_WORLDS, KERNEL_WORLDS, assert, scenario } from './lib/scenario.mjs';

const LIMIT = 8;
const WORLDS = [{ ...DEVICE_WORLDS[0], w2: 'port' }, { ...KERNEL_WORLDS[0], core: 'script' }]
	.map((world) => ({ ...world, settings: `limits: {max_connections: ${LIMIT}}\n` }));

await scenario(WORLDS, async (world) => {
	const inside = [];
	for (let refused = false; !refused && inside.length < 2 * LIMIT;) {
		const next = await RawWs.open(world.files.ca_pem).catch(() => null);
		refused = next === null;
		if (next)
			inside.push(next);
	}
	assert.equal(inside.length, LIMIT, 'let in');
	for (const ws of inside)
		await ws.caughtUp();
});
