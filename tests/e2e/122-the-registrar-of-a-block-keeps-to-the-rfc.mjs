// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 8.2, RFC 3261 10.3: what a REGISTER for an identity of a block is answered, on whatever worker
// its connection is.

import { setTimeout as pause } from 'node:timers/promises';
import { BLOCK_WORLDS, Guest, blockIs, guestToken } from './lib/block.mjs';
import { eachCase } from './lib/cases.mjs';
import { REALM, impu } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { assert, scenario } from './lib/scenario.mjs';

const contacts = (answer) => answer.all('Contact');
const bearer = (world, user, claims) => ['Authorization', `Bearer ${guestToken(world, user, claims)}`];

/** A REGISTER of a guest with these headers. */
function asks(wic, headers, { cseq, call_id = wic.call_id } = {}) {
	if (cseq)
		wic.cseq = cseq - 1;
	return wic.request('REGISTER', `sip:${REALM}`, { to: impu(wic.user), call_id, headers });
}

const CASES = {
	async 'a binding, and what stands in its 200'(world, user) {
		const wic = await Guest.open(world, user);
		const answer = await wic.registers({ expires: 300 });
		assert.equal(answer.status, 200, answer.start);
		assert.equal(contacts(answer).length, 1);
		assert.ok(contacts(answer)[0].startsWith(wic.contact), contacts(answer)[0]);
		assert.match(contacts(answer)[0], /;expires=300$/);
		assert.equal(answer.header('P-Associated-URI'), `<${impu(user)}>`);
		assert.ok(Math.abs(Date.parse(answer.header('Date')) - Date.now()) < 3000);
		assert.equal(answer.header('Require'), 'outbound');
		assert.equal(answer.header('Flow-Timer'), '120');
		assert.equal(answer.header('Service-Route'), null);
	},
	async 'bindings of several connections, and a star that ends them all'(world, user) {
		const first = await Guest.enter(world, user);
		const wics = [first, await Guest.enter(world, user), await Guest.enter(world, user)];
		const listed = await asks(first, []);
		assert.equal(contacts(listed).length, 3);
		for (const wic of wics)
			assert.ok(contacts(listed).some((one) => one.includes(wic.host)), wic.host);
		const star = await asks(first, [['Contact', '*'], ['Expires', '0']]);
		assert.equal(star.status, 200, star.start);
		assert.deepEqual(contacts(star), []);
		assert.deepEqual(contacts(await asks(wics[1], [bearer(world, user)])), []);
		assert.equal((await wics[2].message('guest-1', 'not any more')).status, 403);
	},
	async 'a de-registration of one'(world, user) {
		const [one, two] = [await Guest.enter(world, user), await Guest.enter(world, user)];
		const answer = await one.register(null, { expires: 0 });
		assert.equal(answer.status, 200, answer.start);
		assert.equal(contacts(answer).length, 1);
		assert.ok(contacts(answer)[0].includes(two.host));
	},
	async 'an older REGISTER'(world, user) {
		const wic = await Guest.enter(world, user);
		const headers = [['Contact', wic.contact], ['Expires', '300'], bearer(world, user)];
		assert.equal((await asks(wic, headers, { cseq: 9 })).status, 200);
		assert.equal((await asks(wic, headers, { cseq: 8 })).status, 500);
		assert.equal((await asks(wic, headers, { cseq: 10 })).status, 200);
	},
	async 'too short a time, and too short a token'(world, user) {
		const wic = await Guest.open(world, user);
		await world.gateway.reload({ settings: 'limits: {min_grant: 60, flow_grace: 1}\n' });
		const brief = await wic.registers({ expires: 10 });
		assert.equal(brief.status, 423, brief.start);
		assert.equal(brief.header('Min-Expires'), '60');
		const short = await wic.registers({ lifetime_s: 50 });
		assert.equal(short.status, 401, short.start);
		await world.gateway.reload({});
	},
	async 'an extension that nobody knows'(world, user) {
		const wic = await Guest.open(world, user);
		const answer = await asks(wic, [['Contact', wic.contact], ['Require', 'path, gruu'],
			bearer(world, user)]);
		assert.equal(answer.status, 420, answer.start);
		assert.equal(answer.header('Unsupported'), 'gruu');
	},
	async 'an identity outside of the block, and the block itself'(world) {
		for (const user of ['alice', 'block-shop', 'guest-!.*!']) {
			const wic = await Guest.open(world, user);
			assert.equal((await wic.registers()).status, 403, user);
		}
	},
	async 'a token that ends'(world, user) {
		const wic = await Guest.enter(world, user, { lifetime_s: 3 });
		assert.match(contacts(await asks(wic, []))[0], /;expires=[12]$/);
		await pause(3200);
		assert.equal((await wic.message('guest-1', 'not any more')).status, 403);
	},
	async 'who comes back on another connection'(world, user) {
		const old = await Guest.enter(world, user);
		const next = Object.assign(await Guest.open(world, user), { instance: old.instance });
		const answer = await next.registers();
		assert.equal(contacts(answer).length, 1, 'one instance, one binding');
		assert.ok(contacts(answer)[0].includes(next.host));
		const text = `to ${user}`;
		const caller = await Guest.enter(world, `${user}-caller`);
		assert.equal((await caller.message(user, text)).status, 200);
		await waitFor('the message', () => next.requests.some(({ body }) => body === text));
		assert.ok(!old.requests.some(({ body }) => body === text));
	},
	async 'a connection that is lost'(world, user) {
		const wic = await Guest.enter(world, user);
		const caller = await Guest.enter(world, `${user}-caller`);
		wic.socket.terminate();
		await waitFor('480', async () => (await caller.message(user, '?')).status === 480);
	},
	async 'one that an operator revokes'(world, user) {
		const jti = `jti-of-${user}`;
		const wic = await Guest.enter(world, user, { jti });
		await world.gateway.ask('revoke', 'jti', 'shop-waf', jti);
		await waitFor('its end', () => !wic.isOpen);
		const caller = await Guest.enter(world, `${user}-caller`);
		assert.equal((await caller.message(user, '?')).status, 480);
	},
};

await scenario(BLOCK_WORLDS, async (world) => {
	let visitors = 10;
	await blockIs(world, 'up');
	await eachCase(CASES, (play) => play(world, `guest-${visitors += 1}`));
}, 90000);
