// SPDX-License-Identifier: BSD-3-Clause
// A dialog as one of its ends sees it (RFC 3261 section 12), and calls made between a hostile WIC
// and
// a scripted core.

import { uriOf, writeLoose } from './loose_sip.mjs';
import { bracketed, impu } from './names.mjs';

export const SDP = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n'
	+ 'm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n';
export const WITH_SDP = { lines: [['Content-Type', 'application/sdp']], body: SDP };

export class Dialog {
	/**
	 * party: who sends, a HostileWic or an MwPeer; local, remote: with tags; routes: their texts.
	 */
	constructor(party, { call_id, local, remote, target, routes, cseq, port }) {
		Object.assign(this, { party, call_id, local, remote, target, routes, cseq, port });
	}

	/** As the one that was called sees it. */
	static called(party, request, to_tag, port) {
		return new Dialog(party, { call_id: request.call_id, cseq: 100, port,
			local: `${request.header('To')};tag=${to_tag}`, remote: request.header('From'),
			target: uriOf(request.header('Contact')), routes: request.list('Record-Route') });
	}

	/** As the one that called sees it, from the answer. */
	static calling(party, sent, answer, port) {
		return new Dialog(party, { call_id: sent.call_id, cseq: Number(sent.cseq), port,
			local: sent.from, remote: answer.header('To'), target: uriOf(answer.header('Contact')),
			routes: answer.list('Record-Route').reverse() });
	}

	/** Sends a request in it; cseq of ACK: that of what it is for. */
	send(method, { lines = [], body = '', routes = this.routes, uri = this.target,
		cseq = method === 'ACK' ? this.cseq : ++this.cseq, via = this.party.via(),
			from = this.local,
		to = this.remote, call_id = this.call_id, max_forwards = '70' } = {}) {
		const text = writeLoose(`${method} ${uri} SIP/2.0`, [['Via', via],
			...routes.map((route) => ['Route', route]), ['Max-Forwards', max_forwards],
			['From', from], ['To', to], ['Call-ID', call_id],
			['CSeq', `${cseq} ${method}`],
			...(['INVITE', 'UPDATE'].includes(method) && !lines.some((line) =>
				/^(contact|m)\b/i.test(Array.isArray(line) ? line[0] : line))
				? [['Contact', this.party.contact_of_dialogs]] : []),
			...lines], body);
		this.party.say(text, this.port);
		return { method, cseq, call_id, text, via, from };
	}
}

/** What the core's side of a call has for its Contact. */
export const coreContact = (peer, user = 'bob') => `<sip:${user}@${bracketed(peer.address)}:5060>`;
export const coreRoute = (peer) => `<sip:term@${bracketed(peer.address)}:5060;lr>`;

/** The core rings and takes a call. */
export function takesCalls(peer, { to_tag = 'core', early = true, lines = [] } = {}) {
	return (request) => {
		const routes = [['Record-Route', coreRoute(peer)],
			...request.all('Record-Route').map((value) => ['Record-Route', value])];
		const more = { to_tag, lines: [...routes, ['Contact', coreContact(peer)], ...lines] };
		if (request.method === 'INVITE' && early && !/;\s*tag=/.test(request.header('To')))
			request.reply(180, 'Ringing', more);
		if (request.method === 'INVITE')
			request.reply(200, 'OK', { ...more, lines: [...more.lines,
				['Content-Type', 'application/sdp']], body: SDP });
		else if (request.method !== 'ACK')
			request.reply(200, 'OK');
	};
}

/**
 * A call of a WIC that is taken: {sent, invite (at the core), answer, dialog (of the WIC),
	core (the
 * same dialog at the core), ack}.
 */
export async function callOut(wic, peer, { uri = impu('bob'), lines = [], ack = [], rule,
	...more } = {}) {
	const sent = wic.write('INVITE', uri, { ...WITH_SDP, ...more,
		lines: [...WITH_SDP.lines, ...lines] });
	peer.rules.set(sent.call_id, rule ?? takesCalls(peer));
	wic.say(sent.text);
	const answer = await wic.final(sent);
	if (answer.status !== 200)
		throw new Error(`INVITE answered ${answer.start}`);
	const dialog = Dialog.calling(wic, sent, answer);
	const invite = await peer.request(sent.call_id, 'INVITE');
	const sent_ack = dialog.send('ACK', { lines: ack });
	const received_ack = await peer.request(sent.call_id, 'ACK');
	const core = Dialog.called(peer, invite, 'core', peer.port);
	return { sent, invite, answer, dialog, core, sent_ack, ack: received_ack };
}

/** A rule of a WIC: it rings and takes a call. */
export const wicTakes = (wic, { to_tag = 'wic', lines = [], routes } = {}) => (request) => {
	if (request.method === 'ACK')
		return;
	const more = { to_tag, contact: wic.address, lines, ...(routes ? { routes } : {}) };
	if (request.method === 'INVITE' && !/;\s*tag=/.test(request.header('To')))
		request.reply(180, 'Ringing', more);
	request.reply(200, 'OK', request.method === 'INVITE' ? { ...more, body: SDP,
		lines: [['Content-Type', 'application/sdp'], ...lines] } : { lines });
};

/**
 * A call to a WIC that is taken: {sent, invite (at the WIC), answer (at the core), dialog, core}.
 */
export async function callIn(wic, peer, way, { rule, ...more } = {}) {
	const sent = peer.initial('INVITE', way, { ...WITH_SDP, ...more,
		lines: [...WITH_SDP.lines, ...(more.lines ?? [])] });
	wic.rules.set(sent.call_id, rule ?? wicTakes(wic));
	await peer.say(sent.text, way.port);
	const answer = await peer.response(sent.call_id, 'INVITE');
	if (answer.status !== 200)
		throw new Error(`INVITE answered ${answer.start}`);
	const invite = await wic.received(sent.call_id, 'INVITE');
	const core = Dialog.calling(peer, { ...sent }, answer, way.port);
	const sent_ack = core.send('ACK');
	await wic.received(sent.call_id, 'ACK');
	return { sent, invite, answer, core, sent_ack, dialog: Dialog.called(wic, invite, 'wic') };
}

