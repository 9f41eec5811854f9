// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 9.9 with a real S-CSCF: it takes the gateway's SUBSCRIBE, tells what is registered, and when the HSS takes a
// registration back (Cx RTR), the gateway hears of it and the WIC is not registered any more. 127 has every row.

import { Stage } from './lib/ims_stage.mjs';
import { impu } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { KERNEL_WORLDS, WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';

const LIMIT_MS = 90000;

const counted = async (world, name) => (await world.gateway.ask('stats')).stats
	.find((row) => row.name === name).total;

await scenario([...WORKER_COUNTS, KERNEL_WORLDS[1]].map((world) => ({ ...world, core: 'ims',
	users: ['alice', 'bob'] })), async (world) => {
	const stage = await Stage.open(world);
	const { wic: alice } = await stage.enter('alice');
	const { wic: bob } = await stage.enter('bob');
	await waitFor('both subscriptions taken', async () =>
		(await world.gateway.bindings()).filter((row) => row.reg_event === 'active').length === 2);
	await waitFor('both users told of', async () => await counted(world, 'reg_event_in') >= 2);
	assert.equal(await counted(world, 'reg_event_refused'), 0, 'each NOTIFY could be read');
	assert.equal(await counted(world, 'reg_event_unknown'), 0, 'and was ours');
	assert.equal((await world.gateway.bindings()).length, 2);

	await world.kamailio.rtr('alice');
	/* this S-CSCF does not say of which REGISTER it speaks */
	await waitFor('her binding gone', async () => (await world.gateway.bindings()).length === 1, 20000);
	assert.equal(await counted(world, 'binding_core_ended'), 1);
	await world.capture.settle();
	assert.equal(world.capture.requestsToCore('REGISTER', 'alice').length, 1, 'no de-REGISTER for her');
	if (alice.isOpen)
		assert.equal((await alice.message('bob', 'am I?')).status, 403);
	assert.equal((await bob.message('bob', 'and I?')).status, 200, 'he is as before');

	/* she may come back, and is told of again */
	const { wic: again } = await stage.enter('alice');
	assert.equal((await again.message('bob', 'here again')).status, 200);
	await waitFor('her new subscription taken', async () =>
		(await world.gateway.bindings()).filter((row) => row.reg_event === 'active').length === 2);
	const subscribe = world.capture.requestsToCore('SUBSCRIBE').find((sip) =>
		sip.header('To').includes(impu('alice')));
	assert.match(subscribe.header('Contact'), /^<sip:St1\./);
	for (const wic of [alice, bob, again])
		if (wic.isOpen)
			await wic.close();
}, LIMIT_MS);
