// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 9.9: the network ends a registration. The HSS sends an RTR, the S-CSCF a NOTIFY, and who was registered is not any
// more: here neither, at once, and nobody else is touched.

import { Stage } from './lib/ims_stage.mjs';
import { impu } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { KERNEL_WORLDS, WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';

const ROUNDS = 2;

/** NOTIFYs about a user that say `state` of his registration, and that the gateway has taken: 200, and not 481 as of a dialog before. */
const taken = (world, user, state) => world.capture.messages.filter(({ sip }) => sip.method === 'NOTIFY'
	&& [sip.header('To'), sip.header('From')].some((value) => value.includes(`<${impu(user)}>`))
	&& new RegExp(`<registration [^>]*state="${state}"`).test(sip.body)
	&& world.capture.messages.some(({ sip: answer }) => answer.status === 200
		&& answer.header('Call-ID') === sip.header('Call-ID') && answer.header('CSeq') === sip.header('CSeq'))).length;

/** Until the RTR everything goes; behind it nothing of his does. */
async function takenBack(stage, alice, bob) {
	const { world } = stage;
	assert.equal((await alice.message('bob', 'before')).status, 200);
	assert.equal((await bob.message('alice', 'before')).status, 200);
	const registers = () => world.capture.requestsToCore('REGISTER', 'alice').length;
	await waitFor('the core has told that alice is registered', () => taken(world, 'alice', 'active') > 0);
	const [before, said] = [registers(), taken(world, 'alice', 'terminated')];
	await world.kamailio.rtr('alice');
	await waitFor('the core has told that she is not', () => taken(world, 'alice', 'terminated') > said);
	const row = async () => (await world.gateway.bindings()).length;
	await waitFor('one binding left', async () => await row() === 1);
	if (alice.isOpen)
		assert.equal((await alice.message('bob', 'behind')).status, 403, 'F27');
	/* this S-CSCF keeps the Contact for a while and asks us: 10.3 */
	assert.ok([430, 480].includes((await bob.message('alice', 'behind')).status), 'nobody is there');
	assert.ok(!alice.requests.some(({ body }) => body === 'behind'));
	await world.capture.settle();
	assert.equal(registers(), before, 'the core knows already: nobody tells it');
	await bob.message('bob', 'himself');
	assert.equal(await row(), 1, 'bob is still here');
}

await scenario([...WORKER_COUNTS, KERNEL_WORLDS[1]].map((world) => ({ ...world, core: 'ims' })), async (world) => {
	const stage = await Stage.open(world);
	const { wic: bob } = await stage.enter('bob');
	for (let round = 0; round < ROUNDS; round += 1) {
		const { wic: alice } = await stage.enter('alice');
		await takenBack(stage, alice, bob);
		await alice.close();
	}
	/* on a connection that stayed he may register again: nobody has rejected him */
	const { wic: alice } = await stage.enter('alice');
	const token = stage.token('alice');
	await takenBack(stage, alice, bob);
	if (alice.isOpen) {
		assert.equal((await alice.register(token)).status, 200);
		assert.equal((await bob.message('alice', 'again')).status, 200);
	}
	await alice.close();
	await bob.close();
});
