// SPDX-License-Identifier: BSD-3-Clause
import { within } from './lib/process.mjs';
import { KERNEL_WORLDS, WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';
import { Wic } from './lib/wic.mjs';

/* with two workers, some on each in all but one run of thirty */
const CONNECTIONS = 6;

await scenario([...WORKER_COUNTS, KERNEL_WORLDS[1]], async (world) => {
	const wics = [];
	for (let i = 0; i < CONNECTIONS; i += 1)
		wics.push(await Wic.connect('alice', { ca: world.files.ca_pem }));
	assert.equal((await wics[0].register(world.mint.issue('alice'))).status, 200);

	world.gateway.program.signal('SIGTERM');
	for (const wic of wics)
		assert.equal((await within('close frame', wic.closed)).code, 1001);
	const exit = await within('the gateway ends', world.gateway.program.ended);
	assert.deepEqual(exit, { code: 0, signal: null });
});
