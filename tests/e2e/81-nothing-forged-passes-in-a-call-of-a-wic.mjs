// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 9.1 and 12.2 on INVITE, ACK, CANCEL and every request inside a dialog that a WIC began
// or
// was called into.

import { eachCase, eachCaseAbreast } from './lib/cases.mjs';
import { WITH_SDP, callIn, callOut, takesCalls } from './lib/dialog.mjs';
import { FORGED, FORGED_OUTSIDE, SLY_SPELLINGS, SPELLINGS, allForgeries, assertClean,
	assertNothingForged, eachForgery, tokenBody } from './lib/forgery.mjs';
import { HostileWic } from './lib/hostile_wic.mjs';
import { MwPeer } from './lib/mw_peer.mjs';
import { impu } from './lib/names.mjs';
import { HOSTILE_WORLDS, assert, assertNoTokenOnMw, scenario } from './lib/scenario.mjs';

const BOB = impu('bob');
const INSIDE = ['INFO', 'UPDATE', 'INVITE', 'MESSAGE', 'REFER', 'NOTIFY', 'OPTIONS', 'BYE'];

/** A request in a dialog with these lines arrives without the marks; the same for its ACK. */
async function insideIsClean({ wic, peer, dialog }, method, { text, marks }) {
	const sent = dialog.send(method, { lines: [text, ['X-Kept', method]] });
	const { status } = await wic.final(sent);
	assert.equal(status, 200, `${method} answered ${status}`);
	const [arrived] = peer.of(dialog.call_id, method).filter(({ cseq }) => cseq === sent.cseq);
	assertClean(arrived.text, marks, method);
	assert.equal(arrived.header('X-Kept'), method, 'what is kept');
	if (method !== 'INVITE')
		return;
	const before = peer.of(dialog.call_id, 'ACK').length;
	dialog.send('ACK', { lines: [text], cseq: sent.cseq });
	assertClean((await peer.request(dialog.call_id, 'ACK', before)).text, marks, 'ACK');
}

/** A call out, with these lines on every request of it. */
const callIsClean = (wic, peer) => async ({ outside, inside }) => {
	const call = await callOut(wic, peer, { uri: BOB, lines: [outside.text], ack: [inside.text] });
	assertClean(call.invite.text, outside.marks, 'INVITE');
	assertClean(call.ack.text, inside.marks, 'ACK');
	assert.deepEqual(call.invite.list('Route'), [peer.service_route], 'the Route is the core\'s');
	for (const method of INSIDE)
		await insideIsClean({ wic, peer, dialog: call.dialog }, method, inside);
};

/** A call in: the same from the one who was called. */
const calledIsClean = (wic, peer, way) => async ({ inside }) => {
	const call = await callIn(wic, peer, way);
	peer.rules.set(call.sent.call_id, takesCalls(peer));
	for (const method of INSIDE)
		await insideIsClean({ wic, peer, dialog: call.dialog }, method, inside);
};

/** What the core asks inside a call, and what comes back with these lines. */
const answersAreClean = (wic, peer, way) => async ({ inside }) => {
	const call = await callIn(wic, peer, way);
	for (const method of ['INFO', 'UPDATE', 'INVITE', 'BYE']) {
		wic.rules.set(call.sent.call_id, (request) => request.method === method
			&& request.reply(200, 'OK', { contact: wic.address,
				lines: [['X-Kept', method], inside.text] }));
		const sent = call.core.send(method, method === 'INVITE' ? WITH_SDP : {});
		const answer = await peer.response(sent.call_id, method, (sip) => sip.cseq === sent.cseq
			&& sip.status >= 200);
		assert.equal(answer.status, 200, method);
		assertClean(answer.text, inside.marks, `answer to ${method}`);
		assert.equal(answer.header('X-Kept'), method, 'what is kept');
		if (method === 'INVITE')
			call.core.send('ACK', { cseq: sent.cseq });
	}
};

/** CANCEL, and the ACK of what it ended: hop by hop, so nothing of the WIC's is in them. */
const cancelIsClean = (wic, peer) => async ({ inside }) => {
	const sent = wic.write('INVITE', BOB, WITH_SDP);
	peer.rules.set(sent.call_id, (request) => {
		if (request.method === 'INVITE') {
			request.reply(180, 'Ringing');
			return;
		}
		if (request.method === 'CANCEL') {
			request.reply(200, 'OK');
			peer.of(sent.call_id, 'INVITE')[0].reply(487, 'Request Terminated');
		}
	});
	wic.say(sent.text);
	await wic.answered(sent, ({ status }) => status === 180);
	const same = { via: sent.via, from: sent.from, call_id: sent.call_id, contact: null,
		lines: [inside.text] };
	const cancelled = await wic.answerTo('CANCEL', BOB, same);
	assert.equal(cancelled.status, 200, 'CANCEL');
	assert.equal((await wic.final(sent)).status, 487);
	wic.ask('ACK', BOB, { ...same, cseq_text: '1 ACK' });
	assertClean((await peer.request(sent.call_id, 'CANCEL')).text, inside.marks, 'CANCEL');
	assertClean((await peer.request(sent.call_id, 'ACK')).text, inside.marks, 'ACK');
};

/** Refused, or without the marks. */
const slyInvite = (wic, peer) => async ({ text, marks }) => {
	const sent = wic.write('INVITE', BOB, { ...WITH_SDP, lines: [text, ...WITH_SDP.lines] });
	peer.rules.set(sent.call_id, (request) =>
		request.method === 'INVITE' && request.reply(486, 'Busy Here'));
	wic.say(sent.text);
	const { status } = await wic.final(sent);
	assert.ok(status >= 400 && status < 500, `answered ${status}`);
	for (const request of peer.of(sent.call_id))
		assertClean(request.text, marks, request.method);
};

/** A token in each request of a call (RFC 3261 22.1 puts it in the ACK): nowhere on Mw. */
const tokenStays = (wic, peer) => async (line) => {
	const call = await callOut(wic, peer, { lines: [line], ack: [line] });
	for (const method of INSIDE)
		await insideIsClean({ wic, peer, dialog: call.dialog }, method,
			{ text: line, marks: ['bearer', wic.token.split('.')[0].toLowerCase()] });
	for (const request of peer.of(call.sent.call_id))
		assert.deepEqual([...request.all('Authorization'), ...request.all('Proxy-Authorization')],
			[],
			request.method);
};

/** A token in the body of what is said in a call: gone, or the request is refused. */
const tokenBodyStays = (wic, peer) => async (method) => {
	const { dialog } = await callOut(wic, peer);
	const sent = dialog.send(method, tokenBody(wic.token));
	if (method === 'ACK')
		await wic.caughtUp();
	else
		await wic.final(sent);
	await peer.settle(100);
	for (const request of peer.of(dialog.call_id))
		assertClean(request.text, [wic.token.split('.')[1].slice(-24).toLowerCase()], method);
};

/** `orig` and what is named in a Contact, in a dialog too. */
const uriStays = (wic, peer) => async ({ uri, contact }) => {
	const call = await callOut(wic, peer);
	const { dialog } = call;
	const sent = dialog.send('INVITE', { uri: `${dialog.target}${uri}`,
		lines: [['Contact', contact(wic.address)]] });
	const { status } = await wic.final(sent);
	assert.ok([200, 400, 403].includes(status), `answered ${status}`);
	for (const request of peer.of(call.sent.call_id, 'INVITE').slice(1)) {
		assert.equal(request.uri, dialog.target, 'Request-URI');
		assertClean(request.text, ['forgedcontact'], 'Contact');
	}
};

const together = (outside, inside) => Object.fromEntries(Object.keys(outside).map((name) =>
	[name, { outside: outside[name], inside: inside[name] }]));

await scenario(HOSTILE_WORLDS, async (world) => {
	const peer = await MwPeer.start(world);
	const wic = await HostileWic.registered(world);
	const way = await peer.learn(wic);
	const calls = together(allForgeries(FORGED_OUTSIDE, SPELLINGS), allForgeries(FORGED,
		SPELLINGS));
	const token = `Bearer ${wic.token}`;
	const planted = '%3Csip:forgedcontact%40evil.example%3E';
	await eachCase({
		'a call out': [calls, callIsClean(wic, peer)],
		'a call in': [calls, calledIsClean(wic, peer, way)],
		'answers in a call': [calls, answersAreClean(wic, peer, way)],
		'a call that is cancelled': [calls, cancelIsClean(wic, peer)],
		'sly': [eachForgery(FORGED_OUTSIDE, SLY_SPELLINGS), slyInvite(wic, peer)],
		'a token': [{ 'Authorization': `Authorization: ${token}`,
			'Proxy-Authorization': `Proxy-Authorization: ${token}`,
			'folded': `AUTHORIZATION :\r\n bearer\r\n\t${wic.token}`,
			'by its name': `Authorization: Bearer access_token="${wic.token}"` },
		tokenStays(wic, peer)],
		'a token in a body': [{ INFO: 'INFO', INVITE: 'INVITE', UPDATE: 'UPDATE', BYE: 'BYE',
			ACK: 'ACK' },
			tokenBodyStays(wic, peer)],
		'a URI': [{ 'orig': { uri: ';orig', contact: (address) => address },
			'escaped orig': { uri: ';%6Frig', contact: (address) => address },
			'a header in the Contact': { uri: '',
				contact: (address) => address.replace('>', `?P-Asserted-Identity=${planted}>`) },
			'an escaped header in the Contact': { uri: '',
				contact: (address) => address.replace('>', `?Ro%75te=${planted}>`) } },
		uriStays(wic, peer)],
	}, ([cases, play]) => eachCaseAbreast(cases, play));
	assertNothingForged(peer);
	await assertNoTokenOnMw(world, [wic.token]);
	await wic.close();
});
