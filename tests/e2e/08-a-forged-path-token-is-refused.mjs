// SPDX-License-Identifier: BSD-3-Clause
import { sendTerminating } from './lib/core_peer.mjs';
import { ALL_WORLDS, KERNEL_WORLDS, MIXED_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { wayTo } from './lib/scripted_core.mjs';
import { Wic } from './lib/wic.mjs';

const SILENCE_MS = 1500; /* long enough for an answer that would come */

/** Replaces one character of the token's base64url part: in worker, slot, generation or MAC. */
function forge(path, index) {
	return path.replace(/Ft1\.([A-Za-z0-9_-]{43})/, (_, token) => {
		const other = token[index] === 'A' ? 'B' : 'A';
		return `Ft1.${token.slice(0, index)}${other}${token.slice(index + 1)}`;
	});
}

await scenario([...ALL_WORLDS, KERNEL_WORLDS[0], ...MIXED_WORLDS], async (world) => {
	const alice = await Wic.connect('alice', { ca: world.files.ca_pem });
	assert.equal((await alice.register(world.mint.issue('alice'))).status, 200);
	await world.capture.settle();
	const [register] = world.capture.requestsToCore('REGISTER', 'alice');
	const { route: path, contact, port } = wayTo(register);
	const send = (route, more = {}) =>
		sendTerminating({ mw: world.mw, link: world.link, route, contact, port, ...more });

	for (const index of [8, 12, 24, 40])
		assert.equal((await send(forge(path, index))).status, 403, `character ${index} forged`);
	assert.equal(alice.requests.length, 0, 'nothing was delivered');

	assert.equal((await send(path)).status, 200, 'the true token is delivered');
	assert.equal(alice.requests.length, 1);

	const stranger = await send(path, { from: world.link.stranger, timeout_ms: SILENCE_MS })
		.then(({ status }) => status, () => 'silence');
	assert.notEqual(stranger, 200, 'a source that is not trusted');
	assert.equal(alice.requests.length, 1, 'nothing more was delivered');
	await alice.close();
});
