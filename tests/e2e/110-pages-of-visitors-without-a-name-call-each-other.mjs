// SPDX-License-Identifier: BSD-3-Clause
// Scenario 3 in browsers: the site lends each visitor a pair, without asking who it is; they call each
// other, and who loads the page again is the same one.

import { Browser } from './lib/browser.mjs';
import { Caller, end, talk } from './lib/calls.mjs';
import { POOL_SETTINGS } from './lib/pool.mjs';
import { waitFor } from './lib/process.mjs';
import { IMS_WORLDS, WORKER_COUNTS, assert, assertNoTokenOnMw, scenario } from './lib/scenario.mjs';

const PAIRS = ['v1', 'v2', 'v3', 'v4'];
const WORLDS = [...WORKER_COUNTS, ...IMS_WORLDS].map((world) => ({ ...world, ...POOL_SETTINGS, site: true, users: PAIRS,
	settings: POOL_SETTINGS.settings.replace(/flow_grace: \d+/, 'flow_grace: 10') }));
const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

class Visitor extends Caller {
	static async open(browser) {
		const visitor = Object.assign(new Visitor(),
			{ library: 'jssip', phone: await browser.open('jssip'), tokens: [] });
		await visitor.enters();
		return visitor;
	}

	async enters() {
		this.user = await this.phone.call('visit');
		assert.equal(await this.phone.call('register'), 200, `REGISTER of ${this.user}`);
		this.tokens.push(...await this.phone.tokens());
	}

	/** Loads the page again. */
	async reloads() {
		await this.phone.page.reload();
		await this.enters();
	}

	async leaves() {
		assert.equal(await this.phone.call('unregister'), 200);
		assert.deepEqual(this.phone.errors, [], 'errors in the page');
	}
}

/** What the tokens of a visitor say: anonymous, of the pool, and one pair throughout. */
function assertTokens({ user, tokens }) {
	const claims = tokens.map(claimsOf);
	assert.match(claims[0].sub, /^anon-/);
	assert.equal(new Set(claims.map(({ sub }) => sub)).size, 1, 'one sub');
	assert.equal(new Set(claims.map(({ jti }) => jti)).size, claims.length, 'a jti for each');
	for (const { impi, impu, scn } of claims)
		assert.deepEqual([impi.split('@')[0], impu.split(/[:@]/)[1], scn], [user, user, 'pool']);
}

await scenario(WORLDS, async (world) => {
	const browser = await Browser.start(world.folder, world.hosts);
	try {
		const one = await Visitor.open(browser);
		const other = await Visitor.open(browser);
		const { user } = one;
		assert.notEqual(user, other.user, 'two visitors have two pairs');
		await talk(one, other);
		await end(other, one);

		await one.reloads();
		assert.equal(one.user, user, 'the same pair as before');
		await world.kamailio.waitForContacts(user, 1);
		await talk(other, one);
		await end(other, one);

		for (const visitor of [one, other]) {
			await visitor.leaves();
			await world.kamailio.waitForContacts(visitor.user, 0);
			assertTokens(visitor);
		}
		assert.equal(one.tokens.length, 2, 'one for each time');
		await waitFor('no binding left', async () => (await world.gateway.bindings()).length === 0);
		await assertNoTokenOnMw(world, [...one.tokens, ...other.tokens]);
	} finally {
		await browser.close();
	}
});
