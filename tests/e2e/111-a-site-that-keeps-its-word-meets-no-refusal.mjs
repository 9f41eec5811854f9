// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 6.1 and 6.3: more visitors than pairs, and `wicgate-wwsf` that lends them. Nobody reports to it who
// has left; it knows the times of its tokens alone, and that is enough.

import { POOL_WORLDS, PoolStage, PoolWic, PoolIssuer, behind } from './lib/pool.mjs';
import { SITE_HOST, impu } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { assert, scenario } from './lib/scenario.mjs';

const PAIRS = ['v1', 'v2'];
const VISITORS = 4;
const LIFE_S = 3;
const WORLDS = POOL_WORLDS.map((world) => ({ ...world, site: true, users: PAIRS }));
const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

/** Asks until a pair is free, as the answer says when to; what the site says then. */
async function lent(world) {
	let turned_away = 0;
	const said = await waitFor('a pair', async () => {
		const { status, headers, body } = await world.get(SITE_HOST, `/token?lifetime=${LIFE_S}`);
		if (status === 200)
			return JSON.parse(body);
		assert.equal(status, 503, body);
		assert.ok(Number(headers['retry-after']) <= LIFE_S + 1, 'when to come again');
		turned_away += 1;
		return null;
	}, 25000);
	return { ...said, turned_away };
}

/** How each of them leaves: politely, by closing, or by vanishing. */
const LEAVES = [(wic) => wic.leaves().then(() => wic.close()), (wic) => wic.close(),
	(wic) => wic.socket.terminate()];

async function visits(stage, number, stays) {
	const wic = await PoolWic.connectAs(stage, { user: 'nobody' });
	const { impu: identity, access_token: token, turned_away } = await lent(stage.world);
	const { iat, exp, sub } = claimsOf(token);
	const user = PAIRS.find((name) => impu(name) === identity);
	for (const other of stays.filter((one) => one.user === user))
		assert.ok(iat > other.exp, 'behind the one before');
	stays.push({ user, exp, sub });
	wic.user = user;
	assert.equal((await wic.registers({ token })).status, 200, `visitor ${number} with ${user}`);
	await LEAVES[number % LEAVES.length](wic);
	return turned_away;
}

await scenario(WORLDS, async (world) => {
	const stage = Object.assign(new PoolStage(), { world, issuer: new PoolIssuer(world.mint) });
	const stays = [];
	const turned_away = await Promise.all(Array.from({ length: VISITORS }, (_, number) =>
		visits(stage, number, stays)));
	assert.ok(turned_away.some((times) => times > 0), 'there were not enough pairs');
	assert.equal(new Set(stays.map(({ sub }) => sub)).size, VISITORS, 'all are others');
	for (const name of PAIRS)
		assert.ok(stays.filter(({ user }) => user === name).length >= 2, `${name} was lent again`);
	assert.equal(await world.gateway.counter('pool_conflicts'), 0);
	assert.equal(await world.gateway.errors('GW_PAIR_IN_USE'), 0, 'F24');
	await behind(Math.max(...stays.map(({ exp }) => exp)));
	for (const name of PAIRS)
		await world.kamailio.waitForContacts(name, 0);
	await waitFor('nothing is left', async () => (await world.gateway.bindings()).length === 0
		&& await world.gateway.counter('lease_live') === 0);
});
