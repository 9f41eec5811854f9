// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 10.4: the caller's network is gone for twenty seconds. It comes back on a new WebSocket and
// registers as the same instance: its call goes on, and requests inside find it from both ends.

import { setTimeout as pause } from 'node:timers/promises';
import { Browser } from './lib/browser.mjs';
import { Caller, assertMw, end, talk } from './lib/calls.mjs';
import { CutNetwork } from './lib/cut.mjs';
import { CLIENT_ADDRESSES, RELAY_ADDRESSES, bracketed } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { KERNEL_WORLDS, WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';

const CUT_MS = 20000;
const [ONE_WORKER, TWO_WORKERS] = WORKER_COUNTS;
/* who: which pages are behind the network that is cut */
const WORLDS = [
	{ ...TWO_WORKERS, library: 'jssip', who: ['alice'] },
	{ ...KERNEL_WORLDS[1], library: 'sipjs', who: ['alice'] },
	{ ...KERNEL_WORLDS[1], library: 'jssip', who: ['alice', 'bob'], silent: true },
	{ ...ONE_WORKER, library: 'sipjs', who: ['alice', 'bob'], silent: true },
].map((world) => ({ ...world, site: true }));

/** PROTOCOL 10.3: within the grace, what is for a flow that is gone is answered at once. */
async function assertNobodyThere(bob) {
	const status = await bob.does('info', 'are you there?');
	assert.ok([430, 480].includes(status), `INFO while alice is away: ${status}`);
}

/** Each page that was cut is back, and the core still has one contact of it. */
async function comeBack(world, callers) {
	for (const caller of callers) {
		assert.equal(await caller.phone.call('reconnect'), 200, `REGISTER of ${caller.user}, back`);
		await world.kamailio.waitForContacts(caller.user, 1);
	}
}

async function callGoesOn(alice, bob) {
	for (const caller of [alice, bob])
		assert.equal((await caller.phone.call('lookAtCall')).state, 'confirmed', caller.user);
	await alice.does('renew');
	await bob.does('renew');
	assert.equal(await bob.does('info', 'still there?'), 200, 'INFO to who is back');
	assert.equal(await alice.does('info', 'here I am'), 200, 'INFO from who is back');
	await Promise.all([alice.hearsMore(), bob.hearsMore()]);
}

async function play(world, alice, bob, { network, who, silent }) {
	const away = [alice, bob].filter(({ user }) => who.includes(user));
	await talk(alice, bob);
	const ended = Date.now() + CUT_MS;
	network.cut({ silent });
	if (!silent) {
		await waitFor('alice away', async () =>
			(await world.gateway.sessions()).length === 2 - away.length);
		await assertNobodyThere(bob);
	}
	await pause(ended - Date.now());
	network.mend();
	await comeBack(world, away);
	await callGoesOn(alice, bob);
	await (silent ? end(alice, bob) : end(bob, alice));
	await talk(bob, alice);
	await end(alice, bob);
	await assertMw(world, [alice, bob].slice(0, 1));
}

await scenario(WORLDS, async (world, options) => {
	const ip = world.hosts['shop.example'].includes(':') ? 6 : 4;
	const network = await CutNetwork.start(RELAY_ADDRESSES[ip], world.link.access,
		CLIENT_ADDRESSES[ip]);
	const browser = await Browser.start(world.folder, world.hosts);
	const open = (user) => Caller.open(browser, options.library, user,
		options.who.includes(user) ? `wss://${bracketed(RELAY_ADDRESSES[ip])}/` : undefined);
	try {
		await play(world, await open('alice'), await open('bob'), { ...options, network });
	} finally {
		await browser.close();
		network.close();
	}
}, 90000);
