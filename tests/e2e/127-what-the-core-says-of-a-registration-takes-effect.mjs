// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 9.9 and the race of 10.5, row by row: a scripted core tells the gateway by registration events what has become of a
// registration. 128 has the same from a real S-CSCF.

import { setTimeout as pause } from 'node:timers/promises';
import { eachCaseAbreast } from './lib/cases.mjs';
import { MW_PORT, impu } from './lib/names.mjs';
import { Notifier, registration } from './lib/notifier.mjs';
import { waitFor, within } from './lib/process.mjs';
import { KERNEL_WORLDS, WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';
import { Wic } from './lib/wic.mjs';

const NOTHING_MS = 300;
const LIMIT_MS = 120000; /* a token has to end, and a probation */
const USERS = Array.from({ length: 40 }, (_, n) => `e${n}`);
const WORLDS = [...WORKER_COUNTS, KERNEL_WORLDS[1]].map((world) => ({ ...world, core: 'script', users: USERS,
	settings: 'limits: {min_grant: 1, upgrades_per_second: 1000000, upgrades_burst: 1000000}\n',
	site_limits: 'limits: {requests_per_second: 1000000}' }));

/** One user who is registered, and what the core has been asked about him. */
class Case {
	static async open(stage) {
		const { world, core } = stage;
		const user = stage.free.shift();
		const token = world.mint.issue(user);
		const wic = await Wic.connect(user, { ca: world.files.ca_pem });
		assert.equal((await wic.register(token)).status, 200);
		const one = Object.assign(new Case(), { world, core, user, token, wic,
			dialog: await core.dialog(user) });
		await waitFor('the first NOTIFY is answered', () => core.responses.some((sip) =>
			sip.call_id === one.dialog.call_id && sip.status === 200));
		return one;
	}

	/** The core says of his Contact: state, event and more. */
	says(state, event, more = {}, how = {}) {
		return this.core.tell(this.dialog, registration(impu(this.user), state === 'active' ? 'active'
			: 'terminated', this.core.contactOf(this.user, { state, event, ...more }, how.register)), how);
	}

	another() {
		return Wic.connect(this.user, { ca: this.world.files.ca_pem });
	}

	/** Whether a MESSAGE of his goes to the core. */
	async isRegistered() {
		const { status } = await this.wic.message(this.user, 'am I?');
		assert.ok(status === 200 || status === 403, `${status}`);
		return status === 200;
	}

	/** How often the core was told that he leaves. */
	farewells() {
		return this.core.requests.filter((sip) => sip.method === 'REGISTER'
			&& sip.header('To').includes(impu(this.user)) && sip.header('Expires') === '0').length;
	}

	async close() {
		if (this.wic.isOpen)
			await this.wic.close();
	}
}

const removes = (event) => async (one) => {
	assert.equal(await one.says('terminated', event), 200);
	assert.equal(await one.isRegistered(), false);
	assert.ok(one.wic.isOpen, 'its connection is kept');
	assert.equal(one.farewells(), 0, 'the core knows it');
	assert.equal((await one.wic.register(one.token)).status, 200, 'and it may come again');
	assert.equal(await one.isRegistered(), true);
	await one.core.dialog(one.user, { nth: 2 });
};

const CASES = {
	async 'a SUBSCRIBE is as 9.9 shows it'({ core, dialog, user }) {
		const [sip] = dialog.asked;
		assert.equal(sip.uri, impu(user));
		assert.equal(sip.header('Accept'), 'application/reginfo+xml');
		assert.ok(Number(sip.header('Expires')) > 600, 'above that of the registration');
		assert.match(sip.header('Contact'), /^<sip:St1\./);
		assert.equal(sip.header('P-Asserted-Identity'), sip.header('From').replace(/;.*/, ''));
		assert.match(sip.header('P-Charging-Vector'), /icid-value=/);
		await pause(NOTHING_MS);
		assert.equal(core.dialogs.get(impu(user)).length, 1);
	},
	'contact expired': removes('expired'),
	'contact unregistered': removes('unregistered'),
	async 'contact deactivated: it comes back at once'(one) {
		assert.equal(await one.says('terminated', 'deactivated'), 200);
		assert.equal((await within('its connection closed', one.wic.closed)).code, 1001);
		const again = await one.another();
		assert.equal((await again.register(one.token)).status, 200);
		await again.close();
	},
	async 'contact on probation: 503 until that is over, on every worker'(one) {
		assert.equal(await one.says('terminated', 'probation', { 'retry-after': 10 }), 200);
		const others = await Promise.all([one.another(), one.another(), one.another()]);
		for (const wic of [one.wic, ...others]) {
			const answer = await wic.register(one.token);
			assert.equal(answer.status, 503);
			assert.ok(Number(answer.header('Retry-After')) <= 10);
		}
		await pause(10100);
		assert.equal((await one.wic.register(one.token)).status, 200);
		await Promise.all(others.map((wic) => wic.close()));
	},
	async 'contact rejected: the token is refused and the connection closed'(one) {
		assert.equal(await one.says('terminated', 'rejected'), 200);
		assert.equal((await within('its connection closed', one.wic.closed)).code, 1008);
		const others = await Promise.all([one.another(), one.another(), one.another()]);
		for (const wic of others)
			assert.equal((await wic.register(one.token)).status, 403, 'the same jti');
		assert.equal((await others[0].register(one.world.mint.issue(one.user))).status, 200);
		await Promise.all(others.map((wic) => wic.close()));
	},
	async 'contact shortened: it ends so much earlier'(one) {
		assert.equal(await one.says('active', 'shortened', { expires: 1 }), 200);
		assert.equal(await one.isRegistered(), true);
		await pause(1300);
		assert.equal(await one.isRegistered(), false);
	},
	async 'contact refreshed: never past its token'(one) {
		const end_ms = Date.now() + 8000;
		assert.equal((await one.wic.register(one.world.mint.issue(one.user, { lifetime_s: 8 }))).status, 200);
		assert.equal(await one.says('active', 'refreshed', { expires: 600 }), 200);
		assert.equal(await one.isRegistered(), true);
		await pause(end_ms + 500 - Date.now());
		assert.equal(await one.isRegistered(), false);
		assert.equal(one.farewells(), 1);
	},
	async 'an implicit identity is learnt, and one that is gone is gone'(one) {
		const other = impu(`also-${one.user}`);
		const asserted = async () => {
			await one.wic.request('MESSAGE', impu('bob'), { headers: [
				['P-Preferred-Identity', `<${other}>`], ['Content-Type', 'text/plain']], body: 'hi' });
			return one.core.requests.filter((sip) => sip.method === 'MESSAGE'
				&& sip.header('From').includes(impu(one.user))).at(-1).header('P-Asserted-Identity');
		};
		assert.equal(await asserted(), `<${impu(one.user)}>`);
		await one.core.tell(one.dialog, registration(other, 'active', one.core.contactOf(one.user,
			{ state: 'active', event: 'created', expires: 600 })));
		assert.equal(await asserted(), `<${other}>`);
		await one.core.tell(one.dialog, registration(other, 'terminated', one.core.contactOf(one.user,
			{ state: 'terminated', event: 'deactivated' })));
		assert.equal(await asserted(), `<${impu(one.user)}>`);
		assert.equal(await one.isRegistered(), true);
	},
	async 'a subscription that has ended is made again while its user is registered'(one) {
		assert.equal(await one.core.tell(one.dialog, null, { subscription: 'terminated;reason=timeout' }), 200);
		await one.core.dialog(one.user, { nth: 2 });
		assert.equal(await one.core.tell(one.dialog, null), 481, 'the one before is over');
		assert.equal(await one.isRegistered(), true);
	},
	async 'a subscription that ends with the registration is done'(one) {
		assert.equal(await one.says('terminated', 'unregistered', {},
			{ subscription: 'terminated;reason=noresource' }), 200);
		assert.equal(await one.isRegistered(), false);
		await pause(1500);
		assert.equal(one.core.dialogs.get(impu(one.user)).length, 1);
	},
	async 'a NOTIFY that was missed makes the gateway ask for all'(one) {
		assert.equal(await one.core.tell(one.dialog, '', { version: 7 }), 200);
		await one.core.dialog(one.user, { asked: 2 });
		assert.equal(one.dialog.asked[1].header('CSeq'), '2 SUBSCRIBE');
	},
	async 'an old version, and an old CSeq, change nothing'(one) {
		assert.equal(await one.core.tell(one.dialog, '', { version: 1 }), 200);
		assert.equal(await one.says('terminated', 'expired', {}, { version: 1 }), 200);
		assert.equal(await one.says('terminated', 'expired', {}, { cseq: 1 }), 200, 'a repeat');
		assert.equal(await one.isRegistered(), true);
	},
	async 'what cannot be read is refused'(one) {
		const bomb = '<!DOCTYPE r [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><r>&b;</r>';
		assert.equal(await one.core.tell(one.dialog, null, { document: bomb }), 400);
		assert.equal(await one.core.tell(one.dialog, null, { document: '<reginfo' }), 400);
		assert.equal(await one.isRegistered(), true);
	},
	async '10.5: what the core said before the last 200 does not end the registration'(one) {
		const before = one.core.registerOf(one.user);
		assert.equal((await one.wic.register(one.token)).status, 200);
		assert.equal(await one.says('terminated', 'expired', {}, { register: before }), 200);
		assert.equal(await one.isRegistered(), true);
	},
	async '10.5: where it does not say of which REGISTER it is, the core is asked first'(one) {
		assert.equal((await one.wic.register(one.token)).status, 200);
		const { uri } = one.core.named(one.user);
		await one.core.tell(one.dialog, registration(impu(one.user), 'terminated',
			`<contact id="1" state="terminated" event="expired"><uri>${uri}</uri></contact>`));
		assert.equal(await one.isRegistered(), true);
		await one.core.dialog(one.user, { asked: 2 });
		await pause(NOTHING_MS); /* the core says that it stands */
		assert.equal(await one.isRegistered(), true);
	},
	async 'by the port that all workers share it finds its worker'(one) {
		for (let n = 0; n < 4; n += 1)
			assert.equal(await one.core.tell(one.dialog, '', { to: MW_PORT }), 200);
		assert.equal(await one.says('terminated', 'expired', {}, { to: MW_PORT }), 200);
		assert.equal(await one.isRegistered(), false);
	},
	async 'who comes back on another connection has another subscription'(one) {
		one.wic.socket.terminate();
		const again = await one.another();
		Object.assign(again, { instance: one.wic.instance, host: one.wic.host, cseq: one.wic.cseq });
		assert.equal((await again.register(one.token)).status, 200);
		await one.core.dialog(one.user, { nth: 2 });
		const [first] = one.core.dialogs.get(impu(one.user));
		assert.equal(await one.core.tell(first, null), 481);
		one.wic = again;
		assert.equal(await one.isRegistered(), true);
	},
};

await scenario(WORLDS, async (world) => {
	const core = await Notifier.start(world);
	const stage = { world, core, free: [...USERS] };
	await eachCaseAbreast(CASES, async (play) => {
		const one = await Case.open(stage);
		await play(one);
		await one.close();
	});
	/* a core without them costs nothing but the question */
	core.refuse = [489, 'Bad Event'];
	const user = stage.free.shift();
	const wic = await Wic.connect(user, { ca: world.files.ca_pem });
	assert.equal((await wic.register(world.mint.issue(user))).status, 200);
	await core.dialog(user);
	await pause(NOTHING_MS);
	assert.equal((await wic.register(world.mint.issue(user))).status, 200);
	await pause(NOTHING_MS);
	assert.equal(core.dialogs.get(impu(user))[0].asked.length, 1);
	await wic.close();
}, LIMIT_MS);
