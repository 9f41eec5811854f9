// SPDX-License-Identifier: BSD-3-Clause
// Ways to reach who may not be called that are more than a Request-URI: other methods and headers, calls that stand already,
// messages within messages. Each is {name: play({wic, peer, n, stage})}; n: a number that is the way's own.

import { SDP, WITH_SDP, callOut, coreContact } from './dialog.mjs';
import { DESK, PREMIUM, SHOP, assertPassed, assertRefused, inside, quiet, say, talking } from './fraud.mjs';
import { uriOf } from './loose_sip.mjs';
import { REALM, impu } from './names.mjs';
import { assert } from './scenario.mjs';

const tel = ({ digits }) => `tel:+${digits}`;
const at_home = ({ digits }) => `sip:+${digits}@${REALM};user=phone`;
const abroad = ({ tail }) => `sip:m${tail}@${PREMIUM}`;
const TARGETS = { 'a number': tel, 'a number at home': at_home, 'another domain': abroad };
const table = (names, way) => Object.fromEntries(names.map((name) => [name, way(name)]));
const over = (targets, way) => Object.fromEntries(Object.entries(targets).map(([name, uri]) => [name, way(uri)]));

/* ---- methods ---- */

const METHODS = ['INVITE', 'MESSAGE', 'SUBSCRIBE', 'PUBLISH', 'REFER', 'OPTIONS', 'INFO', 'NOTIFY', 'UPDATE',
	'PRACK', 'BYE', 'NEWMETHOD'];
const linesOf = (method) => method === 'REFER' ? [['Refer-To', `<${DESK}>`]] : [['Event', 'presence']];

export const methods = Object.fromEntries(Object.entries(TARGETS).flatMap(([name, uri]) =>
	METHODS.map((method) => [`${method} to ${name}`, async (way) =>
		assertRefused(await say(way, method, uri(way.n), { lines: linesOf(method) }))])));

/* ---- headers of a request to who may be called ---- */

/** Arrives without the header, or is refused; never with it. more: of the request, for the number. */
const stripped = (more) => async (way) => {
	const { final, arrived } = await say(way, 'INVITE', DESK, more(way.n));
	assert.ok(final, 'an answer');
	assert.ok(arrived.length > 0 || (final.status >= 400 && final.status < 500), final.start);
	for (const request of arrived)
		assert.equal(request.uri, DESK);
};
const headerOf = (name, value = abroad) => stripped((n) => ({ lines: [[name, `<${value(n)};lr>`]] }));

export const headers = {
	...table(['Route', 'rOUTE', 'Record-Route', 'Path', 'Service-Route', 'P-Called-Party-ID', 'History-Info',
		'P-Served-User', 'P-Asserted-Identity', 'P-Preferred-Identity', 'P-Profile-Key'], (name) => headerOf(name)),
	'Route before a colon that stands alone': stripped((n) => ({ lines: [`Route : <${abroad(n)};lr>`] })),
	'Route in a fold': stripped((n) => ({ lines: [`Route:\r\n <${abroad(n)};lr>`] })),
	'Route that is strict': stripped((n) => ({ lines: [['Route', `<${abroad(n)}>`]] })),
	'Route to a number': headerOf('Route', tel),
	'Route behind that of the registration': async (way) => stripped((n) => ({ lines: [
		['Route', `${way.peer.service_route}, <${abroad(n)};lr>`]] }))(way),
	'Route before that of the registration': async (way) => stripped((n) => ({ lines: [
		['Route', `<${abroad(n)};lr>, ${way.peer.service_route}`]] }))(way),
	'Route in a value behind LF': stripped((n) => ({ lines: [`Subject: x\nRoute: <${abroad(n)};lr>`] })),
	'Route in a value behind CR': stripped((n) => ({ lines: [`Subject: x\rRoute: <${abroad(n)};lr>`] })),
	'Route in a display name behind LF': stripped((n) => ({ lines: [`Reply-To: "x\nRoute: <${abroad(n)};lr>" <sip:a@b>`] })),
	'Route behind NUL': stripped((n) => ({ lines: [`Subject: x\0\r\nRoute: <${abroad(n)};lr>`] })),
};

/* ---- REFER ---- */

const referTo = (line, method = 'REFER') => async (way) =>
	assertRefused(await say(way, method, DESK, { lines: [line(way.n)] }), { malformed: false });

export const refers = {
	...over(TARGETS, (uri) => referTo((n) => ['Refer-To', `<${uri(n)}>`])),
	'compact': referTo((n) => ['r', `<${tel(n)}>`]),
	'without brackets': referTo((n) => ['Refer-To', tel(n)]),
	'with dashes': referTo((n) => ['Refer-To', `<tel:+${n.dashed}>`]),
	'escaped': referTo((n) => ['Refer-To', `<tel:%2B${n.digits}>`]),
	'behind a name that looks good': referTo((n) => ['Refer-To', `"<${DESK}>" <${tel(n)}>`]),
	'with a method': referTo((n) => ['Refer-To', `<sip:+${n.digits}@${REALM};method=INVITE>`]),
	'with a header that routes': referTo((n) => ['Refer-To', `<${DESK}?Route=%3C${abroad(n)};lr%3E>`]),
	'with a parameter': referTo((n) => ['Refer-To', `<${tel(n)}>;early-only`]),
	'in a fold': referTo((n) => `Refer-To:\r\n <${tel(n)}>`),
	'behind a good one, in one line': referTo((n) => ['Refer-To', `<${DESK}>, <${tel(n)}>`]),
	'behind a good one, in two lines': referTo((n) => `Refer-To: <${DESK}>\r\nRefer-To: <${tel(n)}>`),
	'before a good one, compact': referTo((n) => `r: <${tel(n)}>\r\nRefer-To: <${DESK}>`),
	'inside a call': async (way) => {
		const call = await talking(way);
		assertRefused(await inside(way, call, 'REFER', { lines: [['Refer-To', `<${tel(way.n)}>`]] }));
	},
	'inside a call, to another domain': async (way) => {
		const call = await talking(way);
		assertRefused(await inside(way, call, 'REFER', { lines: [['Refer-To', `<${abroad(way.n)}>`]] }));
	},
};

/* ---- calls that stand ---- */

const INSIDE = ['INVITE', 'UPDATE', 'INFO', 'BYE', 'MESSAGE', 'OPTIONS', 'NOTIFY', 'SUBSCRIBE', 'PRACK', 'REFER',
	'NEWMETHOD'];
const sdpOf = (method) => method === 'INVITE' ? WITH_SDP : method === 'REFER' ? { lines: linesOf(method) } : {};

/** A request of a call to somebody else than who has answered it. */
const toAnother = (method, uri) => async (way) => {
	const call = await talking(way);
	assertRefused(await inside(way, call, method, { ...sdpOf(method), uri: uri(way.n, way) }));
};
/** A BYE may go to where no rule allows, see passes: not to where one denies. */
const denied = (n, { stage }) => stage.policy === 'allow' ? `sip:boss@${SHOP}` : abroad(n);
const ofTheCore = ({ digits }, { peer }) => uriOf(coreContact(peer, `+${digits}`));

export const calls = {
	...Object.fromEntries(INSIDE.flatMap((method) => Object.entries(TARGETS).map(([name, uri]) =>
		[`${method} to ${name}`, toAnother(method, method === 'BYE' && uri === abroad ? denied : uri)]))),
	'INVITE to a number where the call is': toAnother('INVITE', ofTheCore),
	'INFO to a number where the call is': toAnother('INFO', ofTheCore),
	async 'ACK to a number'(way) {
		const call = await talking(way);
		const before = way.peer.requests.length;
		call.dialog.send('ACK', { uri: tel(way.n) });
		await quiet(way);
		assert.deepEqual(way.peer.requests.slice(before).filter(({ method, call_id }) => method === 'ACK'
			&& call_id === call.sent.call_id).map(({ uri }) => uri), []);
	},
	async 'ACK of nothing'(way) {
		const sent = way.wic.ask('ACK', tel(way.n), { to: `<${DESK}>;tag=x` });
		await quiet(way);
		assert.deepEqual(way.peer.of(sent.call_id), []);
	},
	async 'a call of nothing: a To tag and no Route'(way) {
		for (const method of ['INVITE', 'BYE', 'INFO', 'MESSAGE'])
			assertRefused(await say(way, method, tel(way.n), { to: `<${DESK}>;tag=core` }));
	},
	async 'the Route of one call for another one'(way) {
		const { dialog } = await talking(way);
		for (const method of ['INVITE', 'MESSAGE', 'INFO'])
			assertRefused(await say(way, method, tel(way.n), { to: `<${DESK}>;tag=core`,
				lines: dialog.routes.map((route) => ['Route', route]) }));
	},
	async 'the Route of a call for a new one'(way) {
		const { dialog } = await talking(way);
		for (const method of ['INVITE', 'MESSAGE'])
			assertRefused(await say(way, method, tel(way.n),
				{ lines: dialog.routes.map((route) => ['Route', route]) }));
	},
	async 'a hop of its own behind ours'(way) {
		const call = await talking(way);
		const { arrived } = await inside(way, call, 'INFO', { routes: [call.dialog.routes[0],
			`<${abroad(way.n)};lr>`] });
		assert.deepEqual(arrived.map(({ start }) => start), []);
	},
	async 'a hop of its own at the end of the route'(way) {
		const call = await talking(way);
		const { arrived } = await inside(way, call, 'INFO', { routes: [...call.dialog.routes,
			`<${abroad(way.n)};lr>`] });
		assert.deepEqual(arrived.map(({ start }) => start), []);
	},
	async 'the number behind the last hop'(way) {
		const call = await talking(way);
		assertRefused(await inside(way, call, 'INVITE', { ...WITH_SDP, uri: tel(way.n),
			routes: call.dialog.routes.slice(0, 1) }));
	},
	async 'a Contact that the core may call back'(way) {
		const call = await talking(way);
		for (const method of ['INVITE', 'UPDATE']) {
			await inside(way, call, method, { lines: [['Contact', `<${tel(way.n)}>`],
				...method === 'INVITE' ? WITH_SDP.lines : []], body: method === 'INVITE' ? SDP : '' });
			const before = way.peer.requests.length;
			await way.peer.say(call.core.party.initial('INFO', { route: call.core.routes[0],
				contact: tel(way.n) }, { call_id: call.sent.call_id, from: call.core.local, to: call.core.remote,
				cseq: 300 }).text, call.core.port);
			await quiet(way);
			assert.deepEqual(way.peer.requests.slice(before).filter(({ method: one }) => one === 'INFO'), [],
				'what the core asks goes to the WIC alone');
		}
	},
	async 'UPDATE to a number, of a call that rings'(way) {
		const sent = way.wic.write('INVITE', DESK, { ...WITH_SDP });
		way.peer.rules.set(sent.call_id, (request) => request.method === 'INVITE' && request.reply(183, 'Progress',
			{ lines: [...request.all('Record-Route').map((value) => ['Record-Route', value]),
				['Contact', coreContact(way.peer)]] }));
		way.wic.say(sent.text);
		const early = await way.wic.answered(sent, ({ status }) => status === 183);
		const asked = way.wic.ask('UPDATE', tel(way.n), { call_id: sent.call_id, from: sent.from, cseq: 2,
			to: early.header('To'), lines: early.list('Record-Route').reverse().map((route) => ['Route', route]) });
		const final = await way.wic.final(asked, 3000).catch(() => null);
		assertRefused({ final, arrived: way.peer.of(sent.call_id, 'UPDATE') });
		way.peer.of(sent.call_id, 'INVITE')[0].reply(486, 'Busy');
	},
	async 'a CANCEL to a number'(way) {
		const sent = way.wic.write('INVITE', DESK, { ...WITH_SDP });
		way.peer.rules.set(sent.call_id, (request) => request.method === 'INVITE' ? request.reply(180, 'Ringing')
			: request.reply(200, 'OK'));
		way.wic.say(sent.text);
		await way.wic.answered(sent, ({ status }) => status === 180);
		way.wic.ask('CANCEL', tel(way.n), { via: sent.via, from: sent.from, to: `<${DESK}>`,
			call_id: sent.call_id, contact: null });
		await quiet(way);
		for (const { uri } of way.peer.of(sent.call_id, 'CANCEL'))
			assert.equal(uri, DESK, 'that of the INVITE');
		way.peer.of(sent.call_id, 'INVITE')[0].reply(487, 'Terminated');
	},
	async 'the same branch again for a number'(way) {
		const first = await say(way, 'MESSAGE', DESK);
		assertPassed(first, DESK);
		const again = way.wic.write('MESSAGE', tel(way.n), { via: first.sent.via, from: first.sent.from,
			to: `<${DESK}>`, call_id: first.sent.call_id });
		way.wic.say(again.text);
		await quiet(way);
		assert.equal(way.peer.of(first.sent.call_id).filter(({ uri }) => uri !== DESK).length, 0);
	},
	async 'the core sends it elsewhere'(way) {
		const sent = way.wic.write('INVITE', DESK, { ...WITH_SDP });
		way.peer.rules.set(sent.call_id, (request) => request.method === 'INVITE' && request.reply(302, 'Moved',
			{ lines: [['Contact', `<${tel(way.n)}>`]] }));
		way.wic.say(sent.text);
		assert.equal((await way.wic.final(sent)).status, 302);
		await quiet(way);
		assert.equal(way.peer.of(sent.call_id, 'INVITE').length, 1, 'nobody but the WIC may follow');
		assertRefused(await say(way, 'INVITE', tel(way.n), { call_id: sent.call_id, from: sent.from,
			cseq: 2 }).then(({ final, arrived }) => ({ final,
			arrived: arrived.filter(({ cseq, method }) => cseq === 2 && method === 'INVITE') })));
	},
};

/* ---- messages within messages ---- */

/** The text of a request to a number, behind or within another one to the shop. */
const second = ({ wic, n }) => wic.write('INVITE', tel(n), { ...WITH_SDP, to: `<${DESK}>` }).text;
const MULTIPART = 'multipart/mixed;boundary=b';
const parts = (text) => `--b\r\nContent-Type: message/sip\r\n\r\n${text}\r\n--b--\r\n`;

/** Sends a MESSAGE to the shop with that body and length; the second one must not be a request at the core. */
const within = (lengthOf, lines = []) => async (way) => {
	const body = second(way);
	await say(way, 'MESSAGE', DESK, { body, length: lengthOf(body), lines: [['Content-Type', 'text/plain'], ...lines] });
	await quiet(way);
	assert.deepEqual(way.peer.requests.filter(({ uri }) => uri === tel(way.n)), []);
};

export const messages = {
	'behind a body of no bytes': within(() => 0),
	'behind a body that is too short': within(() => 4),
	'behind one that says more than there is': within((body) => body.length + 100),
	'behind two lengths': within((body) => body.length, [['Content-Length', '0']]),
	'behind a compact length': within((body) => body.length, [['l', '0']]),
	'behind a length that is negative': within(() => -1),
	'behind a length with a sign': within(() => '+0'),
	'behind a length in octal': within((body) => `0${body.length}`),
	'behind a chunked body': within(() => null, [['Transfer-Encoding', 'chunked']]),
	'behind an empty line of LF': async (way) => {
		way.wic.say(`MESSAGE ${DESK} SIP/2.0\n\n${second(way)}`);
		await quiet(way).catch(() => {}); /* it may be sent away for it */
		assert.deepEqual(way.peer.requests.filter(({ uri }) => uri === tel(way.n)), []);
	},
	'in a part of a body': async (way) => {
		const body = parts(second(way));
		await say(way, 'MESSAGE', DESK, { body, lines: [['Content-Type', MULTIPART]] });
		await quiet(way);
		assert.deepEqual(way.peer.requests.filter(({ uri }) => uri === tel(way.n)), []);
	},
	'with a part of a body for the shop': async (way) => assertRefused(await say(way, 'INVITE', tel(way.n),
		{ body: parts(way.wic.write('INVITE', DESK).text), lines: [['Content-Type', MULTIPART]] })),
	'in a list of recipients': async (way) => assertRefused(await say(way, 'INVITE', `sip:conference@${SHOP}`, {
		body: `<?xml version="1.0"?><resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists"><list><entry uri="${
			tel(way.n)}"/></list></resource-lists>`, lines: [['Require', 'recipient-list-invite'],
			['Content-Type', 'application/resource-lists+xml'], ['Content-Disposition', 'recipient-list']] })),
	'two URIs in one line': async (way) => assertRefused(await say(way, 'INVITE', DESK,
		{ start: `INVITE ${DESK} ${tel(way.n)} SIP/2.0` }), { malformed: true }),
	'a URI behind a tab': async (way) => assertRefused(await say(way, 'INVITE', DESK,
		{ start: `INVITE\t${tel(way.n)} SIP/2.0` }), { malformed: true }),
	'a URI behind two spaces': async (way) => assertRefused(await say(way, 'INVITE', DESK,
		{ start: `INVITE  ${tel(way.n)} SIP/2.0` }), { malformed: true }),
	'a URI behind an absolute form': async (way) => assertRefused(await say(way, 'INVITE', DESK,
		{ start: `INVITE ${DESK}\r\n ${tel(way.n)} SIP/2.0` }), { malformed: true }),
	'a number as its To as well': async (way) => assertRefused(await say(way, 'INVITE', tel(way.n),
		{ to: `<${tel(way.n)}>` })),
	'a number from nobody': async (way) => assertRefused(await say(way, 'INVITE', tel(way.n),
		{ from: '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=a', lines: [['Privacy', 'id']] })),
	'a number with a token': async (way) => assertRefused(await say(way, 'INVITE', tel(way.n),
		{ lines: [['Proxy-Authorization', `Bearer ${way.wic.token}`]] })),
	'a number with the last hop': async (way) => assertRefused(await say(way, 'INVITE', tel(way.n),
		{ max_forwards: '0' })),
	'a number with priority': async (way) => assertRefused(await say(way, 'INVITE', tel(way.n),
		{ lines: [['Priority', 'psap-callback'], ['Resource-Priority', 'esnet.0']] })),
};

/* ---- registrations ---- */

const registering = (contact, more = {}) => async (way) => {
	const { wic, n, peer } = way;
	const before = peer.requests.length;
	const sent = wic.write('REGISTER', `sip:${REALM}`, { to: `<${impu(wic.user)}>`, contact: null,
		call_id: wic.call_id, cseq: 50, ...more, lines: [...contact(n, wic), ['Authorization', `Bearer ${wic.token}`]] });
	wic.say(sent.text);
	const final = await wic.final(sent, 3000);
	assertRefused({ final, arrived: peer.requests.slice(before).filter(({ call_id }) => call_id === sent.call_id) });
};

export const registers = {
	'a number as a second Contact': registering((n, wic) => [['Contact', wic.contact],
		['Contact', `<${tel(n)}>`]]),
	'a number as a second Contact in one line': registering((n, wic) => [['Contact',
		`${wic.contact}, <${at_home(n)}>`]]),
	'a Contact with a route': registering((n, wic) => [['Contact',
		`<sip:${wic.user}@${wic.host};transport=ws?Route=%3C${abroad(n)};lr%3E>`]]),
	'another domain': async (way) => {
		const { wic, n } = way;
		const sent = wic.write('REGISTER', `sip:m${n.tail}.${PREMIUM}`, { to: `<${impu(wic.user)}>`,
			lines: [['Authorization', `Bearer ${wic.token}`]] });
		wic.say(sent.text);
		assertRefused({ final: await wic.final(sent, 3000), arrived: way.peer.of(sent.call_id) }, { status: 403 });
	},
	'in the name of a number': async (way) => {
		const { wic, n } = way;
		const sent = wic.write('REGISTER', `sip:${REALM}`, { to: `<${at_home(n)}>`, from: `<${at_home(n)}>;tag=a`,
			lines: [['Authorization', `Bearer ${wic.token}`]] });
		wic.say(sent.text);
		assertRefused({ final: await wic.final(sent, 3000), arrived: way.peer.of(sent.call_id) }, { status: 403 });
	},
};

/* ---- what must pass ---- */

/** The other end changes its Contact within the call, and is told the end of it there. */
async function movedAway(way, moved) {
	const call = await talking(way);
	way.wic.rules.set(call.sent.call_id, (request) => request.reply(200, 'OK', { contact: way.wic.address }));
	call.core.send('UPDATE', { lines: [['Contact', `<${moved}>`]] });
	assert.equal((await way.peer.response(call.sent.call_id, 'UPDATE')).status, 200);
	const { final, arrived } = await inside(way, call, 'BYE', { uri: moved });
	assert.equal(final?.status, 200);
	assert.equal(arrived[0].uri, moved);
}

export const passes = {
	async 'MESSAGE'(way) {
		const said = await say(way, 'MESSAGE', DESK, { body: 'x', lines: [['Content-Type', 'text/plain']] });
		assertPassed(said, DESK);
		assert.equal(said.final.status, 200);
	},
	async 'SUBSCRIBE and OPTIONS'(way) {
		for (const method of ['SUBSCRIBE', 'OPTIONS'])
			assertPassed(await say(way, method, DESK, { lines: [['Event', 'presence']] }), DESK);
	},
	async 'REFER within the shop'(way) {
		const uri = `sip:desk2@${SHOP}`;
		assertPassed(await say(way, 'REFER', DESK, { lines: [['Refer-To', `<${uri}>`]] }), DESK);
	},
	async 'a call, and all that is said in it'(way) {
		const call = await talking(way);
		for (const method of ['INFO', 'UPDATE', 'MESSAGE', 'INVITE', 'BYE']) {
			const { final, arrived } = await inside(way, call, method, sdpOf(method));
			assert.equal(final?.status, 200, method);
			assert.equal(arrived[0].uri, call.dialog.target);
			if (method === 'INVITE')
				call.dialog.send('ACK');
		}
	},
	'BYE to where the other end has moved, within the shop': (way) => movedAway(way, `sip:desk2@${SHOP}`),
	'BYE to where the other end has moved, out of the shop': (way) => movedAway(way, 'sip:desk@other.example'),
	async 'a call to a number'({ wic, peer, n }) {
		const { invite } = await callOut(wic, peer, { uri: `tel:+1800${n.tail}` });
		assert.equal(invite.uri, `tel:+1800${n.tail}`);
	},
};
