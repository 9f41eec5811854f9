// SPDX-License-Identifier: BSD-3-Clause
// One decision after the other, by WICs of their own each time, at a gateway that is reloaded in between.

import { HostileWic } from './hostile_wic.mjs';
import { MwPeer } from './mw_peer.mjs';
import { REALM, SITE_ORIGIN, impu } from './names.mjs';
import { assert } from './scenario.mjs';

const USERS = Array.from({ length: 120 }, (_, at) => `u${at}`);
const ANSWER_MS = 3000;

export class DecisionStage {
	static world = { users: [...USERS, ...USERS.map((name) => `${name}-2`)] };

	static async open(world, options) {
		const peer = await MwPeer.start(world);
		return Object.assign(new DecisionStage(), { world, peer, base: options, failed: [], users: [...USERS] });
	}

	/** The default of a decision. */
	async plays(row) {
		await this.#line(`${row.id} ${row.what}`, async () =>
			assert.deepEqual(await row.observe(this), row.is));
	}

	/** The default of a decision, and then its alternatives: [{changes, is}]; all start from the row's own base. */
	async turns(row) {
		const base = row.base ?? {};
		const defaults = { more_access: '', more_realm: '', settings: this.base.settings,
			site_limits: this.base.site_limits, more_issuers: '', digest: null, pool: false, ...base };
		await this.#line(`${row.id} ${row.setting}, default`, async () => {
			await this.world.gateway.reload({ ...DecisionStage.world, ...defaults });
			assert.deepEqual(await row.observe(this), row.is);
		});
		for (const { name, is, ...change } of row.others)
			await this.#line(`${row.id} ${row.setting}, ${name}`, async () => {
				const changes = { ...defaults, ...change };
				for (const [key, value] of Object.entries(change.and ?? {}))
					changes[key] = `${defaults[key]}${value}`;
				delete changes.and;
				await this.world.gateway.reload(changes);
				assert.deepEqual(await row.observe(this), is);
			});
	}

	async #line(name, play) {
		try {
			await play();
			console.log(`ok (${this.world.workers}) ${name}`);
		} catch (error) {
			this.failed.push(name);
			console.log(`FAIL (${this.world.workers}) ${name}: ${String(error.message).split('\n').map((line) =>
				line.trim()).filter(Boolean).join(' | ')}`);
		}
	}

	connect(user = this.users.shift(), origin = SITE_ORIGIN) {
		assert.ok(user, 'a user who has not been here');
		return HostileWic.connect(user, { ca: this.world.files.ca_pem, origin });
	}

	/**
	 * A WIC registers, or tries to: {wic, user, token, answer, register}; register: as the core had it, or null. token:
	 * null for none; claims, header, lifetime_s: of one; identities: that the core adds; more: see HostileWic.write().
	 */
	async registers({ claims = {}, header = {}, lifetime_s = 600, token, who, identities = [], lines = [], rule, contact,
		wic: given, ...more } = {}) {
		const wic = given ?? await this.connect();
		const shown = token === undefined ? this.world.mint.issue(wic.user, { lifetime_s, header,
			claims: typeof claims === 'function' ? claims(wic.user) : claims }) : token;
		const uri = who ? `sip:${who}@${REALM}` : impu(wic.user);
		const sent = wic.write('REGISTER', `sip:${REALM}`, { call_id: wic.call_id, cseq: wic.cseq += 1,
			contact: contact === undefined ? wic.contact : contact(wic), to: `<${uri}>`, from: `<${uri}>;tag=a`, ...more,
			lines: [['Expires', '600'], ...(shown ? [['Authorization', `Bearer ${shown}`]] : []), ...lines] });
		this.peer.rules.set(wic.call_id, rule ?? ((request) => request.reply(200, 'OK', { lines:
			this.peer.registered(request, [impu(wic.user), ...identities.map((name) => impu(name(wic.user)))]
				.map((one) => `<${one}>`)) })));
		wic.say(sent.text);
		const answer = await wic.final(sent, ANSWER_MS);
		return { wic, user: wic.user, token: shown, answer,
			register: this.peer.of(wic.call_id, 'REGISTER').find(({ cseq }) => cseq === sent.cseq) ?? null };
	}

	/** One that has registered sends a request to bob: {wic, final, arrived}. */
	async says(method, { uri = impu('bob'), registered = {}, ...more } = {}) {
		const { wic, user, answer } = await this.registers(registered);
		assert.equal(answer.status, 200, answer.start);
		const sent = wic.write(method, uri, { ...(typeof more.of === 'function' ? more.of(user, wic) : {}), ...more });
		this.peer.rules.set(sent.call_id, (request) => {
			if (request.method !== 'ACK')
				request.reply(request.method === 'INVITE' ? 486 : 200, 'X');
		});
		wic.say(sent.text);
		const final = await wic.final(sent, ANSWER_MS);
		return { wic, user, sent, final, arrived: this.peer.of(sent.call_id, method)[0] ?? null };
	}
}

/** A parameter of a credential. */
export const parameter = (value, name) => new RegExp(`[ ,]${name}="?([^",]*)`).exec(value ?? '')?.[1] ?? null;
