// SPDX-License-Identifier: BSD-3-Clause
// JsSIP comes back two seconds after any loss, whatever the code, and later and later; SIP.js does
// not. Neither is let in and thrown out again while the gateway leaves.

import { LIBRARIES, WATCH_MS, WatchedPhone } from './lib/loops.mjs';
import { waitFor, within } from './lib/process.mjs';
import { accept } from './lib/scripted_core.mjs';
import { DEVICE_WORLDS, KERNEL_WORLDS, assert, scenario } from './lib/scenario.mjs';

const WORLDS = [{ ...DEVICE_WORLDS[0], w2: 'port' }, { ...KERNEL_WORLDS[0], core: 'script' }]
	.map((world, at) => ({ ...world, site: true, library: LIBRARIES[at] }));
const FASTEST_RETURN_MS = 2000;

await scenario(WORLDS, async (world, { library }) => {
	const { gateway } = world;
	await world.playCore((request) => accept(request, world.link.core));
	await WatchedPhone.with(world, library, async (phone) => {
		await phone.connect('alice');
		assert.equal(await phone.register(), 200);
		gateway.program.signal('SIGTERM');
		await waitFor('the Close', async () => (await phone.sockets())[0].code !== null);
		assert.equal((await phone.sockets())[0].code, 1001);
		assert.deepEqual(await within('the gateway ends', gateway.program.ended),
			{ code: 0, signal: null });
		await phone.watch();
		const [, ...later] = await phone.sockets();
		assert.ok(later.every(({ opened }) => !opened), 'none was let in');
		assert.ok(later.length <= WATCH_MS / FASTEST_RETURN_MS + 1, `${later.length} came back`);
	});
});
