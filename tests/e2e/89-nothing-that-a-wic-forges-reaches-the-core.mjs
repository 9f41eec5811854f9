// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 9.1 and 12.2 on REGISTER and MESSAGE: every header and parameter, in every spelling.

import { eachCase, eachCaseAbreast } from './lib/cases.mjs';
import { FORGED_OUTSIDE, SLY_SPELLINGS, SPELLINGS, allForgeries, assertClean, assertNothingForged,
	eachForgery } from './lib/forgery.mjs';
import { HostileWic } from './lib/hostile_wic.mjs';
import { MwPeer } from './lib/mw_peer.mjs';
import { REALM, impi, impu } from './lib/names.mjs';
import { HOSTILE_WORLDS, assert, assertNoTokenOnMw, scenario } from './lib/scenario.mjs';

const BOB = impu('bob');
const KEPT = ['X-Kept: kept', 'Subject: kept'];

/** A MESSAGE with these lines: it arrives, without the marks and with what nobody forbids. */
const messageIsClean = (wic, peer) => async ({ text, marks }, name) => {
	const sent = wic.ask('MESSAGE', BOB, { contact: null, lines: [KEPT[0], text, KEPT[1]],
		body: 'x' });
	assert.equal((await wic.final(sent)).status, 200, 'the answer');
	const [message] = peer.of(sent.call_id);
	assertClean(message.text, marks, name);
	assert.deepEqual([message.header('X-Kept'), message.header('Subject'), message.body],
		['kept', 'kept', 'x'], 'what is kept');
};

/** The same, where a refusal is as good. */
const messageIsCleanOrRefused = (wic, peer) => async ({ text, marks }, name) => {
	const sent = wic.ask('MESSAGE', BOB, { contact: null, lines: [KEPT[0], text, KEPT[1]],
		body: 'x' });
	const { status } = await wic.final(sent);
	assert.ok(status === 200 || (status >= 400 && status < 500), `answered ${status}`);
	for (const message of peer.of(sent.call_id))
		assertClean(message.text, marks, name);
};

const registerIsClean = (world, peer, good) => async ({ text, marks }, name) => {
	const wic = await HostileWic.connect('alice', { ca: world.files.ca_pem });
	const answer = await wic.request('REGISTER', `sip:${REALM}`, { to: impu('alice'),
		call_id: wic.call_id, headers: [['Contact', wic.contact], ['Expires', '600'],
			['Supported', 'path, outbound'], ['X-Kept', `kept\r\n${text}`],
			['Authorization', `Bearer ${world.mint.issue('alice')}`]] });
	assert.ok(answer.status === 200 || (!good && answer.status >= 400 && answer.status < 500),
		answer.start);
	for (const register of peer.of(wic.call_id)) {
		assertClean(register.text, marks, name);
		assert.equal(register.list('Path').length, 1, 'one Path');
		assert.match(register.header('Path'), /^<sip:Ft1\./);
		assert.deepEqual(register.all('Route'), [], 'no Route');
		assert.deepEqual(register.list('Require').map((tag) => tag.toLowerCase()), ['path']);
		for (const name of ['P-Charging-Vector', 'P-Visited-Network-ID', 'Authorization'])
			assert.equal(register.all(name).length, 1, `one ${name}`);
	}
	await wic.close();
};

/** integrity-protected is the node's to say (PROTOCOL 4.2, 5.2): {name: credential of a token} */
const credentials = (token) => ({
	'behind the token': `Bearer access_token="${token}", integrity-protected="tls-yes"`,
	'in front of the token': `Bearer integrity-protected="tls-yes", access_token="${token}"`,
	'without quotes': `Bearer access_token="${token}", integrity-protected=tls-yes`,
	'in capitals': `Bearer access_token="${token}", INTEGRITY-PROTECTED="tls-yes"`,
	'with spaces': `Bearer access_token="${token}", integrity-protected = "tls-yes"`,
	'folded': `Bearer access_token="${token}",\r\n integrity-protected\r\n =\r\n "tls-yes"`,
	'another node': `Bearer access_token="${token}", authorization-entity="forgedentity"`,
	'twice': `Bearer access_token="${token}", integrity-protected="tls-yes",`
		+ ' integrity-protected="tls-yes"',
	'in a string': `Bearer access_token="${token}", x="y\\", integrity-protected=\\"tls-yes"`,
});

const registerIsOurs = (world, peer) => async (credential) => {
	const wic = await HostileWic.connect('alice', { ca: world.files.ca_pem });
	const { status } = await wic.request('REGISTER', `sip:${REALM}`, { to: impu('alice'),
		call_id: wic.call_id, headers: [['Contact', wic.contact], ['Expires', '600'],
			['Authorization', credential]] });
	assert.ok([200, 400, 401].includes(status), `answered ${status}`);
	for (const register of peer.of(wic.call_id)) {
		const [authorization, ...more] = register.all('Authorization');
		assert.deepEqual(more, [], 'one Authorization');
		assert.match(authorization, /^Digest /);
		assert.deepEqual([...authorization.matchAll(/([a-z-]+)="([^"]*)"/g)].map(([, name,
			value]) =>
			`${name}=${value}`).sort(), ['integrity-protected=auth-done', 'nonce=',
			`realm=${REALM}`, 'response=', `uri=sip:${REALM}`, `username=${impi('alice')}`].sort());
	}
	await wic.close();
};

/** Digest beside a binding: what says integrity-protected does not pass. */
const DIGEST = `Digest username="${impi('bob')}", realm="${REALM}", nonce="", uri="${BOB}", response=""`;
const otherCredentials = (token) => Object.fromEntries(['Authorization', 'Proxy-Authorization']
	.flatMap((name) => Object.entries({
		'Digest': `${name}: ${DIGEST}, integrity-protected="auth-done"`,
		'Digest in capitals': `${name.toUpperCase()} : ${DIGEST}, Integrity-Protected=auth-done`,
		'Digest, folded': `${name}:\r\n ${DIGEST},\r\n\tintegrity-protected\r\n ="auth-done"`,
		'a token': `${name}: Bearer ${token}`,
		'a token, folded': `${name}\t:\r\n bEARER\r\n\t${token}`,
		'a token by its name': `${name}: Bearer access_token="${token}"`,
		'a token behind a name': `${name}: Bearer x="y", access_token = "${token}"`,
	}).map(([how, text]) => [`${name}, ${how}`,
		{ text, marks: ['integrity-protected', 'bearer', token.split('.')[0].toLowerCase()] }])));

/** A token in a body (PROTOCOL 3.2), where the configuration does not even ask for it. */
const JWT = 'Content-Type: application/jwt\r\nContent-Disposition: by-reference;handling=optional\r\n';
const tokenParts = (token) => {
	const part = (head, text) => `--cut\r\n${head}\r\n${text}\r\n`;
	const plain = part('Content-Type: text/plain\r\n', 'hello');
	return {
		'first': `${part(JWT, token)}${plain}--cut--\r\n`,
		'last': `${plain}${part(JWT, token)}--cut--\r\n`,
		'alone': `${part(JWT, token)}--cut--\r\n`,
		'with its names in capitals': `${part(JWT.toUpperCase(), token)}${plain}--cut--\r\n`,
		'folded': `${part(JWT.replace(': ', ' :\r\n '), token)}${plain}--cut--\r\n`,
	};
};

const tokenPartIsGone = (wic, peer) => async (body) => {
	for (const method of ['MESSAGE', 'INVITE']) {
		const sent = wic.write(method, BOB, { body,
			lines: ['Content-Type: multipart/mixed;boundary=cut', 'MIME-Version: 1.0'] });
		peer.rules.set(sent.call_id, (request) => request.method !== 'ACK' && request.reply(480,
			'X'));
		wic.say(sent.text);
		const { status } = await wic.final(sent);
		assert.ok(status >= 400 && status < 500, `answered ${status}`);
		for (const request of peer.of(sent.call_id))
			assertClean(request.text, [wic.token.split('.')[1].slice(-24).toLowerCase()], method);
	}
};

/** The same where a token may come so (D-09): it registers, and of the body the rest goes on. */
const BODY_WORLD = { ...HOSTILE_WORLDS[1], bodies: true, more_access: '  token_in_body: true\n' };
const withParts = (body) => ({ body,
	lines: ['Content-Type: multipart/mixed;boundary=cut', 'MIME-Version: 1.0'] });

const tokenOfBodyIsCutOut = (world, peer) => async (_, name) => {
	const wic = await HostileWic.connect('alice', { ca: world.files.ca_pem });
	wic.token = world.mint.issue('alice');
	const { body, lines } = withParts(tokenParts(wic.token)[name]);
	const { status } = await wic.answerTo('REGISTER', `sip:${REALM}`, { to: `<${impu('alice')}>`,
		call_id: wic.call_id, contact: wic.contact, body, lines: ['Expires: 600', ...lines] });
	assert.equal(status, 200, 'it registers');
	const sent = wic.ask('MESSAGE', BOB, { contact: null, body, lines });
	assert.equal((await wic.final(sent)).status, 200, 'and may be said again');
	for (const request of [...peer.of(wic.call_id), ...peer.of(sent.call_id)]) {
		assertClean(request.text, ['jwt', 'by-reference',
			wic.token.split('.')[1].slice(-24).toLowerCase()], request.method);
		assert.equal(request.body.includes('hello'), name !== 'alone', 'the rest of the body');
		assert.equal(request.header('Content-Type') === null, name === 'alone');
		assert.deepEqual(request.all('Content-Length'), [String(request.body.length)]);
	}
	await wic.close();
	return wic.token;
};

async function bodiesAreClean(world, peer) {
	const tokens = [];
	await eachCase(tokenParts('a.b.c'), async (body, name) => {
		tokens.push(await tokenOfBodyIsCutOut(world, peer)(body, name));
	});
	await assertNoTokenOnMw(world, tokens);
}

/** Request-URIs: what leaves of them. The parameters are the core's to set. */
const URIS = {
	[`${BOB};orig`]: BOB, [`${BOB};ORIG`]: BOB, [`${BOB};orig=1`]: BOB, [`${BOB};%6Frig`]: BOB,
	[`${BOB};%6f%72%69%67`]: BOB, [`${BOB};o%72ig=x`]: BOB,
	[`${BOB};x=1;orig;y=2`]: `${BOB};x=1;y=2`, [`${BOB};orig;orig`]: BOB,
	[`${BOB};cpc=operator`]: BOB, [`${BOB};CPC=operator`]: BOB, [`${BOB};%63pc=operator`]: BOB,
	[`${BOB};oli=62`]: BOB, [`${BOB};ol%69=62`]: BOB, [`${BOB};iotl=homea-homeb`]: BOB,
	[`${BOB};transport=tcp;iotl=homea-homeb`]: `${BOB};transport=tcp`,
	'tel:+15551230000;cpc=payphone': 'tel:+15551230000',
	'tel:+15551230000;CPC=payphone;oli=1': 'tel:+15551230000',
	'tel:+15551230000;isub=1;cpc=payphone': 'tel:+15551230000;isub=1',
	/* and these are something else */
	[`${BOB};origin=1`]: `${BOB};origin=1`, [`${BOB};x-orig`]: `${BOB};x-orig`,
	[`sip:orig@${REALM}`]: `sip:orig@${REALM}`, [`sip:a;orig@${REALM}`]: `sip:a;orig@${REALM}`,
	[`${BOB};x=orig`]: `${BOB};x=orig`,
};

const uriIsClean = (wic, peer) => async (wanted, uri) => {
	const sent = wic.ask('MESSAGE', uri, { to: `<${BOB}>`, contact: null });
	assert.equal((await wic.final(sent)).status, 200);
	assert.equal(peer.of(sent.call_id)[0].uri, wanted);
};

/** A line of which a part is forbidden: [name, value, what leaves of it]. */
const PARTS = [
	['Require', 'sec-agree, 100rel', ['100rel']], ['Require', '100rel,sec-agree,timer', ['100rel',
		'timer']],
	['Require', '100rel\r\n , SEC-AGREE', ['100rel']], ['Require', 'sec-agree', []],
	['Require', 'sec-agreement', ['sec-agreement']], ['require', 'sec-agree, sec-agree', []],
	['Proxy-Require', 'sec-agree', []], ['Priority', 'urgent', ['urgent']],
	['Priority', 'psap-callback', []], ['Priority', 'psap-callbacks', ['psap-callbacks']],
	['P-Access-Network-Info',
		'IEEE-802.11;i-wlan-node-id=aa, 3GPP-UTRAN;utran-cell-id-3gpp=forged;np',
		['IEEE-802.11;i-wlan-node-id=aa']],
	['P-Access-Network-Info',
		'3GPP-UTRAN;utran-cell-id-3gpp=forged;network-provided,\r\n IEEE-802.11',
		['IEEE-802.11']],
	['P-Access-Network-Info', 'IEEE-802.11;x="a;np, b"', ['IEEE-802.11;x="a;np, b"']],
	['P-Access-Network-Info', 'IEEE-802.11;x="a\\";forged" ; np', []],
	['P-Access-Network-Info', 'IEEE-802.11;npx=1', ['IEEE-802.11;npx=1']],
	['P-Access-Network-Info', 'IEEE-802.11;x=np', ['IEEE-802.11;x=np']],
	['P-Access-Network-Info', 'forged;np=1', []],
];

const partIsGone = (wic, peer) => async ([name, value, wanted]) => {
	const sent = wic.ask('MESSAGE', BOB, { contact: null, lines: [[name, value]] });
	assert.equal((await wic.final(sent)).status, 200);
	const [message] = peer.of(sent.call_id);
	assert.deepEqual(message.list(name), wanted);
	assert.equal(message.all(name).length === 0, wanted.length === 0, 'no header without a value');
};

/** Header fields named in a Contact URI: {name: line} */
const PLANTED = '%3Csip:forgedcontact%40evil.example%3E';
const contacts = (address) => {
	const uri = /<([^>]*)>/.exec(address)[1];
	return Object.fromEntries(Object.entries({
		'a header': `Contact: <${uri}?P-Asserted-Identity=${PLANTED}>`,
		'a header, compact': `m: <${uri}?P-Asserted-Identity=${PLANTED}>`,
		'a header with escapes in its name': `Contact: <${uri}?P%2DAsserted%2DIdentity=${PLANTED}>`,
		'a Route': `m : <${uri}?Route=${PLANTED}>`,
		'two headers': `Contact:\r\n <${uri}?Subject=x&Route=${PLANTED}>`,
		'a display name with a question mark': `Contact: "who? <sip:x@y>" <${uri}?Route=${PLANTED}>`,
		'one of two': `Contact: ${address}, <${uri}?Route=${PLANTED}>`,
	}).map(([name, text]) => [name, { text, marks: ['forgedcontact'] }]));
};

await scenario([...HOSTILE_WORLDS, BODY_WORLD], async (world, { bodies }) => {
	const peer = await MwPeer.start(world);
	if (bodies) {
		await bodiesAreClean(world, peer);
		return;
	}
	const wic = await HostileWic.registered(world);
	const clean = messageIsClean(wic, peer);
	const refused = messageIsCleanOrRefused(wic, peer);
	const { token } = wic;
	await eachCase({
		'MESSAGE': [eachForgery(FORGED_OUTSIDE, SPELLINGS), clean],
		'MESSAGE with all': [allForgeries(FORGED_OUTSIDE, SPELLINGS), clean],
		'MESSAGE, sly': [eachForgery(FORGED_OUTSIDE, SLY_SPELLINGS), refused],
		'MESSAGE with a credential': [otherCredentials(token), refused],
		'a token in a body': [tokenParts(token), tokenPartIsGone(wic, peer)],
		'MESSAGE to': [URIS, uriIsClean(wic, peer)],
		'MESSAGE with a part': [Object.fromEntries(PARTS.map((part) => [part.slice(0, 2).join(': '),
			part])), partIsGone(wic, peer)],
		'MESSAGE with a Contact': [contacts(wic.address), clean],
		'REGISTER': [allForgeries(FORGED_OUTSIDE, SPELLINGS), registerIsClean(world, peer, true)],
		'REGISTER, sly': [allForgeries(FORGED_OUTSIDE, SLY_SPELLINGS),
			registerIsClean(world, peer, false)],
		'REGISTER with a credential': [credentials(token), registerIsOurs(world, peer)],
	}, ([cases, play]) => eachCaseAbreast(cases, play));
	assertNothingForged(peer);
	await assertNoTokenOnMw(world, [token]);
	assert.ok(wic.isOpen, 'and it has cost no connection');
	await wic.close();
});
