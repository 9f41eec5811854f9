// SPDX-License-Identifier: BSD-3-Clause
// What a refused request must look like from outside: the answer, the counter, and the core, which
// has heard nothing.

import assert from 'node:assert/strict';
import { AUTHZ_SERVER, REALM, SITE_ORIGIN } from './names.mjs';
import { waitFor } from './process.mjs';
import { accept } from './scripted_core.mjs';
import { Forge } from './forge.mjs';
import { Wic } from './wic.mjs';

const CHALLENGE = { 401: 'WWW-Authenticate', 407: 'Proxy-Authenticate' };
const PIECE = 8; /* characters of a token that cannot be there by chance */

/** Errors of segments and packets, which a device or a kernel may send late or twice. */
const PACKETS = /^errors\.GW_(TCP|NET|ETH|IP|ARP|NDP|ICMP|UDP|NEIGHBOUR)_?/;

/** The refusals of one world, with the second issuer in its configuration. */
export class Refusals {
	/** change: what to make of the second issuer's configuration. */
	static async open(world, change = (configuration) => configuration) {
		const refusals = new Refusals(world);
		refusals.core = await world.playCore((request) => accept(request, world.link.core));
		world.gateway.configure(change(refusals.forge.configuration()));
		world.gateway.program.signal('SIGHUP');
		await waitFor('the configuration is read', () =>
			/event=reloaded|event=reload_refused/.test(world.gateway.program.log()));
		assert.doesNotMatch(world.gateway.program.log(), /event=reload_refused/);
		return refusals;
	}

	constructor(world) {
		this.world = world;
		this.forge = new Forge(world.mint, world.folder);
	}

	connect(user, origin = SITE_ORIGIN) {
		return Wic.connect(user, { ca: this.world.files.ca_pem, origin });
	}

	/**
	 * Requests of WICs that the core has heard. The gateway's own have no Via of theirs: it takes back what the cases before
	 * have left behind, after its grace, in the middle of another one when the machine is slow.
	 */
	heard() {
		return this.core.requests.filter((sip) => sip.all('Via').length > 1);
	}

	/** {name of an error: [text, count]}, of all above the packets: the wire's come and go. */
	async #errors() {
		const { stats } = await this.world.gateway.ask('stats');
		return Object.fromEntries(stats
			.filter(({ name }) => name.startsWith('errors.') && !PACKETS.test(name))
			.map(({ name, help, total }) => [name, { help, total }]));
	}

	/**
	 * Plays ask(), which sends `count` requests, and checks that only an error of one of these rows
	 * was counted, once each, and that the core heard nothing. Returns what ask() returned.
	 */
	async counted(rows, count, ask) {
		const before = await this.#errors();
		const heard = this.heard().length;
		const answer = await ask();
		const grown = await waitFor(`a counter of ${rows}`, async () => {
			const found = Object.entries(await this.#errors()).map(([name, { help, total }]) =>
				({ name, help, more: total - (before[name]?.total ?? 0) })).filter(({ more }) =>
					more > 0);
			return found.length > 0 && found;
		});
		const said = JSON.stringify(grown);
		assert.equal(grown.length, 1, `one error counted: ${said}`);
		assert.ok(rows.some((row) => grown[0].help.split(/[ ,:]/).includes(row)),
			`${rows}: ${said}`);
		assert.equal(grown[0].more, count, `each counted once: ${said}`);
		assert.equal(this.heard().length, heard, 'nothing of it reached the core');
		return answer;
	}

	/** The connection is good for a good REGISTER still. */
	async serves(wic, token) {
		assert.ok(wic.isOpen, 'the connection is open');
		const heard = this.heard().length;
		assert.equal((await wic.register(token)).status, 200, 'a good REGISTER afterwards');
		assert.equal(this.heard().length, heard + 1, 'which reached the core');
		const { text } = this.heard().at(-1);
		assert.doesNotMatch(text, /Bearer /, 'without its credentials');
		assertNothingOf(token, text, 'without its token');
	}
}

function challengeParameters(value) {
	assert.match(value, /^Bearer /i);
	return Object.fromEntries([...value.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, name, text]) =>
		[name, text]));
}

/** An answer with this status, the challenge that goes with it, and nothing of the token. */
export function assertRefused(answer, status, { error = null, token = '', secrets = [],
	authz_server = AUTHZ_SERVER } = {}) {
	assert.equal(answer.status, status, answer.start);
	for (const [of, name] of Object.entries(CHALLENGE)) {
		const values = answer.all(name);
		assert.equal(values.length, Number(of) === status ? 1 : 0, `${name} in a ${status}`);
		if (values.length === 0)
			continue;
		const { realm, authz_server: server, error: said = null,
			...more } = challengeParameters(values[0]);
		assert.equal(realm, REALM, 'realm');
		assert.equal(server, authz_server, 'authz_server');
		assert.equal(said, error, 'error');
		assert.deepEqual(Object.keys(more).filter((key) => key !== 'scope'), [], 'nothing more');
	}
	assertNothingOf(token, answer.text, 'nothing of the token in the answer', secrets);
}

/** No piece of a token or secret that is long enough to tell it from chance is in text. */
export function assertNothingOf(token, text, why, secrets = []) {
	for (const piece of [...token.split('.'), ...secrets].filter((each) => each.length >= PIECE))
		assert.ok(!text.includes(piece), why);
}

/**
 * Plays a case {rows, token}: a REGISTER with it, twice, then a good one by
 * good(). status: 401 or 403.
 */
export const refusedTwice = (refusals, { status, user, origin, authz_server, good }) =>
	async ({ rows, token }) => {
		const wic = await refusals.connect(user, origin);
		try {
			const error = status === 401 ? 'invalid_token' : null;
			const answers = await refusals.counted(rows, 2, async () =>
				[await wic.register(token), await wic.register(token)]);
			for (const answer of answers)
				assertRefused(answer, status, { error, token, authz_server,
					secrets: secretsOf(token) });
			await refusals.serves(wic, good());
		} finally {
			await wic.close();
		}
	};

/** sub and jti of a token, as far as it has any. */
function secretsOf(token) {
	try {
		const { sub, jti } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
		return [sub, jti].filter((text) => typeof text === 'string');
	} catch {
		return [];
	}
}
