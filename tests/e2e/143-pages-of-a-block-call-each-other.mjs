// SPDX-License-Identifier: BSD-3-Clause
// A block (PROTOCOL 8) in browsers: pages are guests of the site's block, with JsSIP and with SIP.js. They fetch a token,
// register at the gateway, write to each other and call each other; who leaves is absent. The core has the block, and no page.

import { BLOCK, BLOCK_SETTINGS, blockIs } from './lib/block.mjs';
import { Browser } from './lib/browser.mjs';
import { CALLS_MS, Caller, assertMw, assertPages, end, talk } from './lib/calls.mjs';
import { impu } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { IMS_WORLDS, WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';

const GUESTS = ['guest-1', 'guest-2'];
const WORLDS = [...WORKER_COUNTS, ...IMS_WORLDS]
	.map((world) => ({ ...world, ...BLOCK_SETTINGS, site: true, users: GUESTS }));

async function writes(from, to) {
	const text = `from ${from.user}`;
	assert.equal(await from.phone.call('sendMessage', to.user, text), 200, `MESSAGE of ${from.user}`);
	await to.phone.waitForMessage(impu(from.user), text);
}

await scenario(WORLDS, async (world) => {
	await blockIs(world, 'up');
	const browser = await Browser.start(world.folder, world.hosts);
	try {
		const one = await Caller.open(browser, 'jssip', GUESTS[0]);
		const two = await Caller.open(browser, 'sipjs', GUESTS[1]);
		assert.equal((await blockIs(world, 'up')).bindings, 2);
		await writes(one, two);
		await writes(two, one);
		await talk(one, two);
		await end(one, two);
		await talk(two, one);
		await end(one, two);

		assert.equal(await two.phone.call('unregister'), 200);
		await waitFor('one guest left', async () => (await blockIs(world, 'up')).bindings === 1);
		assert.equal(await one.phone.call('sendMessage', two.user, 'still there?'), 480);
		await assertMw(world, [one, two]);
		assertPages([one, two]);
		assert.equal((await world.kamailio.waitForContacts(BLOCK, 1)).length, 1);
		for (const register of world.capture.requestsToCore('REGISTER'))
			assert.equal(register.header('To'), `<${impu(BLOCK)}>`, 'the core hears of no page');
	} finally {
		await browser.close();
	}
}, CALLS_MS);
