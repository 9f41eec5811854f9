// SPDX-License-Identifier: BSD-3-Clause
// The main scenario, the same for both libraries: two pages register, write to each other, and
// leave.

import { Browser } from './browser.mjs';
import { impu } from './names.mjs';
import { waitFor } from './process.mjs';
import { assert, assertNoTokenOnMw } from './scenario.mjs';

const ROUNDS = 3;         /* messages in each direction */
const RECONNECTS = 40;    /* each lands on a given one of two workers with probability 1/2 */

/** Connects a page until its connection is with a worker that suits; returns that worker. */
async function connectOn(world, phone, user, suits) {
	for (let attempt = 0; attempt < RECONNECTS; attempt += 1) {
		const before = (await world.gateway.sessions()).map(({ peer }) => peer);
		await phone.call('connect', user);
		const fresh = await waitFor(`connection of ${user}`, async () =>
			(await world.gateway.sessions()).find(({ peer }) => !before.includes(peer)));
		if (suits(fresh.worker))
			return fresh.worker;
		await phone.call('close');
		await waitFor(`end of the connection of ${user}`, async () =>
			!(await world.gateway.sessions()).some(({ peer }) => peer === fresh.peer));
	}
	throw new Error(`no connection on the wanted worker in ${RECONNECTS} attempts`);
}

/** Both registered, each seen at the S-CSCF with a Path of ours. */
async function registerBoth(world, phones) {
	for (const [user, phone] of phones) {
		assert.equal(await phone.call('register'), 200, `REGISTER of ${user}`);
		const [contact] = await world.kamailio.waitForContacts(user, 1);
		assert.match(contact.path, /^<?sip:Ft1\.[A-Za-z0-9_-]{43}@/, `Path of ${user}`);
		assert.ok(contact.expires_s > 0 && contact.expires_s <= 600, `expiry of ${user}`);
	}
}

async function reregisterBoth(world, phones) {
	for (const [user, phone] of phones) {
		const before = phone.sent('REGISTER').length;
		assert.equal(await phone.call('reregister'), 200, `re-REGISTER of ${user}`);
		const sent = phone.sent('REGISTER').slice(before);
		assert.equal(sent.length, 1, `one REGISTER more from ${user}`);
		assert.match(sent[0].header('Authorization'), /^Bearer /);
		await world.kamailio.waitForContacts(user, 1); /* still one: replaced, not added */
	}
}

/**
 * Messages both ways. With two workers, half of them at least must have come in at the other
 * worker.
 */
async function talk(world, phones) {
	const [[alice, a], [bob, b]] = phones;
	const remote_before = await world.gateway.counter('mw_delivered_remote');
	for (let round = 1; round <= ROUNDS; round += 1) {
		assert.equal(await a.call('sendMessage', bob, `ping ${round}`), 200, 'MESSAGE of alice');
		await b.waitForMessage(impu(alice), `ping ${round}`);
		assert.equal(await b.call('sendMessage', alice, `pong ${round}`), 200, 'MESSAGE of bob');
		await a.waitForMessage(impu(bob), `pong ${round}`);
	}
	if (world.workers === 1)
		return;
	const remote = await world.gateway.counter('mw_delivered_remote') - remote_before;
	assert.ok(remote >= ROUNDS, `${remote} of ${2 * ROUNDS} messages came in at the other worker`);
	assert.ok(await world.gateway.counter('deliver_out') >= remote, 'deliver_out counts them too');
}

async function leaveBoth(world, phones) {
	for (const [user, phone] of phones) {
		assert.equal(await phone.call('unregister'), 200, `un-REGISTER of ${user}`);
		await world.kamailio.waitForContacts(user, 0);
		assert.deepEqual(phone.errors, [], `errors in the page of ${user}`);
	}
	await waitFor('no binding left', async () => (await world.gateway.bindings()).length === 0);
}

/** Everything Mw must show when it is over. */
async function assertMw(world, phones) {
	const tokens = (await Promise.all(phones.map(([, phone]) => phone.tokens()))).flat();
	await assertNoTokenOnMw(world, tokens);
	for (const [user] of phones) {
		const registers = world.capture.requestsToCore('REGISTER', user);
		assert.ok(registers.length >= 3, `REGISTER, re-REGISTER and un-REGISTER of ${user} on Mw`);
		for (const register of registers)
			assert.match(register.header('Authorization'), /integrity-protected="auth-done"/);
	}
	const first = world.capture.messages.find(({ sip }) => sip.method === 'REGISTER');
	assert.equal(first.transport, world.mw, 'transport of REGISTER on Mw');
}

export function conversation(library) {
	return async (world) => {
		const browser = await Browser.start(world.folder, world.hosts);
		try {
			const alice = await browser.open(library);
			const bob = await browser.open(library);
			const phones = [['alice', alice], ['bob', bob]];
			const first = await connectOn(world, alice, 'alice', () => true);
			await connectOn(world, bob, 'bob', (worker) => world.workers === 1 || worker !== first);
			await registerBoth(world, phones);
			await reregisterBoth(world, phones);
			await talk(world, phones);
			await leaveBoth(world, phones);
			await assertMw(world, phones);
		} finally {
			await browser.close();
		}
	};
}
