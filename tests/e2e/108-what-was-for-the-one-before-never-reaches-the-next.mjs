// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 6.6: the core still has the way to who had a pair, and somebody else has the pair. The core is
// one that refuses to hear of the end.

import { setTimeout as pause } from 'node:timers/promises';
import { eachCaseAbreast } from './lib/cases.mjs';
import { sendTerminating } from './lib/core_peer.mjs';
import { POOL_WORLDS, PoolLeg, PoolStage, PoolWic, behind } from './lib/pool.mjs';
import { waitFor } from './lib/process.mjs';
import { assert, scenario } from './lib/scenario.mjs';
import { wayTo } from './lib/scripted_core.mjs';

const NOTHING_MS = 300; /* for what must not come */
const LIFE_S = 4;

/** Who has had the pair, whose token has ended; and who has it now. */
async function handedOver(stage, user, Kind = PoolWic, meanwhile = () => {}) {
	const old = await Kind.enter(stage, stage.issuer.visitor(user), { lifetime_s: LIFE_S });
	const [register] = await stage.registers(user);
	const leg = await meanwhile(old);
	await behind(stage.issuer.end(old.visitor));
	return { old, leg, way: wayTo(register), next: async () => {
		const next = await Kind.enter(stage, stage.issuer.next(old.visitor));
		const contacts = await stage.world.kamailio.contacts(user);
		assert.equal(contacts.length, 2, 'the core has both');
		return next;
	} };
}

/** A call of another user that the WIC takes; the leg as the caller has it. */
const taken = (stage, caller) => async (wic) => {
	const leg = caller.invites(wic.user);
	wic.replies(await wic.gets('INVITE', leg.id), 200, 'OK');
	const inner = caller.answered(leg, await caller.hears(200, 'INVITE', leg));
	caller.sends('ACK', inner);
	await wic.gets('ACK', leg.id);
	return inner;
};

/** A call that the WIC has begun, which the other user has taken; the leg as that one has it. */
const begun = (stage, callee) => async (wic) => {
	const leg = wic.invites(callee.user);
	const invite = await callee.gets('INVITE', leg.id);
	callee.replies(invite, 200, 'OK');
	wic.sends('ACK', wic.answered(leg, await wic.hears(200, 'INVITE', leg)));
	await callee.gets('ACK', leg.id);
	return { id: leg.id, near: `${invite.header('To')};tag=${callee.tag}`,
		far: invite.header('From'), target: /<([^>]+)>/.exec(invite.header('Contact'))[1],
		routes: invite.all('Record-Route').flatMap((line) => line.split(',')).map((one) =>
			one.trim()) };
};

/** The final answer to a request inside. */
async function answerInside(wic, leg, method, cseq) {
	wic.sends(method, leg, { cseq });
	return waitFor(`an answer to ${method}`, () => wic.responses.find((sip) => sip.status >= 200
		&& sip.header('Call-ID') === leg.id && sip.header('CSeq') === `${cseq} ${method}`));
}

/** Requests inside a call of who had the pair: his own while his connection is there, never the next's. */
const insideACall = (user, call) => async (stage) => {
	const peer = await PoolLeg.enter(stage, stage.issuer.visitor());
	const { old, leg, next: follow } = await handedOver(stage, user, PoolLeg, call(stage, peer));
	const next = await follow();
	const before = old.requests.length;
	peer.sends('INFO', leg, { cseq: 2 });
	await pause(NOTHING_MS);
	assert.deepEqual(next.requests, [], 'the next one hears nothing of it');
	if (old.requests.length > before) /* the dialog outlives the registration (D-36) */
		old.replies(old.requests.at(-1), 200, 'OK');
	await waitFor('an answer', () => peer.responses.some((sip) => sip.status >= 200
		&& sip.header('CSeq') === '2 INFO'));
	await old.close();
	for (const [at, method] of ['MESSAGE', 'INFO', 'BYE'].entries()) {
		const { status } = await answerInside(peer, leg, method, 3 + at);
		assert.ok([430, 480, 481].includes(status), `${method} answered ${status}`);
	}
	await pause(NOTHING_MS);
	assert.deepEqual(next.requests, [], 'the next one hears nothing of it');
	await Promise.all([peer.close(), next.close()]);
};

const CASES = {
	async 'by the Path of who had it, before and after the next one has it'(stage) {
		const { link, mw } = stage.world;
		const { old, way, next: follow } = await handedOver(stage, 'leave403a');
		const isRefused = async (what) => {
			const { status } = await sendTerminating({ mw, link, ...way });
			assert.ok([430, 480].includes(status), `${what}: ${status}`);
		};
		await isRefused('nobody has it');
		const next = await follow();
		await isRefused('the next one has it');
		await old.close();
		await isRefused('the connection of the first one has ended');
		await pause(NOTHING_MS);
		assert.deepEqual([old.heard, next.heard], [[], []], 'nobody hears of it');
		await stage.reaches('leave403a', next, [old]); /* the core tries both */
		await next.close();
	},
	'inside a call that came': insideACall('leave403b', taken),
	'inside a call that went out': insideACall('leave404b', begun),
	async 'by the Path of who has left'(stage) {
		const { link, mw, kamailio } = stage.world;
		const visitor = stage.issuer.visitor();
		const old = await PoolWic.enter(stage, visitor, { lifetime_s: LIFE_S });
		const [register] = await stage.registers(visitor.user);
		assert.equal((await old.leaves()).status, 200);
		await kamailio.waitForContacts(visitor.user, 0);
		await behind(stage.issuer.end(visitor));
		const next = await PoolWic.enter(stage, stage.issuer.next(visitor));
		const { status } = await sendTerminating({ mw, link, ...wayTo(register) });
		assert.ok([430, 480].includes(status), String(status));
		await pause(NOTHING_MS);
		assert.deepEqual([old.heard, next.heard], [[], []], 'nobody hears of it');
		await Promise.all([old.close(), next.close()]);
	},
};

await scenario(POOL_WORLDS, async (world) => {
	const stage = await PoolStage.open(world);
	await eachCaseAbreast(CASES, (play) => play(stage));
	await stage.caller.close();
});
