// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 9.7 from the WIC to the core, 9.1 and 12.2 on responses: what is forged goes, Record-
// Route
// and Via are ours, identities are the core's.

import { eachCase, eachCaseAbreast } from './lib/cases.mjs';
import { FORGED, FORGED_OUTSIDE, SLY_SPELLINGS, SPELLINGS, allForgeries, assertClean,
	assertNothingForged, eachForgery, tokenBody } from './lib/forgery.mjs';
import { HostileWic } from './lib/hostile_wic.mjs';
import { writeLoose } from './lib/loose_sip.mjs';
import { MwPeer, copied } from './lib/mw_peer.mjs';
import { OTHER_CORE_ADDRESS, REALM, bracketed, impu } from './lib/names.mjs';
import { HOSTILE_WORLDS, assert, assertNoTokenOnMw, scenario } from './lib/scenario.mjs';

const ALICE = impu('alice');
const CHARGING = ['P-Charging-Vector', 'icid-value="core-1";orig-ioi="home9.net"'];
const newCall = () => `${Math.random().toString(36).slice(2)}@core.example.test`;

/** A request of the core's, answered by the rule; the final answer at the core. */
async function asked(wic, peer, way, method, rule, more = {}) {
	const call_id = newCall();
	wic.rules.set(call_id, rule);
	await peer.ask(method, way, { call_id, ...more });
	return peer.response(call_id, method);
}

/** Lines of the WIC's in a 200 to a MESSAGE. */
const answerIsClean = (wic, peer, way) => async ({ text, marks }, name) => {
	const answer = await asked(wic, peer, way, 'MESSAGE', (request) =>
		request.reply(200, 'OK', { lines: [['X-Kept', 'kept'], text, ['Subject', 'kept']] }));
	assert.equal(answer.status, 200);
	assertClean(answer.text, marks, name);
	assert.deepEqual([answer.header('X-Kept'), answer.header('Subject')], ['kept', 'kept']);
};

/** The same where the answer may be lost: the core never hears of it, or hears an error of ours. */
const answerIsCleanOrLost = (world, peer) => async ({ text, marks }, name) => {
	/* three messages that are no SIP cost the connection (PROTOCOL 2.2): each has its own */
	const wic = await HostileWic.registered(world);
	const way = await peer.learn(wic);
	const call_id = newCall();
	wic.rules.set(call_id, (request) => request.reply(200, 'OK', { lines: [text] }));
	await peer.ask('MESSAGE', way, { call_id });
	await wic.received(call_id, 'MESSAGE');
	await peer.settle(700);
	for (const response of peer.responses.filter((sip) => sip.call_id === call_id))
		assertClean(response.text, marks, name);
	await wic.close();
};

/** In 180, 200 and a refusal of an INVITE. */
const inviteIsClean = (wic, peer, way) => async ({ text, marks }) => {
	const call_id = newCall();
	wic.rules.set(call_id, (request) => {
		if (request.method !== 'INVITE')
			return;
		request.reply(180, 'Ringing', { contact: wic.address, lines: [text] });
		request.reply(486, 'Busy Here', { lines: [text] });
	});
	await peer.ask('INVITE', way, { call_id });
	const final = await peer.response(call_id, 'INVITE');
	assert.equal(final.status, 486);
	const answers = peer.responses.filter((sip) => sip.call_id === call_id);
	assert.ok(answers.some(({ status }) => status === 180), 'a 180 came too');
	for (const answer of answers)
		assertClean(answer.text, marks, String(answer.status));
};

/**
 * What is named in a Contact (of a redirection too), and credentials: {name: [status, lines,
 * marks]}
 */
const PLANTED = '%3Csip:forgedcontact%40evil.example%3E';
const others = (wic) => ({
	'a header in a Contact': [200, [['Contact', wic.address.replace('>', `?Route=${PLANTED}>`)]],
		['forgedcontact']],
	'a header in a Contact, compact': [200, [['m', wic.address.replace('>',
		`?P%2DAsserted-Identity=${PLANTED}>`)]], ['forgedcontact']],
	'a header in a redirection': [302, [['Contact', `<sip:x@y?Route=${PLANTED}>;q=0.5`]],
		['forgedcontact']],
	'a header in the second one': [302, [['Contact', `<sip:x@y>, <sip:z@y?Route=${PLANTED}>`]],
		['forgedcontact']],
	'a token': [200, [['Authorization', `Bearer ${wic.token}`]], ['bearer']],
	'a token, folded': [403, [`proxy-authorization :\r\n\tBEARER\r\n ${wic.token}`], ['bearer']],
});

const othersAreClean = (wic, peer, way) => async ([status, lines, marks], name) => {
	for (const method of ['MESSAGE', 'INVITE']) {
		const answer = await asked(wic, peer, way, method, (request) => request.method === method
			&& request.reply(status, 'X', { lines }));
		assert.equal(answer.status, status, method);
		assertClean(answer.text, marks, name);
	}
};

/** The token of the connection in the body of an answer: gone, or the answer is. */
async function tokenBodyStays(wic, peer, way) {
	const call_id = newCall();
	wic.rules.set(call_id, (request) => request.reply(200, 'OK', tokenBody(wic.token)));
	await peer.ask('MESSAGE', way, { call_id });
	await wic.received(call_id, 'MESSAGE');
	await peer.settle(300);
	for (const response of peer.responses.filter((sip) => sip.call_id === call_id))
		assertClean(response.text, [wic.token.split('.')[1].slice(-24).toLowerCase()], 'answer');
}

/** What the core reads in the answer: {name: [the request's lines, the answer's lines, check]} */
const identities = {
	'nothing said: who was called': [[['P-Called-Party-ID', `<${ALICE}>`], CHARGING], [],
		(answer) => assert.deepEqual(answer.all('P-Asserted-Identity'), [`<${ALICE}>`])],
	'a preferred identity that is somebody else\'s': [[['P-Called-Party-ID', `<${ALICE}>`],
		CHARGING],
		[['P-Preferred-Identity', `<${impu('bob')}>`]], (answer) => {
			assert.deepEqual(answer.all('P-Asserted-Identity'), [`<${ALICE}>`]);
			assert.deepEqual(answer.all('P-Preferred-Identity'), []);
		}],
	'a preferred identity that is his': [[['P-Called-Party-ID', `<${ALICE}>`], CHARGING],
		[['P-Preferred-Identity', `"Alice" <sip:alice@${REALM.toUpperCase()}>`]], (answer) => {
			assert.equal(answer.all('P-Asserted-Identity').length, 1);
			assert.match(answer.header('P-Asserted-Identity'), /sip:alice@/);
			assert.deepEqual(answer.all('P-Preferred-Identity'), []);
		}],
	'an asserted identity of his own': [[['P-Called-Party-ID', `<${ALICE}>`], CHARGING],
		[`p-asserted-identity :\r\n <${impu('bob')}>`], (answer) =>
			assert.deepEqual(answer.all('P-Asserted-Identity'), [`<${ALICE}>`])],
	'the charging vector is the core\'s, and ours': [[['P-Called-Party-ID', `<${ALICE}>`],
		CHARGING],
		[['P-Charging-Vector', 'icid-value="forgedicid";term-ioi=forged']], (answer) => {
			assert.equal(answer.all('P-Charging-Vector').length, 1);
			assert.match(answer.header('P-Charging-Vector'), /icid-value="?core-1"?/);
			assert.match(answer.header('P-Charging-Vector'), /orig-ioi="?home9\.net"?/);
			assert.match(answer.header('P-Charging-Vector'), new RegExp(`term-ioi="?${REALM}"?`));
		}],
};

const identityIsTheCores = (wic, peer, way, method) => async ([of_request, of_answer, check]) => {
	const status = method === 'INVITE' ? 480 : 200;
	const answer = await asked(wic, peer, way, method, (request) => request.method === method
		&& request.reply(status, 'X', { lines: of_answer }), { lines: of_request });
	assert.equal(answer.status, status);
	check(answer);
};

/** Record-Route as the WIC answers it: {name: (lines of the request) => lines} */
const routes = {
	'left out': () => [],
	'another one': () => [['Record-Route', '<sip:forged@evil.example;lr>']],
	'one more in front': (lines) => [['Record-Route', '<sip:forged@evil.example;lr>'], ...lines],
	'one more behind': (lines) => [...lines, ['Record-Route', '<sip:forged@evil.example;lr>']],
	'one more in the same line': (lines) =>
		lines.map(([name, value]) => [name, `<sip:forged@evil.example;lr>, ${value}`]),
	'turned round': (lines) => [...lines].reverse(),
	'with one character of ours changed': (lines) => lines.map(([name, value]) =>
		[name, value.replace(/([BF]t1\.)(.)/, (_, head, char) => head + (char === 'A' ? 'B'
			: 'A'))]),
	'with a parameter of ours taken out': (lines) =>
		lines.map(([name, value]) => [name, value.replace(/;lr\b/, '')]),
	'in small letters and folded': (lines) => [...lines.map(([, value]) =>
		`record-route :\r\n ${value}`),
		'RECORD-ROUTE:\r\n <sip:forged@evil.example;lr>'],
	'as it came': (lines) => lines,
};

const routesAreRestored = (wic, peer, way) => async (change) => {
	const call_id = newCall();
	const core_route = `<sip:mo@${bracketed(peer.address)}:5060;lr>`;
	wic.rules.set(call_id, (request) => request.method === 'INVITE' && ['180',
		'200'].forEach((status) =>
		request.reply(status, 'X', { contact: wic.address,
			routes: change(request.all('Record-Route')
			.map((value) => ['Record-Route', value])) })));
	await peer.ask('INVITE', way, { call_id, lines: [['Record-Route', core_route]] });
	const answer = await peer.response(call_id, 'INVITE');
	const sent = (await wic.received(call_id, 'INVITE')).list('Record-Route');
	assert.equal(sent.length, 2, `ours and the core's: ${sent}`);
	assert.equal(sent[1], core_route);
	assert.equal(answer.status, 200);
	for (const one of peer.responses.filter((sip) => sip.call_id === call_id && sip.status > 100))
		assert.deepEqual(one.list('Record-Route'), sent, `Record-Route of the ${one.status}`);
};

/** Vias as the WIC answers them. An answer of a WIC goes to who asked, or nowhere. */
const vias = (stranger) => {
	const elsewhere = `SIP/2.0/UDP ${bracketed(stranger)}:5060;branch=z9hG4bKforged`;
	return {
		'the core\'s is another': (all) => [all[0], elsewhere],
		'one more behind ours': (all) => [all[0], elsewhere, ...all.slice(1)],
		'one more on top': (all) => [elsewhere, ...all],
		'ours is gone': (all) => all.slice(1),
		'ours has another branch': (all) => [all[0].replace(/branch=z9hG4bK\w/, 'branch=z9hG4bK_'),
			...all.slice(1)],
		'only ours': (all) => all.slice(0, 1),
		'none': () => [],
		'ours has received and rport': (all) => [`${all[0]};received=${stranger};rport=5060`,
			...all.slice(1)],
		'the core\'s has received and rport': (all) => [all[0],
			`${all[1]};received=${stranger};rport=5060`],
		'broadcast (RFC 4475 3.3.10)': (all) => [all[0],
			'SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKforged'],
	};
};

const viaIsOurs = (wic, peer, stranger, way) => async (change) => {
	const call_id = newCall();
	const via = peer.via();
	wic.rules.set(call_id, (request) => {
		const lines = copied(request, 'wic').filter(([name]) => name !== 'Via');
		wic.say(writeLoose('SIP/2.0 200 OK',
			[...change(request.all('Via')).map((value) => ['Via', value]), ...lines]));
	});
	await peer.ask('MESSAGE', way, { call_id, via });
	await wic.received(call_id, 'MESSAGE');
	await peer.settle(700);
	assert.deepEqual(stranger.heard.map(String), [], 'nobody else was sent anything');
	for (const answer of peer.responses.filter((sip) => sip.call_id === call_id))
		assert.deepEqual(answer.list('Via').map((one) => one.split(';')[0]), [via.split(';')[0]],
			'the core\'s own Via and nothing more');
};

/**
 * Bodies of answers, and how long they are said to be: {name: [lines, body, what the core reads]}
 */
const lengths = {
	'no Content-Length': [[], 'hello', 'hello'],
	'more behind the body': [['Content-Length: 5'], 'helloBYE sip:forged@x SIP/2.0\r\n\r\n',
		'hello'],
	'compact, and more behind': [['l : 5'], 'helloforged', 'hello'],
	'none, and more behind': [['Content-Length: 0'], 'SIP/2.0 200 forged\r\n\r\n', ''],
	'longer than the message': [['Content-Length: 500'], 'forged', null],
	'two': [['Content-Length: 5', 'l: 9'], 'forged123', null],
	'no number': [['Content-Length: 5x'], 'forged', null],
};

const lengthIsKept = (world, peer) => async ([lines, body, wanted]) => {
	const wic = await HostileWic.registered(world);
	const way = await peer.learn(wic);
	const call_id = newCall();
	wic.rules.set(call_id, (request) => wic.say(writeLoose('SIP/2.0 200 OK',
		[...copied(request, 'wic'), ...lines], body, null)));
	await peer.ask('MESSAGE', way, { call_id });
	if (wanted === null) {
		await wic.received(call_id, 'MESSAGE');
		await peer.settle(300);
		assert.deepEqual(peer.responses.filter((sip) => sip.call_id === call_id
			&& sip.status === 200), []);
	} else {
		const answer = await peer.response(call_id, 'MESSAGE');
		assert.equal(answer.body, wanted);
		assert.deepEqual(answer.all('Content-Length'), [String(wanted.length)]);
	}
	await wic.close();
};

/** Answers that belong to nothing: {name: (request) => text} */
const strays = (wic) => ({
	'of another method': (request) => wic.response(request, 200, 'OK')
		.replace(/CSeq: .*/, 'CSeq: 1 INVITE'),
	'to a branch that never was': (request) => wic.response(request, 200, 'OK')
		.replace(/branch=z9hG4bK[^;\r]*/, 'branch=z9hG4bKnever'),
	'status 99': (request) => wic.response(request, '099', 'X'),
	'status 700': (request) => wic.response(request, 700, 'X'),
	'status 4294967301 (RFC 4475 3.1.2.19)': (request) => wic.response(request, 4294967301, 'X'),
	'another version': (request) => wic.response(request, 200, 'OK').replace('SIP/2.0 ',
		'SIP/7.0 '),
	'no CSeq': (request) => wic.response(request, 200, 'OK').replace(/CSeq: .*\r\n/, ''),
	'overlarge CSeq (RFC 4475 3.1.2.5)': (request) => wic.response(request, 200, 'OK')
		.replace(/CSeq: \d+/, 'CSeq: 36893488147419103232'),
});

/** They are dropped, and the answer that follows goes through. */
const strayIsDropped = (wic, peer, way) => async (write) => {
	const answer = await asked(wic, peer, way, 'MESSAGE', (request) => {
		wic.say(write(request));
		request.reply(202, 'Accepted');
	});
	assert.equal(answer.status, 202);
	await peer.settle();
	assert.deepEqual(peer.responses.filter(({ call_id }) => call_id === answer.call_id)
		.map(({ status }) => status).filter((status) => status > 100), [202]);
};

await scenario(HOSTILE_WORLDS, async (world) => {
	const peer = await MwPeer.start(world);
	const stranger = await MwPeer.start(world, world.link.stranger ?? OTHER_CORE_ADDRESS);
	const wic = await HostileWic.registered(world);
	const way = await peer.learn(wic);
	const mallory = await HostileWic.registered(world, 'bob');
	await eachCase({
		'a 200': [eachForgery(FORGED_OUTSIDE, SPELLINGS), answerIsClean(wic, peer, way)],
		'a 200, sly': [{ ...allForgeries(FORGED_OUTSIDE, SLY_SPELLINGS),
			...eachForgery(FORGED.slice(0, 1), SLY_SPELLINGS) }, answerIsCleanOrLost(world, peer)],
		'lengths': [lengths, lengthIsKept(world, peer)],
		'Via': [vias(stranger.address), viaIsOurs(wic, peer, stranger, way)],
		'answers to an INVITE': [allForgeries(FORGED_OUTSIDE, SPELLINGS),
			inviteIsClean(wic, peer, way)],
		'others': [others(wic), othersAreClean(wic, peer, way)],
		'identities': [identities, identityIsTheCores(wic, peer, way, 'MESSAGE')],
		'identities of a call': [identities, identityIsTheCores(wic, peer, way, 'INVITE')],
		'Record-Route': [routes, routesAreRestored(wic, peer, way)],
	}, ([cases, play]) => eachCaseAbreast(cases, play, 64));
	await eachCase({
		'strays': async () => {
			await eachCaseAbreast(strays(wic), async (write) => {
				const one = await HostileWic.registered(world, 'alice');
				await strayIsDropped(one, peer, await peer.learn(one))(write);
				await one.close();
			});
		},
		'a token in a body': () => tokenBodyStays(wic, peer, way),
		'a WIC answers for another': async () => {
			const call_id = newCall();
			wic.rules.set(call_id, (request) => mallory.say(mallory.response(request, 200, 'OK')));
			await peer.ask('MESSAGE', way, { call_id });
			await wic.received(call_id, 'MESSAGE');
			await peer.settle(700);
			assert.deepEqual(peer.responses.filter((sip) => sip.call_id === call_id), []);
		},
	}, (play) => play());
	assertNothingForged(peer);
	await assertNoTokenOnMw(world, [wic.token]);
	await wic.close();
	await mallory.close();
});
