// SPDX-License-Identifier: BSD-3-Clause
// A core with every byte in the script's hand: it answers requests over UDP as it is told to.

import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { MW_PORT, REALM, bracketed } from './names.mjs';
import { parseSip, writeSip } from './sip.mjs';

const LINE_BYTES = 200; /* of one header that fills a message up */

/** More headers, so that a message of `bytes` bytes becomes exactly `wanted` bytes long. */
function padding(bytes, wanted) {
	const lines = [];
	const shortest = 'X-Padding: x\r\n'.length;
	for (let missing = wanted - bytes; missing > 0;) {
		/* the last line takes what is left, and none may be too short to be a line */
		const length = missing <= LINE_BYTES ? missing : Math.min(LINE_BYTES, missing - shortest);
		lines.push(['X-Padding', 'x'.repeat(length - shortest + 1)]);
		missing -= length;
	}
	return lines;
}

/** Writes a message of exactly `size` bytes, or of as many as it needs when size is 0. */
export function writeSized(size, start, headers, body = '') {
	const plain = writeSip(start, headers, body);
	return size === 0 ? plain
		: writeSip(start, [...headers, ...padding(Buffer.byteLength(plain), size)], body);
}

/** A 200 to a request, of `size` bytes; to a REGISTER as an S-CSCF at `address` gives it. */
export function accept(request, address, size = 0) {
	const host = bracketed(address);
	const registered = request.method !== 'REGISTER' ? [] : [
		['Contact', `${request.header('Contact').replace(/;\s*expires=\d+/i, '')};expires=600`],
		...request.all('Path').map((value) => ['Path', value]),
		['Service-Route', `<sip:orig@${host}:${MW_PORT};lr>`],
		['P-Associated-URI', /<[^>]+>/.exec(request.header('To'))[0]]];
	return writeSized(size, 'SIP/2.0 200 OK', [
		...request.all('Via').map((value) => ['Via', value]),
		['From', request.header('From')],
		['To', `${request.header('To')};tag=${randomBytes(4).toString('hex')}`],
		['Call-ID', request.header('Call-ID')],
		['CSeq', request.header('CSeq')],
		...registered]);
}

/** Of the gateway itself, and about registrations. */
export const isEventSubscription = (sip) => sip.method === 'SUBSCRIBE'
	&& sip.header('Event') === 'reg' && sip.all('Via').length === 1;

/** What a core without such events says to it. */
function refuseEvents(request) {
	return writeSip('SIP/2.0 489 Bad Event', [
		...request.all('Via').map((value) => ['Via', value]),
		['From', request.header('From')],
		['To', `${request.header('To')};tag=none`],
		['Call-ID', request.header('Call-ID')],
		['CSeq', request.header('CSeq')]]);
}

/** How a WIC is reached, from its REGISTER as the core had it: {route, contact, port}. */
export function wayTo(register) {
	const path = register.header('Path');
	return {
		route: path,
		contact: /<([^>]+)>/.exec(register.header('Contact'))[1],
		port: Number(/@(?:\[[^\]]+\]|[^:;>]+):(\d+)/.exec(path)?.[1] ?? MW_PORT),
	};
}

/** A terminating MESSAGE of `size` bytes by the Route given, as an S-CSCF at `address` sends it. */
export function terminating(address, { route, contact, size = 0 }) {
	const host = bracketed(address);
	const id = randomBytes(8).toString('hex');
	return writeSized(size, `MESSAGE ${contact} SIP/2.0`, [
		['Via', `SIP/2.0/UDP ${host}:${MW_PORT};branch=z9hG4bK${id}`],
		['Route', route],
		['Max-Forwards', '69'],
		['From', `<sip:carol@${REALM}>;tag=${id.slice(0, 6)}`],
		['To', `<sip:alice@${REALM}>`],
		['Call-ID', `${id}@core.example.test`],
		['CSeq', '1 MESSAGE'],
		['P-Asserted-Identity', `<sip:carol@${REALM}>`],
		['Content-Type', 'text/plain']], 'should it arrive?');
}

export class ScriptedCore {
	/** answer(request): the text to answer a request with, or null for silence. */
	static async start(address, answer) {
		const core = new ScriptedCore(address, answer);
		await new Promise((resolve, reject) => {
			core.socket.once('error', reject);
			core.socket.bind(MW_PORT, address, resolve);
		});
		return core;
	}

	constructor(address, answer) {
		this.address = address;
		this.answer = answer;
		this.requests = [];  /* retransmissions too */
		this.responses = [];
		this.subscribes = []; /* of the gateway to registration events: this core has none */
		this.socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
		this.socket.on('message', (bytes, from) => this.#take(String(bytes), from));
	}

	#take(text, from) {
		if (text.trim() === '')
			return; /* keep-alive */
		const sip = Object.assign(parseSip(text), { source: from });
		if (isEventSubscription(sip)) {
			this.subscribes.push(sip);
			this.send(refuseEvents(sip), from.port, from.address);
			return;
		}
		(sip.method ? this.requests : this.responses).push(sip);
		const answer = sip.method ? this.answer(sip) : null;
		if (answer)
			this.send(answer, from.port, from.address);
	}

	send(text, port, address) {
		this.socket.send(text, port, address);
	}

	close() {
		this.socket.close();
	}
}
