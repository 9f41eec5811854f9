// SPDX-License-Identifier: BSD-3-Clause
// Nobody is at the core's address. The page is told so and keeps its connection; when the core is
// back, so is the page, by the same connection.

import { LIBRARIES, WatchedPhone } from './lib/loops.mjs';
import { waitFor } from './lib/process.mjs';
import { accept } from './lib/scripted_core.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';

const WORLDS = [{ ...DEVICE_WORLDS[0], w2: 'port' }, { workers: 1, mw: 'udp', core: 'script' }]
	.map((world, at) => ({ ...world, site: true, library: LIBRARIES[at] }));

await scenario(WORLDS, async (world, { library }) => {
	await WatchedPhone.with(world, library, async (phone) => {
		await phone.connect('alice');
		const status = await phone.register();
		assert.ok([503, 504].includes(status), `answered ${status}`);
		const { sockets, registers } = await phone.watch();
		assert.equal(sockets, 0, 'no new connection');
		assert.ok(registers <= 2, `${registers} REGISTERs of its own`);
		assert.ok(phone.registers <= 3, `${phone.registers} in all`);
		assert.deepEqual(await phone.sockets(), [{ opened: true, code: null }]);

		const core = await world.playCore((request) => accept(request, world.link.core));
		await waitFor('registered', async () => await phone.register() === 200, 20000);
		assert.ok(core.requests.length >= 1);
		assert.deepEqual(await phone.sockets(), [{ opened: true, code: null }],
			'still the same one');
	});
});
