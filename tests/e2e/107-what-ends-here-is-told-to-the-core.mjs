// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 6.5 and 10.4: on each occasion the core is told by a REGISTER of the gateway's own, until it
// answers; 200, 404, 403 and 481 are answers. That of the token's end is in 104.

import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { eachCase, eachCaseAbreast } from './lib/cases.mjs';
import { GRACE_S, POOL_WORLDS, PoolStage, PoolWic, assertInUse } from './lib/pool.mjs';
import { waitFor, within } from './lib/process.mjs';
import { assert, scenario } from './lib/scenario.mjs';

const RETRIES_MS = 1800; /* what is tried again is so after 1 s */

/** The core was told once, by the gateway, and holds nothing any more. */
async function assertTold(stage, user) {
	const { sip } = await stage.leaving(user);
	assert.equal(sip.all('Via').length, 1, 'by the gateway');
	assert.match(sip.header('Authorization'), /integrity-protected="auth-done"/);
	await stage.world.kamailio.waitForContacts(user, 0);
}

/** What is taken back while it is in use: the connection ends too. */
async function assertTakenBack(stage, wic) {
	assert.equal((await within('the connection closed', wic.closed)).code, 1008);
	await assertTold(stage, wic.user);
}

/** An answer is an answer: it is not asked again, though the core holds the Contact as before. */
const isAnAnswer = (user, status) => async (stage) => {
	const wic = await PoolWic.enter(stage, stage.issuer.visitor(user), { lifetime_s: 3 });
	await stage.leaving(user);
	const log = () => stage.world.gateway.program.log().split('\n');
	await waitFor('a word of it in the log', () => log().some((line) =>
		line.includes('event=deregistered') && line.includes(`status=${status}`)));
	await pause(RETRIES_MS);
	assert.equal((await stage.registers(user)).filter((sip) =>
		sip.header('Expires') === '0').length, 1, 'it is not tried again');
	assert.equal((await stage.world.kamailio.contacts(user)).length, 1, 'the core did nothing');
	await wic.close();
};

const CASES = {
	async 'a connection that is lost, when the grace is over'(stage) {
		const visitor = stage.issuer.visitor();
		const wic = await PoolWic.enter(stage, visitor);
		const lost_s = Date.now() / 1000;
		wic.socket.terminate();
		const { time_s } = await stage.leaving(visitor.user);
		assert.ok(time_s - lost_s > GRACE_S - 0.1 && time_s - lost_s < GRACE_S + 2,
			`${time_s - lost_s} s later`);
		await assertTold(stage, visitor.user);
		const other = await PoolWic.connectAs(stage, stage.issuer.next(visitor));
		assertInUse(await other.registers({ lifetime_s: 60 }), stage.issuer.end(visitor));
		await other.close();
	},
	async 'a connection that is closed'(stage) {
		const wic = await PoolWic.enter(stage, stage.issuer.visitor());
		await wic.close();
		await assertTold(stage, wic.user);
	},
	async 'not one that is back within the grace'(stage) {
		const visitor = stage.issuer.visitor();
		const wic = await PoolWic.enter(stage, visitor);
		wic.socket.terminate();
		const again = await PoolWic.connectAs(stage, visitor, wic.instance);
		assert.equal((await again.registers()).status, 200);
		await pause((GRACE_S + 1) * 1000);
		assert.equal((await stage.registers(visitor.user)).length, 2, 'of the WIC');
		await stage.reaches(visitor.user, again, [wic]);
		await again.close();
	},
	async 'a token that is revoked'(stage) {
		const visitor = stage.issuer.visitor();
		const token = stage.issuer.token(visitor);
		const wic = await PoolWic.enter(stage, visitor, { token });
		const { jti } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
		await stage.world.gateway.ask('revoke', 'jti', 'shop-waf', jti);
		await assertTakenBack(stage, wic);
		const again = await PoolWic.connectAs(stage, visitor, wic.instance);
		assert.equal((await again.registers({ token })).status, 401, 'the token');
		assert.equal((await again.registers()).status, 200, 'another one of his');
		await again.close();
	},
	'404 is an answer': isAnAnswer('leave404a', 404),
	'403 is an answer': isAnAnswer('leave403a', 403),
	'481 is an answer': isAnAnswer('leave481a', 481),
};

/* what is about all of the site, or needs a core that is away */
const ALONE = {
	async 'a pair that a reload takes out of the pool'(stage) {
		const { files, gateway } = stage.world;
		const wic = await PoolWic.enter(stage, stage.issuer.visitor());
		const other = await PoolWic.enter(stage, stage.issuer.visitor());
		const before = readFileSync(files.pairs, 'utf8');
		writeFileSync(files.pairs, before.split('\n').filter((line) =>
			!line.startsWith(`${wic.user}@`)).join('\n'));
		await gateway.reload({});
		await assertTakenBack(stage, wic);
		const again = await PoolWic.connectAs(stage, wic.visitor);
		assert.equal((await again.registers()).status, 403, 'it is not of the pool');
		await stage.reaches(other.user, other);
		writeFileSync(files.pairs, before);
		await gateway.reload({});
		assert.equal((await again.registers()).status, 200, 'it is again');
		await Promise.all([again.close(), other.close()]);
	},
	async 'again and again while the core is away'(stage) {
		const { world } = stage;
		const wic = await PoolWic.enter(stage, stage.issuer.visitor(), { lifetime_s: 3 });
		await world.kamailio.program.destroy();
		await pause(stage.issuer.end(wic.visitor) * 1000 + 500 - Date.now());
		assert.equal((await world.gateway.bindings()).length, 1, 'it has ended here');
		await pause(1000);
		await world.startKamailio();
		await waitFor('the core was told', () => world.capture.messages.some(({ sip }) =>
			sip.status === 200 && /^1 REGISTER$/.test(sip.header('CSeq'))
			&& sip.header('From').includes(`sip:${wic.user}@`)
			&& sip.all('Via').length === 1));
		const count = (await stage.registers(wic.user)).length;
		await pause(500);
		assert.equal((await stage.registers(wic.user)).length, count, 'and is not told again');
		await wic.close();
	},
	async 'a web site that is disabled'(stage) {
		const { gateway } = stage.world;
		const wic = await PoolWic.enter(stage, stage.issuer.visitor());
		await gateway.ask('disable', 'shop');
		await assertTakenBack(stage, wic);
		await within('the caller closed', stage.caller.closed);
		const again = await PoolWic.connectAs(stage, wic.visitor, wic.instance);
		assert.equal((await again.registers()).status, 403, 'while it is');
		await gateway.ask('enable', 'shop');
		assert.equal((await again.registers()).status, 200, 'when it is not any more');
		await again.close();
	},
};

await scenario(POOL_WORLDS, async (world) => {
	const stage = await PoolStage.open(world);
	await eachCaseAbreast(CASES, (play) => play(stage));
	await eachCase(ALONE, (play) => play(stage));
});
