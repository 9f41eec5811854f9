// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 3.6 and 6.2 to 6.4, 6.7: a web site that does with its pool what it should not, in each way:
// code, header, counter; nothing of it reaches the core, and the connection is good for a good token.

import { eachCase } from './lib/cases.mjs';
import { OTHER_USERS } from './lib/forge.mjs';
import { impi, impu } from './lib/names.mjs';
import { DISHONEST, POOL_WORLDS, PoolStage, PoolWic, assertInUse,
	now_s } from './lib/pool.mjs';
import { Refusals, assertRefused } from './lib/refusals.mjs';
import { assert, scenario } from './lib/scenario.mjs';

const MIN_GRANT_S = 10;
const WORLDS = POOL_WORLDS.map((world) => ({ ...world,
	settings: world.settings.replace('min_grant: 1,', `min_grant: ${MIN_GRANT_S},`) }));

/** One of the sites of the other issuer has a pool too. */
const secondPool = ({ more_issuers, more_sites }) => ({ more_issuers,
	more_sites: more_sites.replace('mode: individual', 'mode: pool') });

/**
 * {name: {rows, status, claims()}}: of a token that nobody should have issued; claims() is given the
 * visitor, and another one whose pair is free. as: who the REGISTER says that it is.
 */
const ALONE = {
	'a life above the agreed one': { rows: ['F15'], status: 401, claims: DISHONEST.lives_too_long },
	'no jti': { rows: ['F17'], status: 401, claims: DISHONEST.without_jti },
	'two IMPUs': { rows: ['F17'], status: 401, claims: DISHONEST.with_two_impus },
	'the IMPI of another pair': { rows: ['F21'], status: 403,
		claims: DISHONEST.with_the_impi_of_another },
	'a pair that is nobody\'s': { rows: ['F21'], status: 403, as: 'zoe',
		claims: DISHONEST.with_a_pair_of_nobody },
	'a pair of another site\'s pool': { rows: ['F21'], status: 403, as: OTHER_USERS[0],
		claims: () => ({ impi: impi(OTHER_USERS[0]), impu: impu(OTHER_USERS[0]) }) },
	'the IMPU of another site\'s pool': { rows: ['F21'], status: 403, as: OTHER_USERS[0],
		claims: () => ({ impu: impu(OTHER_USERS[0]) }) },
	'another scenario': { rows: ['F20'], status: 403, claims: DISHONEST.says_another_scenario },
	'a scenario that nobody knows': { rows: ['F20'], status: 403,
		claims: () => ({ scn: 'bulk' }) },
	'no time left': { rows: ['F25'], status: 401, claims: DISHONEST.has_no_time_left },
	'less time left than a registration has': { rows: ['F25'], status: 401,
		claims: () => ({ exp: now_s() + MIN_GRANT_S - 2 }) },
};

/** The same about a pair that somebody has, or had; claims() is given the claims of that token. */
const BESIDE = {
	'his jti under another sub': { rows: ['F16'], status: 401, claims: DISHONEST.uses_a_jti_twice },
	'his jti under another sub, later': { rows: ['F16'], status: 401,
		claims: (held) => ({ ...DISHONEST.is_ahead_of_time(held), jti: held.jti }) },
	'a token at the same time': { rows: ['F24'], status: 403, claims: DISHONEST.overlaps },
	'a token that begins in the second in which his ends': { rows: ['F24'], status: 403,
		claims: ({ exp }) => ({ iat: exp, exp: exp + 300 }) },
};

const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

/** Refused twice, as its row says, and then served. */
async function refusedTwice(stage, refusals, wic, token, { rows, status }) {
	await stage.world.capture.settle(); /* what came before is not of it */
	const answers = await refusals.counted(rows, 2, async () =>
		[await wic.register(token), await wic.register(token)]);
	const { sub, jti } = claimsOf(token);
	for (const answer of answers)
		assertRefused(answer, status, { error: status === 401 ? 'invalid_token' : null, token,
			secrets: [sub, jti].filter(Boolean) });
	assert.ok(wic.isOpen, 'the connection stays');
	return answers;
}

const alone = (stage, refusals) => async (one) => {
	const wic = await PoolWic.connectAs(stage, stage.issuer.visitor());
	wic.user = one.as ?? wic.user;
	const token = stage.issuer.token(wic.visitor,
		one.claims(wic.visitor, { user: stage.issuer.free.at(-1) }));
	for (const answer of await refusedTwice(stage, refusals, wic, token, one))
		assert.equal(answer.header('Retry-After'), null, 'nothing to wait for');
	wic.user = wic.visitor.user;
	assert.equal((await wic.registers()).status, 200, 'a good token afterwards');
	assert.equal((await wic.leaves()).status, 200);
	await wic.close();
};

/** The holder has a connection, or has just left it. */
const beside = (stage, refusals, is_there) => async (one) => {
	const visitor = stage.issuer.visitor();
	const exp = now_s() + 25; /* the next iat may be as far ahead as the leeway, and no further */
	const held = stage.issuer.token(visitor, { exp });
	const holder = await PoolWic.enter(stage, visitor, { token: held });
	if (!is_there)
		assert.equal((await holder.leaves()).status, 200);
	const other = await PoolWic.connectAs(stage, stage.issuer.next(visitor));
	const token = stage.issuer.token(other.visitor, one.claims(claimsOf(held)));
	const answers = await refusedTwice(stage, refusals, other, token, one);
	for (const answer of answers)
		if (one.status === 403)
			assertInUse(answer, exp);
		else
			assert.equal(answer.header('Retry-After'), null, 'nothing to wait for');
	if (is_there)
		await stage.reaches(visitor.user, holder, [other]);
	other.visitor = stage.issuer.visitor();
	other.user = other.visitor.user;
	assert.equal((await other.registers()).status, 200, 'a good token afterwards');
	await Promise.all([holder.close(), other.close()]);
};

const CASES = {
	'a token alone': (stage, refusals) => eachCase(ALONE, alone(stage, refusals)),
	'beside who has the pair': (stage, refusals) => eachCase(BESIDE, beside(stage, refusals, true)),
	'beside who had the pair': (stage, refusals) => eachCase(BESIDE,
		beside(stage, refusals, false)),
	async 'a jti that is revoked (F16)'(stage, refusals) {
		const wic = await PoolWic.connectAs(stage, stage.issuer.visitor());
		const token = stage.issuer.token(wic.visitor);
		await stage.world.gateway.ask('revoke', 'jti', 'shop-waf', claimsOf(token).jti);
		await refusedTwice(stage, refusals, wic, token, { rows: ['F16'], status: 401 });
		assert.equal((await wic.registers()).status, 200, 'a good token afterwards');
		await wic.close();
	},
	async 'just enough time (F25)'(stage) {
		const wic = await PoolWic.connectAs(stage, stage.issuer.visitor());
		assert.equal((await wic.registers({ lifetime_s: MIN_GRANT_S + 3 })).status, 200);
		assert.equal((await wic.registers({ lifetime_s: MIN_GRANT_S - 2 })).status, 401);
		assert.ok(wic.isOpen, 'the connection stays');
		await stage.reaches(wic.user, wic);
		await wic.close();
	},
	/* word for word, but for what is of the day */
	async 'the conflict of 6.7'(stage) {
		const holder = await PoolWic.enter(stage, stage.issuer.visitor(), { lifetime_s: 540 });
		const other = await PoolWic.connectAs(stage, stage.issuer.next(holder.visitor));
		const answer = await other.registers();
		const uri = `<${impu(holder.user)}>`;
		assert.equal(answer.start, 'SIP/2.0 403 Forbidden');
		assert.deepEqual(answer.headers.map(({ name }) => name),
			['via', 'from', 'to', 'call-id', 'cseq', 'retry-after', 'content-length']);
		assert.match(answer.header('Via'), /^SIP\/2\.0\/WSS [0-9a-f]+\.invalid;branch=z9hG4bK/);
		assert.match(answer.header('From'), /;tag=/);
		assert.ok(answer.header('From').startsWith(uri) && answer.header('To').startsWith(uri));
		assert.match(answer.header('To'), /;tag=[^;]+$/);
		assert.equal(answer.header('Call-ID'), other.call_id);
		assert.equal(answer.header('CSeq'), '1 REGISTER');
		assertInUse(answer, stage.issuer.end(holder.visitor) - 60); /* the second one's 600 s */
		assert.equal(answer.header('Content-Length'), '0');
		await Promise.all([holder.close(), other.close()]);
	},
};

await scenario(WORLDS, async (world) => {
	const refusals = await openRefusals(world);
	const stage = await PoolStage.open(world);
	await eachCase(CASES, (play) => play(stage, refusals));
	await stage.caller.close();
});

/** Refusals whose core is a real one. */
async function openRefusals(world) {
	const refusals = new Refusals(world);
	refusals.core = { get requests() {
		return world.capture.requestsToCore('REGISTER');
	} };
	await world.gateway.reload(secondPool(refusals.forge.configuration()));
	return refusals;
}
