// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 9.8, 10.1, 10.3 and 12.2: whose tokens they are, and what becomes of changed ones.

import { eachCase, eachCaseAbreast } from './lib/cases.mjs';
import { WITH_SDP, callIn, callOut, coreRoute } from './lib/dialog.mjs';
import { HostileWic } from './lib/hostile_wic.mjs';
import { uriOf, writeLoose } from './lib/loose_sip.mjs';
import { MwPeer, copied } from './lib/mw_peer.mjs';
import { OTHER_CORE_ADDRESS, impu } from './lib/names.mjs';
import { HOSTILE_WORLDS, assert, scenario } from './lib/scenario.mjs';

const BOB = impu('bob');
const TOKEN = /([BF]t1\.)([A-Za-z0-9_-]{43})/;
const STOLEN = { INFO: 'INFO', UPDATE: 'UPDATE', INVITE: 'INVITE', BYE: 'BYE', ACK: 'ACK' };
const INSIDE = ['INFO', 'UPDATE', 'INVITE', 'BYE', 'MESSAGE'];

/** A character of the token's 43 changed, or more. */
const changedAt = (index) => (text) => text.replace(TOKEN, (_, head, token) => head
	+ token.slice(0, index) + (token[index] === 'A' ? 'B' : 'A') + token.slice(index + 1));
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const OTHER_KEY = 'the number of its key';
const TAMPERED = {
	...Object.fromEntries([0, 8, 10, 13, 18, 22, 30, 41].map((index) =>
		[`character ${index}`, changedAt(index)])),
	/* the key's number ends in character 6: our node with a key that it does not know (10.1) */
	[OTHER_KEY]: (text) => text.replace(TOKEN, (_, head, token) => head + token.slice(0, 6)
		+ BASE64URL[BASE64URL.indexOf(token[6]) ^ 0b000100] + token.slice(7)),
	'the last character': changedAt(42),
	'cut short': (text) => text.replace(TOKEN, (_, head, token) => head + token.slice(0, 42)),
	'one more': (text) => text.replace(TOKEN, (all) => `${all}A`),
	'padding': (text) => text.replace(TOKEN, (all) => `${all}=`),
	'its kind renamed': (text) => text.replace(TOKEN, (_, head, token) =>
		`${head === 'Ft1.' ? 'Bt1.' : 'Ft1.'}${token}`),
	'the kind in small letters': (text) => text.replace(TOKEN, (_, head, token) =>
		head.toLowerCase() + token),
	'no token': (text) => text.replace(TOKEN, 'Ft1.'),
	'all A': (text) => text.replace(TOKEN, (_, head) => head + 'A'.repeat(43)),
};

/** From the core: an initial request by a Path that is not what we wrote is a 403 (9.6). */
const pathIsChecked = (wic, peer, way, method) => async (change, name) => {
	const sent = await peer.ask(method, { ...way, route: change(way.route) });
	assert.equal((await peer.response(sent.call_id, method)).status, name === OTHER_KEY ? 430
		: 403);
	assert.deepEqual(wic.of(sent.call_id), [], 'nothing was delivered');
};

/** From a WIC, outside a dialog: no Route of its own ever brings a request anywhere. */
const routeIsReplaced = (wic, other, peer, routes) => async (method) => {
	const heard = other.requests.length;
	const sent = wic.write(method, BOB, { ...(method === 'INVITE' ? WITH_SDP : {}),
		lines: [...(method === 'INVITE' ? WITH_SDP.lines : []), ...routes] });
	peer.rules.set(sent.call_id, (request) => request.method !== 'ACK'
		&& request.reply(480, 'Temporarily Unavailable'));
	wic.say(sent.text);
	const { status } = await wic.final(sent);
	assert.ok([403, 480].includes(status), `answered ${status}`);
	for (const request of peer.of(sent.call_id, method))
		assert.deepEqual(request.list('Route'), [peer.service_route]);
	assert.equal(other.requests.length, heard, 'nothing reached another WIC');
};

/** In a dialog: {name: (routes of the dialog, what else there is) => routes}; each is a 403. */
const ROUTES = {
	'of another\'s Record-Route': (own, { others }) => others,
	'of another\'s Record-Route, then ours': (own, { others }) => [others[0], ...own],
	'of another\'s Path': (own, { other_path }) => [other_path, ...own.slice(1)],
	'of our own Path': (own, { own_path }) => [own_path, ...own.slice(1)],
	'of our own Path, alone': (own, { own_path }) => [own_path],
	'ours with another host': (own) => [own[0].replace(/@[^:;>]+/, '@evil.example'),
		...own.slice(1)],
	'none': () => [],
	'the core\'s only': (own) => own.slice(1),
	'the core\'s first': (own) => [...own].reverse(),
	...Object.fromEntries(Object.entries(TAMPERED).map(([name, change]) =>
		[`ours with ${name}`, (own) => [change(own[0]), ...own.slice(1)]])),
};

/** What our Record-Route remembers is under its MAC too: each parameter changed, or taken out. */
function parametersOf(route) {
	const [head, ...parameters] = /<([^>]*)>/.exec(route)[1].split(';');
	return Object.fromEntries(parameters.filter((one) =>
		!/^(lr|transport)\b/.test(one)).flatMap((one) => {
		const [name, value = ''] = one.split('=');
		const put = (...changed) => (own) => [`<${[head, ...parameters.flatMap((parameter) =>
			parameter === one ? changed : [parameter])].join(';')}>`, ...own.slice(1)];
		const other = value && (value[0] === '0' ? '1' : '0') + value.slice(1);
		return [[`ours without ${name}`, put()], [`ours with another ${name}`,
			put(`${name}=${other}`)],
			[`ours with more behind ${name}`, put(`${one}0`)],
			[`ours with ${name} twice`, put(`${name}=${other}`, one)]];
	}));
}

const inDialogIsRefused = ({ wic, mallory, peer, other_path, own_path, out, others }) =>
	async (routes,
	name) => {
	const method = INSIDE[(name.length * 7) % INSIDE.length];
	const { dialog } = out;
	const own = dialog.routes;
	const before = peer.of(dialog.call_id, method).length;
	const elsewhere = [wic, mallory].map((one) => one.requests.length);
	const sent = dialog.send(method, { routes: routes(own, { others, other_path, own_path }) });
	const { status } = await wic.final(sent);
	const more = name === 'none' ? [481] : name.endsWith(OTHER_KEY) ? [430, 480, 481] : [];
	assert.ok([403, ...more].includes(status), `${method} answered ${status}`);
	assert.equal(peer.of(dialog.call_id, method).length, before,
		`${method} did not reach the core`);
	assert.deepEqual([wic, mallory].map((one) => one.requests.length), elsewhere, 'nor a WIC');
};

/** Another connection's dialog, said word for word: 403, and an ACK is dropped without a word. */
const dialogOfAnother = ({ peer, out }, mallory) => async (method) => {
	const { dialog } = out;
	const stolen = Object.assign(Object.create(Object.getPrototypeOf(dialog)), dialog,
		{ party: mallory, cseq: 500 });
	const heard = peer.of(dialog.call_id).length;
	const sent = stolen.send(method);
	if (method === 'ACK') {
		await mallory.caughtUp();
		assert.deepEqual(mallory.responses.filter(({ cseq_method }) => cseq_method === 'ACK'), []);
	} else {
		assert.equal((await mallory.final(sent)).status, 403);
	}
	assert.equal(peer.of(dialog.call_id).length, heard, 'nothing reached the core');
};

/** From the core, in a dialog, with a Record-Route that is not ours any more. */
const coreRouteIsChecked = ({ wic, peer, out }) => async (change, name) => {
	const { core } = out;
	const heard = wic.of(core.call_id).length;
	const sent = core.send('INFO', { routes: core.routes.map(change) });
	const { status } = await peer.response(sent.call_id, 'INFO', (sip) => sip.cseq === sent.cseq);
	/* a key that our node does not know: a flow that is gone, and so is the dialog (10.3) */
	assert.ok(name === OTHER_KEY ? [403, 430, 480, 481].includes(status) : status === 403,
		`answered ${status}`);
	assert.equal(wic.of(core.call_id).length, heard, 'nothing was delivered');
};

/** Two connections say the same Via, Call-ID and tags: each has its own answer (12.2). */
async function viaIsNobody(wic, mallory, peer, method) {
	const parts = { via: wic.via(), call_id: `same-${method}@call.example`, contact: null };
	const tag = 'from-tag';
	const held = [];
	peer.rules.set(parts.call_id, (request) => request.method === method && held.push(request));
	const sent = [wic, mallory].map((one) => one.ask(method, BOB, { ...parts,
		from: `<${impu(one.user)}>;tag=${tag}` }));
	await peer.request(parts.call_id, method, 1);
	for (const request of held)
		request.reply(480, request.header('From').includes('alice') ? 'Alice' : 'Bob');
	for (const [at, one] of [wic, mallory].entries()) {
		const finals = () => one.responses.filter(({ call_id, status }) => call_id === parts.call_id
			&& status >= 200);
		await one.final(sent[at]);
		await one.settle(100);
		assert.deepEqual(finals().map(({ start }) => start),
			[`SIP/2.0 480 ${['Alice', 'Bob'][at]}`]);
	}
}

/**
 * A Via that names another address leads nowhere: answers go down the connection (PROTOCOL 2.3).
 */
const viaLeadsNowhere = (wic, peer, stranger) => async (write) => {
	const via = write(stranger.address);
	const sent = wic.ask('MESSAGE', BOB, { contact: null, via });
	const { status, all } = await wic.final(sent);
	assert.equal(status, 200);
	assert.deepEqual(all('Via'), [via], 'as it was said');
	assert.equal(peer.of(sent.call_id)[0].list('Via')[1], via, 'on Mw too (D-06)');
	await stranger.settle(100);
	assert.deepEqual(stranger.heard.map(String), []);
};
const LEADING = {
	'its address': (to) => `SIP/2.0/UDP ${to}:5060;branch=z9hG4bKl1`,
	'maddr': (to) => `SIP/2.0/WSS x.invalid;branch=z9hG4bKl2;maddr=${to}`,
	'received and rport': (to) =>
		`SIP/2.0/UDP x.invalid;branch=z9hG4bKl3;received=${to};rport=5060`,
	'TCP': (to) => `SIP/2.0/TCP ${to}:5060;branch=z9hG4bKl4;rport`,
};

/** Who is not of the core says what the core would: nobody hears it (9, Mw peers). */
async function strangerIsNobody(wic, peer, stranger, way) {
	const sent = wic.write('MESSAGE', BOB, { contact: null });
	peer.rules.set(sent.call_id, () => {});
	wic.say(sent.text);
	const held = await peer.request(sent.call_id, 'MESSAGE');
	const call = await callIn(wic, peer, way);
	const heard = wic.requests.length;
	await stranger.say(writeLoose('SIP/2.0 200 Stranger', copied(held, 'stranger')), way.port)
		.catch(() => {}); /* the connection may be refused as well */
	for (const method of ['BYE', 'INFO', 'CANCEL'])
		await stranger.say(call.core.send.call({ ...call.core, party: { via: () => stranger.via(),
			say: () => {} } }, method).text, way.port).catch(() => {});
	await stranger.settle(500);
	assert.equal(wic.requests.length, heard, 'the WIC heard no request');
	held.reply(202, 'Core');
	assert.equal((await wic.final(sent)).start, 'SIP/2.0 202 Core');
}

/** Record-Route in what goes to either side: a kind-2 token of ours, without `ob` (9.5 7, 9.6). */
function recordRouteIsOurs(request, route) {
	assert.match(uriOf(route), /^sip:[BF]t1\.[A-Za-z0-9_-]{43}@[^;]+(;[^;]+)*;lr(;|$)/,
		request.start);
	assert.doesNotMatch(route, /;ob\b/);
	assert.doesNotMatch(route, /198\.18\.0\.30/, 'no address of a client');
}

await scenario(HOSTILE_WORLDS, async (world) => {
	const peer = await MwPeer.start(world);
	const wic = await HostileWic.registered(world);
	const way = await peer.learn(wic);
	const mallory = await HostileWic.registered(world, 'bob');
	const unbound = await HostileWic.connect('bob', { ca: world.files.ca_pem });
	const mallory_way = await peer.learn(mallory);
	const stranger = await MwPeer.start(world, world.link.stranger ?? OTHER_CORE_ADDRESS);
	const good = await peer.ask('MESSAGE', way);
	(await wic.received(good.call_id, 'MESSAGE')).reply(200, 'OK');
	assert.equal((await peer.response(good.call_id, 'MESSAGE')).status, 200, 'the true Path works');
	await eachCase({
		'a Via of another': () => viaIsNobody(wic, mallory, peer, 'MESSAGE'),
		'a Via of another, for a call': () => viaIsNobody(wic, mallory, peer, 'INVITE'),
		'a Via of a stranger': () => eachCaseAbreast(LEADING, viaLeadsNowhere(wic, peer, stranger)),
		'a stranger on Mw': () => strangerIsNobody(wic, peer, stranger, way),
		'a Path': () => eachCaseAbreast(TAMPERED, pathIsChecked(wic, peer, way, 'MESSAGE')),
		'a Path, for a call': () => eachCaseAbreast(TAMPERED, pathIsChecked(wic, peer, way,
			'INVITE')),
		'a Route of another': () => eachCaseAbreast({ MESSAGE: 'MESSAGE', INVITE: 'INVITE' },
			routeIsReplaced(mallory, wic, peer, [['Route', way.route]])),
		'a Route of another, then the core\'s': () => eachCaseAbreast(
			{ MESSAGE: 'MESSAGE', INVITE: 'INVITE' }, routeIsReplaced(mallory, wic, peer,
				[['Route', `${way.route}, ${peer.service_route}`]])),
		'a Request-URI of another': async () => {
			const heard = wic.requests.length;
			const sent = mallory.ask('MESSAGE', way.path, { to: `<${BOB}>`, contact: null });
			const { status } = await mallory.final(sent);
			assert.ok(status >= 200, String(status));
			assert.equal(wic.requests.length, heard, 'nothing reached another WIC');
		},
		'in dialogs': async () => {
			const out = await callOut(wic, peer);
			const others = (await callOut(mallory, peer)).dialog.routes;
			const things = { wic, mallory, peer, out, others, other_path: mallory_way.route,
				own_path: way.route };
			recordRouteIsOurs(out.invite, out.invite.list('Record-Route')[0]);
			assert.deepEqual(out.dialog.routes.slice(1), [coreRoute(peer)],
				'the core\'s behind ours');
			await eachCase({
				'Route of a WIC': () => eachCaseAbreast(
					{ ...ROUTES, ...parametersOf(out.dialog.routes[0]) }, inDialogIsRefused(things),
						1),
				'dialog of another': () => eachCaseAbreast(STOLEN, dialogOfAnother(things, mallory),
					1),
				'dialog of another, by nobody': () => eachCaseAbreast(STOLEN,
					dialogOfAnother(things, unbound), 1),
				'Route of the core': () => eachCaseAbreast(TAMPERED, coreRouteIsChecked(things)),
				'and it lives': async () => {
					const sent = out.dialog.send('INFO');
					assert.equal((await wic.final(sent)).status, 200);
				},
			}, (play) => play());
		},
		'a call in': async () => {
			const call = await callIn(wic, peer, way);
			const [ours] = call.invite.list('Record-Route');
			recordRouteIsOurs(call.invite, ours);
			assert.notEqual(TOKEN.exec(ours)?.[0], undefined);
			const sent = call.core.send('INFO');
			(await wic.received(call.sent.call_id, 'INFO'));
			assert.equal((await peer.response(sent.call_id, 'INFO')).status, 200);
		},
	}, (play) => play());
	await wic.close();
	await mallory.close();
});
