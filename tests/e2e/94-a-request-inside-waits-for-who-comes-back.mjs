// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 10.3 with limits.hold_indialog: what the core wants of a WIC inside a dialog waits for her, on
// whatever worker she is back; and what she had in hand before stays where she was.

import { setTimeout as pause } from 'node:timers/promises';
import { eachCase } from './lib/cases.mjs';
import { LegWic, Stage } from './lib/legs.mjs';
import { waitFor } from './lib/process.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';

const HOLD_S = 4;
const NOTHING_MS = 300; /* for what must not come */
const WORLDS = [{ ...DEVICE_WORLDS[0], w2: 'port' }, { workers: 2, mw: 'udp', core: 'script' }]
	.map((world) => ({ ...world, settings: `limits: {flow_grace: 20, hold_indialog: ${HOLD_S}, `
		+ 'upgrades_per_second: 1000000, upgrades_burst: 1000000}\n' }));

async function gone(stage, alice) {
	const { gateway } = stage.world;
	const before = (await gateway.sessions()).length;
	alice.socket.terminate();
	await waitFor('the gateway saw it', async () => (await gateway.sessions()).length < before);
}

/** alice on another connection, as the same instance. */
async function back(stage, alice) {
	const again = Object.assign(await LegWic.connect('alice', { ca: stage.world.files.ca_pem }),
		{ instance: alice.instance, host: alice.host, call_id: alice.call_id, cseq: alice.cseq });
	assert.equal((await again.register(stage.world.mint.issue('alice'))).status, 200);
	return again;
}

const CASES = {
	async 'an INVITE waits, and is answered on the new connection'(stage, alice) {
		const leg = await stage.taken(alice);
		await gone(stage, alice);
		stage.core.sends('INVITE', leg, { cseq: 2 });
		await pause(NOTHING_MS);
		const again = await back(stage, alice);
		again.replies(await again.gets('INVITE', leg.id), 200, 'OK');
		await waitFor('200 to it', () => stage.core.core.responses.some((sip) =>
			sip.header('Call-ID') === leg.id && sip.header('CSeq') === '2 INVITE'
			&& sip.status === 200));
		stage.core.sends('ACK', leg, { cseq: 2 });
		await again.gets('ACK', leg.id);
		await again.close();
	},
	async 'requests come in their order'(stage, alice) {
		const leg = await stage.taken(alice);
		await gone(stage, alice);
		stage.core.sends('INFO', leg, { cseq: 2 });
		stage.core.sends('BYE', leg, { cseq: 3 });
		await pause(NOTHING_MS);
		const again = await back(stage, alice);
		again.replies(await again.gets('INFO', leg.id), 200, 'OK');
		again.replies(await again.gets('BYE', leg.id), 200, 'OK');
		assert.deepEqual(again.requests.map((sip) => sip.method), ['INFO', 'BYE']);
		await stage.core.hears(200, 'BYE', leg);
		await again.close();
	},
	async 'for nobody they wait that long and no longer'(stage, alice) {
		const leg = await stage.taken(alice);
		await gone(stage, alice);
		const since = Date.now();
		stage.core.sends('BYE', leg, { cseq: 2 });
		await stage.core.hears(430, 'BYE', leg);
		const waited = Date.now() - since;
		assert.ok(waited > (HOLD_S - 1) * 1000 && waited < (HOLD_S + 2) * 1000, `${waited} ms`);
	},
	async 'an INVITE that is cancelled meanwhile reaches nobody'(stage, alice) {
		const leg = await stage.taken(alice);
		await gone(stage, alice);
		const branch = stage.core.sends('INVITE', leg, { cseq: 2 });
		await pause(NOTHING_MS);
		stage.core.sends('CANCEL', leg, { cseq: 2, branch });
		await stage.core.hears(200, 'CANCEL', leg);
		await stage.core.hears(487, 'INVITE', leg);
		stage.core.sends('ACK', leg, { cseq: 2, branch });
		const again = await back(stage, alice);
		await pause(NOTHING_MS);
		assert.deepEqual(again.requests, []);
		await again.close();
	},
	async 'an INVITE that has rung is cancelled where it was'(stage, alice) {
		const leg = await stage.taken(alice);
		const branch = stage.core.sends('INVITE', leg, { cseq: 2 });
		alice.replies(await waitFor('the second INVITE', () => alice.requests.find((sip) =>
			sip.header('CSeq') === '2 INVITE')), 180, 'Ringing');
		await stage.core.hears(180, 'INVITE', leg);
		await gone(stage, alice);
		for (let turn = 0; turn < 4; turn += 1) { /* on one worker or the other */
			const again = await back(stage, alice);
			stage.core.sends('INVITE', leg, { cseq: 2, branch });
			await pause(NOTHING_MS);
			assert.deepEqual(again.requests, [], 'it is not asked again');
			await gone(stage, again);
			Object.assign(alice, { cseq: again.cseq });
		}
		const again = await back(stage, alice);
		stage.core.sends('CANCEL', leg, { cseq: 2, branch });
		await stage.core.hears(200, 'CANCEL', leg);
		await stage.core.hears(487, 'INVITE', leg);
		stage.core.sends('ACK', leg, { cseq: 2, branch });
		await again.close();
	},
};

await scenario(WORLDS, async (world) => {
	const stage = await Stage.open(world);
	await eachCase(CASES, async (play) => {
		const alice = await stage.enter('alice');
		await play(stage, alice);
		if (alice.isOpen)
			await alice.close();
	});
}, 90000);
