// SPDX-License-Identifier: BSD-3-Clause
// Visitors of a web site that lends the pairs of a pool, and who issues their tokens: honestly, or
// not. The honest issuer is the rule of wicgate-wwsf (control/wwsf/assignments.c) once more.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { LegWic } from './legs.mjs';
import { REALM, impi, impu } from './names.mjs';
import { waitFor } from './process.mjs';
import { WORKER_COUNTS } from './scenario.mjs';
import { contactExpires } from './sip.mjs';
import { Wic } from './wic.mjs';

export const now_s = () => Math.floor(Date.now() / 1000);

/** The agreement of operator and web sites (6.3). */
export const AGREED_S = 3600;
/** What the core grants whatever it is asked for: more than a token ever lives. */
export const CORE_S = 7200;
export const GRACE_S = 1;

/* these the core answers in its own way, see peers/kamailio-scscf.cfg */
const SPECIAL = ['leave403', 'leave404', 'leave481'];
const PAIRS = [...Array.from({ length: 40 }, (_, i) => `p${String(i).padStart(2, '0')}`),
	...SPECIAL.flatMap((name) => [`${name}a`, `${name}b`])];

export const POOL_SETTINGS = { pool: true, users: PAIRS, grant_at_least: CORE_S,
	settings: `limits: {min_grant: 1, max_pool_lifetime: ${AGREED_S}, flow_grace: ${GRACE_S},`
		+ ' upgrades_per_second: 1000000, upgrades_burst: 1000000}\naudit: {file: audit.log}\n',
	site_limits: 'limits: {requests_per_second: 1000000}' };
export const POOL_WORLDS = WORKER_COUNTS.map((world) => ({ ...world, ...POOL_SETTINGS }));

/** Waits until a second has begun that a clock of seconds calls later than `second`. */
export const behind = (second) => pause((second + 1) * 1000 - Date.now() + 20);

export class PoolIssuer {
	constructor(mint) {
		this.mint = mint;
		this.free = PAIRS.filter((name) => !SPECIAL.some((prefix) => name.startsWith(prefix)));
		this.issued = [];
		this.promised = new Map(); /* pair -> exp of the last token for it */
	}

	/** Who comes: a pair that nobody had, or a given one. */
	visitor(user = this.free.shift()) {
		assert.ok(user, 'a pair that is free');
		return { user, sub: `anon-${randomUUID().slice(0, 8)}` };
	}

	/** The next visitor with the pair of one who was there before. */
	next({ user }) {
		return this.visitor(user);
	}

	/** The second in which the last token for a visitor's pair ends. */
	end({ user }) {
		return this.promised.get(user);
	}

	/**
	 * A token for a visitor, lifetime_s from now. claims: what it says otherwise; that is how an issuer
	 * is dishonest.
	 */
	token({ user, sub }, { lifetime_s = 600, ...claims } = {}) {
		const iat = now_s();
		const said = { sub, scn: 'pool', iat, exp: iat + lifetime_s, ...claims };
		this.promised.set(user, Math.max(this.promised.get(user) ?? 0, said.exp));
		this.issued.push(this.mint.issue(user, { claims: said }));
		return this.issued.at(-1);
	}
}

/** Each way to break the agreement: claims of a token that does, beside those of a good one. */
export const DISHONEST = {
	lives_too_long: () => ({ exp: now_s() + AGREED_S + 60 }),
	without_jti: () => ({ jti: undefined }),
	with_two_impus: ({ user }, { user: other }) => ({ impu: [impu(user), impu(other)] }),
	with_the_impi_of_another: (_, { user: other }) => ({ impi: impi(other) }),
	with_a_pair_of_nobody: () => ({ impi: `zoe@${REALM}`, impu: `sip:zoe@${REALM}` }),
	says_another_scenario: () => ({ scn: 'individual' }),
	has_no_time_left: () => ({ iat: now_s() - 100, exp: now_s() }),
	overlaps: () => ({}), /* said to another sub */
	is_older: () => ({ iat: now_s() - 60, exp: now_s() + 300 }),
	is_ahead_of_time: ({ exp }) => ({ iat: exp + 1, exp: exp + 120 }),
	uses_a_jti_twice: ({ jti }) => ({ jti }),
};

const ofPool = (Base) => class extends Base {
	/** A visitor who registers with a token, or another one with what `more` says of that. */
	static async enter(stage, visitor, more = {}) {
		const wic = await this.connectAs(stage, visitor);
		const answer = await wic.registers(more);
		assert.equal(answer.status, 200, `REGISTER of ${visitor.user}: ${answer.start}`);
		return wic;
	}

	/** A connection of a visitor; instance: of the one before, whose page has been loaded again. */
	static async connectAs(stage, visitor, instance = null) {
		const wic = await this.connect(visitor.user, { ca: stage.world.files.ca_pem });
		Object.assign(wic, { stage, visitor });
		if (instance)
			wic.instance = instance;
		return wic;
	}

	/** REGISTER with a new token, or with that one; the answer. */
	registers({ token = null, expires = 600000, ...claims } = {}) {
		return this.register(token ?? this.stage.issuer.token(this.visitor, claims), { expires });
	}

	leaves() {
		return this.register(null, { expires: 0 });
	}

	/** Bodies of the MESSAGEs that came. */
	get heard() {
		return this.requests.filter(({ method }) => method === 'MESSAGE').map(({ body }) => body);
	}
};

export const PoolWic = ofPool(Wic);
/** One that answers nothing by itself. */
export const PoolLeg = ofPool(LegWic);

/** What all cases of a script share: the world, its issuer, and one who calls the others. */
export class PoolStage {
	static async open(world) {
		const stage = Object.assign(new PoolStage(),
			{ world, issuer: new PoolIssuer(world.mint), texts: 0 });
		stage.caller = await PoolWic.enter(stage, stage.issuer.visitor(), { lifetime_s: 3000 });
		return stage;
	}

	/** Lines of the audit stream: {name: value}. */
	audit() {
		return readFileSync(join(this.world.folder, 'audit.log'), 'utf8').split('\n').filter(Boolean)
			.map((line) => Object.fromEntries(line.split(' ').map((pair) => {
				const at = pair.indexOf('=');
				return [pair.slice(0, at), pair.slice(at + 1)];
			})));
	}

	/** REGISTERs of a pair on Mw, oldest first. */
	async registers(user) {
		await this.world.capture.settle();
		return this.world.capture.requestsToCore('REGISTER', user);
	}

	/** Waits for the nth de-REGISTER of a pair on Mw: {time_s, sip}. */
	leaving(user, n = 0, timeout_ms = 10000) {
		const { capture } = this.world;
		return waitFor(`de-REGISTER ${n} of ${user}`, () => capture.messages.filter(({ sip }) =>
			sip.method === 'REGISTER' && sip.header('From').includes(`sip:${user}@`)
			&& sip.header('Expires') === '0')[n], timeout_ms);
	}

	/** A MESSAGE by way of the core for whoever has the pair: {status, text}. */
	async calls(user) {
		const text = `to ${user}, ${this.texts += 1}`;
		return { text, status: (await this.caller.message(user, text)).status };
	}

	/** What the core wants of the pair reaches one connection, and none of the others. */
	async reaches(user, wic, others = []) {
		const { status, text } = await this.calls(user);
		assert.equal(status, 200, `a MESSAGE for ${user}`);
		assert.ok(wic.heard.includes(text), `it reaches who has ${user}`);
		for (const other of others)
			assert.ok(!other.heard.includes(text), `and nobody who had ${user} before`);
	}
}

/** A 403 to who has no right to a pair: with the time until it ends, and no challenge (F24, 6.7). */
export function assertInUse(answer, end_s) {
	assert.equal(answer.status, 403, answer.start);
	const left = end_s - Date.now() / 1000;
	const said = Number(answer.header('Retry-After'));
	assert.ok(said >= left - 1 && said <= left + 2, `Retry-After ${said}, ${left} s are left`);
	assert.deepEqual([answer.header('WWW-Authenticate'), answer.header('Proxy-Authenticate')],
		[null, null], 'no challenge');
}

/** The time that a WIC is told. */
export const granted = (answer) => contactExpires(answer.header('Contact'))
	?? Number(answer.header('Expires'));
