// SPDX-License-Identifier: BSD-3-Clause
// Scenario 4 in a browser: a page without registration. It fetches a token from its web site, opens the
// WebSocket, sends a message and calls a registered user; each of the two ends a call.

import { Browser } from './lib/browser.mjs';
import { Caller } from './lib/calls.mjs';
import { impu } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { IMS_WORLDS, WORKER_COUNTS, assert, assertNoTokenOnMw, scenario } from './lib/scenario.mjs';
import { openOffice, wildcardWorlds } from './lib/wildcard.mjs';

const GUEST = 'pool-kiosk-1';
const WORLDS = wildcardWorlds({ site: true, users: [GUEST] }, [...WORKER_COUNTS, ...IMS_WORLDS]);

/** An answer that a browser takes: its offer, with the other half of each role. No voice comes of it. */
const answerTo = (offer) => offer.split('\r\n').filter((line) => !/^a=(candidate|ssrc|msid)/.test(line))
	.join('\r\n').replaceAll('a=setup:actpass', 'a=setup:active')
	.replaceAll(/a=ice-ufrag:.*/g, 'a=ice-ufrag:abcd')
	.replaceAll(/a=ice-pwd:.*/g, `a=ice-pwd:${'x'.repeat(24)}`);

/** A scripted user takes the call of a page. */
async function takes(alice, page) {
	const invite = await alice.gets('INVITE');
	alice.requests.splice(0);
	alice.replies(invite, 180, 'Ringing');
	await page.is('ringing');
	replyWithBody(alice, invite, answerTo(invite.body));
	await page.is('confirmed');
	await alice.gets('ACK', invite.header('Call-ID'));
	const routes = invite.all('Record-Route').flatMap((line) => line.split(',')).map((one) => one.trim());
	return { invite, leg: { id: invite.header('Call-ID'), far: invite.header('From'), routes,
		near: `${invite.header('To')};tag=${alice.tag}`, target: /<([^>]+)>/.exec(invite.header('Contact'))[1] } };
}

function replyWithBody(alice, request, body) {
	const send = alice.socket.send;
	alice.socket.send = (text) => send.call(alice.socket,
		`${text.replace(/Content-Length: 0\r\n/, `Content-Length: ${Buffer.byteLength(body)}\r\n`)}${body}`);
	alice.replies(request, 200, 'OK', { more: [['Content-Type', 'application/sdp']] });
	alice.socket.send = send;
}

await scenario(WORLDS, async (world) => {
	const alice = await openOffice(world, 'alice');
	const browser = await Browser.start(world.folder, world.hosts);
	try {
		const page = Object.assign(new Caller(), { user: GUEST, phone: await browser.open('jssip') });
		await page.phone.call('connect', GUEST);
		await page.phone.call('introduce');

		const sent = page.phone.call('sendMessage', 'alice', 'from a kiosk');
		const message = await alice.gets('MESSAGE');
		assert.equal(message.body, 'from a kiosk');
		assert.equal(message.header('P-Asserted-Identity'), `<${impu(GUEST)}>`);
		alice.replies(message, 200, 'OK');
		assert.equal(await sent, 200);
		alice.requests.splice(0);

		/* the page ends the first call, the user the second */
		await page.dial({ user: 'alice' });
		await takes(alice, page);
		await page.does('hangUp');
		alice.replies(await alice.gets('BYE'), 200, 'OK');
		await page.is('over');
		alice.requests.splice(0);
		await page.dial({ user: 'alice' });
		const { leg } = await takes(alice, page);
		alice.sends('BYE', leg, { cseq: 7 });
		await alice.hears(200, 'BYE', leg);
		await page.is('over');
		assert.deepEqual(page.phone.errors, [], 'errors in the page');

		const tokens = await page.phone.tokens();
		await world.capture.settle();
		assert.equal(world.capture.requestsToCore('REGISTER', GUEST).length, 0, 'it has registered');
		await waitFor('alice alone bound', async () => (await world.gateway.bindings()).length === 1);
		assert.equal((await world.gateway.ask('show', 'connection', impu(GUEST))).unregistered.length, 1);
		await assertNoTokenOnMw(world, tokens);
	} finally {
		await browser.close();
	}
	await alice.close();
});
