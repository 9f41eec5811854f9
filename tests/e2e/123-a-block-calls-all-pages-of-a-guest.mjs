// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 8.3, RFC 3261 16.6, 16.7: with wwsf[].fork what is for a guest of a block goes to all of its
// pages, on whatever worker they are; who answers first has it, and a failure is the best of all.

import { BLOCK_WORLDS, Guest, GuestLeg, blockIs } from './lib/block.mjs';
import { eachCase } from './lib/cases.mjs';
import { waitFor } from './lib/process.mjs';
import { assert, scenario } from './lib/scenario.mjs';

const WORLDS = BLOCK_WORLDS.map((world) => ({ ...world,
	site_limits: `${world.site_limits}\n    fork: true` }));
const PAGES = 3;

/** A call for a guest on several pages. */
class Call {
	static async begin(world, user) {
		const call = new Call();
		call.pages = [];
		while (call.pages.length < PAGES)
			call.pages.push(await GuestLeg.enter(world, user));
		call.caller = await GuestLeg.enter(world, `${user}-caller`);
		call.leg = call.caller.invites(user);
		call.invites = await Promise.all(call.pages.map((page) => page.gets('INVITE', call.leg.id)));
		return call;
	}

	says(n, status, reason) {
		this.pages[n].replies(this.invites[n], status, reason);
	}

	/** It is told that it is over, and obeys. */
	async obeys(n) {
		const cancel = await this.pages[n].gets('CANCEL', this.leg.id);
		this.pages[n].replies(cancel, 200, 'OK');
		this.says(n, 487, 'Request Terminated');
		await this.pages[n].gets('ACK', this.leg.id);
	}

	/** The caller hears it of that page. */
	hears(n, status) {
		return waitFor(`${status} of page ${n}`, () => this.caller.responses.find((sip) =>
			sip.status === status && sip.header('Call-ID') === this.leg.id
			&& sip.header('To').endsWith(`;tag=${this.pages[n].tag}`)));
	}

	/** All final responses to the INVITE that the caller has heard. */
	get finals() {
		return this.caller.responses.filter((sip) => sip.status >= 200
			&& sip.header('Call-ID') === this.leg.id && sip.header('CSeq') === '1 INVITE')
			.map(({ status }) => status);
	}

	/** The caller acknowledges what that page has answered, and ends it. */
	async endsAt(n) {
		const inner = this.caller.answered(this.leg, await this.hears(n, 200));
		this.caller.sends('ACK', inner);
		await this.pages[n].gets('ACK', this.leg.id);
		this.caller.sends('BYE', inner, { cseq: 2 });
		this.pages[n].replies(await this.pages[n].gets('BYE', this.leg.id), 200, 'OK');
		await this.caller.hears(200, 'BYE', inner);
	}

	/** Nothing else has come to a page than this. */
	got(n, ...methods) {
		assert.deepEqual(this.pages[n].requests.map(({ method }) => method), methods, `page ${n}`);
	}
}

const CASES = {
	async 'rings all, and the others are cancelled'(world, user) {
		const call = await Call.begin(world, user);
		for (const [n, page] of call.pages.entries())
			assert.equal(call.invites[n].uri, page.contactUri.slice(1, -1), 'its own Contact');
		call.says(0, 180, 'Ringing');
		call.says(1, 180, 'Ringing');
		await Promise.all([call.hears(0, 180), call.hears(1, 180)]);
		call.says(1, 200, 'OK');
		await call.hears(1, 200);
		await call.obeys(0);
		call.says(2, 180, 'Ringing'); /* its CANCEL had to wait for that */
		await call.obeys(2);
		await call.endsAt(1);
		assert.deepEqual(call.finals, [200]);
		call.got(0, 'INVITE', 'CANCEL', 'ACK');
		call.got(1, 'INVITE', 'ACK', 'BYE');
		assert.ok(!call.caller.responses.some((sip) => sip.status === 180
			&& sip.header('To').endsWith(`;tag=${call.pages[2].tag}`)), 'rings no more');
	},
	async 'two answer at once'(world, user) {
		const call = await Call.begin(world, user);
		call.says(0, 180, 'Ringing');
		call.says(1, 180, 'Ringing');
		await Promise.all([call.hears(0, 180), call.hears(1, 180)]);
		call.says(0, 200, 'OK');
		call.says(1, 200, 'OK');
		await Promise.all([call.hears(0, 200), call.hears(1, 200)]);
		await call.endsAt(0);
		await call.endsAt(1);
	},
	async 'all are busy'(world, user) {
		const call = await Call.begin(world, user);
		call.says(0, 486, 'Busy Here');
		call.says(1, 480, 'Temporarily Unavailable');
		await Promise.all([0, 1].map((n) => call.pages[n].gets('ACK', call.leg.id)));
		assert.deepEqual(call.finals, []);
		call.says(2, 500, 'Server Internal Error');
		await call.hears(0, 486);
		assert.deepEqual(call.finals, [486]);
	},
	async 'one declines for all'(world, user) {
		const call = await Call.begin(world, user);
		call.says(0, 180, 'Ringing');
		call.says(1, 180, 'Ringing');
		call.says(2, 603, 'Decline');
		await call.obeys(0);
		assert.deepEqual(call.finals, []);
		await call.obeys(1);
		await call.hears(2, 603);
		assert.deepEqual(call.finals, [603]);
	},
	async 'the caller gives up'(world, user) {
		const call = await Call.begin(world, user);
		for (const n of call.pages.keys())
			call.says(n, 180, 'Ringing');
		await Promise.all([...call.pages.keys()].map((n) => call.hears(n, 180)));
		call.caller.sends('CANCEL', call.leg, { branch: call.leg.branch });
		await Promise.all([...call.pages.keys()].map((n) => call.obeys(n)));
		await call.caller.hears(487, 'INVITE', call.leg);
		assert.deepEqual(call.finals, [487]);
	},
	async 'two pages are closed'(world, user) {
		const call = await Call.begin(world, user);
		call.pages[0].socket.terminate();
		await call.pages[1].close();
		call.says(2, 486, 'Busy Here');
		await call.hears(2, 486);
		assert.deepEqual(call.finals, [486]);
	},
	async 'a message'(world, user) {
		const pages = [await Guest.enter(world, user), await Guest.enter(world, user)];
		const caller = await Guest.enter(world, `${user}-caller`);
		assert.equal((await caller.message(user, 'to all')).status, 200);
		await waitFor('it everywhere', () => pages.every((page) =>
			page.requests.some(({ body }) => body === 'to all')));
	},
};

await scenario(WORLDS, async (world) => {
	let visitors = 30;
	await blockIs(world, 'up');
	await eachCase(CASES, (play) => play(world, `guest-${visitors += 1}`));
	const cases = Object.keys(CASES).length;
	assert.equal(await world.gateway.counter('block_forks'), cases);
	assert.equal(await world.gateway.counter('block_branch_lost'), 0);
}, 90000);
