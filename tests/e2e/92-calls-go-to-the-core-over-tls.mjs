// SPDX-License-Identifier: BSD-3-Clause
// The core is Kamailio over mutual TLS and nothing else: pages register and call each other, and no
// SIP passes in clear.

import { CALLS_MS, assertPages, callEachOther, withTwo } from './lib/calls.mjs';
import { assert, scenario } from './lib/scenario.mjs';

const WORLDS = [{ workers: 1, mw: 'tls', site: true },
	{ workers: 2, mw: 'tls', ip: 6, device: 'tap', w2: 'port', site: true }];

await scenario(WORLDS, (world) => withTwo(world, 'jssip', async (alice, bob) => {
	await callEachOther(alice, bob);
	assertPages([alice, bob]);
	await world.capture.settle();
	assert.deepEqual(world.capture.messages, [], 'SIP that could be read');
	const core = world.kamailio.program.log();
	for (const method of ['REGISTER', 'INVITE', 'ACK', 'CANCEL', 'BYE', 'MESSAGE', 'UPDATE'])
		assert.match(core, new RegExp(`RX ${method} .* from tls:`), method);
	assert.doesNotMatch(core, /RX \S+ .* from (?:udp|tcp):/);
	const links = (await world.gateway.ask('mw')).mw.filter(({ what }) => what !== 'hop');
	assert.ok(links.length > 0 && links.every(({ transport, state }) =>
		transport === 'tls' && state === 'open'), JSON.stringify(links));
	assert.ok(links.some(({ what }) => what === 'accepted'), 'one that the core has opened');
	assert.equal(await world.gateway.counter('mw_tls_failures'), 0);
}), CALLS_MS);
