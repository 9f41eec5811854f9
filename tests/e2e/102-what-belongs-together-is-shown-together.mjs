// SPDX-License-Identifier: BSD-3-Clause
// `wicctl show`: a binding, a connection or a call under way, each with the others of its flow.

import { MW_PORT, bracketed, impu } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { accept } from './lib/scripted_core.mjs';
import { Wic } from './lib/wic.mjs';

const WORLDS = [{ workers: 2, mw: 'udp', core: 'script' }, { ...DEVICE_WORLDS[0], w2: 'port' }];

await scenario(WORLDS, async (world) => {
	const { files, gateway, link, mint } = world;
	const held = [];
	const core = await world.playCore((request) => {
		if (request.method === 'REGISTER')
			return accept(request, link.core);
		held.push(request);
		return null;
	});
	const wic = await Wic.connect('alice', { ca: files.ca_pem });
	const other = await Wic.connect('bob', { ca: files.ca_pem });
	assert.equal((await wic.register(mint.issue('alice'))).status, 200);
	assert.equal((await other.register(mint.issue('bob'))).status, 200);
	const asked = wic.message('bob', 'who answers?');
	await waitFor('the MESSAGE at the core', () => held.length > 0);

	const shown = await gateway.ask('show', 'call', impu('alice'));
	const [[session], [connection], [binding], [call]] = [shown.sessions, shown.connections,
		shown.bindings, shown.transactions];
	assert.deepEqual([shown.sessions, shown.connections, shown.bindings, shown.transactions].map((rows) => rows.length),
		[1, 1, 1, 1]);
	assert.equal(session.peer, connection.peer);
	assert.equal(binding.flow_slot, session.slot);
	assert.deepEqual([call.kind, call.method, call.state, call.transport, call.hop, call.flow_slot],
		['originate', 'MESSAGE', 'calling', 'UDP', `${bracketed(link.core)}:${MW_PORT}`,
			session.slot]);
	assert.ok(call.age_ms < 10000, `${call.age_ms}`);

	const handle = ({ worker, slot }) => `${worker}.${slot}`;
	for (const command of [['connection', handle(session)], ['binding', handle(binding)],
		['call', handle(call)], ['binding', impu('alice')]]) {
		const same = await gateway.ask('show', ...command);
		assert.deepEqual(same.sessions.map(({ peer }) => peer), [session.peer], `${command}`);
		assert.deepEqual(same.transactions.map(({ slot }) => slot), [call.slot], `${command}`);
	}

	core.send(accept(held[0], link.core), MW_PORT, link.gateway);
	assert.equal((await asked).status, 200);
	assert.deepEqual((await gateway.ask('show', 'call', impu('alice'))).transactions, []);
	await wic.close();
	await waitFor('nothing of alice', () => gateway.ask('show', 'binding', impu('alice')).then(
		() => false, ({ message }) => message.includes('there is nothing')));
	await other.close();
});
