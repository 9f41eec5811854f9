// SPDX-License-Identifier: BSD-3-Clause
// A WIC without a browser: SIP over WSS by the `ws` package, with every byte in the script's hand.

import { randomBytes, randomUUID } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import WebSocket from 'ws';
import { CLIENT_ADDRESSES, GATEWAY_URL, REALM, SITE_ORIGIN, impu } from './names.mjs';
import { waitFor, within } from './process.mjs';
import { answerSip, parseSip, writeSip } from './sip.mjs';

/** The gateway answered the upgrade with something else than 101. */
export class UpgradeRefused extends Error {
	constructor(response) {
		super(`upgrade answered ${response.statusCode}`);
		this.status = response.statusCode;
		this.headers = response.headers;
	}
}

/** A TCP connection on which some bytes have been sent. */
async function connectWith(bytes, options) {
	const socket = connectTcp(options);
	await once(socket, 'connect');
	socket.write(bytes);
	socket.on('error', () => {}); /* a close follows */
	return socket;
}

export class Wic {
	/**
	 * Connects; throws UpgradeRefused. `ca` is the PEM the gateway's certificate must chain to;
	 * `from` the address to come from; `before` what is sent before TLS, and when `silent` nothing
	 * follows it.
	 */
	static async connect(user, { ca, origin = SITE_ORIGIN, url = GATEWAY_URL, from, before,
		silent = false } = {}) {
		const { address, family } = await lookup(new URL(url).hostname);
		const path = { localAddress: from ?? CLIENT_ADDRESSES[family] };
		const settings = { origin, ca, perMessageDeflate: false, handshakeTimeout: 10000, ...path };
		if (before)
			settings.socket = await connectWith(before, { host: address, port: 443, ...path });
		if (silent) {
			await once(settings.socket.resume(), 'close');
			throw new Error('closed before TLS');
		}
		const socket = new WebSocket(url, 'sip', settings);
		await new Promise((resolve, reject) => {
			socket.once('open', resolve);
			socket.once('error', reject);
			socket.once('unexpected-response', (_, response) => {
				reject(new UpgradeRefused(response));
				socket.terminate();
			});
		});
		return new this(user, socket);
	}

	constructor(user, socket) {
		this.user = user;
		this.socket = socket;
		this.host = `${randomBytes(6).toString('hex')}.invalid`;
		this.instance = randomUUID();
		this.call_id = `${randomBytes(8).toString('hex')}@${this.host}`; /* of its REGISTERs */
		this.cseq = 0;
		this.requests = [];      /* received, and answered by answer() */
		this.answer = (request) => answerSip(request, 200, 'OK', randomBytes(4).toString('hex'));
		this.responses = [];
		this.closed = new Promise((resolve) => {
			socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
		});
		socket.on('error', () => {}); /* a close follows: the scenario knows what it means */
		socket.on('message', (data) => this.take(String(data)));
	}

	take(text) {
		if (text.trim() === '')
			return; /* keep-alive */
		const sip = parseSip(text);
		if (sip.status !== null) {
			this.responses.push(sip);
			return;
		}
		this.requests.push(sip);
		if (sip.method !== 'ACK')
			this.socket.send(this.answer(sip));
	}

	get isOpen() {
		return this.socket.readyState === WebSocket.OPEN;
	}

	get contact() {
		return `<sip:${this.user}@${this.host};transport=ws>;reg-id=1;`
			+ `+sip.instance="<urn:uuid:${this.instance}>"`;
	}

	/** Sends a request and returns its final response. */
	async request(method, uri, { to = uri, headers = [], body = '', call_id } = {}) {
		this.cseq += 1;
		const id = call_id ?? `${randomBytes(8).toString('hex')}@${this.host}`;
		const cseq = `${this.cseq} ${method}`;
		this.socket.send(writeSip(`${method} ${uri} SIP/2.0`, [
			['Via', `SIP/2.0/WSS ${this.host};branch=z9hG4bK${randomBytes(6).toString('hex')}`],
			['Max-Forwards', '70'],
			['From', `<${impu(this.user)}>;tag=${randomBytes(4).toString('hex')}`],
			['To', `<${to}>`],
			['Call-ID', id],
			['CSeq', cseq],
			...headers], body));
		const isFinal = (sip) => sip.status >= 200 && sip.header('Call-ID') === id
			&& sip.header('CSeq') === cseq;
		return waitFor(`final response to ${cseq} of ${this.user}`, () =>
			this.responses.find(isFinal));
	}

	/** token null: no Authorization at all, or that credential. */
	register(token, { expires = 600, call_id = this.call_id, credential = null } = {}) {
		return this.request('REGISTER', `sip:${REALM}`, { to: impu(this.user), call_id, headers: [
			['Contact', this.contact],
			['Expires', String(expires)],
			['Supported', 'path, outbound, gruu'],
			['Authorization', token === null ? credential : `Bearer ${token}`]] });
	}

	message(user, text) {
		return this.request('MESSAGE', impu(user), {
			headers: [['Content-Type', 'text/plain']], body: text });
	}

	/** Closes and waits for the other side's close. */
	async close() {
		this.socket.close(1000);
		return within('WebSocket closed', this.closed);
	}
}
