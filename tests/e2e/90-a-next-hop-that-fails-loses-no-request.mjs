// SPDX-License-Identifier: BSD-3-Clause
// Two next hops. The first one is killed, comes back, falls silent, and is overloaded: each REGISTER
// of a WIC is answered 200 all the same, and the first one is used again when it is well.

import { MW_PORT, OTHER_CORE_ADDRESS, CORE_ADDRESS } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { assert, scenario } from './lib/scenario.mjs';
import { accept } from './lib/scripted_core.mjs';
import { answerSip } from './lib/sip.mjs';
import { Wic } from './lib/wic.mjs';

const WORLDS = [1, 2].map((workers) => ({ workers, mw: 'udp', core: 'script', options_interval: 1,
	trusted: [CORE_ADDRESS, OTHER_CORE_ADDRESS],
	next_hops: [CORE_ADDRESS, OTHER_CORE_ADDRESS].map((address, at) =>
		({ uri: `sip:${address}:${MW_PORT}`, priority: at + 1 })) }));

const registers = (core) => core.requests.filter(({ method }) => method === 'REGISTER').length;

await scenario(WORLDS, async (world) => {
	const { gateway, mint } = world;
	const well = (address) => (request) => accept(request, address);
	const second = await world.playCore(well(OTHER_CORE_ADDRESS), OTHER_CORE_ADDRESS);
	let first = await world.playCore(well(CORE_ADDRESS), CORE_ADDRESS);
	const wic = await Wic.connect('alice', { ca: world.files.ca_pem });
	const register = async () => (await wic.register(mint.issue('alice'))).status;
	/** One more REGISTER is answered 200, and it was this core that did it. */
	const servedBy = async (core, what) => {
		const before = registers(core);
		assert.equal(await register(), 200, what);
		assert.ok(registers(core) > before, `${what}: by the other one`);
	};
	/** The first one serves again, once every worker has asked it how it is. */
	const firstAgain = (what) => waitFor(what, async () => {
		const before = registers(first);
		assert.equal(await register(), 200, what);
		return registers(first) > before;
	}, 12000);

	await firstAgain('the first one serves');
	world.played.splice(world.played.indexOf(first), 1);
	first.close();
	await servedBy(second, 'the first one is killed');
	assert.ok(await gateway.counter('mw_hop_failures') > 0);
	const hops = (await gateway.ask('mw')).mw.filter(({ what }) => what === 'hop');
	assert.equal(hops.length, 2 * world.workers);
	assert.ok(hops.some(({ peer, state }) => peer.startsWith(CORE_ADDRESS) && state !== 'up'));
	assert.ok(hops.some(({ peer, state }) => peer.startsWith(OTHER_CORE_ADDRESS) && state === 'up'));

	first = await world.playCore(well(CORE_ADDRESS), CORE_ADDRESS);
	await firstAgain('the first one is back');

	first.answer = () => null;
	await servedBy(second, 'the first one is silent');

	first.answer = well(CORE_ADDRESS);
	const spokeAgain = Date.now();
	await firstAgain('the first one speaks again');
	// an OPTIONS that it left unanswered takes it away once more, 3 s after it was asked
	await waitFor('no OPTIONS of before is open', () => Date.now() - spokeAgain > 3200, 12000);
	await firstAgain('the first one is believed');
	first.answer = (request) => request.method === 'OPTIONS' ? accept(request, CORE_ADDRESS)
		: answerSip(request, 503, 'Service Unavailable', 'busy');
	const { length } = first.requests;
	await servedBy(second, 'the first one is overloaded');
	assert.ok(first.requests.length > length, 'it was asked first');
	assert.ok(await gateway.counter('mw_failovers') > 0);
	await wic.close();
});
