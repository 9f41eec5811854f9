// SPDX-License-Identifier: BSD-3-Clause
// A core on Mw, over UDP and TCP at once, that a script leads call by call: what it hears is kept
// as
// bytes, what it answers is a rule for a Call-ID.

import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { setTimeout as pause } from 'node:timers/promises';
import { readLoose, tagOf, uriOf, writeLoose } from './loose_sip.mjs';
import { MW_PORT, MW_TLS_PORT, REALM, bracketed, impu } from './names.mjs';
import { waitFor } from './process.mjs';
import { cutSipStream } from './sip.mjs';

const hex = (bytes = 6) => randomBytes(bytes).toString('hex');

/** Lines that a response to a request must have. */
export function copied(request, to_tag = null) {
	const to = request.header('To') ?? '';
	return [...request.all('Via').map((value) => ['Via', value]),
		['From', request.header('From')],
		['To', to_tag === null || tagOf(to) ? to : `${to};tag=${to_tag}`],
		['Call-ID', request.header('Call-ID')],
		['CSeq', request.header('CSeq')]];
}

export const recordRoutes = (request) =>
	request.all('Record-Route').map((value) => ['Record-Route', value]);

export class MwPeer {
	/** Plays the core of a world until that ends; tls: options of Node's, in both directions. */
	static async start(world, address = world.link.core, tls = null) {
		const peer = new this(world, address, tls);
		peer.udp.bind(MW_PORT, address);
		await once(peer.udp, 'listening');
		peer.server.listen(tls ? MW_TLS_PORT : MW_PORT, address);
		await once(peer.server, 'listening');
		world.played.push(peer);
		return peer;
	}

	constructor(world, address, tls) {
		Object.assign(this, { world, address, tls, mw: world.mw, requests: [], responses: [], heard: [],
			sockets: new Set(), ways: new Map(), out: new Map() });
		this.rules = new Map(); /* Call-ID -> rule(request, how often it came) */
		this.silent = false;
		this.udp = createSocket(address.includes(':') ? 'udp6' : 'udp4');
		this.udp.on('message', (bytes, { port, address: host }) => this.#take(bytes, (text) =>
			this.udp.send(Buffer.from(text), port, host)));
		this.refused = []; /* what became of TLS that failed */
		this.server = tls ? createTlsServer({ ...tls, requestCert: true },
			(socket) => this.#serve(socket)) : createServer((socket) => this.#serve(socket));
		this.server.on('tlsClientError', (error) => this.refused.push(error.message));
	}

	#serve(socket) {
		let unread = Buffer.alloc(0);
		this.sockets.add(socket);
		socket.on('error', (error) => this.refused.push(error.message)); /* a close follows */
		socket.on('close', () => this.sockets.delete(socket));
		socket.on('data', (bytes) => {
			this.heard.push(bytes);
			const { messages, rest } = cutBytes(Buffer.concat([unread, bytes]));
			unread = rest;
			for (const message of messages)
				this.#take(message, (text) => socket.write(text), false);
		});
	}

	#take(bytes, answer, keep = true) {
		if (keep)
			this.heard.push(bytes);
		if (bytes.toString('latin1').trim() === '')
			return; /* keep-alive */
		const sip = readLoose(bytes);
		if (sip.status !== null) {
			this.responses.push(sip);
			return;
		}
		sip.answer = answer;
		sip.reply = (status, reason, more) => answer(this.#response(sip, status, reason, more));
		if (this.events(sip))
			return;
		this.requests.push(sip);
		if (this.silent)
			return;
		const rule = this.rules.get(sip.call_id) ?? this.standard;
		rule.call(this, sip, this.of(sip.call_id, sip.method).length);
	}

	#response(request, status, reason, { lines = [], body = '', to_tag = 'core' } = {}) {
		return writeLoose(`SIP/2.0 ${status} ${reason}`,
			[...copied(request, to_tag), ...lines], body);
	}

	/** A SUBSCRIBE of the gateway's own: this core has no registration events. False: it is none. */
	events(sip) {
		if (sip.method !== 'SUBSCRIBE' || sip.header('Event') !== 'reg' || sip.list('Via').length !== 1)
			return false;
		if (!this.silent)
			sip.reply(489, 'Bad Event');
		return true;
	}

	/** What is done with a request that no rule is for. */
	standard(request) {
		if (request.method === 'REGISTER')
			request.reply(200, 'OK', { lines: this.registered(request) });
		else if (request.method !== 'ACK' && request.method !== 'INVITE')
			request.reply(200, 'OK');
	}

	/** Its Contact inside dialogs. */
	get contact_of_dialogs() {
		return `<sip:carol@${bracketed(this.address)}:${MW_PORT}>`;
	}

	get service_route() {
		return this.tls ? `<sip:orig@${bracketed(this.address)}:${MW_TLS_PORT};transport=tls;lr>`
			: `<sip:orig@${bracketed(this.address)}:${MW_PORT};lr>`;
	}

	/** Lines of a 200 to REGISTER; identities: of P-Associated-URI. */
	registered(request, identities = [`<${uriOf(request.header('To'))}>`], expires = 600) {
		const asked = /(?:^|;)\s*expires=(\d+)/i.exec(request.header('Contact') ?? '')?.[1]
			?? request.header('Expires');
		return [...request.list('Contact').map((value) => ['Contact',
			`${value.replace(/;\s*expires=\d+/i, '')};expires=${Math.min(expires, asked ?? expires)}`]),
		...request.list('Path').map((value) => ['Path', value]),
		['Service-Route', this.service_route],
		['P-Associated-URI', identities.join(', ')]];
	}

	/** Requests of a Call-ID that were heard, retransmissions too. */
	of(call_id, method = null) {
		return this.requests.filter((sip) => sip.call_id === call_id
			&& (method === null || sip.method === method));
	}

	/** The nth request of that Call-ID and method. */
	request(call_id, method, n = 0, timeout_ms = 5000) {
		return waitFor(`${method} of ${call_id} at the core`, () => this.of(call_id, method)[n],
			timeout_ms);
	}

	/** Waits for a response to what the core sent: of that Call-ID and method, for which test(). */
	response(call_id, method, test = (sip) => sip.status >= 200, timeout_ms = 5000) {
		return waitFor(`response to ${method} of ${call_id} at the core`, () =>
			this.responses.find((sip) => sip.call_id === call_id && sip.cseq_method === method
				&& test(sip)), timeout_ms);
	}

	/** Everything heard, as latin1 text. */
	everything() {
		return this.heard.map((bytes) => bytes.toString('latin1')).join('');
	}

	/** How a WIC is reached, from its last REGISTER. */
	async learn(wic) {
		const register = await waitFor(`REGISTER of ${wic.call_id}`, () =>
			this.of(wic.call_id, 'REGISTER').at(-1));
		const path = register.header('Path');
		this.port = Number(/@(?:\[[^\]]+\]|[^:;>]+):(\d+)/.exec(path)?.[1] ?? MW_PORT);
		return { route: path, path: uriOf(path), contact: uriOf(register.header('Contact')),
			port: this.port };
	}

	via(branch = `z9hG4bK${hex()}`) {
		return `SIP/2.0/${this.mw.toUpperCase()} ${bracketed(this.address)}:${MW_PORT};branch=${branch}`;
	}

	#connect(to) {
		return this.tls ? connectTls({ ...to, ...this.tls, checkServerIdentity: () => undefined })
			: connect(to);
	}

	/** Sends a text to a port of the gateway's. */
	async say(text, port = this.port) {
		const host = this.world.link.gateway;
		if (this.mw === 'udp') {
			this.udp.send(Buffer.from(text), port, host);
			return;
		}
		if (!this.out.has(port) || this.out.get(port).destroyed) {
			const socket = this.#connect({ host, port, localAddress: this.address });
			this.out.set(port, socket);
			this.#serve(socket);
			await once(socket, this.tls ? 'secureConnect' : 'connect');
		}
		this.out.get(port).write(text);
	}

	/** Lines of an initial request to a WIC; everything can be said otherwise. */
	initial(method, { route, contact }, { call_id = `${hex(8)}@core.example.test`, lines = [],
		from = `<sip:carol@${REALM}>;tag=${hex(3)}`, to = `<${impu('alice')}>`, via = this.via(),
		body = '', cseq = 1, uri = contact } = {}) {
		return { call_id, cseq, method, from, to, via, uri,
			text: writeLoose(`${method} ${uri} SIP/2.0`, [['Via', via], ['Route', route],
				['Max-Forwards', '69'], ['From', from], ['To', to], ['Call-ID', call_id],
				['CSeq', `${cseq} ${method}`],
				['Contact', this.contact_of_dialogs], ...lines], body) };
	}

	/** Sends one and returns what was sent. */
	async ask(method, way, more = {}) {
		const sent = this.initial(method, way, more);
		await this.say(sent.text, way.port);
		return sent;
	}

	/** A time in which what would come has come. */
	async settle(ms = 300) {
		await pause(ms);
	}

	close() {
		this.udp.close();
		this.server.close();
		for (const socket of [...this.sockets, ...this.out.values()])
			socket.destroy();
	}
}

/** cutSipStream(), with bytes for texts. */
function cutBytes(bytes) {
	const { texts, rest } = cutSipStream(Buffer.from(bytes.toString('latin1'), 'latin1'));
	const messages = [];
	let at = 0;
	for (const _ of texts) {
		const found = cutOne(bytes.subarray(at));
		messages.push(found.message);
		at += found.used;
	}
	return { messages, rest };
}

function cutOne(bytes) {
	const skip = bytes.findIndex((byte) => byte !== 13 && byte !== 10);
	const end = bytes.indexOf('\r\n\r\n', skip);
	const head = bytes.subarray(skip, end).toString('latin1');
	const length = Number(/^(?:content-length|l)[ \t]*:[ \t]*(\d+)/im.exec(head)?.[1] ?? 0);
	const used = end + 4 + length;
	return { message: bytes.subarray(skip, used), used };
}
