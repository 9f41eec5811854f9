// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 5.5, 6.3, 6.5 and 12.4 item 3: what the core grants longer than a token lives ends with the
// token, here first and then there, by a REGISTER of the gateway's own.

import { setTimeout as pause } from 'node:timers/promises';
import { eachCaseAbreast } from './lib/cases.mjs';
import { REALM, impi, impu } from './lib/names.mjs';
import { AGREED_S, CORE_S, POOL_WORLDS, PoolStage, PoolWic, granted, now_s } from './lib/pool.mjs';
import { waitFor } from './lib/process.mjs';
import { assert, assertNoTokenOnMw, scenario } from './lib/scenario.mjs';
import { contactExpires } from './lib/sip.mjs';

const LATE_S = 0.5;
const EARLY_S = 0.01; /* a tick of the wheel, and the clock of who has captured it */
const tagOf = (value) => /;\s*tag=([^;]+)/.exec(value)?.[1];

/** What the core was asked for, in both places. */
const asked = (register) => [register.header('Expires'), register.header('Contact')]
	.map((value, at) => at === 0 ? Number(value) : contactExpires(value));

/** At the end of the token, though the grant was whole seconds (5.5). */
function assertAtEnd(time_s, end_s) {
	const late_s = time_s - end_s;
	assert.ok(late_s > -EARLY_S && late_s < LATE_S, `${late_s} s behind the end of the token`);
}

/** A REGISTER of the gateway's own for the registration that another one made (6.5). */
function assertDeregister(leaving, register, { user }, host) {
	assert.equal(leaving.uri, `sip:${REALM}`);
	assert.notEqual(leaving.header('Call-ID'), register.header('Call-ID'), 'a new Call-ID');
	assert.equal(leaving.header('CSeq'), '1 REGISTER');
	assert.ok(tagOf(leaving.header('From')), 'a From tag');
	assert.notEqual(tagOf(leaving.header('From')), tagOf(register.header('From')), 'a new one');
	assert.equal(tagOf(leaving.header('To')), undefined, 'no To tag');
	for (const name of ['From', 'To'])
		assert.ok(leaving.header(name).includes(`<${impu(user)}>`), name);
	const contact = (sip) => /<([^>]*)>/.exec(sip.header('Contact'))[1];
	assert.equal(contact(leaving), contact(register), 'Contact');
	assert.match(leaving.header('Contact'), /;reg-id=1(;|$)/);
	assert.ok(leaving.header('Contact').includes(
		/\+sip\.instance="[^"]*"/.exec(register.header('Contact'))[0]), '+sip.instance');
	assert.equal(leaving.header('Expires'), '0');
	assert.ok([null, 0].includes(contactExpires(leaving.header('Contact'))), 'expires of Contact');
	assert.deepEqual(leaving.all('Path'), register.all('Path'), 'Path');
	assert.match(leaving.header('Authorization'), /^Digest .*integrity-protected="auth-done"/);
	assert.ok(leaving.header('Authorization').includes(`username="${impi(user)}"`), 'username');
	assert.equal(leaving.all('Via').length, 1, 'nobody but the gateway has sent it');
	assert.ok(!leaving.text.includes(`Via: SIP/2.0/WSS ${host}`), 'no Via of the WIC');
}

const CASES = {
	async 'an hour is left and a week is asked for'(stage) {
		const visitor = stage.issuer.visitor();
		const wic = await PoolWic.connectAs(stage, visitor);
		const answer = await wic.registers({ lifetime_s: AGREED_S, expires: 600000 });
		assert.equal(answer.status, 200);
		assert.ok(granted(answer) <= AGREED_S && granted(answer) > AGREED_S - 30, 'told');
		const [register] = await stage.registers(visitor.user);
		const [header, contact] = asked(register);
		assert.ok(header <= AGREED_S && header > AGREED_S - 30, `Expires ${header} on Mw`);
		assert.equal(contact, header, 'Contact on Mw');
		const { sip } = await waitFor('the 200 of the core', () => stage.world.capture.messages.find(
			(message) => message.sip.status === 200
				&& message.sip.header('CSeq') === register.header('CSeq')
				&& message.sip.header('Call-ID') === register.header('Call-ID')));
		assert.ok(contactExpires(sip.header('Contact')) > AGREED_S, 'the core has granted more');
		await wic.close();
	},
	async 'the core is told when the token has ended'(stage) {
		const visitor = stage.issuer.visitor();
		const wic = await PoolWic.connectAs(stage, visitor);
		const answer = await wic.registers({ lifetime_s: 4 });
		const end_s = stage.issuer.end(visitor);
		assert.equal(answer.status, 200);
		assert.ok(granted(answer) <= 4 && granted(answer) > 0, `told ${granted(answer)}`);
		await stage.reaches(visitor.user, wic);
		const [kept] = await stage.world.kamailio.waitForContacts(visitor.user, 1);
		assert.ok(kept.expires_s > CORE_S - 60, 'the core would keep it');

		const { time_s, sip } = await stage.leaving(visitor.user);
		assertAtEnd(time_s, end_s);
		const [register] = await stage.registers(visitor.user);
		assertDeregister(sip, register, visitor, wic.host);
		await stage.world.kamailio.waitForContacts(visitor.user, 0);
		assert.equal((await stage.calls(visitor.user)).status, 480, 'nobody is there');
		assert.ok(wic.isOpen, 'its connection may have another token');
		assert.equal((await wic.registers({ lifetime_s: 600 })).status, 200, 'and has');
		await stage.reaches(visitor.user, wic);
		await wic.close();
	},
	async 'a new token of the same visitor moves the end'(stage) {
		const visitor = stage.issuer.visitor();
		const wic = await PoolWic.enter(stage, visitor, { lifetime_s: 3 });
		const end_s = stage.issuer.end(visitor);
		const answer = await wic.registers({ lifetime_s: 600 });
		assert.equal(answer.status, 200);
		assert.ok(granted(answer) > 590, `told ${granted(answer)}`);
		await pause((end_s + LATE_S) * 1000 - Date.now());
		assert.equal((await stage.registers(visitor.user)).length, 2, 'no REGISTER of the gateway');
		await stage.reaches(visitor.user, wic);
		await wic.close();
	},
	async 'a token that is used again moves nothing'(stage) {
		const visitor = stage.issuer.visitor();
		const token = stage.issuer.token(visitor, { lifetime_s: 4 });
		const wic = await PoolWic.enter(stage, visitor, { token });
		await waitFor('a second has passed', () => now_s() > stage.issuer.end(visitor) - 3);
		const answer = await wic.registers({ token });
		assert.equal(answer.status, 200);
		assert.ok(granted(answer) <= 3, `told ${granted(answer)}`);
		const { time_s } = await stage.leaving(visitor.user);
		assertAtEnd(time_s, stage.issuer.end(visitor));
		await wic.close();
	},
	async 'who leaves before the end is not told of twice'(stage) {
		const visitor = stage.issuer.visitor();
		const wic = await PoolWic.enter(stage, visitor, { lifetime_s: 3 });
		assert.equal((await wic.leaves()).status, 200);
		await pause((stage.issuer.end(visitor) + LATE_S) * 1000 - Date.now());
		const registers = await stage.registers(visitor.user);
		assert.equal(registers.length, 2, 'REGISTER and de-REGISTER of the WIC');
		assert.ok(registers[1].all('Via').length === 2, 'its own');
		await wic.close();
	},
	/* P-Associated-URI of this core has one identity more than the token (D-30) */
	async 'an identity that the core adds is not lent'(stage) {
		const { user } = stage.issuer.visitor();
		const wic = await PoolWic.enter(stage, { user, sub: 'anon-alias' });
		const text = 'as whom?';
		const { status } = await wic.request('MESSAGE', impu(stage.caller.user), { body: text,
			headers: [['P-Preferred-Identity', `<${impu(`${user}-alias`)}>`],
				['Content-Type', 'text/plain']] });
		assert.equal(status, 200);
		await stage.world.capture.settle();
		const message = stage.world.capture.requestsToCore('MESSAGE', user).at(-1);
		assert.match(message.header('P-Asserted-Identity'), new RegExp(`<${impu(user)}>`));
		wic.user = `${user}-alias`;
		assert.equal((await wic.message(stage.caller.user, text)).status, 403, 'in From');
		await wic.close();
	},
};

await scenario(POOL_WORLDS, async (world) => {
	const stage = await PoolStage.open(world);
	await eachCaseAbreast(CASES, (play) => play(stage));
	await assertNoTokenOnMw(world, stage.issuer.issued);
	await stage.caller.close();
});
