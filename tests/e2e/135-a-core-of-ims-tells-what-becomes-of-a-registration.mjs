// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 9.9 with an S-CSCF that nobody here wrote: the gateway subscribes to the state of each registration, as a P-CSCF
// does, and hears of it as long as it lives.

import { uriOf } from './lib/loose_sip.mjs';
import { Stage } from './lib/ims_stage.mjs';
import { impu } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { KERNEL_WORLDS, WORKER_COUNTS, assert, assertNoTokenOnMw, scenario } from './lib/scenario.mjs';

const GRANTED_S = 540;

const of = ({ world }, method, user) => world.capture.messages.filter(({ sip }) => sip.method === method
	&& (sip.header('To').includes(`<${impu(user)}>`) || sip.header('From').includes(`<${impu(user)}>`)));

/** The answers to a request on Mw. */
const answersTo = ({ world }, request) => world.capture.messages.filter(({ sip }) => sip.status !== null
	&& sip.header('Call-ID') === request.header('Call-ID') && sip.header('CSeq') === request.header('CSeq'))
	.map(({ sip }) => sip.status);

/** Waits for the nth NOTIFY about a user, and that it was answered; what it says. */
async function notified(stage, user, n = 0) {
	const { sip } = await waitFor(`NOTIFY ${n} about ${user}`, () => of(stage, 'NOTIFY', user)[n]);
	await waitFor(`an answer to NOTIFY ${n} about ${user}`, () => answersTo(stage, sip).length > 0);
	return sip;
}

async function subscribes(stage, user) {
	const { wic } = await stage.enter(user);
	const { sip } = await waitFor(`SUBSCRIBE for ${user}`, () => of(stage, 'SUBSCRIBE', user)[0]);
	assert.equal(sip.uri, impu(user), 'the default identity');
	assert.equal(uriOf(sip.header('To')), impu(user));
	assert.equal(sip.header('Event'), 'reg');
	assert.equal(sip.header('Accept'), 'application/reginfo+xml');
	assert.ok(Number(sip.header('Expires')) > GRANTED_S, 'longer than the registration');
	assert.equal(uriOf(sip.header('P-Asserted-Identity')), uriOf(sip.header('From')), 'the gateway itself');
	assert.match(sip.header('P-Charging-Vector'), /icid-value="?[^";]+"?;icid-generated-at=/);
	assert.equal(sip.all('Via').length, 1);
	await waitFor(`the subscription for ${user}`, () => answersTo(stage, sip).includes(200));
	const notify = await notified(stage, user);
	assert.deepEqual(answersTo(stage, notify).filter((status) => status !== 200), [], 'NOTIFY is answered 200');
	assert.match(notify.body, /<registration [^>]*state="active"/);
	return { wic, subscribe: sip, notify };
}

await scenario([...WORKER_COUNTS, KERNEL_WORLDS[1]].map((world) => ({ ...world, core: 'ims' })), async (world) => {
	const stage = await Stage.open(world);
	const alice = await subscribes(stage, 'alice');
	const bob = await subscribes(stage, 'bob');

	/* what the NOTIFYs say changes nothing of a registration that is as the 200 had it */
	assert.equal((await alice.wic.message('bob', 'still here')).status, 200);
	assert.equal((await world.gateway.bindings()).length, 2);

	/* a refresh is no new subscription */
	assert.equal((await alice.wic.register(stage.token('alice'))).status, 200);
	await world.capture.settle();
	const dialogs = (user) => new Set(of(stage, 'SUBSCRIBE', user).map(({ sip }) => sip.header('Call-ID'))).size;
	assert.deepEqual([dialogs('alice'), dialogs('bob')], [1, 1], 'one subscription each');

	/* who leaves by himself is told of by the core too, and nobody falls over that */
	assert.equal((await bob.wic.register(null, { expires: 0 })).status, 200);
	await world.kamailio.waitForContacts('bob', 0);
	await waitFor('his binding gone', async () => (await world.gateway.bindings()).length === 1);
	assert.equal((await alice.wic.message('bob', 'nobody')).status, 480);
	assert.equal((await bob.wic.register(stage.token('bob'))).status, 200, 'he comes back');
	assert.equal((await alice.wic.message('bob', 'again')).status, 200);
	assert.equal((await world.gateway.bindings()).length, 2);
	await assertNoTokenOnMw(world, stage.tokens);
	await alice.wic.close();
	await bob.wic.close();
});
