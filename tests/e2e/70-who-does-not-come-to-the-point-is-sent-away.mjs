// SPDX-License-Identifier: BSD-3-Clause
// Deadlines of the door (PROTOCOL 11): TLS, upgrade, first registration. A byte now and then does
// not
// move them; a registered one is left alone.

import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'node:net';
import { eachCase } from './lib/cases.mjs';
import { GATEWAY_HOST } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { plainRegister } from './lib/plain_register.mjs';
import { RawWs, frame, upgradeText } from './lib/raw_ws.mjs';
import { accept } from './lib/scripted_core.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { Wic } from './lib/wic.mjs';

const WORLDS = [{ ...DEVICE_WORLDS[0], w2: 'port' }, { workers: 2, mw: 'udp', core: 'script' }]
	.map((world) => ({ ...world,
		settings: 'limits: {tls_handshake: 1, http_upgrade: 1, pre_auth: 2}\n' }));
const TLS_HANDSHAKE = Buffer.from([22]);
const DRIP_MS = 100;
const DRIPS = 80; /* longer than any of the deadlines */

/** A byte, and another, until the other side has had enough. */
async function drip(ws, bytes) {
	for (let at = 0; at < DRIPS && !ws.ended; at += 1) {
		await ws.send(bytes.subarray(at % bytes.length, at % bytes.length + 1));
		await pause(DRIP_MS);
	}
	assert.ok(ws.ended, `still open after ${DRIPS} bytes`);
}

const CASES = {
	/* of a connection without a byte a packet port knows nothing yet (docs/design.md section 6) */
	'a byte of TLS and nothing more': async () => {
		const socket = connect(443, GATEWAY_HOST, () => socket.write(TLS_HANDSHAKE));
		let ended = false;
		for (const event of ['end', 'close', 'error'])
			socket.on(event, () => ended = true);
		socket.resume();
		await waitFor('the gateway closes', () => ended);
		socket.destroy();
	},
	'TLS and nothing more': async (ca) => {
		const ws = await RawWs.connect(ca);
		await ws.end();
		ws.destroy();
	},
	'an upgrade that never comes to its end': async (ca) => {
		const ws = await RawWs.connect(ca);
		await drip(ws, Buffer.from(upgradeText()));
		assert.notEqual(ws.answer?.status, 101);
		ws.destroy();
	},
	'a WebSocket and nothing more': async (ca) => {
		const ws = await RawWs.open(ca);
		assert.equal(await ws.closeCode(), 1008);
		await ws.end();
		ws.destroy();
	},
	'a message that never comes to its end': async (ca) => {
		const ws = await RawWs.open(ca);
		const bytes = frame({ payload: plainRegister() });
		await drip(ws, bytes.subarray(0, bytes.length - 1));
		assert.equal(await ws.closeCode().catch(() => 'none'), 1008);
		ws.destroy();
	},
	'keep-alives do not help': async (ca) => {
		const ws = await RawWs.open(ca);
		for (let n = 0; n < DRIPS && !ws.ended; n += 1) {
			await ws.send(frame({ payload: '\r\n\r\n' }));
			await pause(DRIP_MS);
		}
		assert.equal(await ws.closeCode(), 1008);
		ws.destroy();
	},
	'nor do REGISTERs that are refused': async (ca) => {
		const ws = await RawWs.open(ca);
		for (let n = 0; n < DRIPS && !ws.ended; n += 1) {
			await ws.send(frame({ payload: plainRegister({ cseq: n + 1 }) }));
			await pause(DRIP_MS);
		}
		assert.equal(await ws.closeCode(), 1008);
		ws.destroy();
	},
};

await scenario(WORLDS, async (world) => {
	await world.playCore((request) => accept(request, world.link.core));
	const alice = await Wic.connect('alice', { ca: world.files.ca_pem });
	assert.equal((await alice.register(world.mint.issue('alice'))).status, 200);
	await eachCase(CASES, (play) => play(world.files.ca_pem));
	assert.ok(alice.isOpen, 'who is registered stays');
	assert.equal((await alice.register(world.mint.issue('alice'))).status, 200);
	await alice.close();
});
