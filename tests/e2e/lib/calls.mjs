// SPDX-License-Identifier: BSD-3-Clause
// What both browser scripts of calls do: two pages register and call each other.

import { setTimeout as pause } from 'node:timers/promises';
import { Browser } from './browser.mjs';
import { waitFor } from './process.mjs';
import { assert, assertNoTokenOnMw } from './scenario.mjs';

const PACKETS = 25; /* of half a second of speech */
const REFRESHES = 3;
const SESSION_S = Number(process.env.WICGATE_E2E_SESSION_S ?? 0); /* of a call that is kept alive */
const SESSION_EXPIRES_S = 60; /* the shortest that JsSIP knows; it refreshes at half of it */
const SIPJS_REFRESH_S = 20;   /* SIP.js has no session timer */
export const CALLS_MS = 60000 + SESSION_S * 1000;

/** A page with who it is. */
export class Caller {
	/** url: of the gateway, where the page is not to take its usual way. */
	static async open(browser, library, user, url = null) {
		const caller = new Caller();
		Object.assign(caller, { user, library, phone: await browser.open(library) });
		await caller.phone.call('connect', user, null, url);
		assert.equal(await caller.phone.call('register'), 200, `REGISTER of ${user}`);
		return caller;
	}

	dial(other, ...options) {
		return this.phone.call('dial', other.user, ...options);
	}

	/** Does something with its call. */
	does(what, ...values) {
		return this.phone.call('inCall', what, ...values);
	}

	/** Waits until its call is in a state; returns all of the call. */
	is(state) {
		return this.phone.waitForCall(`call of ${this.user} ${state}`, (call) => call.state === state);
	}

	/** Waits until so many packets of the other's voice have come. */
	hears(count = PACKETS) {
		return this.phone.waitForCall(`voice for ${this.user}`, ({ packets }) => packets >= count);
	}

	async hearsMore() {
		const { packets } = await this.phone.call('lookAtCall');
		return this.hears(packets + PACKETS);
	}
}

/** From INVITE to ACK, with voice both ways. */
export async function talk(from, to, ...options) {
	await from.dial(to, ...options);
	await to.is('offered');
	await from.is('ringing');
	await to.does('answer');
	await Promise.all([from.is('confirmed'), to.is('confirmed')]);
	await Promise.all([from.hears(), to.hears()]);
}

/** BYE by one of them; both know who. */
export async function end(by, other) {
	await by.does('hangUp');
	const [near, far] = await Promise.all([by.is('over'), other.is('over')]);
	assert.deepEqual([near.by, far.by], ['local', 'remote'], 'who hung up');
	await waitFor('the answer to BYE', () => by.phone.responses('BYE').at(-1)?.status === 200
		&& by.phone.responses('BYE').length === by.phone.sent('BYE').length);
}

async function holdAndGoOn(by, other) {
	await by.does('hold');
	await other.phone.waitForCall(`${other.user} held`, ({ held }) => held);
	await other.does('settle');
	await by.does('unhold');
	await other.phone.waitForCall(`${other.user} no longer held`, ({ held }) => !held);
	await Promise.all([by.hearsMore(), other.hearsMore()]);
}

/** The dialog is kept alive from both ends. */
async function refresh(a, b) {
	for (let round = 0; round < REFRESHES; round += 1) {
		await a.does('renew');
		await b.does('renew');
		if (a.library !== 'jssip')
			continue;
		await a.does('renew', true);
		await b.does('renew', true);
	}
}

/** A call that lives for SESSION_S, by what refreshes it. */
async function longCall(a, b) {
	const end_ms = Date.now() + SESSION_S * 1000;
	const updates = () => a.phone.sent('UPDATE').length + b.phone.sent('UPDATE').length;
	const before = updates();
	await talk(a, b, SESSION_EXPIRES_S);
	while (Date.now() < end_ms) {
		await pause(Math.min(SIPJS_REFRESH_S * 1000, end_ms - Date.now()));
		if (a.library === 'sipjs')
			await (Math.random() < 0.5 ? a : b).does('renew');
	}
	if (a.library === 'jssip')
		assert.ok(updates() - before >= Math.floor(SESSION_S / SESSION_EXPIRES_S), 'it was refreshed');
	await Promise.all([a.hearsMore(), b.hearsMore()]);
	await end(b, a);
}

async function speakInside(a, b) {
	assert.equal(await a.does('info', 'from inside'), 200, 'INFO');
	await b.phone.waitForCall('the INFO', ({ infos }) => infos.includes('from inside'));
	assert.equal(await b.does('message', 'the other way'), 200, 'MESSAGE in the dialog');
	await waitFor('the MESSAGE', () => a.phone.received('MESSAGE').some((sip) =>
		sip.body === 'the other way' && /;tag=/.test(sip.header('To'))));
}

async function wholeCall(a, b) {
	await talk(a, b);
	await holdAndGoOn(a, b);
	await holdAndGoOn(b, a);
	await refresh(a, b);
	await speakInside(a, b);
	await speakInside(b, a);
	await end(a, b);
}

async function cancelled(from, to) {
	const before = from.phone.responses('CANCEL').length;
	await from.dial(to);
	await to.is('offered');
	await from.is('ringing');
	await from.does('hangUp');
	const [near, far] = await Promise.all([from.is('over'), to.is('over')]);
	assert.deepEqual([near.by, far.by], ['local', 'remote'], 'who gave up');
	await waitFor('200 to CANCEL and 487 to INVITE', () =>
		from.phone.responses('CANCEL').length === before + 1
		&& from.phone.responses('CANCEL').at(-1).status === 200
		&& from.phone.responses('INVITE').at(-1).status === 487);
}

async function refused(from, to, status) {
	await from.dial(to);
	await to.is('offered');
	await to.does('reject', status);
	const [near] = await Promise.all([from.is('over'), to.is('over')]);
	assert.equal(near.status, status, 'what the caller is told');
}

/* PROTOCOL 9.6: what is of the core, and not for the WIC */
const CORE_ONLY = ['P-Charging-Vector', 'P-Charging-Function-Addresses', 'P-Served-User',
	'P-Profile-Key', 'P-User-Database', 'P-Visited-Network-ID'];

export function assertPages(callers) {
	for (const { user, phone } of callers) {
		assert.deepEqual(phone.errors, [], `errors in the page of ${user}`);
		for (const { sent, sip } of phone.frames.filter((frame) => !frame.sent))
			for (const name of CORE_ONLY)
				assert.equal(sip.header(name), null, `${name} came to ${user} (${sent})`);
		const offers = phone.received('INVITE').filter((sip) => !/;tag=/.test(sip.header('To')));
		assert.ok(offers.length > 0, `${user} was called`);
		for (const offer of offers)
			assert.match(offer.header('P-Called-Party-ID') ?? '', new RegExp(`<sip:${user}@`));
		assertTrying(phone, user);
	}
}

/** RFC 3261 16.2: each INVITE has its 100 within 200 ms; what the page itself needs is on top. */
function assertTrying(phone, user) {
	for (const { time_s, sip } of phone.frames.filter(({ sent, sip: { method } }) => sent && method === 'INVITE')) {
		const first = phone.frames.find(({ sent, sip: answer }) => !sent && answer.status !== null
			&& answer.header('Call-ID') === sip.header('Call-ID')
			&& answer.header('CSeq') === sip.header('CSeq'));
		assert.ok(first, `an answer to ${sip.header('CSeq')} of ${user}`);
		assert.equal(first.sip.status, 100, `the first answer to ${user}`);
		assert.ok(first.time_s - time_s < 1, `100 after ${first.time_s - time_s} s`);
	}
}

const icid = (sip) => /icid-value="?([^";]+)/.exec(sip.header('P-Charging-Vector') ?? '')?.[1];

/** What the core saw of the requests of one caller. */
function assertRequests(world, { user }) {
	const { capture } = world;
	const invites = capture.requestsToCore('INVITE', user);
	const initial = invites.filter((sip) => !/;tag=/.test(sip.header('To')));
	assert.ok(initial.length > 0, `INVITE of ${user} on Mw`);
	for (const sip of initial) {
		assert.match(sip.header('Route'), /^<sip:orig@/, 'Service-Route');
		assert.match(sip.header('P-Asserted-Identity'), new RegExp(`<sip:${user}@`));
		assert.match(sip.header('Record-Route'), /^<sip:[BF]t1\.[A-Za-z0-9_-]{43}@[^>]*;lr/);
		assert.ok(icid(sip), 'an icid');
	}
	const dialogs = new Map(initial.map((sip) => [sip.header('Call-ID'), icid(sip)]));
	for (const method of ['BYE', 'INFO', 'MESSAGE', 'INVITE'])
		for (const sip of capture.requestsToCore(method, user))
			if (dialogs.has(sip.header('Call-ID')) && /;tag=/.test(sip.header('To')))
				assert.equal(icid(sip), dialogs.get(sip.header('Call-ID')), `icid of ${method}`);
}

export async function assertMw(world, callers) {
	const tokens = (await Promise.all(callers.map(({ phone }) => phone.tokens()))).flat();
	await assertNoTokenOnMw(world, tokens);
	for (const caller of callers)
		assertRequests(world, caller);
	/* a call may be refused: then it is we who acknowledge, hop by hop (RFC 3261 17.1.1.3) */
	for (const { sip } of world.capture.messages.filter(({ sip: { status, text } }) =>
		status >= 300 && /^CSeq: \d+ INVITE\r$/m.test(text)))
		assert.ok(world.capture.messages.some(({ sip: ack }) => ack.method === 'ACK'
			&& ack.header('Via') === sip.header('Via')), `an ACK for ${sip.start}`);
}

/** Two pages; play(world, alice, bob). */
export async function withTwo(world, library, play, names = world.hosts) {
	const browser = await Browser.start(world.folder, names);
	try {
		const alice = await Caller.open(browser, library, 'alice');
		const bob = await Caller.open(browser, library, 'bob');
		await play(alice, bob);
	} finally {
		await browser.close();
	}
}

/** Calls of all kinds, both ways. */
export async function callEachOther(alice, bob) {
	await wholeCall(alice, bob);
	await wholeCall(bob, alice);
	await talk(alice, bob);
	await end(bob, alice);
	await cancelled(alice, bob);
	await refused(alice, bob, 486);
	await refused(bob, alice, 603);
}

export function calls(library) {
	return (world) => withTwo(world, library, async (alice, bob) => {
		await callEachOther(alice, bob);
		if (SESSION_S > 0)
			await longCall(alice, bob);
		assertPages([alice, bob]);
		await assertMw(world, [alice, bob]);
	});
}
