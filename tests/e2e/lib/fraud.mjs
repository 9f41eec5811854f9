// SPDX-License-Identifier: BSD-3-Clause
// Who may call whom: the policies that an anonymous visitor of a shop's page tries to get round, and the stage on which each
// way to do it is one line of the verdict. What reached the core is read as its most forgiving element might read it.

import { readLoose, splitValues } from './loose_sip.mjs';
import { HostileWic } from './hostile_wic.mjs';
import { WITH_SDP, callOut } from './dialog.mjs';
import { MwPeer } from './mw_peer.mjs';
import { REALM } from './names.mjs';
import { HOSTILE_WORLDS, assert } from './scenario.mjs';

const VISITORS = 330; /* a way has one of its own */
const ANSWER_MS = 3000;
const ABREAST = 8;
export const SHOP = 'shop.example';
export const PREMIUM = 'premium.example';
export const DESK = `sip:desk@${SHOP}`;

/**
 * The shop's own people only; and all the world but what costs. Both as an operator writes them. What is screened holds for
 * every site.
 */
export const POLICIES = {
	allow: { destinations: { allow: ['tel:+1800', `sip:*@${SHOP}`, `sip:helpdesk@${REALM}`,
		`re:sip:agent-[0-9]{2}@ims\\.example\\.test`], deny: ['tel:+1900', 'tel:+1800555', `sip:boss@${SHOP}`] },
	screening: { allow: [], deny: ['tel:+18009'] } },
	deny: { destinations: { allow: [], deny: ['tel:+1900', 'tel:00', 'tel:011', `sip:*@${PREMIUM}`,
		`sip:boss@${SHOP}`] }, screening: { allow: [], deny: ['tel:+18009', 'sip:*@screened.example'] } },
};

const user = (at) => `visitor${at}`;

/** The worlds of a policy: a site that lends identities, to who is not asked for a name. */
export const fraudWorlds = (policy) => HOSTILE_WORLDS.map((world) => ({ ...world, pool: true, policy,
	users: Array.from({ length: VISITORS }, (_, at) => user(at)),
	settings: `${world.settings}screening: ${JSON.stringify(POLICIES[policy].screening)}\n`,
	site_limits: `${world.site_limits}\n    destinations: ${
		JSON.stringify(POLICIES[policy].destinations)}` }));

/** Escapes, however often; digits of any script; no letters' case. */
function plain(value) {
	let text = value;
	for (let round = 0; round < 4; round += 1)
		text = text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
	text = Buffer.from(text, 'latin1').toString('utf8').normalize('NFKC');
	return text.replace(/[\u0660-\u0669]/g, (digit) => String(digit.charCodeAt(0) - 0x660)).toLowerCase();
}

const ROUTING = ['route', 'record-route', 'p-called-party-id', 'history-info', 'p-served-user', 'path',
	'service-route'];

/** Whatever in a request says where it, or another one for its sake, shall go; lines end as leniently as anybody reads. */
export function routing(request) {
	const { uri, all, method } = readLoose(request.text.replace(/\r\n|\r|\n/g, '\r\n'));
	return [uri, request.uri, ...[...ROUTING, ...(method === 'REFER' ? ['refer-to'] : [])]
		.flatMap((name) => all(name)).flatMap(splitValues)].filter(Boolean);
}

/** Whether one of these values leads to a number, or a user of the premium domain, by its last digits. */
export const leadsTo = (values, tail) => values.map(plain).some((value) =>
	value.replace(/[-.()\s\0]/g, '').includes(tail));

/** A forbidden number of a way's own: {digits, local, dashed, tail}. */
function numberOf(at) {
	const tail = `7${String(at).padStart(3, '0')}246`;
	return { tail, local: `900${tail}`, digits: `1900${tail}`,
		dashed: `1-900-${tail.slice(0, 3)}-${tail.slice(3)}` };
}

export class FraudStage {
	static async open(world, policy) {
		const stage = Object.assign(new FraudStage(), { world, policy, failed: [], count: 0, tails: [] });
		stage.peer = await MwPeer.start(world);
		return stage;
	}

	/**
	 * Plays each way of {name: play({wic, peer, n, stage})}, each by a visitor of its own, a line for each. may: these are
	 * those that must pass.
	 */
	async each(title, ways, may = false) {
		const todo = Object.entries(ways);
		const player = async () => {
			for (let next; (next = todo.shift());)
				await this.#one(`${title}: ${next[0]}`, next[1], may);
		};
		await Promise.all(Array.from({ length: ABREAST }, player));
	}

	async #one(name, play, may) {
		const at = this.count++;
		const n = numberOf(at);
		if (!may)
			this.tails.push(n.tail);
		try {
			const wic = await HostileWic.registered(this.world, user(at));
			await this.peer.learn(wic);
			await play({ wic, n, peer: this.peer, stage: this });
			await wic.close();
			if (!may)
				this.reachedNothing(n);
			console.log(`ok ${this.policy} (${this.world.workers}): ${name}`);
		} catch (error) {
			const why = String(error.message).split('\n').map((line) => line.trim()).filter(Boolean)
				.join(' | ');
			this.failed.push(name);
			console.log(`FAIL ${this.policy} (${this.world.workers}): ${name}: ${why}`);
		}
	}

	/** Nothing that the core has heard leads to that number. */
	reachedNothing({ tail }) {
		for (const request of this.peer.requests)
			assert.ok(!leadsTo(routing(request), tail), `at the core: ${JSON.stringify(request.text.slice(0, 600))}`);
	}

	/** After all ways: none of the numbers has reached the core late, and nothing leads to the premium domain. */
	assertAll() {
		for (const request of this.peer.requests)
			assert.ok(!routing(request).map(plain).some((value) => value.includes(PREMIUM)),
				`at the core: ${JSON.stringify(request.text.slice(0, 600))}`);
		for (const tail of this.tails)
			this.reachedNothing({ tail });
		assert.deepEqual(this.failed, [], `${this.failed.length} of ${this.count} ways`);
	}
}

/** Sends an initial request; {sent, final, arrived}: final null when nothing is answered. */
export async function say({ wic, peer }, method, uri, more = {}) {
	const sdp = method === 'INVITE' ? WITH_SDP : { lines: [], body: '' };
	const sent = wic.write(method, uri, { to: `<${DESK}>`, ...sdp, ...more,
		lines: [...sdp.lines, ...(more.lines ?? [])] });
	peer.rules.set(sent.call_id, (request) => {
		if (request.method !== 'ACK')
			request.reply(request.method === 'INVITE' ? 486 : 200, 'Reached');
	});
	wic.say(sent.text);
	const final = await wic.final(sent, ANSWER_MS).catch(() => null);
	return { sent, final, arrived: peer.of(sent.call_id) };
}

/** Refused by a 4xx, and not a byte at the core. malformed: what cannot be read may be answered by a close or not at all. */
export function assertRefused({ final, arrived }, { status = null, malformed = false } = {}) {
	assert.deepEqual(arrived.map(({ start }) => start), [], 'it reached the core');
	if (malformed && final === null)
		return;
	assert.ok(final, 'an answer');
	if (status)
		assert.equal(final.status, status, final.start);
	assert.ok(final.status >= 400 && final.status < 500 && final.status !== 408, final.start);
}

/** A request to whoever it is must arrive there and nowhere else. */
export function assertPassed({ final, arrived }, uri) {
	assert.ok(final, 'an answer');
	assert.ok(arrived.length > 0, `did not reach the core: ${final.start}`);
	for (const request of arrived)
		assert.equal(request.uri, uri, 'as it was written');
}

/** A call of a visitor to the shop that stands: see callOut() of lib/dialog.mjs. */
export const talking = ({ wic, peer }) => callOut(wic, peer, { uri: DESK });

/** Sends what it is told inside a call; how it was answered, and what came of it at the core behind `before`. */
export async function inside({ wic, peer }, call, method, more) {
	const before = peer.requests.length;
	const sent = call.dialog.send(method, more);
	const final = await wic.final(sent, ANSWER_MS).catch(() => null);
	return { sent, final, arrived: peer.requests.slice(before).filter(({ call_id }) => call_id === sent.call_id) };
}

/** Everything else that was sent by a WIC before has been read. */
export async function quiet({ wic, peer }) {
	await wic.caughtUp();
	await peer.settle(150);
}
