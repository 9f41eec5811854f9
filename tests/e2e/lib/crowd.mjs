// SPDX-License-Identifier: BSD-3-Clause
// Many scripted WICs that register and call, and account for every one of their requests.

import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { REALM, impu } from './names.mjs';
import { answerSip, parseSip, writeSip } from './sip.mjs';
import { Wic } from './wic.mjs';

/* longer than timer B and F of the gateway: who is silent then has forgotten us (RFC 3261 17) */
const PATIENCE_MS = 45000;
const SDP = ['v=0', 'o=- 3 3 IN IP4 192.0.2.3', 's=-', 'c=IN IP4 192.0.2.3', 't=0 0',
	'm=audio 6004 UDP/TLS/RTP/SAVPF 0', ''].join('\r\n');
const random = (bytes) => randomBytes(bytes).toString('hex');

/** For each value, how often: {200: 17, silent: 1}. */
export function tally(values) {
	const counts = {};
	for (const value of values)
		counts[value] = (counts[value] ?? 0) + 1;
	return counts;
}

/** Calls work(n) for n = 0 .. count - 1, so many at a time; returns what they return. */
export async function many(count, abreast, work) {
	const results = [];
	let next = 0;
	const one = async () => {
		while (next < count) {
			const n = next++;
			results[n] = await work(n);
		}
	};
	await Promise.all(Array.from({ length: Math.min(abreast, count) }, one));
	return results;
}

export class CrowdWic extends Wic {
	waiting = new Map();  /* Call-ID and CSeq -> who takes the responses */
	incoming = new Map(); /* Call-ID -> 'offered', 'confirmed', 'over' */
	strays = [];          /* what nobody waits for */
	acks = new Map();     /* Call-ID -> the ACK of its 2xx, for when that comes again */

	take(text) {
		if (text.trim() === '')
			return;
		const sip = parseSip(text);
		if (sip.status === null)
			this.#serve(sip);
		else
			this.#answered(sip);
	}

	#answered(sip) {
		const name = `${sip.header('Call-ID')} ${sip.header('CSeq')}`;
		const taker = this.waiting.get(name);
		if (taker)
			taker(sip);
		else if (sip.status < 300 && this.acks.has(sip.header('Call-ID')))
			this.socket.send(this.acks.get(sip.header('Call-ID')));
		else
			this.strays.push(sip.start);
	}

	/** Somebody calls: rings, answers, and waits for the end. */
	#serve(sip) {
		const id = sip.header('Call-ID');
		const reply = (status, reason, headers = [], body = '') =>
			this.socket.send(withBody(answerSip(sip, status, reason, `w${id.length}`), headers, body));
		if (sip.method === 'INVITE') {
			this.incoming.set(id, 'offered');
			reply(180, 'Ringing');
			reply(200, 'OK', [['Contact', `<sip:${this.user}@${this.host};transport=ws>`],
				['Content-Type', 'application/sdp']], SDP);
		} else if (sip.method === 'ACK') {
			this.incoming.set(id, 'confirmed');
		} else {
			if (sip.method === 'BYE' && this.incoming.get(id) === 'confirmed')
				this.incoming.set(id, 'over');
			reply(200, 'OK');
		}
	}

	/** Sends a request; its final response, or null when none comes. */
	ask(method, uri, headers, body = '') {
		const { id, cseq } = headers;
		const name = `${id} ${cseq} ${method}`;
		this.socket.send(writeSip(`${method} ${uri} SIP/2.0`, [
			['Via', `SIP/2.0/WSS ${this.host};branch=z9hG4bK${random(6)}`],
			['Max-Forwards', '70'], ['From', headers.from], ['To', headers.to], ['Call-ID', id],
			['CSeq', `${cseq} ${method}`], ...headers.more], body));
		return new Promise((resolve) => {
			const settle = (sip) => {
				clearTimeout(timer);
				this.waiting.delete(name);
				resolve(sip);
			};
			const timer = setTimeout(() => settle(null), PATIENCE_MS);
			this.waiting.set(name, (sip) => sip.status >= 200 && settle(sip));
		});
	}

	/** A REGISTER; its final status, or 'silent'. */
	async registerOnce(token, expires = 600) {
		this.cseq += 1;
		const own = `<${impu(this.user)}>`;
		const answer = await this.ask('REGISTER', `sip:${REALM}`, { id: this.call_id,
			cseq: this.cseq, from: `${own};tag=r`, to: own, more: [
				['Contact', `${this.contact};expires=${expires}`],
				['Supported', 'path, outbound, gruu'],
				['Authorization', `Bearer ${token}`]] });
		return answer?.status ?? 'silent';
	}

	/**
	 * A whole call of hold_ms to a user of the core: {setup, bye, began, answered, ended}; setup and
	 * bye are final statuses or 'silent', and bye is null when there is no call to end.
	 */
	async call(user, hold_ms) {
		const dialog = { id: random(8), cseq: 1, from: `<${impu(this.user)}>;tag=${random(4)}`,
			to: `<${impu(user)}>` };
		const contact = ['Contact', `<sip:${this.user}@${this.host};transport=ws;ob>`];
		const began = Date.now();
		const answer = await this.ask('INVITE', impu(user), { ...dialog, more: [contact,
			['Content-Type', 'application/sdp']] }, SDP);
		const answered = Date.now();
		const setup = answer?.status ?? 'silent';
		if (!answer || answer.status >= 300)
			return { setup, bye: null, began, answered, ended: answered };
		const inside = this.#confirm(answer, dialog);
		await pause(hold_ms);
		const end = await this.ask('BYE', inside.target, { ...inside, cseq: 2 });
		return { setup, bye: end?.status ?? 'silent', began, answered, ended: Date.now() };
	}

	/** Acknowledges; returns what requests inside the dialog need. */
	#confirm(answer, dialog) {
		const target = /<([^>]+)>/.exec(answer.header('Contact'))[1];
		const route = answer.all('Record-Route').flatMap((line) => line.split(',')).reverse()
			.map((value) => ['Route', value.trim()]);
		const to = answer.header('To');
		const ack = writeSip(`ACK ${target} SIP/2.0`, [
			['Via', `SIP/2.0/WSS ${this.host};branch=z9hG4bK${random(6)}`],
			['Max-Forwards', '70'], ...route, ['From', dialog.from], ['To', to],
			['Call-ID', dialog.id], ['CSeq', '1 ACK']]);
		this.acks.set(dialog.id, ack);
		this.socket.send(ack);
		return { ...dialog, to, target, more: route };
	}
}

/** A response with more in it. */
function withBody(text, headers, body) {
	const { start, headers: all } = parseSip(text);
	const kept = all.filter(({ name }) => name !== 'content-length')
		.map(({ name, value }) => [name, value]);
	return writeSip(start, [...kept, ...headers], body);
}

/** WICs u0, u1, ... of a world opened with crowdWorld(count), connected. */
export async function crowd(world, count) {
	return many(count, 20, (n) => CrowdWic.connect(`u${n}`, { ca: world.files.ca_pem }));
}

/** Options of a world with so many users, and no limits. */
export const crowdWorld = (count) => ({
	more_mw: '  reg_event: false\n', /* what is counted is what the WICs do */
	users: Array.from({ length: count }, (_, n) => `u${n}`),
	site_limits: 'limits: {connections_per_second: 1000000, registrations_per_second: 1000000, '
		+ 'requests_per_second: 1000000, calls_in_setup: 1000}',
	settings: 'limits: {upgrades_per_second: 1000000, upgrades_burst: 1000000, '
		+ 'connections_per_address: 1000000, requests_per_second: 1000000, '
		+ 'dialog_requests_per_second: 1000000}\n',
});
