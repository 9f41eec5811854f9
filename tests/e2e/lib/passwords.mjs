// SPDX-License-Identifier: BSD-3-Clause
// Pages whose users the core authenticates, the same for both libraries: a challenge, a password, a
// message each way, and what Mw shows of it.

import { Browser } from './browser.mjs';
import { password } from './digest.mjs';
import { impi, impu } from './names.mjs';
import { waitFor } from './process.mjs';
import { assert } from './scenario.mjs';

const USERS = ['alice', 'bob'];
const PROTECTED = /,integrity-protected="([^"]*)"$/;

const credentials = (user, secret = password(user)) => ({ username: impi(user), password: secret });

/** Registers a page: challenged once, at the S-CSCF with a Path of ours. */
async function register(world, user, phone) {
	const before = phone.frames.length;
	assert.equal(await phone.call('register'), 200, `REGISTER of ${user}`);
	const exchange = () => phone.frames.slice(before)
		.filter(({ sip }) => /REGISTER/.test(sip.header('CSeq')));
	await waitFor('the 200 among the frames', () => exchange().at(-1)?.sip.status === 200);
	const seen = exchange();
	assert.deepEqual(seen.map(({ sip }) => sip.status ?? 'REGISTER'),
		['REGISTER', 401, 'REGISTER', 200], `what ${user} said and heard`);
	assert.match(seen[1].sip.header('WWW-Authenticate'), /^Digest /);
	const [contact] = await world.kamailio.waitForContacts(user, 1);
	assert.match(contact.path, /^<?sip:[FB]t1\.[A-Za-z0-9_-]{43}@/, `Path of ${user}`);
}

async function talk(phones) {
	const [[alice, a], [bob, b]] = phones;
	assert.equal(await a.call('sendMessage', bob, 'ping'), 200, 'MESSAGE of alice');
	await b.waitForMessage(impu(alice), 'ping');
	assert.equal(await b.call('sendMessage', alice, 'pong'), 200, 'MESSAGE of bob');
	await a.waitForMessage(impu(bob), 'pong');
}

async function leave(world, phones) {
	for (const [user, phone] of phones) {
		assert.equal(await phone.call('unregister'), 200, `un-REGISTER of ${user}`);
		await world.kamailio.waitForContacts(user, 0);
		assert.deepEqual(phone.errors, [], `errors in the page of ${user}`);
	}
	await waitFor('no binding left', async () => (await world.gateway.bindings()).length === 0);
}

/** The core refuses who does not know the password, and nothing comes of it. */
async function assertRefused(world, browser, library) {
	const phone = await browser.open(library);
	await phone.call('connect', 'carol', credentials('carol', 'guessed'));
	assert.equal(await phone.call('register'), 401, 'a wrong password');
	await world.kamailio.waitForContacts('carol', 0);
	assert.equal((await world.gateway.bindings()).length, 0);
	await phone.call('close');
}

/** Each credential reached the core as the page had written it, and with our word behind it. */
async function assertMw(world, phones) {
	await world.capture.settle();
	for (const [user, phone] of phones) {
		const sent = phone.sent('REGISTER');
		const passed = world.capture.requestsToCore('REGISTER', user);
		const words = passed.map((sip) => PROTECTED.exec(sip.header('Authorization'))?.[1]);
		assert.deepEqual(passed.map((sip) =>
			sip.header('Authorization')?.replace(PROTECTED, '') ?? null),
		sent.map((sip) => sip.header('Authorization')), `credentials of ${user}`);
		assert.equal(words[0], undefined, 'nobody had been challenged yet');
		assert.equal(words[1], 'tls-pending', 'the first credential');
		assert.ok(words.slice(2).filter(Boolean).length >= 2, 'refresh and un-REGISTER');
		for (const word of words.slice(2).filter(Boolean))
			assert.equal(word, 'tls-yes', 'a flow that is bound');
	}
	assert.ok(!world.capture.contains('auth-done'), 'nobody vouched for anybody');
}

export function passwords(library) {
	return async (world) => {
		const browser = await Browser.start(world.folder, world.hosts);
		try {
			await assertRefused(world, browser, library);
			const phones = [];
			for (const user of USERS) {
				const phone = await browser.open(library);
				await phone.call('connect', user, credentials(user));
				phones.push([user, phone]);
				await register(world, user, phone);
			}
			for (const [user, phone] of phones)
				assert.equal(await phone.call('reregister'), 200, `re-REGISTER of ${user}`);
			await talk(phones);
			await leave(world, phones);
			await assertMw(world, phones);
		} finally {
			await browser.close();
		}
	};
}
