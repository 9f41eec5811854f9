// SPDX-License-Identifier: BSD-3-Clause
// RFC 4475 over WSS, second half: REGISTER (3.1.2.13, 3.3.7, 3.3.12 to 3.3.14), responses of both
// sides
// (3.1.1.12, 3.1.1.13, 3.1.2.5, 3.1.2.19, 3.3.10) and syntax of RFC 2543 (3.4.1). And the rows of
// PROTOCOL 9.2 to 9.4 that can be seen on the wire.

import { eachCase, eachCaseAbreast } from './lib/cases.mjs';
import { HostileWic } from './lib/hostile_wic.mjs';
import { uriOf, writeLoose } from './lib/loose_sip.mjs';
import { MwPeer, copied } from './lib/mw_peer.mjs';
import { REALM, impu } from './lib/names.mjs';
import { HOSTILE_WORLDS, assert, scenario } from './lib/scenario.mjs';

const ALICE = impu('alice');
const BOB = impu('bob');
const utf8 = (text) => Buffer.from(text).toString('latin1');
const UNUSUAL = '= 2**3 * 5**2 \u043d\u043e \u0441\u0442\u043e \u0434\u0435\u0432\u044f\u043d\u043e'
	+ '\u0441\u0442\u043e \u0434\u0435\u0432\u044f\u0442\u044c - \u043f\u0440\u043e\u0441\u0442\u043e\u0435';

/** REGISTER: {name: {contact lines, more, status, check(register at the core, answer)}} */
const registers = (host) => ({
	'3.1.1.4 an escaped NUL in the Contact': { lines: [`Contact: <sip:%00@${host};transport=ws>`],
		status: 200, check: (register) => assert.equal(uriOf(register.header('Contact')),
			`sip:%00@${host};transport=ws`) },
	'3.3.12 a parameter of the header': { lines: [`Contact: sip:+19725552222@${host};unknownparam`],
		status: 200, check: (register) => {
			assert.match(register.header('Contact'), /;unknownparam(;|$)/);
			assert.match(register.header('Contact').split(';')[0],
				new RegExp(`^<?sip:.19725552222@${host}>?$`));
		} },
	'3.3.13 a parameter of the URI': { lines: [`Contact: <sip:+19725552222@${host};unknownparam>`],
		status: 200, check: (register) => assert.equal(uriOf(register.header('Contact')),
			`sip:+19725552222@${host};unknownparam`) },
	'3.3.14 a header in the URI (D-17)': { status: 400, lines: [
		`Contact: <sip:x@${host}?Route=%3Csip:forged.example%3E>`] },
	'3.1.2.13 the same without brackets': { status: 400, lines: [
		`Contact: sip:x@${host}?Route=%3Csip:forged.example%3E`] },
	'a comma in a URI without brackets': { status: 400, lines: [`Contact: sip:a,b@${host}`] },
	'two Contacts': { status: 400, lines: [`Contact: <sip:a@${host}>`, `m: <sip:b@${host}>`] },
	'two Contacts in one line': { status: 400, lines: [`m: <sip:a@${host}>, <sip:b@${host}>`] },
	'a star with expires': { status: 400, lines: ['Contact: *'] },
	'a star beside another': { status: 400, lines: ['Contact: *', `Contact: <sip:b@${host}>`,
		'Expires: 0'], expires: null },
	'3.1.2.4 an overlarge Expires': { lines: [`Contact: <sip:a@${host}>`,
		`Expires: 1${'0'.repeat(100)}`],
		expires: null, status: 200, check: isClamped },
	'3.1.2.4 an overlarge expires': { lines: [`Contact: <sip:a@${host}>;expires=280297596632815`],
		status: 200, check: isClamped },
	'3.1.2.4 an expires of 2^32 and 60': { lines: [`Contact: <sip:a@${host}>;expires=4294967356`],
		status: 200, check: isClamped },
	'3.1.2.4 an overlarge CSeq': { lines: [`Contact: <sip:a@${host}>`], status: 400,
		cseq_text: '36893488147419103232 REGISTER' },
	'3.3.7 an unknown scheme': { lines: [`Contact: <sip:a@${host}>`,
		'Authorization: NoOneKnowsThisScheme opaque-data=here'], token: false, status: 401 },
	'3.3.8 two From': { lines: [`Contact: <sip:a@${host}>`, `f: <${ALICE}>;tag=2`], status: 400 },
	'3.3.4 To of an unknown scheme': { lines: [`Contact: <sip:a@${host}>`], to: 'isbn:2983792873',
		status: [400, 403] },
	'3.1.1.5 a method that only looks like it': { method: 'RE%47IST%45R', to: `<${ALICE}>`,
		lines: [`Contact: <sip:a@${host}>`], token: false, status: 403 },
});

/**
 * Never more than the token lives: 600 s (PROTOCOL 5.5, 9.2), in the header and in the parameter.
 */
function isClamped(register, answer) {
	for (const one of [register, answer]) {
		const expires = Number(/;\s*expires=(\d+)/i.exec(one.header('Contact'))[1]);
		assert.ok(expires > 500 && expires <= 600, `expires=${expires}`);
	}
	assert.ok(Number(register.header('Expires')) <= 600, register.header('Expires'));
}

const registerIsJudged = (world, peer) => async (one, name) => {
	const wic = await HostileWic.connect('alice', { ca: world.files.ca_pem });
	const { lines, method = 'REGISTER', status, check, token = true, expires = '600', to,
		cseq_text }
		= registers(wic.host)[name];
	const sent = wic.ask(method, `sip:${REALM}`, { to: to ?? `<${ALICE}>`, contact: null, cseq_text,
		call_id: wic.call_id, lines: [...(token ? [['Authorization',
			`Bearer ${world.mint.issue('alice')}`]] : []), ...(lines.some((line) =>
			/^expires/i.test(line)) || expires === null ? [] : [['Expires', expires]]),
				...lines] });
	const final = await wic.answered({ ...sent, cseq: 1 }, (sip) => sip.status >= 200, 3000)
		.catch(() => wic.responses.find((sip) => sip.call_id === sent.call_id));
	assert.ok([status].flat().includes(final?.status), final?.start ?? 'no answer');
	const [register] = peer.of(sent.call_id);
	if (final.status === 200)
		check(register, final);
	else
		assert.equal(register, undefined, 'nothing reached the core');
	await wic.close();
};

/** A REGISTER of its own connection: {wic, sent, register, final}; rule: how the core answers. */
async function registers_once(world, peer, { lines = [], rule, lifetime_s = 600, expires = '600',
	...more } = {}) {
	const wic = await HostileWic.connect('alice', { ca: world.files.ca_pem });
	peer.rules.set(wic.call_id, rule ?? peer.standard);
	const sent = wic.ask('REGISTER', `sip:${REALM}`, { to: `<${ALICE}>`, call_id: wic.call_id,
		contact: wic.contact, ...more, lines: [['Expires', expires], ['Authorization',
			`Bearer ${world.mint.issue('alice', { lifetime_s })}`], ...lines] });
	const final = await wic.final(sent);
	return { wic, sent, final, register: peer.of(wic.call_id)[0] ?? null };
}

const expiresOf = (contact) => Number(/;\s*expires=(\d+)/i.exec(contact ?? '')?.[1] ?? NaN);

/** 9.2: {name: [how it is asked, check]} */
const asked = {
	'everything': [{ lines: ['X-Kept: 1', 'Supported: path, outbound', 'User-Agent: x',
		'P-Access-Network-Info: IEEE-802.11', 'P-Preferred-Identity: <sip:forged@x>'],
	max_forwards: '20' }, ({ register, wic, sent }) => {
		assert.equal(register.uri, `sip:${REALM}`);
		assert.equal(register.list('Via').length, 2);
		assert.match(register.list('Via')[0], /;branch=z9hG4bK/);
		assert.equal(register.list('Via')[1], sent.via);
		assert.equal(register.header('Max-Forwards'), '19');
		assert.deepEqual([register.header('From'), register.header('To')], [sent.from, sent.to]);
		assert.deepEqual([register.call_id, register.header('CSeq')], [sent.call_id, '1 REGISTER']);
		assert.equal(register.list('Contact').length, 1);
		assert.ok(register.header('Contact').startsWith(wic.contact), register.header('Contact'));
		assert.match(register.header('Path'), /^<sip:Ft1\.[A-Za-z0-9_-]{43}@[^>]*;lr;?[^>]*>$/);
		assert.match(register.header('Path'), /;ob\b/, 'ob, with a reg-id');
		assert.deepEqual(register.list('Require'), ['path']);
		assert.deepEqual(register.list('Supported').filter((tag) => tag === 'path'), ['path']);
		assert.ok(register.list('Supported').includes('outbound'));
		assert.match(register.header('P-Visited-Network-ID'), new RegExp(`^"?${REALM}"?$`));
		assert.match(register.header('P-Charging-Vector'), new RegExp(`orig-ioi="?${REALM}"?`));
		assert.match(register.header('P-Charging-Vector'), /icid-generated-at=[^";]+(;|$)/);
		assert.doesNotMatch(register.header('P-Charging-Vector'), /term-ioi/);
		assert.deepEqual([register.header('X-Kept'), register.header('User-Agent'),
			register.header('P-Access-Network-Info')], ['1', 'x', 'IEEE-802.11']);
		assert.deepEqual(register.all('P-Preferred-Identity'), []);
		assert.deepEqual(register.all('Content-Length'), ['0']);
	}],
	'no Supported: path is put in': [{}, ({ register }) =>
		assert.ok(register.list('Supported').includes('path'))],
	'no Expires: as the token allows': [{ expires: null }, ({ register }) => {
		assert.ok(Number(register.header('Expires')) <= 600, register.header('Expires'));
		assert.equal(expiresOf(register.header('Contact')), Number(register.header('Expires')));
	}],
	'less than the token allows': [{ expires: '90' }, ({ register }) =>
		assert.deepEqual([register.header('Expires'), expiresOf(register.header('Contact'))], ['90',
			90])],
	'more than the token allows': [{ expires: '600000', lifetime_s: 120 }, ({ register }) => {
		assert.ok(Number(register.header('Expires')) <= 120
			&& Number(register.header('Expires')) > 60);
		assert.equal(expiresOf(register.header('Contact')), Number(register.header('Expires')));
	}],
	'Max-Forwards 0': [{ max_forwards: '0' }, ({ register, final }) =>
		assert.deepEqual([register, final.status], [null, 483])],
	'Proxy-Require': [{ lines: ['Proxy-Require: foo, bar'] }, ({ register, final }) =>
		assert.deepEqual([register, final.status, final.list('Unsupported')], [null, 420, ['foo',
			'bar']])],
};

const registerIsDressed = (world, peer) => async ([more, check]) => {
	const one = await registers_once(world, peer, more);
	check(one);
	await one.wic.close();
};

/** 9.3: a 200 with these changes, and what the WIC reads. */
const accepted = {
	'everything': [(lines) => [...lines, ['P-Charging-Vector', 'icid-value=secret'],
		['P-Charging-Function-Addresses', 'ccf=secret'], ['Date', 'Sat, 13 Nov 2010 23:29:00 GMT'],
		['Feature-Caps', '*;+g.3gpp.x'], ['Authentication-Info', 'qop=auth'], ['Supported',
			'outbound']],
	({ final, peer }) => {
		assert.deepEqual(final.all('Path'), []);
		assert.doesNotMatch(final.text, /secret|Ft1\./);
		assert.deepEqual(final.all('Service-Route'), [peer.service_route]);
		assert.deepEqual(final.all('P-Associated-URI'), [`<${ALICE}>`]);
		for (const name of ['Date', 'Feature-Caps', 'Authentication-Info', 'Supported'])
			assert.equal(final.all(name).length, 1, name);
		assert.deepEqual(final.all('Flow-Timer'), []);
		assert.ok(expiresOf(final.header('Contact')) > 500);
	}],
	'Require: outbound': [(lines) => [...lines, ['Require', 'outbound']], ({ final }) =>
		assert.deepEqual(final.all('Flow-Timer'), ['120'])],
	'the core gives more': [(lines) => lines.map(([name, value]) => [name, name === 'Contact'
		? value.replace(/expires=\d+/, 'expires=7200') : value]), ({ final }) =>
		assert.ok(expiresOf(final.header('Contact')) <= 600, final.header('Contact'))],
	'the core gives less': [(lines) => lines.map(([name, value]) => [name, name === 'Contact'
		? value.replace(/expires=\d+/, 'expires=77') : value]), ({ final }) =>
		assert.equal(expiresOf(final.header('Contact')), 77, 'never raised')],
	'contacts of others too': [(lines) => [['Contact', '<sip:a@other.invalid>;expires=9000'],
		...lines,
		['Contact', '<sip:b@other.invalid>;expires=5']], ({ final }) => {
		assert.equal(final.list('Contact').length, 3);
		assert.ok(expiresOf(final.list('Contact')[1]) > 500);
	}],
	'no Contact, but Expires': [(lines) => [...lines.filter(([name]) => name !== 'Contact'),
		['Expires', '300']], () => {}],
};

const acceptanceIsDressed = (world, peer) => async ([change, check]) => {
	const one = await registers_once(world, peer, { rule: (request) => request.reply(200, 'OK',
		{ lines: change(peer.registered(request)) }) });
	assert.equal(one.final.status, 200);
	check({ ...one, peer });
	const then = await one.wic.answerTo('MESSAGE', BOB, { contact: null });
	assert.equal(then.status, 200, 'it is registered');
	await one.wic.close();
};

/** 9.4: {name: [the core's answer and its lines, the WIC's]} */
const XML = '<?xml version="1.0" encoding="UTF-8"?>\r\n<ims-3gpp version="1"><alternative-service>'
	+ '<type>restoration</type><reason>it forgot you</reason><action>initial-registration</action>'
	+ '</alternative-service></ims-3gpp>';
const DIGEST = 'Digest realm="x",nonce="secret",algorithm=MD5';
const refusals = {
	'401 of a core that trusts nobody': [401, [['WWW-Authenticate', DIGEST]], 500],
	'407': [407, [['Proxy-Authenticate', DIGEST]], 500],
	'403': [403, [], 403], '404': [404, [], 404], '420': [420, [['Unsupported', 'x']], 420],
	'480': [480, [], 480], '486': [486, [], 486], '305 is not followed': [305, [['Contact',
		'<sip:x>']], 504],
	'408': [408, [], 504], '439': [439, [], 439], '500': [500, [], 500], '600': [600, [], 600],
	'423 that can be': [423, [['Min-Expires', '100']], 423],
	'423 beyond the token': [423, [['Min-Expires', '7200']], 401],
	'503': [503, [['Retry-After', '7']], 500],
	'504 for restoration': [504, [['Content-Type', 'application/3gpp-ims+xml']], 504],
};

const refusalIsDressed = (world, peer) => async ([status, lines, wanted], name) => {
	const { wic, final } = await registers_once(world, peer, { expires: '60', rule: (request) =>
		request.reply(status, 'Core', { lines: [...lines, ['P-Charging-Vector',
			'icid-value=secret']],
			body: name.startsWith('504') ? XML : '' }) });
	assert.equal(final.status, wanted);
	assert.doesNotMatch(final.text, /secret/, 'nothing of the core\'s own');
	if (name.startsWith('504'))
		assert.equal(final.body, XML);
	if (status === 503)
		assert.equal(final.header('Retry-After'), '7');
	if (status === 423 && wanted === 423)
		assert.equal(final.header('Min-Expires'), '100');
	assert.equal((await wic.answerTo('MESSAGE', BOB, { contact: null })).status, 403,
		'not registered');
	assert.ok(wic.isOpen);
	await wic.close();
};

/** 9.4, last row: a 504 for restoration to a refresh ends what there was. */
async function restoration(world, peer) {
	const wic = await HostileWic.registered(world);
	assert.equal((await wic.answerTo('MESSAGE', BOB, { contact: null })).status, 200);
	peer.rules.set(wic.call_id, (request) => request.reply(504, 'Server Time-out',
		{ lines: [['Content-Type', 'application/3gpp-ims+xml']], body: XML }));
	assert.equal((await wic.register(world.mint.issue('alice'))).status, 504);
	assert.equal((await wic.answerTo('MESSAGE', BOB, { contact: null })).status, 403);
	await wic.close();
}

/** What the core answers: {name: [reason or text, what the WIC must read]} */
const answers = {
	'3.1.1.12 an unusual reason': (request) => request.reply(200, UNUSUAL),
	'3.1.1.13 an empty reason': (request) => request.reply(200, ''),
	'a header that nobody knows, empty': (request) => request.reply(200, 'OK',
		{ lines: ['X-Empty:'] }),
};
const startLines = { '3.1.1.12 an unusual reason': `SIP/2.0 200 ${utf8(UNUSUAL)}`,
	'3.1.1.13 an empty reason': 'SIP/2.0 200 ' };

const coreAnswerPasses = (wic, peer) => async (answer, name) => {
	const sent = wic.write('MESSAGE', BOB, { contact: null });
	peer.rules.set(sent.call_id, answer);
	wic.say(sent.text);
	assert.equal((await wic.final(sent)).start, startLines[name] ?? 'SIP/2.0 200 OK');
};

const wicAnswerPasses = (wic, peer, way) => async (answer, name) => {
	const call_id = `${Math.random().toString(36).slice(2)}@core`;
	wic.rules.set(call_id, answer);
	await peer.ask('MESSAGE', way, { call_id });
	assert.equal((await peer.response(call_id, 'MESSAGE')).start,
		startLines[name] ?? 'SIP/2.0 200 OK');
};

/** Answers of the core that are none: dropped, and the good one behind them passes. */
const strays = {
	'3.1.2.5 overlarge CSeq': (text) => text.replace(/CSeq: \d+/, 'CSeq: 9292394834772304023312'),
	'another method in CSeq': (text) => text.replace(/CSeq: .*/, 'CSeq: 1 INVITE'),
	'3.1.2.19 status 4294967301': (text) => text.replace('200 OK', '4294967301 better not break'),
	'status 700': (text) => text.replace('200 OK', '700 X'),
	'status 000': (text) => text.replace('200 OK', '000 X'),
	'3.3.10 the Via of somebody else': (text) => text.replace(/Via: .*/,
		'Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923'),
	'3.3.10 a broadcast Via below': (text) => text.replace(/(Via: .*\r\n)Via: .*/,
		'$1Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKsaber23'),
	'no Via': (text) => text.replace(/Via: .*\r\n/g, ''),
	'another branch': (text) => text.replace(/branch=z9hG4bK\S/, 'branch=z9hG4bK_'),
	'another version': (text) => text.replace('SIP/2.0 2', 'SIP/3.0 2'),
};
/** On a stream these would cost the connection: nobody knows where they end (RFC 3261 18.3). */
const datagrams = {
	'no header at all': () => 'SIP/2.0 200 OK\r\n\r\n',
	'noise': () => '\0\xff\r\n\r\n',
};

const strayIsDropped = (wic, peer) => async (change, name) => {
	const sent = wic.write('MESSAGE', BOB, { contact: null });
	peer.rules.set(sent.call_id, (request) => {
		request.answer(change(writeLoose('SIP/2.0 200 OK', copied(request, 'stray'))));
		request.reply(202, 'Accepted');
	});
	wic.say(sent.text);
	const final = await wic.final(sent);
	/*
	 * the topmost one is ours, and what is below it leads nowhere: an answer goes down the
	 * connection
	 */
	const status = name === '3.3.10 a broadcast Via below' && final.status === 200 ? 200 : 202;
	assert.equal(final.status, status, final.start);
};

/** 3.4.1: no branch, no tag, addr-specs, no Max-Forwards: what an element of RFC 2543 sends. */
const old = (wic) => (method, call_id) => [`${method} sip:UserB@example.com SIP/2.0`,
	`Via: SIP/2.0/WSS ${wic.host}`, `From: ${ALICE}`, 'To: sip:UserB@example.com',
	`Call-ID: ${call_id}`, `CSeq: 1 ${method}`, 'Subject: RFC 2543', `Contact: ${wic.address}`,
	'Content-Length: 0', '', ''].join('\r\n');

const oldPasses = (wic, peer) => async (method) => {
	const call_id = `old-${method}@${wic.host}`;
	peer.rules.set(call_id, (request) => request.method !== 'ACK'
		&& request.reply(method === 'INVITE' ? 486 : 200, 'X'));
	wic.say(old(wic)(method, call_id));
	const final = await wic.final({ call_id, method, cseq: 1 });
	assert.equal(final.status, method === 'INVITE' ? 486 : 200, final.start);
	assert.equal(peer.of(call_id)[0].header('Max-Forwards'), '70', 'Max-Forwards is added');
};

await scenario(HOSTILE_WORLDS, async (world) => {
	const peer = await MwPeer.start(world);
	const wic = await HostileWic.registered(world);
	const way = await peer.learn(wic);
	await eachCase({
		'REGISTER': [registers('x'), registerIsJudged(world, peer)],
		'9.2': [asked, registerIsDressed(world, peer)],
		'9.3': [accepted, acceptanceIsDressed(world, peer)],
		'9.4': [refusals, refusalIsDressed(world, peer)],
		'9.4, a refresh': [{ restoration }, (play) => play(world, peer)],
		'answers of the core': [answers, coreAnswerPasses(wic, peer)],
		'answers of the WIC': [answers, wicAnswerPasses(wic, peer, way)],
		'strays of the core': [{ ...strays, ...(world.mw === 'udp' ? datagrams : {}) },
			strayIsDropped(wic, peer)],
		'RFC 2543': [{ MESSAGE: 'MESSAGE', OPTIONS: 'OPTIONS', INVITE: 'INVITE' }, oldPasses(wic,
			peer)],
	}, ([cases, play]) => eachCaseAbreast(cases, play));
	assert.doesNotMatch(peer.everything(), /forged/);
	await wic.close();
});
