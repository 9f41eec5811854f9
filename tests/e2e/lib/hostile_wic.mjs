// SPDX-License-Identifier: BSD-3-Clause
// A WIC that says whatever it is told to, byte for byte, and that a script leads call by call.

import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { readLoose, writeLoose } from './loose_sip.mjs';
import { copied, recordRoutes } from './mw_peer.mjs';
import { impu } from './names.mjs';
import { waitFor } from './process.mjs';
import { Wic } from './wic.mjs';

const hex = (bytes = 6) => randomBytes(bytes).toString('hex');

export class HostileWic extends Wic {
	/** Connects and registers; more: of a REGISTER, see Wic.register(). */
	static async registered(world, user = 'alice', more = {}) {
		const wic = await HostileWic.connect(user, { ca: world.files.ca_pem });
		wic.token = world.mint.issue(user);
		const answer = await wic.register(wic.token, more);
		if (answer.status !== 200)
			throw new Error(`REGISTER of ${user}: ${answer.start}`);
		return wic;
	}

	constructor(user, socket) {
		super(user, socket);
		this.rules = new Map(); /* Call-ID -> rule(request, how often it came) */
		socket.removeAllListeners('message');
		socket.on('message', (data, is_binary) => this.#take(data, is_binary));
	}

	#take(data, is_binary) {
		if (data.toString('latin1').trim() === '')
			return; /* keep-alive */
		const sip = Object.assign(readLoose(data), { is_binary });
		if (sip.status !== null) {
			this.responses.push(sip);
			return;
		}
		sip.reply = (status, reason, more) => this.say(this.response(sip, status, reason, more));
		this.requests.push(sip);
		this.rules.get(sip.call_id)?.(sip, this.of(sip.call_id, sip.method).length);
	}

	/** The text of a response. routes: lines of Record-Route. */
	response(request, status, reason, { lines = [], body = '', to_tag = 'wic', contact = null,
		routes = recordRoutes(request), base = copied(request, to_tag) } = {}) {
		return writeLoose(`SIP/2.0 ${status} ${reason}`, [...base, ...routes,
			...(contact ? [['Contact', contact]] : []), ...lines], body);
	}

	say(text) {
		this.socket.send(text);
	}

	via(branch = `z9hG4bK${hex()}`) {
		return `SIP/2.0/WSS ${this.host};branch=${branch}`;
	}

	get contact_of_dialogs() {
		return this.address;
	}

	get address() {
		return `<sip:${this.user}@${this.host};transport=ws>`;
	}

	/** The parts of a request, not sent. lines: more of them; null for a part: left out. */
	write(method, uri, { via = this.via(), max_forwards = '70', from, to = `<${uri}>`,
		call_id = `${hex(8)}@${this.host}`, cseq = 1, contact = this.address, lines = [], body = '',
		length, start = `${method} ${uri} SIP/2.0`, cseq_text = `${cseq} ${method}` } = {}) {
		const sender = from === undefined ? `<${impu(this.user)}>;tag=${hex(4)}` : from;
		const parts = [['Via', via], ['Max-Forwards', max_forwards], ['From', sender], ['To', to],
			['Call-ID', call_id], ['CSeq', cseq_text], ['Contact', contact]];
		return { method, uri, via, from: sender, to, call_id, cseq,
			text: writeLoose(start, [...parts, ...lines], body, length) };
	}

	/** Sends a request and returns its parts. */
	ask(method, uri, more) {
		const sent = this.write(method, uri, more);
		this.say(sent.text);
		return sent;
	}

	/** Sends a request; its final response. */
	async answerTo(method, uri, more) {
		return this.final(this.ask(method, uri, more));
	}

	of(call_id, method = null) {
		return this.requests.filter((sip) => sip.call_id === call_id
			&& (method === null || sip.method === method));
	}

	/** Waits for a response to that request for which test(). */
	answered({ call_id, method, cseq }, test, timeout_ms = 5000) {
		return waitFor(`answer to ${method} ${call_id}`, () => this.responses.find((sip) =>
			sip.call_id === call_id && sip.cseq_method === method && sip.cseq === Number(cseq)
			&& test(sip)), timeout_ms);
	}

	final(sent, timeout_ms) {
		return this.answered(sent, (sip) => sip.status >= 200, timeout_ms);
	}

	/** The nth request that came with this Call-ID and method. */
	received(call_id, method, n = 0, timeout_ms = 5000) {
		return waitFor(`${method} of ${call_id} at the WIC`, () => this.of(call_id, method)[n],
			timeout_ms);
	}

	/** Waits until the gateway has answered something that was sent after all before. */
	async caughtUp() {
		const sent = this.ask('CANCEL', impu('nobody'), { contact: null });
		await this.final(sent); /* 481: nothing goes further */
	}

	async settle(ms = 300) {
		await pause(ms);
	}
}
