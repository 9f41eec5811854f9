// SPDX-License-Identifier: BSD-3-Clause
// Both ends of a call in a script's hand: a WIC that answers nothing by itself, and a core that stays in
// the route and answers when it is told to.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { MW_PORT, REALM, bracketed, impu } from './names.mjs';
import { waitFor } from './process.mjs';
import { accept, wayTo } from './scripted_core.mjs';
import { answerSip, parseSip, writeSip } from './sip.mjs';
import { Wic } from './wic.mjs';

const hex = (bytes = 6) => randomBytes(bytes).toString('hex');
const inOrder = (sip) => sip.all('Record-Route').flatMap((line) => line.split(','))
	.map((value) => value.trim());
const targetOf = (sip) => /<([^>]+)>/.exec(sip.header('Contact'))[1];

/** The responses of a leg that have come, for people and for comparing. */
const heard = (responses, leg) => responses.filter((sip) => sip.header('Call-ID') === leg.id)
	.map((sip) => `${sip.status} to ${sip.header('CSeq')}`).join(', ');

/** Waits for a response of a leg. */
async function hears(responses, status, method, leg) {
	try {
		return await waitFor(`${status} to ${method}`, () => responses.find((sip) =>
			sip.status === status && sip.header('Call-ID') === leg.id
			&& sip.header('CSeq').endsWith(` ${method}`)));
	} catch (error) {
		throw new Error(`${error.message}, but: ${heard(responses, leg)}`, { cause: error });
	}
}

/** What inside requests of a leg need, from the message that answered, or asked, from over there. */
const inside = (leg, sip, routes) => ({ ...leg, target: targetOf(sip), routes });

export class LegWic extends Wic {
	take(text) {
		if (text.trim() === '')
			return;
		const sip = parseSip(text);
		(sip.method ? this.requests : this.responses).push(sip);
	}

	get contactUri() {
		return `<sip:${this.user}@${this.host};transport=ws>`;
	}

	/** Sends a request of a leg; `more` are headers. Returns its branch. */
	sends(method, leg, { cseq = 1, branch = `z9hG4bK${hex()}`, more = [], body = '' } = {}) {
		this.socket.send(writeSip(`${method} ${leg.target} SIP/2.0`, [
			['Via', `SIP/2.0/WSS ${this.host};branch=${branch}`], ['Max-Forwards', '70'],
			...(leg.routes ?? []).map((route) => ['Route', route]),
			['From', leg.near], ['To', leg.far], ['Call-ID', leg.id], ['CSeq', `${cseq} ${method}`],
			...more], body));
		return branch;
	}

	/** Begins a call, or something else; its leg. change: of members of the leg. */
	invites(user, more = [], change = {}, method = 'INVITE') {
		const leg = { id: hex(), near: `<${impu(this.user)}>;tag=${hex(4)}`, far: `<${impu(user)}>`,
			target: impu(user), ...change };
		leg.branch = this.sends(method, leg, { more: [['Contact', this.contactUri], ...more] });
		return leg;
	}

	/** The leg once it has been answered. */
	answered(leg, response) {
		return inside({ ...leg, far: response.header('To') }, response, inOrder(response).reverse());
	}

	/** A request that comes: waits for it. */
	gets(method, id) {
		return waitFor(`${method} at ${this.user}`, () => this.requests.find((sip) =>
			sip.method === method && (!id || sip.header('Call-ID') === id)));
	}

	/** A response that comes to a leg's request. */
	hears(status, method, leg) {
		return hears(this.responses, status, method, leg);
	}

	heard(leg) {
		return heard(this.responses, leg);
	}

	/** Answers a request that came; 1xx and 2xx of INVITE with a Contact. edit: of [name, value]. */
	replies(request, status, reason, { more = [], edit = (line) => line } = {}) {
		const tag = this.tag ??= hex(4);
		const { start, headers } = parseSip(answerSip(request, status, reason, tag));
		const contact = request.method === 'INVITE' && status > 100 && status < 300
			? [['Contact', this.contactUri]] : [];
		this.socket.send(writeSip(start, [...headers.filter(({ name }) => name !== 'content-length')
			.map(({ name, value }) => edit([name, value])), ...contact, ...more]));
	}
}

export class LegCore {
	static async start(world) {
		const legs = new LegCore();
		legs.link = world.link;
		legs.uri = `<sip:${bracketed(world.link.core)}:${MW_PORT};lr>`;
		legs.core = await world.playCore((request) =>
			request.method === 'REGISTER' ? accept(request, world.link.core) : null);
		return legs;
	}

	get requests() {
		return this.core.requests;
	}

	of(method, leg) {
		return this.requests.filter((sip) => sip.method === method
			&& sip.header('Call-ID') === leg.id);
	}

	gets(method, leg) {
		return waitFor(`${method} at the core`, () => this.of(method, leg)[0]);
	}

	/** Answers a request that came, as who stays in the route; `tag` of whom it has reached. */
	replies(request, status, reason, { tag = 'callee', more = [] } = {}) {
		const { start, headers } = parseSip(answerSip(request, status, reason, tag));
		const lines = headers.filter(({ name }) => name !== 'content-length')
			.map(({ name, value }) => [name, value]);
		const contact = request.method === 'INVITE' && status < 300 ? [['Record-Route', this.uri],
			['Contact', `<sip:callee@${bracketed(this.link.core)}:${MW_PORT}>`]] : [];
		this.core.send(writeSip(start, [...contact, ...lines, ...more]), request.source.port,
			request.source.address);
	}

	/** The leg to a WIC that has registered, by its REGISTER as it came. */
	legTo(register, user) {
		const { route, contact, port } = wayTo(register);
		return { id: hex(), near: `<sip:caller@${REALM}>;tag=${hex(4)}`, far: `<${impu(user)}>`,
			target: contact, routes: [route], port, user };
	}

	/** Sends a request of a leg; returns its branch. */
	sends(method, leg, { cseq = 1, branch = `z9hG4bK${hex()}`, more = [] } = {}) {
		const host = bracketed(this.link.core);
		const first = method === 'INVITE' ? [['Record-Route', this.uri],
			['P-Called-Party-ID', `<${impu(leg.user)}>`],
			['Contact', `<sip:caller@${host}:${MW_PORT}>`]] : [];
		this.core.send(writeSip(`${method} ${leg.target} SIP/2.0`, [
			['Via', `SIP/2.0/UDP ${host}:${MW_PORT};branch=${branch}`], ['Max-Forwards', '69'],
			...leg.routes.map((route) => ['Route', route]), ['From', leg.near], ['To', leg.far],
			['Call-ID', leg.id], ['CSeq', `${cseq} ${method}`], ...first, ...more]),
		leg.port, this.link.gateway);
		return branch;
	}

	hears(status, method, leg) {
		return hears(this.core.responses, status, method, leg);
	}

	heard(leg) {
		return heard(this.core.responses, leg);
	}

	/** The leg once it has been answered: the gateway is on top of what we would send through. */
	answered(leg, response) {
		const routes = inOrder(response).filter((value) => value !== this.uri);
		return inside({ ...leg, far: response.header('To') }, response, routes);
	}
}

/** WICs that have registered, and the core. */
export class Stage {
	static async open(world) {
		return Object.assign(new Stage(), { world, core: await LegCore.start(world) });
	}

	async enter(user) {
		const wic = await LegWic.connect(user, { ca: this.world.files.ca_pem });
		assert.equal((await wic.register(this.world.mint.issue(user))).status, 200);
		const register = this.core.requests.filter((sip) => sip.method === 'REGISTER'
			&& sip.header('To').includes(user)).at(-1);
		return Object.assign(wic, { register_on_mw: register });
	}

	/** A call that alice has begun and the core has answered; the leg as she has it. */
	async standing(alice) {
		const leg = alice.invites('bob');
		this.core.replies(await this.core.gets('INVITE', leg), 200, 'OK');
		const inner = alice.answered(leg, await alice.hears(200, 'INVITE', leg));
		alice.sends('ACK', inner);
		await this.core.gets('ACK', leg);
		return inner;
	}

	/** A call that the core has begun and alice has answered; the leg as the core has it. */
	async taken(alice) {
		const leg = this.core.legTo(alice.register_on_mw, 'alice');
		this.core.sends('INVITE', leg);
		alice.replies(await alice.gets('INVITE', leg.id), 200, 'OK');
		const inner = this.core.answered(leg, await this.core.hears(200, 'INVITE', leg));
		this.core.sends('ACK', inner);
		await alice.gets('ACK', leg.id);
		return inner;
	}
}
