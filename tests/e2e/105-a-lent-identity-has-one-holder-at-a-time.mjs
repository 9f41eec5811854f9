// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 6.4 and 12.4 item 5, row by row: who may have a pair that somebody has, asks for or had before,
// by the sub, iat and exp of both tokens; on whichever workers the connections are.

import { setTimeout as pause } from 'node:timers/promises';
import { eachCase, eachCaseAbreast } from './lib/cases.mjs';
import { sendTerminating } from './lib/core_peer.mjs';
import { DISHONEST, POOL_WORLDS, PoolStage, PoolWic, assertInUse, behind,
	granted } from './lib/pool.mjs';
import { waitFor, within } from './lib/process.mjs';
import { assert, scenario } from './lib/scenario.mjs';
import { wayTo } from './lib/scripted_core.mjs';

/** Closed because another connection has its pair (6.4). */
async function assertReplaced(wic) {
	assert.deepEqual(await within('the connection before closed', wic.closed),
		{ code: 1008, reason: 'replaced' });
}

/** How often two users had tokens for one pair: as it is told, audited and counted. */
async function conflicts(stage) {
	const { gateway } = stage.world;
	const told = gateway.program.log().split('\n').filter((line) => line.includes('event=pool_conflict'));
	const audited = stage.audit().filter(({ audit }) => audit === 'pool_conflict');
	return Math.min(told.length, audited.length, await gateway.counter('pool_conflicts'));
}

const CASES = {
	async 'same flow, same sub: a refresh'(stage) {
		const visitor = stage.issuer.visitor();
		const wic = await PoolWic.enter(stage, visitor, { lifetime_s: 60 });
		const answer = await wic.registers({ lifetime_s: 120 });
		assert.equal(answer.status, 200);
		assert.ok(granted(answer) > 100, `told ${granted(answer)}`);
		assert.equal((await stage.world.kamailio.contacts(visitor.user)).length, 1);
		await stage.reaches(visitor.user, wic);
		await wic.close();
	},
	async 'same flow, an older token of the same sub: a refresh'(stage) {
		const visitor = stage.issuer.visitor();
		const wic = await PoolWic.enter(stage, visitor);
		assert.equal((await wic.registers(DISHONEST.is_older())).status, 200);
		await wic.close();
	},
	async 'same flow, another sub, overlapping: 403'(stage) {
		const visitor = stage.issuer.visitor();
		const wic = await PoolWic.enter(stage, visitor, { lifetime_s: 300 });
		const end_s = stage.issuer.end(visitor);
		wic.visitor = stage.issuer.next(visitor);
		assertInUse(await wic.registers(), end_s);
		assert.ok(wic.isOpen, 'the connection stays');
		await stage.reaches(visitor.user, wic);
		await wic.close();
	},
	async 'same sub, same instance, another flow: it takes over'(stage) {
		const visitor = stage.issuer.visitor();
		const old = await PoolWic.enter(stage, visitor);
		const again = await PoolWic.connectAs(stage, visitor, old.instance);
		assert.equal((await again.registers()).status, 200);
		await assertReplaced(old);
		await stage.reaches(visitor.user, again, [old]);
		await stage.world.kamailio.waitForContacts(visitor.user, 1);
		await again.close();
	},
	async 'the same with the same token'(stage) {
		const visitor = stage.issuer.visitor();
		const token = stage.issuer.token(visitor);
		const old = await PoolWic.enter(stage, visitor, { token });
		const again = await PoolWic.connectAs(stage, visitor, old.instance);
		assert.equal((await again.registers({ token })).status, 200);
		await assertReplaced(old);
		await stage.reaches(visitor.user, again, [old]);
		await again.close();
	},
	async 'same sub, another instance: it takes over'(stage) {
		const visitor = stage.issuer.visitor();
		const old = await PoolWic.enter(stage, visitor);
		const other = await PoolWic.connectAs(stage, visitor);
		assert.equal((await other.registers()).status, 200);
		await assertReplaced(old);
		await stage.world.kamailio.waitForContacts(visitor.user, 1);
		assert.equal((await stage.leaving(visitor.user)).sip.all('Via').length, 1, 'the gateway told');
		await stage.reaches(visitor.user, other, [old]);
		await other.close();
	},
	async 'another sub, its iat behind the exp: the one before is stale'(stage) {
		const visitor = stage.issuer.visitor();
		const old = await PoolWic.enter(stage, visitor, { lifetime_s: 20 });
		const next = await PoolWic.connectAs(stage, stage.issuer.next(visitor));
		const answer = await next.registers(DISHONEST.is_ahead_of_time(
			{ exp: stage.issuer.end(visitor) }));
		assert.equal(answer.status, 200, 'the issuer says that it has ended');
		await stage.reaches(visitor.user, next, [old]);
		await stage.world.kamailio.waitForContacts(visitor.user, 1);
		await stage.reaches(visitor.user, next, [old]);
		await next.close();
	},
	async 'another sub, overlapping: 403 until it has ended, then 200'(stage) {
		const visitor = stage.issuer.visitor();
		const old = await PoolWic.enter(stage, visitor, { lifetime_s: 4 });
		const end_s = stage.issuer.end(visitor);
		const other = await PoolWic.connectAs(stage, stage.issuer.next(visitor));
		const before = await conflicts(stage);
		assertInUse(await other.registers(), end_s);
		assert.ok(other.isOpen, 'the connection stays');
		await waitFor('an event', async () => await conflicts(stage) > before);
		await stage.reaches(visitor.user, old, [other]);
		await behind(end_s);
		assert.equal((await other.registers()).status, 200, 'after its end');
		await stage.reaches(visitor.user, other, [old]);
		assert.equal((await old.register(stage.issuer.token(old.visitor))).status, 403,
			'and now the first one is too late');
		await stage.reaches(visitor.user, other, [old]);
		await other.close();
	},
	async 'another connection, an older token of the same sub: 403'(stage) {
		const visitor = stage.issuer.visitor();
		const old = await PoolWic.enter(stage, visitor, { lifetime_s: 300 });
		const end_s = stage.issuer.end(visitor);
		const again = await PoolWic.connectAs(stage, visitor, old.instance);
		assertInUse(await again.registers(DISHONEST.is_older()), end_s);
		assert.ok(again.isOpen && old.isOpen, 'both connections stay');
		await stage.reaches(visitor.user, old, [again]);
		assert.equal((await again.registers()).status, 200, 'a new one takes over');
		await assertReplaced(old);
		await again.close();
	},
	async 'who has left is remembered until his token ends'(stage) {
		const visitor = stage.issuer.visitor();
		const wic = await PoolWic.enter(stage, visitor, { lifetime_s: 300 });
		const end_s = stage.issuer.end(visitor);
		assert.equal((await wic.leaves()).status, 200);
		const other = await PoolWic.connectAs(stage, stage.issuer.next(visitor));
		assertInUse(await other.registers(), end_s);
		assert.equal((await wic.registers()).status, 200, 'he himself may come back');
		await stage.reaches(visitor.user, wic, [other]);
		await wic.close();
	},
	async 'who has left may be followed when his token has ended'(stage) {
		const visitor = stage.issuer.visitor();
		const wic = await PoolWic.enter(stage, visitor, { lifetime_s: 4 });
		assert.equal((await wic.leaves()).status, 200);
		await behind(stage.issuer.end(visitor));
		const other = await PoolWic.enter(stage, stage.issuer.next(visitor));
		await stage.reaches(visitor.user, other, [wic]);
		await other.close();
	},
	async 'of two users at once one has it'(stage) {
		const visitor = stage.issuer.visitor();
		const both = [await PoolWic.connectAs(stage, visitor),
			await PoolWic.connectAs(stage, stage.issuer.next(visitor))];
		const answers = await Promise.all(both.map((wic) => wic.registers()));
		assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 403]);
		const first = answers.findIndex(({ status }) => status === 200);
		assertInUse(answers[1 - first], stage.issuer.end(visitor));
		await stage.reaches(visitor.user, both[first], [both[1 - first]]);
		await both[first].close();
	},
	async 'of two connections of one user at once one has it in the end'(stage) {
		const visitor = stage.issuer.visitor();
		const first = await PoolWic.connectAs(stage, visitor);
		const both = [first, await PoolWic.connectAs(stage, visitor, first.instance)];
		const answers = await Promise.all(both.map((wic) => wic.registers()));
		assert.ok(answers.some(({ status }) => status === 200), 'one is registered');
		await waitFor('one is left', () => both.filter(({ isOpen }) => isOpen).length === 1
			|| answers.filter(({ status }) => status === 200).length === 1);
		const has = both.find((wic, at) => wic.isOpen && answers[at].status === 200);
		await stage.world.kamailio.waitForContacts(visitor.user, 1);
		await stage.reaches(visitor.user, has, both.filter((wic) => wic !== has));
		await has.close();
	},
};

/* what needs a core that says nothing for a while */
const SILENT = {
	async 'until the core has said 200 the one before has it'(stage) {
		const { kamailio, link, mw } = stage.world;
		const visitor = stage.issuer.visitor();
		const old = await PoolWic.enter(stage, visitor);
		const [register] = await stage.registers(visitor.user);
		const again = await PoolWic.connectAs(stage, visitor, old.instance);
		kamailio.silence();
		try {
			const answer = again.registers();
			await waitFor('its REGISTER is with the core', async () =>
				(await stage.registers(visitor.user)).length > 1);
			const { status } = await sendTerminating({ mw, link, ...wayTo(register) });
			assert.equal(status, 200, 'a request of the core meanwhile');
			assert.deepEqual([old.heard.length, again.heard.length], [1, 0], 'who got it');
			assert.ok(old.isOpen, 'the connection before');
			kamailio.speak();
			assert.equal((await answer).status, 200);
		} finally {
			kamailio.speak();
		}
		await assertReplaced(old);
		await stage.reaches(visitor.user, again, [old]);
		await again.close();
	},
	async 'who is gone before the core has answered leaves nothing reserved'(stage) {
		const { kamailio } = stage.world;
		const visitor = stage.issuer.visitor();
		const old = await PoolWic.enter(stage, visitor);
		const again = await PoolWic.connectAs(stage, visitor, old.instance);
		kamailio.silence();
		try {
			again.registers().catch(() => {});
			await waitFor('its REGISTER is with the core', async () =>
				(await stage.registers(visitor.user)).length > 1);
			again.socket.terminate(); /* before the core says anything */
		} finally {
			kamailio.speak();
		}
		await stage.world.kamailio.waitForContacts(visitor.user, 1);
		await pause(300);
		const third = await PoolWic.connectAs(stage, visitor, old.instance);
		assert.equal((await third.registers()).status, 200, 'the pair is not stuck');
		await stage.reaches(visitor.user, third, [old, again]);
		await third.close();
	},
};

await scenario(POOL_WORLDS, async (world) => {
	const stage = await PoolStage.open(world);
	await eachCaseAbreast(CASES, (play) => play(stage), Object.keys(CASES).length);
	await eachCase(SILENT, (play) => play(stage));
	await waitFor('nothing is left but the caller', async () => {
		const { bindings, transactions } = (await world.gateway.ask('status')).status;
		return bindings === 1 && transactions === 0
			&& await world.gateway.counter('lease_live') === 1;
	});
	await stage.caller.close();
});
