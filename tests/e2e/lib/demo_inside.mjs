// SPDX-License-Identifier: BSD-3-Clause
// The part of the demo that runs in the namespace: starts everything, plays the conversation, draws
// it.

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Browser } from './browser.mjs';
import { Ladder, describe } from './ladder.mjs';
import { SITE_HOST, impu } from './names.mjs';
import { relay } from './relay.mjs';
import { assert, assertNoTokenOnMw } from './scenario.mjs';
import { enterSpace } from './space.mjs';
import { World } from './world.mjs';

const GATEWAY = 'wicgate';
const CORE = 'S-CSCF';
const HELLO = 'Hello from a web page.';
const ANSWER = 'Hello from another.';
const hold = process.argv.includes('--hold');
const no_tun = !existsSync('/dev/net/tun');
const kernel = no_tun || process.argv.includes('--kernel');
const run_folder = process.env.WICGATE_E2E_RUN;
const ladder = new Ladder(['alice', 'bob', GATEWAY, CORE]);

/** The W2 side, as the browser sees it: in the clear, before TLS. */
const drawFrame = (user) => ({ time_s, sent, sip }) => {
	const { label, details } = describe(sip);
	ladder.arrow(time_s, sent ? user : GATEWAY, sent ? GATEWAY : user, label, details);
};

/** The Mw side, as tcpdump sees it. */
const drawMw = (link) => ({ time_s, from, sip }) => {
	const { label, details } = describe(sip);
	const core_sent = from.startsWith(`${link.core}:`);
	ladder.arrow(time_s, core_sent ? CORE : GATEWAY, core_sent ? GATEWAY : CORE, label, details);
};

async function converse(world, browser) {
	const alice = await browser.open('jssip', drawFrame('alice'));
	const bob = await browser.open('sipjs', drawFrame('bob'));
	const both = [['alice', alice], ['bob', bob]];
	const step = async (text, work) => {
		await world.capture.settle();
		ladder.note(text);
		return work();
	};
	for (const [user, phone] of both) {
		await phone.call('connect', user);
		await step(`${user} has a token from the web site and registers with it`, async () =>
			assert.equal(await phone.call('register'), 200, `REGISTER of ${user}`));
		await world.kamailio.waitForContacts(user, 1);
	}
	await step('alice writes to bob: by her flow to the core, and back in by his', async () => {
		const status = await alice.call('sendMessage', 'bob', HELLO);
		assert.equal(status, 200, 'MESSAGE of alice');
		await bob.waitForMessage(impu('alice'), HELLO);
	});
	await step('bob answers', async () => {
		const status = await bob.call('sendMessage', 'alice', ANSWER);
		assert.equal(status, 200, 'MESSAGE of bob');
		await alice.waitForMessage(impu('bob'), ANSWER);
	});
	const connections = await world.gateway.connections();
	assert.deepEqual([...new Set(connections.map(({ stack }) => stack))],
		[kernel ? 'kernel' : 'packets'], 'whose TCP it is');
	for (const [user, phone] of both) {
		await step(`${user} leaves`, async () =>
			assert.equal(await phone.call('unregister'), 200, `un-REGISTER of ${user}`));
		await world.kamailio.waitForContacts(user, 0);
	}
	await assertNoTokenOnMw(world, [...await alice.tokens(), ...await bob.tokens()]);
}

async function main() {
	const folder = join(run_folder, 'd');
	mkdirSync(folder);
	await enterSpace(run_folder);
	console.log('starting Kamailio (S-CSCF), wicgate, the web site, Chromium with two pages ...');
	const world = await World.open({ folder, workers: 1, mw: 'tcp', site: true,
		...(kernel ? {} : { device: 'tap', w2: 'port' }) });
	try {
		const browser = await Browser.start(folder, world.hosts);
		console.log(kernel ? `wicgate uses kernel sockets${no_tun ? ', since there is no /dev/net/tun' : ''}`
			: `wicgate's own TCP carries W2 and Mw: all packets pass ${world.link.peer}, a TAP interface`);
		console.log('alice uses JsSIP, bob SIP.js; left of wicgate is W2 (SIP over WSS), right Mw');
		ladder.head();
		world.capture.on('message', drawMw(world.link));
		await converse(world, browser);
		await browser.close();
		ladder.note('no byte of any token was on the Mw side');
		console.log('demo: PASS');
		if (hold)
			await holdOpen(world);
		await world.close();
	} finally {
		await world.destroy();
	}
}

/** Opens the Unix sockets that demo.mjs relays to, and waits for the end of the world. */
async function holdOpen({ capture, hosts, link }) {
	capture.on('message', () => capture.forget());
	await relay({ path: join(run_folder, 'page.sock') }, { host: hosts[SITE_HOST], port: 443 });
	await relay({ path: join(run_folder, 'gateway.sock') }, { host: link.access, port: 443 });
	await new Promise(() => {});
}

main().then(() => process.exit(0), (error) => {
	console.log(`demo: FAIL ${error.message}`);
	process.exit(1);
});
