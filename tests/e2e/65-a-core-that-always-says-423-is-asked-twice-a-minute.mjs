// SPDX-License-Identifier: BSD-3-Clause
// Both libraries answer 423 by another REGISTER at once, without end: ECOSYSTEM counted 1,055 in
// three seconds. The gateway relays two a minute and says 403 then, where they stop.

import { LIBRARIES, WatchedPhone, tooBrief } from './lib/loops.mjs';
import { waitFor } from './lib/process.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';

const WORLDS = LIBRARIES.map((library) =>
	({ ...DEVICE_WORLDS[0], w2: 'port', site: true, library }));
const WITHIN_TOKEN_S = 300;
const BEYOND_TOKEN_S = 6000; /* the site's tokens live 600 s */
const RELAYED = 2; /* in a minute */

await scenario(WORLDS, async (world, { library }) => {
	let min_expires_s = WITHIN_TOKEN_S;
	const core = await world.playCore((request) => tooBrief(min_expires_s)(request));
	await WatchedPhone.with(world, library, async (phone) => {
		await phone.connect('alice');
		phone.startRegister();
		await waitFor('403', () => phone.statuses.includes(403));
		const { sockets, registers } = await phone.watch();
		assert.deepEqual(phone.statuses, [...Array(RELAYED).fill(423), 403]);
		assert.deepEqual({ sockets, registers }, { sockets: 0, registers: 0 }, 'then it is quiet');
		assert.equal(phone.registers, RELAYED + 1);
		assert.ok(core.requests.length <= RELAYED + 1, `${core.requests.length} at the core`);

		assert.equal(await phone.register(), 403, 'once more, in the same minute');
		assert.ok(core.requests.length <= RELAYED + 2, `${core.requests.length} at the core`);
		assert.deepEqual(await phone.sockets(), [{ opened: true, code: null }], 'one connection');
	});
	/* a registration that the token cannot pay for: another token is wanted (5.5) */
	min_expires_s = BEYOND_TOKEN_S;
	core.requests.length = 0;
	await WatchedPhone.with(world, library, async (phone) => {
		await phone.connect('bob');
		assert.equal(await phone.register(), 401);
		const { sockets, registers } = await phone.watch(3000);
		assert.deepEqual({ sockets, registers }, { sockets: 0, registers: 0 });
		assert.equal(core.requests.length, 1, 'asked once');
	});
});
