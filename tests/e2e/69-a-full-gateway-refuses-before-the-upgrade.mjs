// SPDX-License-Identifier: BSD-3-Clause
// Accept-then-drop is what keeps pages coming for ever: ECOSYSTEM counted 217 connections in 45 s.
// Who has no room says so before 101, or in TCP; and who was refused gets in when there is room.

import { LIBRARIES, WATCH_MS, WatchedPhone } from './lib/loops.mjs';
import { waitFor } from './lib/process.mjs';
import { accept } from './lib/scripted_core.mjs';
import { DEVICE_WORLDS, KERNEL_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { UpgradeRefused, Wic } from './lib/wic.mjs';

const WORLDS = [{ ...DEVICE_WORLDS[0], w2: 'port', site: true },
	{ ...KERNEL_WORLDS[0], core: 'script', site: true }]
	.map((world) => ({ ...world, settings: 'limits: {max_connections: 1}\n' }));
const FASTEST_RETURN_MS = 2000;

const MANY = 20; /* far more than the limit */

/** Connects until somebody is refused, and returns those who were not. */
async function fill(ca) {
	const inside = [];
	while (inside.length < MANY) {
		const next = await Wic.connect('carol', { ca }).catch((error) => error);
		if (next instanceof Error) {
			assertRoomRefused(next);
			return inside;
		}
		inside.push(next);
	}
	throw new Error(`${MANY} were let in`);
}

/** In TCP, or in HTTP with a word about when to come again. */
function assertRoomRefused(error) {
	if (!(error instanceof UpgradeRefused))
		return;
	assert.ok([429, 503].includes(error.status), `refused with ${error.status}`);
	assert.match(error.headers['retry-after'] ?? 'none', /^\d+$/);
}

const [jssip] = LIBRARIES; /* SIP.js does not come back */

await scenario(WORLDS, async (world) => {
	await world.playCore((request) => accept(request, world.link.core));
	const first = await Wic.connect('bob', { ca: world.files.ca_pem });
	assert.equal((await first.register(world.mint.issue('bob'))).status, 200);
	const others = await fill(world.files.ca_pem);
	await WatchedPhone.with(world, jssip, async (phone) => {
		phone.connect('alice').catch(() => {});
		await waitFor('a WebSocket', async () => (await phone.sockets()).length > 0);
		await phone.watch();
		const refused = await phone.sockets();
		assert.ok(refused.every(({ opened }) => !opened), 'none was let in and dropped');
		assert.ok(refused.length <= WATCH_MS / FASTEST_RETURN_MS + 2, `${refused.length} came`);
		assert.ok(first.isOpen, 'who was in stays');

		await first.close();
		for (const other of others)
			await other.close();
		await waitFor('let in', async () => (await phone.sockets()).at(-1).opened, 35000);
		assert.equal(await phone.register(), 200);
	});
});
