// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 9.5 and, from the core to the WIC, 9.7: every row that can be seen on the wire.

import { eachCase, eachCaseAbreast } from './lib/cases.mjs';
import { SDP, WITH_SDP } from './lib/dialog.mjs';
import { HostileWic } from './lib/hostile_wic.mjs';
import { uriOf } from './lib/loose_sip.mjs';
import { MwPeer } from './lib/mw_peer.mjs';
import { REALM, bracketed, impu } from './lib/names.mjs';
import { HOSTILE_WORLDS, assert, scenario } from './lib/scenario.mjs';

const ALICE = impu('alice');
const BOB = impu('bob');
const SECOND = '<sip:second@scscf2.ims.example.test;lr;x=y>';
const TRYING_MS = 200; /* PROTOCOL 11 */
const METHODS = ['MESSAGE', 'INVITE', 'SUBSCRIBE', 'REFER', 'OPTIONS', 'PUBLISH', 'INFO', 'NOTIFY',
	'NEWMETHOD'];

/** Sends a request that the core refuses or takes: {sent, arrived, final}. */
async function say(wic, peer, method, more = {}, answer = (request) =>
	request.reply(method === 'INVITE' ? 486 : 200, 'X')) {
	const sdp = method === 'INVITE' ? WITH_SDP : { lines: [], body: '' };
	const sent = wic.write(method, more.uri ?? BOB, { ...sdp, ...more,
		lines: [...sdp.lines, ...(more.lines ?? [])] });
	peer.rules.set(sent.call_id, (request) => request.method !== 'ACK' && answer(request));
	wic.say(sent.text);
	const final = await wic.final(sent);
	return { sent, final, arrived: peer.of(sent.call_id, method)[0] ?? null };
}

/** Registers with a Service-Route of two hops. */
async function withRoutes(world, peer) {
	const wic = await HostileWic.connect('alice', { ca: world.files.ca_pem });
	peer.rules.set(wic.call_id, (request) => request.reply(200, 'OK',
		{ lines: peer.registered(request)
		.map(([name, value]) => [name, name === 'Service-Route' ? `${value}, ${SECOND}`
			: value]) }));
	assert.equal((await wic.register(world.mint.issue('alice'))).status, 200);
	return wic;
}

/** What the WIC says of a Route: what leaves is the stored list (9.5 3). */
const routes = (peer, own) => ({
	'none': [],
	'the Service-Route': [['Route', `${peer.service_route}, ${SECOND}`]],
	'the Service-Route on two lines': [['Route', peer.service_route], ['Route', SECOND]],
	'ours, then the Service-Route': [['Route', own], ['Route', `${peer.service_route}, ${SECOND}`]],
	'ours only': [['Route', own]],
	'half of it': [['Route', peer.service_route]],
	'turned round': [['Route', `${SECOND}, ${peer.service_route}`]],
	'another': [['Route', '<sip:198.18.0.21:5060;lr>']],
	'with orig': [['Route', '<sip:orig@198.18.0.21;lr;orig>']],
	'a strict router': [['Route', '<sip:198.18.0.21:5060>']],
	'nonsense': [['Route', '<<;,']],
});

const routeIsStored = (wic, peer, method) => async (lines, name) => {
	const { arrived, final } = await say(wic, peer, method, { lines });
	if (name === 'nonsense' && final.status === 400)
		return;
	assert.ok(arrived, final.start);
	assert.deepEqual(arrived.list('Route'), [peer.service_route, SECOND]);
	assert.equal(arrived.uri, BOB, 'the Request-URI is as it came');
};

/** Everything of 9.5 7 and 8, for a method: what is put in, and what is left alone. */
const isDressed = (wic, peer, world) => async (method) => {
	const lines = ['X-Unknown: 1', 'x-unknown: 2', 'Privacy: none', 'Supported: 100rel, replaces',
		'User-Agent: tests', 'P-Access-Network-Info: IEEE-802.11;i-wlan-node-id=aabbcc',
		'Allow: INVITE, ACK', 'Event: presence', 'Refer-To: <sip:x@y>', 'Date: never',
		'P-Early-Media: supported', 'Accept-Contact: *;audio', 'Session-Expires: 1800'];
	const contact = `"A" <sip:alice@${wic.host};transport=ws;ob>;+sip.ice;q=0.5`;
	const { sent, arrived, final } = await say(wic, peer, method, { lines, contact,
		max_forwards: '12' });
	assert.ok(arrived, final.start);
	const [top, below, ...more] = arrived.list('Via');
	assert.match(top, new RegExp(`^SIP/2\\.0/${world.mw.toUpperCase()} \\S+;branch=z9hG4bK`));
	assert.deepEqual([below, more], [sent.via, []], 'the WIC\'s Via, with nothing added (D-06)');
	assert.equal(arrived.header('Max-Forwards'), '11');
	for (const name of ['From', 'To', 'Call-ID', 'CSeq', 'Contact'])
		assert.deepEqual(arrived.all(name), [/^(.*)$/m.exec(sent.text.split(`\r\n${name}: `)[1])[1]
			.trim()], name);
	assert.deepEqual(arrived.all('X-Unknown'), ['1', '2']);
	for (const line of lines.slice(2)) {
		const [name, value] = line.split(': ');
		assert.deepEqual(arrived.all(name), [value], name);
	}
	assert.deepEqual(arrived.list('P-Asserted-Identity').map(uriOf), [ALICE]);
	assert.equal(arrived.body, method === 'INVITE' ? SDP : '');
	assert.deepEqual(arrived.all('Content-Length'), [String(arrived.body.length)]);
	chargingIsOurs(arrived);
	if (['INVITE', 'SUBSCRIBE', 'REFER'].includes(method)) {
		assert.equal(arrived.list('Record-Route').length, 1, 'one Record-Route');
		assert.match(arrived.header('Record-Route'), /^<sip:[BF]t1\..*;lr[;>]/);
	}
};

function chargingIsOurs(arrived) {
	const [vector, ...more] = arrived.all('P-Charging-Vector');
	assert.deepEqual(more, [], 'one P-Charging-Vector');
	assert.match(vector, /(^|;)\s*icid-value="?[^";]+"?/);
	assert.match(vector, /;\s*icid-generated-at=[^";]+(;|$)/, 'a host, without quotes');
	assert.match(vector, new RegExp(`;\\s*orig-ioi="?${REALM}"?`));
	assert.doesNotMatch(vector, /term-ioi/);
}

async function icidIsNew(wic, peer) {
	const icids = new Set();
	for (let at = 0; at < 5; at += 1) {
		const { arrived } = await say(wic, peer, 'MESSAGE');
		icids.add(/icid-value="?([^";]+)/.exec(arrived.header('P-Charging-Vector'))[1]);
	}
	assert.equal(icids.size, 5);
}

/** 9.5 2: emergency calls are told to go elsewhere (D-32). */
const emergencyIsSentAway = (wic, peer) => async (uri) => {
	for (const method of ['INVITE', 'MESSAGE']) {
		const { final, arrived } = await say(wic, peer, method, { uri });
		assert.equal(final.status, 380, method);
		assert.equal(arrived, null, 'nothing reached the core');
	}
};

/** 9.5 10, D-34: a token is not needed any more, and a bad one is no error. */
const tokenIsIgnored = (wic, peer) => async (credential) => {
	for (const method of ['MESSAGE', 'INVITE'])
		for (const name of ['Authorization', 'Proxy-Authorization']) {
			const { arrived, final } = await say(wic, peer, method, { lines: [[name,
				credential]] });
			assert.ok(arrived, `${method}: ${final.start}`);
			assert.deepEqual([...arrived.all('Authorization'),
				...arrived.all('Proxy-Authorization')],
				[], method);
		}
};

/** 9.7: what the WIC reads of an answer of the core's. */
const ANSWER = [['P-Asserted-Identity', `<${BOB}>`],
	['P-Charging-Vector', 'icid-value="secret";term-ioi=secret'], ['X-Kept', 'kept'],
	['p-charging-function-addresses', 'ccf=secret; ecf=secret'],
	['Allow', 'INVITE, ACK'], ['Feature-Caps', '*;+g.3gpp.srvcc'], ['Warning', '399 x "y"'],
	['P-Called-Party-ID', `<${BOB}>`]];

const answerIsDressed = (wic, peer) => async ([method, statuses, privacy]) => {
	const { sent } = await say(wic, peer, method, {}, (request) => statuses.forEach((status) =>
		request.reply(status, 'Core', { lines: [...ANSWER, ...(privacy ? [['Privacy', privacy]]
			: [])] })));
	const hidden = /(^|;)\s*id\s*(;|$)/i.test(privacy ?? '');
	const answers = wic.responses.filter(({ call_id, status }) => call_id === sent.call_id
		&& status > 100);
	assert.deepEqual(answers.map(({ status }) => status), statuses);
	for (const answer of answers) {
		assert.deepEqual(answer.list('Via'), [sent.via], 'its own Via, alone');
		assert.doesNotMatch(answer.text, /secret/, 'no charging');
		assert.deepEqual(answer.all('P-Asserted-Identity'), hidden ? [] : [`<${BOB}>`]);
		for (const name of ['X-Kept', 'Allow', 'Feature-Caps', 'Warning'])
			assert.deepEqual(answer.all(name), ANSWER.filter(([one]) => one === name)
				.map(([, value]) => value), name);
	}
};

/** Final answers: {name: [of the core, to the WIC]} */
const finals = { '301': [301, 301], '401': [401, 401], '404': [404, 404], '407': [407, 407],
	'408': [408, 408], '420': [420, 420], '480': [480, 480], '486': [486, 486], '487': [487, 487],
	'500': [500, 500], '503 is the next hop\'s affair': [503, 500], '504': [504, 504], '603': [603,
		603] };

const finalPasses = (wic, peer) => async ([status, wanted]) => {
	for (const method of ['MESSAGE', 'INVITE']) {
		const { final } = await say(wic, peer, method, {}, (request) =>
			request.reply(status, 'Core'));
		assert.equal(final.status, wanted, method);
	}
};

/** 100: our own at once, the core's never, and none for what is not an INVITE. */
async function trying(wic, peer) {
	const took = [];
	for (let at = 0; at < 3; at += 1) {
		const sent = wic.write('INVITE', BOB, WITH_SDP);
		peer.rules.set(sent.call_id, () => {}); /* silence */
		const began = Date.now();
		wic.say(sent.text);
		const answer = await wic.answered(sent, ({ status }) => status === 100, 2000);
		took.push(answer.at_ms - began);
		const invite = await peer.request(sent.call_id, 'INVITE');
		invite.reply(100, 'Trying', { to_tag: null });
		invite.reply(100, 'Trying', { to_tag: null });
		invite.reply(480, 'X');
		await wic.final(sent);
		assert.equal(wic.responses.filter(({ call_id, status }) => call_id === sent.call_id
			&& status === 100).length, 1, 'one 100');
		assert.deepEqual(answer.list('Via'), [sent.via]);
	}
	assert.ok(Math.min(...took) <= TRYING_MS, `100 after ${took} ms`);
}

/**
 * Forks of the core: every 1xx and every 2xx goes on (RFC 3261 16.7 5), and the one final refusal.
 */
async function forks(wic, peer) {
	const { sent, final } = await say(wic, peer, 'INVITE', {}, (request) => {
		for (const [status, to_tag] of [[180, 'a'], [183, 'b'], [180, 'c'], [200, 'b'], [200, 'a']])
			request.reply(status, 'Core', { to_tag,
				lines: [['Contact', `<sip:bob@${bracketed(peer.address)}:5060>`]] });
	});
	assert.equal(final.status, 200);
	await wic.answered(sent, ({ status, text }) => status === 200 && /tag=a/.test(text));
	assert.deepEqual(wic.responses.filter(({ call_id, status }) => call_id === sent.call_id
		&& status > 100).map(({ status, text }) =>
			`${status} ${/^To:.*tag=(\w+)/im.exec(text)[1]}`),
	['180 a', '183 b', '180 c', '200 b', '200 a']);
}

/**
 * A request to oneself comes back and is no loop: the Via below is ours, and what it asks differs.
 */
async function spirals(wic, peer, way) {
	const sent = wic.write('MESSAGE', ALICE, { contact: null });
	wic.rules.set(sent.call_id, (request) => request.reply(200, 'OK'));
	peer.rules.set(sent.call_id, (request) => {
		void peer.say(request.text.replace(/^\S+ \S+/, `MESSAGE ${way.contact}`)
			.replace(/Via: /, `Via: ${peer.via('z9hG4bKspiral')}\r\nVia: `)
			.replace(/Route: [^\r]*/, `Route: ${way.route}`), way.port);
		void peer.response(sent.call_id, 'MESSAGE').then((answer) =>
			request.answer(answer.text.replace(/Via: [^\r]*z9hG4bKspiral[^\r]*\r\n/, '')));
	});
	wic.say(sent.text);
	assert.equal((await wic.final(sent)).status, 200);
	assert.equal(wic.of(sent.call_id, 'MESSAGE').length, 1, 'it came to its sender');
}

/**
 * The same request again while it is under way: a retransmission (RFC 3261 17.2.3), one at the
 * core.
 */
const saidTwice = (wic, peer) => async (method) => {
	const sent = wic.write(method, BOB, WITH_SDP);
	peer.rules.set(sent.call_id, () => {});
	wic.say(sent.text);
	const held = await peer.request(sent.call_id, method);
	held.reply(method === 'INVITE' ? 180 : 100, 'Held');
	wic.say(sent.text);
	await wic.caughtUp();
	await peer.settle(200);
	const branches = peer.of(sent.call_id, method).map((request) => request.list('Via')[0]);
	assert.equal(new Set(branches).size, 1, `${method} twice at the core`);
	held.reply(480, 'X');
	await wic.final(sent);
};

/** Over 1300 bytes a request goes over TCP, whatever the next hop says (RFC 3261 18.1.1). */
async function longOverTcp(wic, peer) {
	for (const [bytes, transport] of [[3000, 'TCP'], [20000, 'TCP']])
		for (const method of ['MESSAGE', 'INVITE']) {
			const { arrived, final } = await say(wic, peer, method, { body: 'x'.repeat(bytes) });
			assert.ok(arrived, final.start);
			assert.equal(arrived.body.length, bytes);
			assert.match(arrived.list('Via')[0], new RegExp(`^SIP/2\\.0/${transport} `));
		}
}

const byName = (values) => Object.fromEntries(values.map((value) => [String(value), value]));

await scenario(HOSTILE_WORLDS, async (world) => {
	const peer = await MwPeer.start(world);
	const wic = await HostileWic.registered(world);
	const way = await peer.learn(wic);
	const routed = await withRoutes(world, peer);
	const own = (await peer.learn(routed)).route;
	const unbound = await HostileWic.connect('alice', { ca: world.files.ca_pem });
	await eachCase({
		'no binding': () => eachCaseAbreast(byName(METHODS), async (method) => {
			const { final, arrived } = await say(unbound, peer, method);
			assert.deepEqual([final.status, arrived], [403, null]);
		}),
		'Route of a MESSAGE': () => eachCaseAbreast(routes(peer, own),
			routeIsStored(routed, peer, 'MESSAGE')),
		'Route of an INVITE': () => eachCaseAbreast(routes(peer, own),
			routeIsStored(routed, peer, 'INVITE')),
		'headers': () => eachCaseAbreast(byName(METHODS), isDressed(wic, peer, world)),
		'icid': () => icidIsNew(wic, peer),
		'emergency': () => eachCaseAbreast(byName(['urn:service:sos', 'urn:service:sos.police',
			'URN:service:sos', 'urn:SERVICE:SOS.fire']), emergencyIsSentAway(wic, peer)),
		'token': () => eachCaseAbreast({ 'good': `Bearer ${wic.token}`, 'malformed': 'Bearer a.b.c',
			'expired': `Bearer ${world.mint.issue('alice', { lifetime_s: -100 })}`,
			'no token': 'Bearer access_token="x"' }, tokenIsIgnored(wic, peer)),
		'answers': () => eachCaseAbreast({
			'MESSAGE': ['MESSAGE', [200]], 'MESSAGE, private': ['MESSAGE', [200], 'id'],
			'MESSAGE, private and more': ['MESSAGE', [202], 'header; id'],
			'MESSAGE, other privacy': ['MESSAGE', [202], 'header'],
			'INVITE': ['INVITE', [180, 183, 486]], 'INVITE, private': ['INVITE', [180, 183, 200],
				'id'],
			'a refusal': ['MESSAGE', [404], 'ID'] }, answerIsDressed(wic, peer)),
		'finals': () => eachCaseAbreast(finals, finalPasses(wic, peer), 1),
		'100': () => trying(wic, peer),
		'long ones': () => longOverTcp(wic, peer),
		'said twice': () => eachCase(byName(['MESSAGE', 'INVITE']), saidTwice(wic, peer)),
		'forks': () => forks(wic, peer),
		'a spiral': () => spirals(wic, peer, way),
	}, (play) => play());
	for (const one of [wic, routed, unbound])
		await one.close();
});
