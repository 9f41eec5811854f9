// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 9.6, 9.7 from the WIC to the core, and 10.3: every row that can be seen on the wire.

import { eachCase, eachCaseAbreast } from './lib/cases.mjs';
import { SDP, WITH_SDP, callIn, coreRoute } from './lib/dialog.mjs';
import { HostileWic } from './lib/hostile_wic.mjs';
import { MwPeer } from './lib/mw_peer.mjs';
import { REALM, impu } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { HOSTILE_WORLDS, assert, scenario } from './lib/scenario.mjs';

const ALICE = impu('alice');
const TRYING_MS = 200;
const METHODS = ['MESSAGE', 'INVITE', 'SUBSCRIBE', 'REFER', 'OPTIONS', 'NOTIFY', 'INFO',
	'NEWMETHOD'];
const DIALOGS = ['INVITE', 'SUBSCRIBE', 'REFER'];
let count = 0;
const newCall = () => `call${count += 1}@core.example.test`;

/** Delivers a request; the WIC answers by statuses: {sent, arrived (at the WIC), answers}. */
async function deliver(wic, peer, way, method, more = {}, { statuses = [method === 'INVITE' ? 486
	: 200],
	lines = [] } = {}) {
	const call_id = newCall();
	wic.rules.set(call_id, (request, times) => request.method !== 'ACK' && times === 1
		&& statuses.forEach((status) => request.reply(status, 'Wic', { contact: wic.address,
			lines })));
	const sdp = method === 'INVITE' ? WITH_SDP : { lines: [] };
	const sent = await peer.ask(method, way, { call_id, ...sdp, ...more,
		lines: [...sdp.lines, ...(more.lines ?? [])] });
	const final = await peer.response(call_id, method);
	const answers = peer.responses.filter((sip) => sip.call_id === call_id && sip.status > 100);
	return { sent, final, answers, arrived: wic.of(call_id, method)[0] ?? null };
}

/** What is for the WIC stays, what is the core's own goes. */
const KEPT = [['P-Called-Party-ID', `<${ALICE}>`], ['X-Unknown', '1'], ['X-Unknown', '2'],
	['Alert-Info', '<urn:alert:service:call-waiting>'], ['Supported', 'timer'], ['Event',
		'presence'],
	['Refer-To', '<sip:x@y>'], ['Accept-Contact', '*;audio'], ['User-Agent', 'core']];
const GONE = { 'P-Charging-Vector': 'icid-value="secret-1";icid-generated-at=secret;orig-ioi="home9.net"',
	'P-Charging-Function-Addresses': 'ccf=secret', 'P-Served-User': '<sip:secret@x>;sescase=term',
	'P-Profile-Key': '<sip:secret@x>', 'P-User-Database': '<aaa://secret.x>',
	'P-Visited-Network-ID': '"secret"', 'Restoration-Info': '"secret"', 'Relayed-Charge': 'secret',
	'Service-Interact-Info': 'secret' };
const spelled = {
	'as it is': (name, value) => `${name}: ${value}`,
	'in small letters': (name, value) => `${name.toLowerCase()}:${value}`,
	'folded': (name, value) => `${name.toUpperCase()} \t:\r\n ${value}`,
	'twice': (name, value) => `${name}: ${value}\r\nX-Between: x\r\n${name}: ${value}`,
};

const isDressed = (wic, peer, way) => async ([method, spell]) => {
	const gone = Object.entries(GONE).map(([name, value]) => spell(name, value));
	const { sent, arrived } = await deliver(wic, peer, way, method,
		{ lines: [...KEPT, ...gone, ['Record-Route', coreRoute(peer)], ['Subject', 'last']] });
	assert.equal(arrived.uri, way.contact, 'the Request-URI is its Contact');
	assert.doesNotMatch(arrived.text, /secret/, 'nothing of the core\'s own');
	for (const name of Object.keys(GONE))
		assert.deepEqual(arrived.all(name), [], name);
	for (const name of new Set(KEPT.map(([one]) => one)))
		assert.deepEqual(arrived.all(name), KEPT.filter(([one]) => one === name)
			.map(([, value]) => value), name);
	const [top, ...below] = arrived.list('Via');
	assert.match(top, /^SIP\/2\.0\/WSS \S+;branch=z9hG4bK/);
	assert.equal(below.length, 1);
	assert.equal(below[0].split(';received')[0], sent.via);
	assert.deepEqual(arrived.all('Route'), [], 'no Route');
	assert.equal(arrived.header('Max-Forwards'), '68');
	for (const name of ['from', 'to'])
		assert.equal(arrived.header(name), sent[name], name);
	assert.equal(arrived.body, method === 'INVITE' ? SDP : '');
	assert.equal(arrived.header('Content-Length') ?? '0', String(arrived.body.length));
	if (!DIALOGS.includes(method))
		return;
	const routes = arrived.list('Record-Route');
	assert.equal(routes.length, 2, String(routes));
	assert.match(routes[0], /^<sip:[BF]t1\.[A-Za-z0-9_-]{43}@[^>]*;lr\b/);
	assert.doesNotMatch(routes[0], /;ob\b/, 'without ob (RFC 5626 5.3.1)');
	assert.equal(routes[1], coreRoute(peer));
};

/** RFC 7118 4.2: text when it is UTF-8, else binary; and every byte as it was. */
const bodyArrives = (wic, peer, way) => async ([body, is_binary]) => {
	const sent = peer.initial('MESSAGE', way, { call_id: newCall() });
	wic.rules.set(sent.call_id, (request) => request.reply(200, 'OK'));
	await peer.say(Buffer.concat([Buffer.from(sent.text.replace('Content-Length: 0',
		`Content-Length: ${body.length}`)), body]), way.port);
	assert.equal((await peer.response(sent.call_id, 'MESSAGE')).status, 200);
	const [got] = wic.of(sent.call_id);
	assert.equal(got.body, body.toString('latin1'));
	assert.equal(got.is_binary, is_binary, 'a binary frame');
};
const bodies = { 'ASCII': [Buffer.from('hello'), false], 'UTF-8': [Buffer.from('\u0440\u0430'),
	false],
	'no UTF-8': [Buffer.from([0xff, 0xfe, 0x80]), true], 'a surrogate': [Buffer.from([0xed, 0xa0,
		0x80]),
		true], 'cut short': [Buffer.from([0xd1]), true], 'overlong': [Buffer.from([0xc0, 0xaf]),
			true],
	'every byte': [Buffer.from(Array.from({ length: 256 }, (_, at) => at)), true],
	'a NUL': [Buffer.from('\0'), false], 'nothing': [Buffer.alloc(0), false] };

/** P-Asserted-Identity and Privacy (RFC 3325): {name: [lines, whether the WIC reads it]} */
const PAI = ['P-Asserted-Identity', `<${impu('carol')}>, <tel:+15551230009>`];
const privacy = { 'none said': [[], true], 'id': [[['Privacy', 'id']], false],
	'none': [[['Privacy', 'none']], true], 'header': [[['Privacy', 'header']], true],
	'header; id': [[['Privacy', 'header; id']], false], 'ID': [[['privacy', 'ID']], false],
	'two lines': [[['Privacy', 'user'], ['PRIVACY ', 'id']], false],
	'id, critical': [['Privacy:\r\n id;critical'], false],
	'a word that has it in it': [[['Privacy', 'valid']], true] };

const identityIsPrivate = (wic, peer, way, method) => async ([lines, shown]) => {
	const { arrived } = await deliver(wic, peer, way, method, { lines: [PAI, ...lines] });
	assert.deepEqual(arrived.all('P-Asserted-Identity'), shown ? [PAI[1]] : []);
	if (!shown)
		assert.doesNotMatch(arrived.text, /15551230009/);
};

/** What is refused on Mw: {name: [what to send otherwise, the statuses that are right]} */
const refused = (way, peer) => ({
	'a Route behind ours': [{ route: `${way.route}, ${coreRoute(peer)}` }, [403, 482]],
	'a Route behind ours, on a line of its own': [{ route: `${way.route}\r\nRoute: ${coreRoute(peer)}` },
		[403, 482]],
	'ours twice': [{ route: `${way.route}, ${way.route}` }, [403, 482]],
	'a Route that is not ours': [{ route: coreRoute(peer) }, [403, 404, 480]],
	'no Route': [{ route: null }, [403, 404, 480]],
});

const isRefused = (wic, peer, way) => async ([change, statuses]) => {
	for (const method of ['MESSAGE', 'INVITE']) {
		const { call_id } = await peer.ask(method, { ...way, ...change }, { call_id: newCall() });
		const { status } = await peer.response(call_id, method);
		assert.ok(statuses.includes(status), `${method}: ${status}`);
		assert.deepEqual(wic.of(call_id), [], 'nothing was delivered');
	}
};

/** Max-Forwards and Proxy-Require count on Mw too. */
const isChecked = (wic, peer, way) => async ([change, wanted]) => {
	const sent = peer.initial('MESSAGE', way, { call_id: newCall() });
	await peer.say(change(sent.text), way.port);
	assert.equal((await peer.response(sent.call_id, 'MESSAGE')).status, wanted);
	assert.deepEqual(wic.of(sent.call_id), [], 'nothing was delivered');
};

/** 9.7: what the WIC answers, and what the core reads: {name: [method, of the WIC, of the core]} */
const answers = {
	'100 is absorbed': ['INVITE', [100, 180, 486], [180, 486]],
	'every 1xx': ['INVITE', [180, 183, 181, 182, 480], [180, 183, 181, 182, 480]],
	'a 200': ['INVITE', [183, 200], [183, 200]],
	'6xx': ['INVITE', [180, 603], [180, 603]],
	'302': ['INVITE', [302], [302]],
	'503 is said by the next hop only': ['INVITE', [503], [500]],
	'503 to a MESSAGE': ['MESSAGE', [503], [500]],
	'404 to a MESSAGE': ['MESSAGE', [404], [404]],
	'a second final is dropped': ['MESSAGE', [200, 404], [200]],
	'a second final to an INVITE': ['INVITE', [486, 480], [486]],
	'2xx behind a refusal': ['MESSAGE', [404, 200], [404]],
};

const answerPasses = (wic, peer, way) => async ([method, statuses, wanted]) => {
	const { sent } = await deliver(wic, peer, way, method, {}, { statuses });
	await peer.settle(200);
	const seen = peer.responses.filter(({ call_id, status }) => call_id === sent.call_id
		&& status > 100);
	assert.deepEqual(seen.filter(({ status }, at) => at === 0 || status !== seen[at - 1].status)
		.map(({ status }) => status), wanted);
	for (const one of seen)
		assert.deepEqual(one.list('Via').map((via) => via.split(';received')[0]), [sent.via]);
};

/** 100 to the core at once, and one only. */
async function trying(wic, peer, way) {
	const took = [];
	for (let at = 0; at < 3; at += 1) {
		const call_id = newCall();
		const began = Date.now();
		const sent = await peer.ask('INVITE', way, { call_id, ...WITH_SDP });
		const answer = await peer.response(call_id, 'INVITE', ({ status }) => status === 100, 2000);
		took.push(answer.at_ms - began);
		const invite = await wic.received(call_id, 'INVITE');
		invite.reply(100, 'Trying');
		invite.reply(480, 'Temporarily Unavailable');
		await peer.response(call_id, 'INVITE');
		assert.deepEqual(answer.list('Via').map((via) => via.split(';received')[0]), [sent.via]);
	}
	assert.ok(Math.min(...took) <= TRYING_MS, `100 after ${took} ms`);
}

/**
 * Over UDP the core says everything twice: the WIC hears it once, and the core its answer twice.
 */
async function retransmission(wic, peer, way) {
	for (const method of ['MESSAGE', 'INVITE']) {
		const { sent, final } = await deliver(wic, peer, way, method);
		await peer.say(sent.text, way.port);
		await waitFor('the answer again', () => peer.responses.filter(({ call_id, status }) =>
			call_id === sent.call_id && status === final.status).length >= 2);
		assert.equal(wic.of(sent.call_id, method).length, 1, 'the WIC heard it once');
	}
}

/** A refusal is said until the ACK comes (timer G), over UDP; and the ACK is not the WIC's. */
async function refusalIsRepeated(wic, peer, way) {
	const { sent, final } = await deliver(wic, peer, way, 'INVITE');
	const refusals = () => peer.responses.filter(({ call_id, status }) => call_id === sent.call_id
		&& status === 486).length;
	await waitFor('the refusal again', () => refusals() >= 2, 2000);
	await peer.say(sent.text.replace(/^INVITE/, 'ACK').replace('CSeq: 1 INVITE', 'CSeq: 1 ACK')
		.replace(/To: .*/, `To: ${final.header('To')}`).replace(/\r\n\r\nv=0[^]*$/, '\r\n\r\n')
		.replace(/Content-Length: \d+/, 'Content-Length: 0'), way.port);
	await peer.settle(100);
	const before = refusals();
	await peer.settle(1200);
	assert.equal(refusals(), before, 'silence behind the ACK');
}

/** The ACK of a refusal goes to the WIC from us, by the branch of the INVITE, and once. */
async function refusalIsAcknowledged(wic, peer, way) {
	const { sent, arrived } = await deliver(wic, peer, way, 'INVITE');
	const ack = await wic.received(sent.call_id, 'ACK');
	assert.equal(ack.list('Via')[0], arrived.list('Via')[0], 'Via of the INVITE');
	assert.equal(ack.list('Via').length, 1);
	assert.equal(ack.uri, arrived.uri);
	assert.match(ack.header('To'), /;tag=wic/);
	assert.equal(ack.header('CSeq'), '1 ACK');
	assert.equal(ack.header('Call-ID'), sent.call_id);
	assert.equal(wic.of(sent.call_id, 'ACK').length, 1);
}

/** A WIC without outbound: no reg-id. */
async function plain(world, peer) {
	const wic = await HostileWic.connect('carol', { ca: world.files.ca_pem });
	const sent = wic.ask('REGISTER', `sip:${REALM}`, { to: `<${impu('carol')}>`,
		contact: `<sip:carol@${wic.host};transport=ws>`, call_id: wic.call_id, lines: [['Expires',
			'600'],
			['Authorization', `Bearer ${world.mint.issue('carol')}`]] });
	assert.equal((await wic.final(sent)).status, 200);
	return wic;
}

/** 10.3, first rows: the flow is gone, who asks first is told so. */
async function deadFlow(world, peer, outbound) {
	const wic = outbound ? await HostileWic.registered(world, 'carol') : await plain(world, peer);
	const way = await peer.learn(wic);
	assert.equal(/;ob\b/.test(way.route), outbound, 'ob of the Path');
	const sessions = (await world.gateway.sessions()).length;
	wic.socket.terminate();
	await waitFor('the gateway saw it', async () =>
		(await world.gateway.sessions()).length < sessions);
	for (const method of ['MESSAGE', 'INVITE', 'SUBSCRIBE', 'NEWMETHOD']) {
		const { call_id } = await peer.ask(method, way, { call_id: newCall() });
		const answer = await peer.response(call_id, method);
		assert.equal(answer.status, outbound ? 430 : 480, method);
		if (!outbound)
			assert.match(answer.header('Reason') ?? '', /Q\.850\s*;\s*cause=20\b/, 'D-41');
	}
	/* an ACK is never answered */
	const ack = await peer.ask('ACK', way, { call_id: newCall() });
	await peer.settle(200);
	assert.deepEqual(peer.responses.filter(({ call_id }) => call_id === ack.call_id), []);
}

/** 10.3: answers that a dead WIC owes; before any 1xx it is a 480 at once. */
const owedByTheDead = (world, peer) => async (method) => {
	const wic = await HostileWic.registered(world, 'carol');
	const way = await peer.learn(wic);
	const { call_id } = await peer.ask(method, way, { call_id: newCall() });
	await wic.received(call_id, method);
	wic.socket.terminate();
	assert.equal((await peer.response(call_id, method)).status, 480);
};

/** 10.3: in a dialog whose WIC is gone. */
async function dialogOfTheDead(world, peer) {
	const wic = await HostileWic.registered(world, 'carol');
	const way = await peer.learn(wic);
	const call = await callIn(wic, peer, way);
	const sessions = (await world.gateway.sessions()).length;
	wic.socket.terminate();
	await waitFor('the gateway saw it', async () =>
		(await world.gateway.sessions()).length < sessions);
	for (const method of ['INFO', 'INVITE', 'BYE']) {
		const sent = call.core.send(method);
		const { status } = await peer.response(sent.call_id, method, (sip) => sip.cseq === sent.cseq
			&& sip.status >= 200);
		assert.ok([430, 480, 481].includes(status), `${method}: ${status}`);
	}
}

/** 10.3 and 10.4 when the grace of a lost flow is over: here that takes a second. */
const GRACE_WORLD = { ...HOSTILE_WORLDS[1], mw: 'udp', grace: true,
	settings: HOSTILE_WORLDS[1].settings.replace('limits: {', 'limits: {flow_grace: 1, ') };

const GRACE_OVER_MS = 2000;

async function lost(world, wic) {
	const sessions = (await world.gateway.sessions()).length;
	wic.socket.terminate();
	await waitFor('the gateway saw it', async () =>
		(await world.gateway.sessions()).length < sessions);
}

const afterGrace = (world, peer) => ({
	'the node says the de-REGISTER': async () => {
		const wic = await HostileWic.registered(world);
		const { route } = await peer.learn(wic);
		await lost(world, wic);
		const gone = await waitFor('the de-REGISTER', () => peer.requests.find((sip) =>
			sip.method === 'REGISTER' && sip.header('Contact')?.includes(wic.host)
			&& sip.call_id !== wic.call_id), GRACE_OVER_MS * 2);
		assert.ok(gone.header('Contact').startsWith(wic.contact),
			'the Contact as it was registered');
		assert.deepEqual([gone.header('Expires'), gone.header('Path'), gone.cseq], ['0', route, 1]);
		assert.match(gone.header('Authorization'), /integrity-protected="auth-done"/);
	},
	'the dialog is gone': async () => {
		const wic = await HostileWic.registered(world);
		const way = await peer.learn(wic);
		const call = await callIn(wic, peer, way);
		await lost(world, wic);
		await peer.settle(GRACE_OVER_MS);
		for (const method of ['INFO', 'BYE']) {
			const sent = call.core.send(method);
			const { status } = await peer.response(sent.call_id, method, (sip) =>
				sip.cseq === sent.cseq && sip.status >= 200);
			assert.equal(status, 481, `${method} after grace (D-42)`);
		}
		const { call_id } = await peer.ask('MESSAGE', way, { call_id: newCall() });
		assert.equal((await peer.response(call_id, 'MESSAGE')).status, 430);
	},
	'an early call of its own is cancelled': async () => {
		const wic = await HostileWic.registered(world);
		const sent = wic.write('INVITE', impu('bob'), WITH_SDP);
		peer.rules.set(sent.call_id, (request) => request.method === 'INVITE'
			? request.reply(180, 'Ringing') : request.method === 'CANCEL' && request.reply(200,
				'OK'));
		wic.say(sent.text);
		await wic.answered(sent, ({ status }) => status === 180);
		const [invite] = peer.of(sent.call_id, 'INVITE');
		await lost(world, wic);
		const cancel = await peer.request(sent.call_id, 'CANCEL');
		assert.deepEqual(cancel.list('Via'), [invite.list('Via')[0]]);
		invite.reply(487, 'Request Terminated');
		await peer.request(sent.call_id, 'ACK');
	},
	'what it asked otherwise ends by itself': async () => {
		const wic = await HostileWic.registered(world);
		const sent = wic.write('MESSAGE', impu('bob'), { contact: null });
		peer.rules.set(sent.call_id, () => {});
		wic.say(sent.text);
		const held = await peer.request(sent.call_id, 'MESSAGE');
		await lost(world, wic);
		await peer.settle(GRACE_OVER_MS);
		held.reply(200, 'OK');
		await peer.settle(200);
		assert.deepEqual(peer.of(sent.call_id).filter(({ method }) => method !== 'MESSAGE'), []);
	},
});

const cross = (methods, more) => Object.fromEntries(methods.flatMap((method) => Object.entries(more)
	.map(([name, value]) => [`${method} ${name}`, [method, value]])));

await scenario([...HOSTILE_WORLDS, GRACE_WORLD], async (world, { grace }) => {
	const peer = await MwPeer.start(world);
	if (grace) {
		await eachCaseAbreast(afterGrace(world, peer), (play) => play());
		return;
	}
	const wic = await HostileWic.registered(world);
	const way = await peer.learn(wic);
	await eachCase({
		'headers': () => eachCaseAbreast(cross(METHODS, spelled), isDressed(wic, peer, way)),
		'bodies': () => eachCaseAbreast(bodies, bodyArrives(wic, peer, way)),
		'privacy of a MESSAGE': () => eachCaseAbreast(privacy,
			identityIsPrivate(wic, peer, way, 'MESSAGE')),
		'privacy of an INVITE': () => eachCaseAbreast(privacy,
			identityIsPrivate(wic, peer, way, 'INVITE')),
		'refused': () => eachCaseAbreast(refused(way, peer), isRefused(wic, peer, way)),
		'checked': () => eachCaseAbreast({
			'Max-Forwards 0': [(text) => text.replace('Max-Forwards: 69', 'Max-Forwards: 0'), 483],
			'Proxy-Require': [(text) => text.replace('Max-F', 'Proxy-Require: foo\r\nMax-F'), 420],
			'a scheme that nobody serves': [(text) => text.replace(/^MESSAGE \S+/,
				'MESSAGE soap:x'),
				416] },
		isChecked(wic, peer, way)),
		'answers': () => eachCaseAbreast(answers, answerPasses(wic, peer, way)),
		'100': () => trying(wic, peer, way),
		'said twice': () => world.mw === 'udp' && retransmission(wic, peer, way),
		'refusal, said again': () => world.mw === 'udp' && refusalIsRepeated(wic, peer, way),
		'ACK of a refusal': () => refusalIsAcknowledged(wic, peer, way),
		'dead flow, outbound': () => deadFlow(world, peer, true),
		'dead flow, not outbound': () => deadFlow(world, peer, false),
		'owed by the dead': () => eachCaseAbreast({ MESSAGE: 'MESSAGE', INVITE: 'INVITE',
			SUBSCRIBE: 'SUBSCRIBE' }, owedByTheDead(world, peer)),
		'dialog of the dead': () => dialogOfTheDead(world, peer),
	}, (play) => play());
	await wic.close();
});
