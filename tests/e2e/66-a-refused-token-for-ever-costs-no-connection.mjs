// SPDX-License-Identifier: BSD-3-Clause
// A page that has nothing but a bad token, and asks and asks: each REGISTER is answered, on the one
// connection, and neither the core nor the verifier has anything to do with it.

import { LIBRARIES, WatchedPhone } from './lib/loops.mjs';
import { accept } from './lib/scripted_core.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { strangerKey } from './lib/token.mjs';

const WORLDS = LIBRARIES.map((library) =>
	({ ...DEVICE_WORLDS[0], w2: 'port', site: true, library }));
const ATTEMPTS = 25;

await scenario(WORLDS, async (world, { library }) => {
	const { gateway, mint } = world;
	const core = await world.playCore((request) => accept(request, world.link.core));
	await WatchedPhone.with(world, library, async (phone) => {
		await phone.giveToken(mint.issue('alice', { key: strangerKey() }));
		await phone.connect('alice');
		const verified = await gateway.counter('verify_jobs');
		for (let n = 0; n < ATTEMPTS; n += 1)
			assert.equal(await phone.register(), 401, `attempt ${n}`);
		const { sockets, registers } = await phone.watch(3000);
		assert.deepEqual({ sockets, registers }, { sockets: 0, registers: 0 },
			'no retry of its own');
		assert.equal(phone.registers, ATTEMPTS);
		assert.equal(phone.statuses.length, ATTEMPTS, 'each was answered, once');
		assert.equal(await gateway.errors('GW_TOKEN_SIGNATURE'), ATTEMPTS, 'each was counted');
		assert.deepEqual(await phone.sockets(), [{ opened: true, code: null }], 'one connection');
		assert.equal((await gateway.sessions()).length, 1);
		assert.equal(core.requests.length, 0, 'nothing reached the core');
		/* PROTOCOL 3.6: a refused token is remembered, its repeats cost no signature */
		const signatures = await gateway.counter('verify_jobs') - verified;
		assert.ok(signatures <= 1,
			`${signatures} signatures checked for ${ATTEMPTS} times one token`);
		/* RFC 8898 2.2: the page has learnt what it needs, and comes with another */
		await phone.giveToken(mint.issue('alice'));
		assert.equal(await phone.register(), 200);
		assert.equal(core.requests.length, 1);
	});
});
