// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 8.1 and 9.9: a scripted core tells the gateway by registration events what has become of the one registration that
// all identities of a block have.

import { setTimeout as pause } from 'node:timers/promises';
import { BLOCK, BLOCK_WORLDS, Guest, blockIs } from './lib/block.mjs';
import { eachCase } from './lib/cases.mjs';
import { MW_PORT, REALM, impu } from './lib/names.mjs';
import { Notifier, contact, registration } from './lib/notifier.mjs';
import { waitFor, within } from './lib/process.mjs';
import { assert, scenario } from './lib/scenario.mjs';

const LONGEST_WAIT_MS = 1000; /* block.retry_max */
const NOTHING_MS = LONGEST_WAIT_MS + 500;
const LIMIT_MS = 90000;
const GUESTS = 4; /* on all workers, as the kernel or the port spreads them */

/** The block up, the core asked about it, and guests. */
class Case {
	static async open(world, core) {
		await waitFor('the block up and a subscription', async () => {
			const [row] = await world.gateway.blocks();
			return row?.state === 'up' && row.reg_event === 'active';
		});
		const dialog = core.dialogs.get(impu(BLOCK)).at(-1);
		await waitFor('the first NOTIFY is answered', () => core.responses.some((sip) =>
			sip.call_id === dialog.call_id && sip.status === 200));
		const guests = [];
		for (let n = 0; n < GUESTS; n += 1)
			guests.push(await Guest.enter(world, `guest-${n}`));
		return Object.assign(new Case(), { world, core, dialog, guests });
	}

	/** The core says of the block's Contact: state, event and more. */
	async says(state, event, more = {}, how = {}) {
		assert.equal(await this.core.tell(this.dialog, registration(impu(BLOCK), state === 'active' ? 'active'
			: 'terminated', this.core.contactOf(BLOCK, { state, event, ...more })), how), 200);
	}

	registers() {
		return this.core.requests.filter((sip) => sip.method === 'REGISTER');
	}

	/** Waits for the REGISTER behind the first n: for more time, of the same call, of a higher CSeq. */
	async registersAgain(n) {
		const sip = await waitFor('another REGISTER of the block', () => this.registers()[n]);
		const [before] = this.registers();
		assert.equal(sip.call_id, before.call_id);
		assert.ok(parseInt(sip.header('CSeq'), 10) > parseInt(this.registers()[n - 1].header('CSeq'), 10));
		assert.notEqual(sip.header('Expires'), '0');
		await blockIs(this.world, 'up');
	}

	/** What operators see of it. */
	async row() {
		return (await this.world.gateway.blocks())[0];
	}

	/** Those that were there are, and are served. */
	async assertGuestsStay() {
		assert.equal((await this.row()).bindings, GUESTS);
		for (const guest of this.guests)
			assert.equal((await guest.message('bob', 'still here')).status, 200);
	}

	async close() {
		await Promise.all(this.guests.filter((guest) => guest.isOpen).map((guest) => guest.close()));
		await waitFor('no guest left', async () => (await this.row()).bindings === 0);
	}
}

const CASES = {
	async 'a SUBSCRIBE is for the identity that registers the block'({ core, dialog }) {
		const [sip] = dialog.asked;
		assert.equal(sip.uri, impu(BLOCK));
		assert.equal(sip.header('To'), `<${impu(BLOCK)}>`);
		assert.equal(sip.header('Accept'), 'application/reginfo+xml');
		assert.ok(Number(sip.header('Expires')) > 600, 'above that of the registration');
		assert.match(sip.header('Contact'), /^<sip:St1\./);
		assert.equal(sip.header('P-Asserted-Identity'), sip.header('From').replace(/;.*/, ''));
		assert.deepEqual([...core.dialogs.keys()], [impu(BLOCK)], 'and for no guest');
	},
	async 'rejected: its guests are thrown out, and it stays away until a reload'(one) {
		const { world } = one;
		const before = one.registers().length;
		await one.says('terminated', 'rejected');
		for (const guest of one.guests)
			assert.equal((await within('a connection closed', guest.closed)).code, 1008);
		const row = await one.row();
		assert.deepEqual([row.state, row.core_ended, row.again_s, row.reg_event, row.bindings],
			['down', 'rejected', 0, 'none', 0]);
		assert.match(world.gateway.program.log(), /event=block_down .*error=GW_REG_REJECTED/);
		const late = await Guest.open(world, 'guest-9');
		const answer = await late.registers();
		assert.equal(answer.status, 503);
		assert.ok(Number(answer.header('Retry-After')) > 0, 'Retry-After');
		await pause(NOTHING_MS);
		assert.equal(one.registers().length, before, 'nothing is asked of the core');
		await world.gateway.reload({});
		await one.registersAgain(before);
		assert.equal((await late.registers()).status, 200);
		await late.close();
	},
	async 'deactivated: it is registered again, and its guests stay'(one) {
		const before = one.registers().length;
		await one.says('terminated', 'deactivated');
		await one.registersAgain(before);
		await one.assertGuestsStay();
		assert.equal((await one.row()).core_ended, 'no');
	},
	async 'probation: it is away for so long, and its guests stay'(one) {
		const before = one.registers().length;
		const begun = Date.now();
		await one.says('terminated', 'probation', { 'retry-after': 3 });
		const row = await blockIs(one.world, 'down');
		assert.equal(row.core_ended, 'probation');
		assert.ok(row.again_s > 0 && row.again_s <= 3, `${row.again_s}`);
		assert.equal(row.bindings, GUESTS);
		const late = await Guest.open(one.world, 'guest-9');
		assert.equal((await late.registers()).status, 503);
		await one.registersAgain(before);
		assert.ok(Date.now() - begun >= 3000, 'not before');
		await one.assertGuestsStay();
		await late.close();
	},
	async 'expired: it is registered again, and its guests stay'(one) {
		const before = one.registers().length;
		await one.says('terminated', 'expired');
		await one.registersAgain(before);
		await one.assertGuestsStay();
	},
	async 'shortened: it is refreshed so much earlier'(one) {
		const before = one.registers().length;
		await one.says('active', 'shortened', { expires: 4 });
		assert.ok((await one.row()).seconds < 4);
		await one.registersAgain(before);
		assert.ok((await one.row()).seconds > 4);
		assert.equal(one.dialog, one.core.dialogs.get(impu(BLOCK)).at(-1), 'the same subscription');
		await one.assertGuestsStay();
	},
	async 'somebody else: what is about him changes nothing'(one) {
		const gone = { state: 'terminated', event: 'rejected' };
		const { uri } = one.core.named(BLOCK);
		for (const said of [registration(impu(BLOCK), 'active', contact(uri.replace(BLOCK, 'block-toys'), gone)),
			registration(impu('guest-0'), 'terminated', contact(uri, gone))])
			assert.equal(await one.core.tell(one.dialog, said), 200);
		assert.equal((await one.row()).state, 'up');
		await one.assertGuestsStay();
	},
	async 'another wildcard narrows the configured one, until the core names that again'(one) {
		const { gateway } = one.world;
		const named = async (expression, state) => {
			const text = `<w:wildcardedIdentity xmlns:w="urn:3gpp:ns:extRegExp:1.0">sip:guest-!${expression}!@${REALM}`;
			assert.equal(await one.core.tell(one.dialog, one.core.current(impu(BLOCK)) + registration(impu('guest-0'),
				'active', `${text}</w:wildcardedIdentity>`), { state: 'full' }), 200);
			await waitFor(`the wildcard ${state}`, async () => (await one.row()).wildcard === state);
		};
		await named('.*', 'configured');
		assert.equal(await gateway.counter('block_differs'), 0);
		await one.assertGuestsStay();

		await named('[0-2].*', 'narrowed');
		assert.equal(await gateway.counter('block_differs'), 1);
		await waitFor('the log', () => gateway.program.log().includes('event=block_differs'));
		assert.equal((await within('the connection of who is outside of it closed', one.guests[3].closed)).code, 1008);
		assert.equal((await one.row()).bindings, GUESTS - 1);
		for (const guest of one.guests.slice(0, 3))
			assert.equal((await guest.message('bob', 'still here')).status, 200);
		const outside = await Guest.open(one.world, 'guest-7');
		assert.equal((await outside.registers()).status, 403);
		const inside = await Guest.enter(one.world, 'guest-17');

		await named('.*', 'configured');
		assert.equal((await outside.registers()).status, 200);
		await Promise.all([outside.close(), inside.close()]);
	},
	async 'by the port that all workers share it finds the home worker'(one) {
		const before = one.registers().length;
		for (let n = 0; n < 4; n += 1)
			assert.equal(await one.core.tell(one.dialog, '', { to: MW_PORT }), 200);
		await one.says('terminated', 'deactivated', {}, { to: MW_PORT });
		await one.registersAgain(before);
	},
};

await scenario(BLOCK_WORLDS.map((world) => ({ ...world, core: 'script' })), async (world) => {
	const core = await Notifier.start(world);
	await eachCase(CASES, async (play) => {
		const one = await Case.open(world, core);
		await play(one);
		await one.close();
	});
}, LIMIT_MS);
