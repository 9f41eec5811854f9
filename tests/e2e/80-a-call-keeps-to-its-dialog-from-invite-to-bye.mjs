// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 9.8: CANCEL, ACK and what is said inside dialogs, by both sides; and that a dialog is no
// door to anywhere else.

import { eachCase, eachCaseAbreast } from './lib/cases.mjs';
import { Dialog, SDP, WITH_SDP, callIn, callOut, coreContact, takesCalls,
	wicTakes } from './lib/dialog.mjs';
import { HostileWic } from './lib/hostile_wic.mjs';
import { tagOf, uriOf } from './lib/loose_sip.mjs';
import { MwPeer } from './lib/mw_peer.mjs';
import { OTHER_CORE_ADDRESS, REALM, bracketed, impu } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { HOSTILE_WORLDS, assert, scenario } from './lib/scenario.mjs';

const BOB = impu('bob');
const INSIDE = ['INFO', 'UPDATE', 'PRACK', 'MESSAGE', 'REFER', 'NOTIFY', 'OPTIONS', 'NEWMETHOD'];
let count = 0;
const newCall = () => `inner${count += 1}@core.example.test`;
const withoutReceived = (via) => via.split(';received')[0];
const icidOf = (request) =>
	/icid-value="?([^";]+)/.exec(request.header('P-Charging-Vector') ?? '')?.[1]
	?? null;

/** An INVITE of the WIC's that the core leaves alone: {sent, invite, cancel()} */
async function ringing(wic, peer, { rule = () => {} } = {}) {
	const sent = wic.write('INVITE', BOB, WITH_SDP);
	peer.rules.set(sent.call_id, rule);
	wic.say(sent.text);
	const invite = await peer.request(sent.call_id, 'INVITE');
	const cancel = (more = {}) => wic.ask('CANCEL', BOB, { via: sent.via, from: sent.from,
		call_id: sent.call_id, contact: null, ...more });
	return { sent, invite, cancel };
}

/** CANCEL out: 200 at once, nothing before a provisional, and then the INVITE's own branch. */
async function cancelOut(wic, peer) {
	const { sent, invite, cancel } = await ringing(wic, peer, { rule: (request) =>
		request.method === 'CANCEL' && request.reply(200, 'OK') });
	const began = Date.now();
	const answer = await wic.final(cancel());
	assert.equal(answer.status, 200);
	assert.ok(answer.at_ms - began < 500, 'at once');
	assert.deepEqual(answer.list('Via'), [sent.via]);
	await peer.settle(300);
	assert.deepEqual(peer.of(sent.call_id, 'CANCEL'), [], 'not before a provisional');
	invite.reply(180, 'Ringing');
	const cancelled = await peer.request(sent.call_id, 'CANCEL');
	assert.deepEqual(cancelled.list('Via'), [invite.list('Via')[0]],
		'the branch of the INVITE, alone');
	assert.equal(cancelled.uri, invite.uri, 'Request-URI');
	for (const name of ['Route', 'From', 'To', 'Call-ID'])
		assert.deepEqual(cancelled.all(name), invite.all(name), name);
	assert.equal(cancelled.header('CSeq'), `${invite.cseq} CANCEL`);
	assert.equal(cancelled.body, '');
	invite.reply(487, 'Request Terminated', { to_tag: 'gone' });
	assert.equal((await wic.final(sent)).status, 487);
	const ack = await peer.request(sent.call_id, 'ACK');
	assert.deepEqual(ack.list('Via'), [invite.list('Via')[0]], 'Via of the ACK');
	assert.equal(tagOf(ack.header('To')), 'gone');
	assert.deepEqual(ack.all('Route'), invite.all('Route'));
	wic.ask('ACK', BOB, { via: sent.via, from: sent.from, to: `<${BOB}>;tag=gone`,
		call_id: sent.call_id, contact: null });
	await wic.caughtUp();
	await peer.settle(200);
	assert.equal(peer.of(sent.call_id, 'ACK').length, 1, 'the WIC\'s own ACK goes no further');
}

/** After a provisional the CANCEL goes at once; a 200 that crosses it is a call all the same. */
async function cancelCrosses(wic, peer) {
	const { sent, invite, cancel } = await ringing(wic, peer, { rule: (request) =>
		request.method === 'CANCEL' && request.reply(200, 'OK') });
	invite.reply(183, 'Session Progress');
	await wic.answered(sent, ({ status }) => status === 183);
	cancel();
	await peer.request(sent.call_id, 'CANCEL');
	invite.reply(200, 'OK', { lines: [['Contact', coreContact(peer)]] });
	assert.equal((await wic.final(sent)).status, 200);
}

/** A CANCEL of what is no INVITE, or of what is over, changes nothing. */
async function cancelInVain(wic, peer) {
	const over = await ringing(wic, peer, { rule: (request) => request.method === 'INVITE'
		&& request.reply(486, 'Busy Here') });
	await wic.final(over.sent);
	const { status } = await wic.final(over.cancel());
	assert.ok([200, 481].includes(status), `answered ${status}`);
	await peer.settle(200);
	assert.deepEqual(peer.of(over.sent.call_id, 'CANCEL'), [], 'nothing to cancel any more');
	const message = wic.write('MESSAGE', BOB, { contact: null });
	peer.rules.set(message.call_id, () => {});
	wic.say(message.text);
	const held = await peer.request(message.call_id, 'MESSAGE');
	const answer = await wic.final(wic.ask('CANCEL', BOB, { via: message.via, from: message.from,
		call_id: message.call_id, contact: null }));
	assert.ok([200, 481].includes(answer.status), `answered ${answer.status}`);
	held.reply(200, 'OK');
	assert.equal((await wic.final(message)).status, 200, 'the MESSAGE goes on');
	assert.deepEqual(peer.of(message.call_id, 'CANCEL'), [], 'an INVITE only is cancelled');
}

/** Who may cancel: the same connection by the same branch. Everything else is 481 (9.8, F28). */
const cancelIsNotHis = (wic, other, peer) => async (change) => {
	const { sent, invite } = await ringing(wic, peer);
	invite.reply(180, 'Ringing');
	await wic.answered(sent, ({ status }) => status === 180);
	const { from: who, ...parts } = change(sent, wic, other);
	const cancel = who.ask('CANCEL', BOB, { via: sent.via, from: sent.from, call_id: sent.call_id,
		contact: null, ...parts });
	assert.equal((await who.final(cancel)).status, 481);
	await peer.settle(200);
	assert.deepEqual(peer.of(sent.call_id, 'CANCEL'), [], 'nothing reached the core');
	invite.reply(486, 'Busy Here');
	assert.equal((await wic.final(sent)).status, 486, 'the call was not touched');
};

const strangersCancels = {
	'another connection': (sent, wic, other) => ({ from: other }),
	'another connection with a token': (sent, wic, other) => ({ from: other,
		lines: [['Proxy-Authorization', `Bearer ${other.token}`]] }),
	'another branch': (sent, wic) => ({ from: wic, via: wic.via() }),
};

/** CANCEL from the core: 200 at once, and on to the WIC by the branch of its INVITE. */
async function cancelIn(wic, peer, way) {
	const call_id = newCall();
	wic.rules.set(call_id, (request) => {
		if (request.method === 'INVITE')
			request.reply(180, 'Ringing', { contact: wic.address });
		if (request.method === 'CANCEL') {
			request.reply(200, 'OK');
			wic.of(call_id, 'INVITE')[0].reply(487, 'Request Terminated');
		}
	});
	const sent = await peer.ask('INVITE', way, { call_id, ...WITH_SDP });
	await peer.response(call_id, 'INVITE', ({ status }) => status === 180);
	await peer.say(peer.initial('CANCEL', way, { call_id, via: sent.via, from: sent.from,
		to: sent.to }).text, way.port);
	assert.equal((await peer.response(call_id, 'CANCEL')).status, 200);
	const [invite, cancel] = [wic.of(call_id, 'INVITE')[0], await wic.received(call_id, 'CANCEL')];
	assert.deepEqual(cancel.list('Via'), [invite.list('Via')[0]],
		'the branch of the INVITE, alone');
	assert.equal(cancel.uri, invite.uri);
	assert.equal(cancel.header('CSeq'), '1 CANCEL');
	assert.equal((await peer.response(call_id, 'INVITE')).status, 487);
	await wic.received(call_id, 'ACK');
}

/** The same before the WIC has said anything: 200 at once, and on when it has. */
async function cancelInEarly(wic, peer, way) {
	const call_id = newCall();
	const sent = await peer.ask('INVITE', way, { call_id, ...WITH_SDP });
	const invite = await wic.received(call_id, 'INVITE');
	await peer.say(peer.initial('CANCEL', way, { call_id, via: sent.via, from: sent.from,
		to: sent.to }).text, way.port);
	assert.equal((await peer.response(call_id, 'CANCEL', undefined, 1000)).status, 200);
	await peer.settle(200);
	assert.deepEqual(wic.of(call_id, 'CANCEL'), [], 'not before a provisional');
	invite.reply(180, 'Ringing', { contact: wic.address });
	(await wic.received(call_id, 'CANCEL')).reply(200, 'OK');
	invite.reply(487, 'Request Terminated');
	assert.equal((await peer.response(call_id, 'INVITE')).status, 487);
	const nothing = await peer.ask('CANCEL', way, { call_id: newCall() });
	assert.equal((await peer.response(nothing.call_id, 'CANCEL')).status, 481, 'of nothing');
}

/** An ACK of a 2xx goes end to end, both ways, each with a branch of its own. */
async function ackOut(wic, peer) {
	const { invite, ack, sent, dialog } = await callOut(wic, peer);
	const [top, below, ...more] = ack.list('Via');
	assert.notEqual(top.split('branch=')[1], invite.list('Via')[0].split('branch=')[1],
		'a new branch');
	assert.equal(below.split(';')[0], sent.via.split(';')[0]);
	assert.deepEqual(more, []);
	assert.equal(ack.uri, dialog.target, 'Request-URI: the Contact of the 200');
	assert.deepEqual(ack.list('Route'), dialog.routes.slice(1), 'our Route is gone');
	assert.equal(ack.header('Max-Forwards'), '69');
	assert.deepEqual(wic.responses.filter(({ cseq_method }) => cseq_method === 'ACK'), [],
		'never answered');
	const again = peer.of(sent.call_id, 'ACK').length;
	dialog.send('ACK', { lines: [['Content-Type', 'application/sdp']], body: SDP });
	assert.equal((await peer.request(sent.call_id, 'ACK', again)).body, SDP,
		'each ACK goes, body too');
}

async function ackIn(wic, peer, way) {
	const { sent_ack, sent } = await callIn(wic, peer, way);
	const ack = await wic.received(sent.call_id, 'ACK');
	assert.deepEqual(ack.all('Route'), []);
	assert.equal(ack.uri, way.contact);
	assert.equal(ack.list('Via').length, 2);
	assert.equal(withoutReceived(ack.list('Via')[1]), sent_ack.via);
	assert.equal(wic.of(sent.call_id, 'ACK').length, 1);
}

/** An ACK with a token that is none is dropped without a word. */
async function ackAstray(wic, peer) {
	const { sent, dialog } = await callOut(wic, peer);
	const heard = peer.of(sent.call_id, 'ACK').length;
	for (const routes of [[], [dialog.routes[0].replace(/t1\..{4}/, 't1.AAAA'),
		...dialog.routes.slice(1)],
		dialog.routes.slice(1)])
		dialog.send('ACK', { routes });
	await wic.caughtUp();
	await peer.settle(200);
	assert.equal(peer.of(sent.call_id, 'ACK').length, heard, 'nothing reached the core');
	assert.deepEqual(wic.responses.filter(({ cseq_method }) => cseq_method === 'ACK'), []);
}

/** Each request inside a dialog, of the WIC's: by its Route, with the dialog's icid. */
const insideOut = (wic, peer, call) => async (method) => {
	const { dialog, invite } = call;
	const sent = dialog.send(method, { lines: [['X-Kept', 'kept'], ['Content-Type', 'text/x']],
		body: 'body' });
	assert.equal((await wic.final(sent)).status, 200);
	const [got] = peer.of(dialog.call_id, method).filter(({ cseq }) => cseq === sent.cseq);
	assert.equal(got.uri, dialog.target);
	assert.deepEqual(got.list('Route'), dialog.routes.slice(1), 'our Route is gone');
	assert.deepEqual([got.header('X-Kept'), got.body], ['kept', 'body']);
	assert.equal(got.header('Max-Forwards'), '69');
	assert.deepEqual([got.header('From'), got.header('To')], [dialog.local, dialog.remote]);
	assert.equal(got.list('Via').length, 2);
	assert.equal(icidOf(got), icidOf(invite), 'the icid of the dialog');
	assert.deepEqual(got.all('P-Preferred-Identity'), []);
};

/** A Route of the core's behind ours is an error there too (9.6): a WIC is the end of the way. */
async function routeBehindOurs(wic, peer) {
	const { core, sent } = await callOut(wic, peer);
	const said = core.send('INFO', { routes: [...core.routes, '<sip:evil.example;lr>'] });
	const { status } = await peer.response(sent.call_id, 'INFO', (sip) => sip.cseq === said.cseq
		&& sip.status >= 200);
	assert.ok([403, 482].includes(status), `answered ${status}`);
	assert.deepEqual(wic.of(sent.call_id, 'INFO'), []);
}

/** Of the core's. */
const insideIn = (wic, peer, call) => async (method) => {
	const { core } = call;
	wic.rules.set(core.call_id, (request) => request.method !== 'ACK' && request.reply(200, 'OK'));
	const sent = core.send(method, { lines: [['X-Kept', 'kept'], ['Content-Type', 'text/x'],
		['P-Charging-Vector', 'icid-value="secret"'], ['P-Served-User', '<sip:secret@x>']],
			body: 'body' });
	const answer = await peer.response(core.call_id, method, (sip) => sip.cseq === sent.cseq
		&& sip.status >= 200);
	assert.equal(answer.status, 200);
	const [got] = wic.of(core.call_id, method).filter(({ cseq }) => cseq === sent.cseq);
	assert.equal(got.uri, core.target);
	assert.deepEqual(got.all('Route'), []);
	assert.deepEqual([got.header('X-Kept'), got.body], ['kept', 'body']);
	assert.doesNotMatch(got.text, /secret/);
	assert.deepEqual(answer.list('Via').map(withoutReceived), [sent.via]);
};

/** A re-INVITE, and its ACK: Record-Route is as it was, or not there. */
async function reinvite(wic, peer, way) {
	const out = await callOut(wic, peer);
	const sent = out.dialog.send('INVITE', WITH_SDP);
	assert.equal((await wic.final(sent)).status, 200);
	const again = peer.of(out.sent.call_id, 'INVITE')[1];
	assert.ok([out.invite.header('Record-Route'), null].includes(again.header('Record-Route')));
	out.dialog.send('ACK', { cseq: sent.cseq });
	await waitFor('the ACK of the re-INVITE', () => peer.of(out.sent.call_id, 'ACK')
		.some(({ cseq }) => cseq === sent.cseq));
	const of_core = out.core.send('INVITE', WITH_SDP);
	wic.rules.set(out.sent.call_id, wicTakes(wic));
	const answer = await peer.response(out.sent.call_id, 'INVITE', (sip) =>
		sip.cseq === of_core.cseq
		&& sip.status >= 200);
	assert.equal(answer.status, 200);
	out.core.send('ACK', { cseq: of_core.cseq });
	await wic.received(out.sent.call_id, 'ACK');
	const inside = await callIn(wic, peer, way);
	peer.rules.set(inside.sent.call_id, takesCalls(peer));
	const own = inside.dialog.send('INVITE', WITH_SDP);
	assert.equal((await wic.final(own)).status, 200);
	const refused = inside.dialog.send('INVITE', { ...WITH_SDP, max_forwards: '0' });
	assert.equal((await wic.final(refused)).status, 483);
}

/** Other dialogs are dialogs too: SUBSCRIBE, a NOTIFY that overtakes its 200, and a refresh. */
async function subscription(wic, peer, way) {
	const sent = wic.write('SUBSCRIBE', BOB, { lines: [['Event', 'presence']] });
	peer.rules.set(sent.call_id, (request) => {
		if (peer.of(sent.call_id, 'SUBSCRIBE').length > 1)
			request.reply(200, 'OK');
	});
	wic.rules.set(sent.call_id, (request) => request.reply(200, 'OK'));
	wic.say(sent.text);
	const subscribe = await peer.request(sent.call_id, 'SUBSCRIBE');
	const core = Dialog.called(peer, subscribe, 'core', way.port);
	core.send('NOTIFY', { lines: [['Event', 'presence'], ['Subscription-State', 'active']] });
	assert.equal((await peer.response(sent.call_id, 'NOTIFY')).status, 200, 'it overtook the 200');
	subscribe.reply(200, 'OK', { lines: [['Contact', coreContact(peer)],
		...subscribe.all('Record-Route').map((value) => ['Record-Route', value])] });
	const answer = await wic.final(sent);
	assert.equal(answer.status, 200);
	const again = Dialog.calling(wic, sent, answer).send('SUBSCRIBE', { lines: [['Event',
		'presence']] });
	assert.equal((await wic.final(again)).status, 200);
	const into = await peer.ask('SUBSCRIBE', way, { call_id: newCall(), lines: [['Event', 'x']] });
	const arrived = await wic.received(into.call_id, 'SUBSCRIBE');
	arrived.reply(200, 'OK', { contact: wic.address });
	assert.equal((await peer.response(into.call_id, 'SUBSCRIBE')).status, 200);
	const notify = Dialog.called(wic, arrived, 'wic').send('NOTIFY', { lines: [['Event', 'x'],
		['Subscription-State', 'terminated']] });
	assert.equal((await wic.final(notify)).status, 200);
}

/** BYE of both sides; what comes behind it is answered by the other end. */
async function bye(wic, peer, way) {
	const out = await callOut(wic, peer);
	assert.equal((await wic.final(out.dialog.send('BYE'))).status, 200);
	peer.rules.set(out.sent.call_id, (request) => request.reply(481, 'Gone'));
	assert.equal((await wic.final(out.dialog.send('BYE'))).status, 481);
	const into = await callIn(wic, peer, way);
	const sent = into.core.send('BYE');
	assert.equal((await peer.response(into.sent.call_id, 'BYE')).status, 200);
	assert.equal(wic.of(into.sent.call_id, 'BYE')[0].cseq, sent.cseq);
}

/** D-36: a dialog survives the end of the registration; nothing new begins. */
async function afterRegistration(world, peer) {
	const wic = await HostileWic.registered(world, 'dave');
	const out = await callOut(wic, peer);
	assert.equal((await wic.register(null, { expires: 0 })).status, 200);
	const late = await wic.answerTo('INVITE', BOB, WITH_SDP);
	assert.equal(late.status, 403, 'a new call');
	for (const method of ['INFO', 'BYE'])
		assert.equal((await wic.final(out.dialog.send(method))).status, 200, method);
	await wic.close();
}

/**
 * A dialog is no door (9.8, 12.2): {name: what to send}; the core, and nobody else, hears of it.
 */
const doors = (stranger) => ({
	'a dialog that never was': { call_id: 'never@was.example', refused: true },
	'a To tag of nobody\'s, and another Request-URI': { call_id: 'never2@was.example',
		uri: `sip:carol@${REALM}`, to: `<sip:carol@${REALM}>;tag=none`, refused: true },
	'From of somebody else': { from: `<${BOB}>;tag=other`, refused: true },
	'another Route behind ours': { next: [`<sip:${bracketed(stranger)}:5060;lr>`] },
	'another Route over TCP': { next: [`<sip:${bracketed(stranger)}:5060;transport=tcp;lr>`] },
	'another Request-URI and no other Route': { next: [],
		uri: `sip:x@${bracketed(stranger)}:5060` },
	'a name of somebody else': { next: ['<sip:evil.example;lr>'] },
	'a Route with orig': { next: [`<sip:${REALM};lr;orig>`] },
	'the gateway itself': { next: null },
});

const doorIsShut = (wic, peer, stranger, call) => async ({ next, refused, ...more }) => {
	const { dialog } = call;
	const [ours, ...others] = dialog.routes;
	const routes = next === undefined ? dialog.routes : next === null ? [ours, ours, ...others]
		: [ours, ...next];
	const call_id = more.call_id ?? dialog.call_id;
	const heard = peer.of(call_id).length;
	const sent = dialog.send('INFO', { ...more, routes });
	const { status } = await wic.final(sent);
	await peer.settle(200);
	assert.deepEqual(stranger.heard.map(String), [], 'nobody else heard it');
	const passed = peer.of(call_id).slice(heard);
	for (const request of passed)
		assert.doesNotMatch(`${request.uri} ${request.list('Route')}`, /;orig\b/);
	if (refused)
		assert.ok([403, 481].includes(status) && passed.length === 0,
			`answered ${status}, ${passed.length} at the core`);
};

/** Over UDP an INVITE is said again until something comes, and not once more (timer A). */
async function saidAgain(wic, peer) {
	const { sent, invite } = await ringing(wic, peer);
	await waitFor('the INVITE again', () => peer.of(sent.call_id, 'INVITE').length >= 2, 2000);
	invite.reply(100, 'Trying', { to_tag: null });
	await peer.settle(100);
	const before = peer.of(sent.call_id, 'INVITE').length;
	await peer.settle(1500);
	assert.equal(peer.of(sent.call_id, 'INVITE').length, before, 'silence behind the 100');
	invite.reply(480, 'X');
	await wic.final(sent);
	const quiet = wic.write('MESSAGE', BOB, { contact: null });
	peer.rules.set(quiet.call_id, (request, times) => times === 2 && request.reply(200, 'OK'));
	wic.say(quiet.text);
	assert.equal((await wic.final(quiet)).status, 200, 'timer E');
}

/** PROTOCOL 11, timers B and F: half a minute of silence. The others are played meanwhile. */
const SILENT_WORLD = { ...HOSTILE_WORLDS[1], mw: 'udp', silent: true };
const SILENCE_MS = 32000;
const LATE_MS = 4000;

const silences = (world, peer) => ({
	'the core to an INVITE': async (wic) => {
		const sent = wic.write('INVITE', BOB, WITH_SDP);
		peer.rules.set(sent.call_id, () => {});
		wic.say(sent.text);
		const { status } = await wic.final(sent, SILENCE_MS + LATE_MS);
		assert.ok([408, 504].includes(status), `answered ${status}`);
		assert.equal(peer.of(sent.call_id, 'INVITE').length, 7, 'timer A: 0, 0.5, 1.5 ... 31.5 s');
	},
	'the core to a REGISTER': async () => {
		const wic = await HostileWic.connect('bob', { ca: world.files.ca_pem });
		peer.rules.set(wic.call_id, () => {});
		const sent = wic.ask('REGISTER', `sip:${REALM}`, { to: `<${BOB}>`, call_id: wic.call_id,
			contact: wic.contact, lines: [['Expires', '600'],
				['Authorization', `Bearer ${world.mint.issue('bob')}`]] });
		assert.equal((await wic.final(sent, SILENCE_MS + LATE_MS)).status, 504);
		assert.equal(peer.of(wic.call_id).length, 11,
			'timer E: 0, 0.5, 1.5, 3.5, 7.5, 11.5 ... 31.5 s');
	},
	'the WIC to an INVITE': async (wic, way) => {
		const { call_id } = await peer.ask('INVITE', way, { call_id: newCall(), ...WITH_SDP });
		const { status } = await peer.response(call_id, 'INVITE', undefined, SILENCE_MS + LATE_MS);
		assert.ok([408, 480].includes(status), `answered ${status}`);
		assert.equal(wic.of(call_id, 'INVITE').length, 1, 'a WebSocket is reliable: said once');
	},
	'the core to the CANCEL': async (wic) => {
		const { invite, cancel, sent } = await ringing(wic, peer);
		invite.reply(180, 'Ringing');
		await wic.answered(sent, ({ status }) => status === 180);
		cancel();
		/* RFC 3261 9.1: no answer within 64*T1 of the CANCEL: the INVITE is over */
		const { status } = await wic.final(sent, SILENCE_MS + LATE_MS);
		assert.ok([408, 487].includes(status), `answered ${status}`);
	},
});

const byName = (values) => Object.fromEntries(values.map((value) => [value, value]));

await scenario([...HOSTILE_WORLDS, SILENT_WORLD], async (world, { silent }) => {
	const peer = await MwPeer.start(world);
	if (silent) {
		const waiting = await HostileWic.registered(world);
		const way = await peer.learn(waiting);
		const began = Date.now();
		await eachCaseAbreast(silences(world, peer), async (play) => {
			await play(waiting, way);
			const took = Date.now() - began;
			assert.ok(took > SILENCE_MS - LATE_MS, `after ${took} ms`);
		});
		return;
	}
	const stranger = await MwPeer.start(world, world.link.stranger ?? OTHER_CORE_ADDRESS);
	const wic = await HostileWic.registered(world);
	const way = await peer.learn(wic);
	const other = await HostileWic.registered(world, 'bob');
	await eachCaseAbreast({
		'CANCEL out': () => cancelOut(wic, peer),
		'CANCEL that crosses a 200': () => cancelCrosses(wic, peer),
		'CANCEL in vain': () => cancelInVain(wic, peer),
		'CANCEL of others': () => eachCase(strangersCancels, cancelIsNotHis(wic, other, peer)),
		'CANCEL in': () => cancelIn(wic, peer, way),
		'CANCEL in, early': () => cancelInEarly(wic, peer, way),
		'ACK out': () => ackOut(wic, peer),
		'ACK in': () => ackIn(wic, peer, way),
		'ACK astray': () => ackAstray(wic, peer),
		're-INVITE': () => reinvite(wic, peer, way),
		'SUBSCRIBE': () => subscription(wic, peer, way),
		'a Route behind ours': () => routeBehindOurs(wic, peer),
		'BYE': () => bye(wic, peer, way),
		'after the registration': () => afterRegistration(world, peer),
		'said again': () => world.mw === 'udp' && saidAgain(wic, peer),
		'inside a call out': async () => {
			const call = await callOut(wic, peer);
			await eachCase(byName(INSIDE), insideOut(wic, peer, call));
			await eachCase(byName(INSIDE), insideIn(wic, peer, call));
		},
		'inside a call in': async () => {
			const call = await callIn(wic, peer, way, { lines: [['P-Charging-Vector',
				'icid-value="core-2";orig-ioi="home9.net"']] });
			peer.rules.set(call.sent.call_id, takesCalls(peer));
			await eachCase(byName(INSIDE), insideIn(wic, peer, call));
			await eachCase(byName(INSIDE), insideOut(wic, peer,
				{ ...call, invite: { header: () => 'icid-value="core-2"' } }));
		},
	}, (play) => play());
	const call = await callOut(wic, peer);
	await eachCase(doors(stranger.address), doorIsShut(wic, peer, stranger, call));
	assert.equal(uriOf(call.invite.header('P-Asserted-Identity')), impu('alice'));
	await wic.close();
	await other.close();
});
