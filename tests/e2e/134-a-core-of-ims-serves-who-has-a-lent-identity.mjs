// SPDX-License-Identifier: BSD-3-Clause
// Scenario 3 (PROTOCOL 6) over an S-CSCF with Diameter behind it: to the core a lent pair is a subscription like any other,
// and whoever has it next is a new registration of the same one. Its grant outlives the tokens: the ends are the gateway's doing.

import { REALM, impi, impu } from './lib/names.mjs';
import { POOL_WORLDS, PoolStage, PoolWic, assertInUse, behind } from './lib/pool.mjs';
import { eachCaseAbreast } from './lib/cases.mjs';
import { waitFor, within } from './lib/process.mjs';
import { assert, assertNoTokenOnMw, scenario } from './lib/scenario.mjs';
import { contactExpires } from './lib/sip.mjs';

const SHORT_S = 4;

/** The S-CSCF has the pair with this connection's Contact, alone, under the pair's own IMPI. */
async function isAtTheCore(stage, { user, host }) {
	await stage.world.kamailio.waitForContacts(user, 1);
	const { impi: known, impus, contacts } = await stage.world.kamailio.registration(user);
	assert.deepEqual([known, impus], [impi(user), [impu(user)]]);
	assert.deepEqual(contacts.map(({ uri }) => uri), [`sip:${user}@${host};transport=ws`]);
}

const CASES = {
	async 'a visitor has a pair, calls and is called'(stage) {
		const visitor = stage.issuer.visitor();
		const wic = await PoolWic.enter(stage, visitor);
		await isAtTheCore(stage, wic);
		await stage.reaches(visitor.user, wic);
		const { status } = await wic.message(stage.caller.user, 'the other way');
		assert.equal(status, 200);
		assert.ok(stage.caller.heard.includes('the other way'));
		assert.equal((await wic.leaves()).status, 200);
		await stage.world.kamailio.waitForContacts(visitor.user, 0);
		assert.equal((await stage.calls(visitor.user)).status, 480);
		await wic.close();
	},
	async 'the core grants more than the token lives: it ends with the token'(stage) {
		const visitor = stage.issuer.visitor();
		const wic = await PoolWic.connectAs(stage, visitor);
		const answer = await wic.registers({ lifetime_s: SHORT_S });
		assert.equal(answer.status, 200, answer.start);
		assert.ok(contactExpires(answer.header('Contact')) <= SHORT_S);
		await isAtTheCore(stage, wic);
		const { time_s, sip } = await stage.leaving(visitor.user);
		assert.ok(Math.abs(time_s - stage.issuer.end(visitor)) < 1, 'at the end of the token');
		assert.match(sip.header('Authorization'), /integrity-protected="auth-done"/);
		await stage.world.kamailio.waitForContacts(visitor.user, 0);
		assert.equal((await stage.calls(visitor.user)).status, 480);
		await wic.close();
	},
	async 'the next visitor gets the pair when the token has ended, and not before'(stage) {
		const visitor = stage.issuer.visitor();
		const old = await PoolWic.enter(stage, visitor, { lifetime_s: SHORT_S });
		const end_s = stage.issuer.end(visitor);
		const next = await PoolWic.connectAs(stage, stage.issuer.next(visitor));
		assertInUse(await next.registers(), end_s);
		await stage.reaches(visitor.user, old, [next]);
		await behind(end_s);
		assert.equal((await next.registers()).status, 200);
		await isAtTheCore(stage, next);
		await stage.reaches(visitor.user, next, [old]);
		await next.close();
	},
	async 'who loads the page again takes his pair over'(stage) {
		const visitor = stage.issuer.visitor();
		const old = await PoolWic.enter(stage, visitor);
		const again = await PoolWic.connectAs(stage, visitor, old.instance);
		assert.equal((await again.registers()).status, 200);
		assert.deepEqual(await within('the connection before closed', old.closed),
			{ code: 1008, reason: 'replaced' });
		/* this S-CSCF knows no outbound (RFC 5626): the other Contact stays until it ends, and leads to nobody */
		const contacts = await stage.world.kamailio.contacts(visitor.user);
		assert.ok(contacts.some(({ uri }) => uri.includes(again.host)), 'the new one is there');
		await stage.reaches(visitor.user, again, [old]);
		await again.close();
	},
	async 'the network takes a pair back: who had it may come again, nobody else before his time'(stage) {
		const { kamailio, capture } = stage.world;
		const visitor = stage.issuer.visitor();
		const wic = await PoolWic.enter(stage, visitor);
		const end_s = stage.issuer.end(visitor);
		await waitFor('the core tells of it', () => capture.messages.some(({ sip }) => sip.method === 'NOTIFY'
			&& sip.body.includes(`aor="${impu(visitor.user)}"`)));
		await stage.reaches(visitor.user, wic);
		await kamailio.rtr(visitor.user);
		await waitFor('nothing of his goes', async () => (await wic.message(stage.caller.user, 'and now?')).status === 403);
		const next = await PoolWic.connectAs(stage, stage.issuer.next(visitor));
		assertInUse(await next.registers(), end_s);
		assert.equal((await stage.registers(visitor.user)).length, 1, 'the core knows already');
		assert.equal((await wic.registers()).status, 200);
		await isAtTheCore(stage, wic);
		await stage.reaches(visitor.user, wic, [next]);
		await next.close();
		await wic.close();
	},
	async 'who is lost leaves nothing at the core'(stage) {
		const visitor = stage.issuer.visitor();
		const wic = await PoolWic.enter(stage, visitor);
		wic.socket.terminate();
		await stage.world.kamailio.waitForContacts(visitor.user, 0);
		const { sip } = await stage.leaving(visitor.user);
		assert.equal(sip.uri, `sip:${REALM}`);
		assert.equal(sip.all('Via').length, 1, 'by the gateway');
	},
};

await scenario(POOL_WORLDS.map((world) => ({ ...world, core: 'ims' })), async (world) => {
	const stage = await PoolStage.open(world);
	await eachCaseAbreast(CASES, (play) => play(stage));
	await assertNoTokenOnMw(world, stage.issuer.issued);
	await stage.caller.close();
});
