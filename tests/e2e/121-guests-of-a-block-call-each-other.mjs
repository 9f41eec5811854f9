// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 8.3, 7.3: what a guest begins is asserted as its own and goes by the block's route; what is for
// one comes to the block, and goes to the flow on which it has registered, or back with its cause.

import { BLOCK, BLOCK_WORLDS, Guest, GuestLeg, blockIs } from './lib/block.mjs';
import { REALM, impu } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { assert, assertNoTokenOnMw, scenario } from './lib/scenario.mjs';

const heard = (wic) => wic.requests.filter(({ method }) => method === 'MESSAGE')
	.map(({ body }) => body);

/** A call that is taken, and ended by who was called. */
async function calls(caller, callee) {
	const leg = caller.invites(callee.user);
	const invite = await callee.gets('INVITE', leg.id);
	assert.equal(invite.uri, callee.contactUri.slice(1, -1), 'its own Contact');
	assert.equal(invite.header('P-Asserted-Identity'), `<${impu(caller.user)}>`);
	callee.replies(invite, 180, 'Ringing');
	await caller.hears(180, 'INVITE', leg);
	callee.replies(invite, 200, 'OK');
	const answer = await caller.hears(200, 'INVITE', leg);
	assert.equal(answer.header('P-Asserted-Identity'), `<${impu(callee.user)}>`);
	const inner = caller.answered(leg, answer);
	caller.sends('ACK', inner);
	await callee.gets('ACK', leg.id);
	const back = { id: leg.id, near: `${invite.header('To')};tag=${callee.tag}`,
		far: invite.header('From'), target: /<([^>]+)>/.exec(invite.header('Contact'))[1],
		routes: invite.all('Record-Route').flatMap((line) => line.split(',')).map((one) =>
			one.trim()) };
	callee.sends('BYE', back, { cseq: 1 });
	caller.replies(await caller.gets('BYE', leg.id), 200, 'OK');
	await callee.hears(200, 'BYE', back);
}

/** A call that the caller gives up. */
async function cancels(caller, callee) {
	const leg = caller.invites(callee.user);
	const invite = await callee.gets('INVITE', leg.id);
	callee.replies(invite, 180, 'Ringing');
	await caller.hears(180, 'INVITE', leg);
	caller.sends('CANCEL', leg, { branch: leg.branch });
	const cancel = await callee.gets('CANCEL', leg.id);
	callee.replies(cancel, 200, 'OK');
	callee.replies(invite, 487, 'Request Terminated');
	await caller.hears(487, 'INVITE', leg);
}

await scenario(BLOCK_WORLDS, async (world) => {
	await blockIs(world, 'up');
	const one = await Guest.enter(world, 'guest-1');
	const two = await Guest.enter(world, 'guest-2');

	assert.equal((await one.message('guest-2', 'hello')).status, 200);
	assert.deepEqual(heard(two), ['hello']);
	await world.capture.settle();
	const [{ sip: sent }] = world.capture.messages.filter(({ sip }) => sip.method === 'MESSAGE');
	assert.equal(sent.header('P-Asserted-Identity'), `<${impu('guest-1')}>`);
	assert.match(sent.header('Route'), /^<sip:orig@/);
	const [{ sip: down }] = world.capture.messages.filter(({ sip }) => sip.method === 'MESSAGE'
		&& sip.uri.includes(BLOCK));
	assert.equal(down.header('P-Called-Party-ID'), `<${impu('guest-2')}>`);

	const legs = [await GuestLeg.enter(world, 'guest-3'), await GuestLeg.enter(world, 'guest-4')];
	await calls(legs[0], legs[1]);
	await calls(legs[1], legs[0]);
	await cancels(legs[0], legs[1]);

	/* the youngest is called */
	const again = await Guest.enter(world, 'guest-2');
	assert.equal((await one.message('guest-2', 'to the younger')).status, 200);
	assert.deepEqual([heard(again), heard(two)], [['to the younger'], ['hello']]);
	await again.close();
	await waitFor('its end', async () => (await world.gateway.blocks())[0].bindings <= 5
		&& (await world.gateway.bindings()).length === 4);
	assert.equal((await one.message('guest-2', 'to who is left')).status, 200);
	assert.deepEqual(heard(two), ['hello', 'to who is left']);

	/* nobody is there */
	const absent = await one.message('guest-9', 'is anybody there?');
	assert.equal(absent.status, 480, absent.start);
	assert.equal(absent.header('Reason'), 'Q.850;cause=20;text="Subscriber absent"');
	assert.ok(await world.gateway.counter('block_absent') > 0);
	await assertNoTokenOnMw(world, [world.mint.issue('guest-1')]);
	assert.ok(!world.capture.messages.some(({ sip }) => sip.method === 'REGISTER'
		&& !sip.header('To').includes(`sip:${BLOCK}@${REALM}`)), 'the core hears of no guest');
});
