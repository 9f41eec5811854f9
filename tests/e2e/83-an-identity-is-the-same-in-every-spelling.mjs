// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 9.5 steps 4 to 6 and 12.2: From, P-Preferred-Identity and Privacy of what a WIC begins.
// Identities are compared as URIs: case of scheme and host, escapes, default port, SIP and tel.

import { eachCase, eachCaseAbreast } from './lib/cases.mjs';
import { assertNothingForged } from './lib/forgery.mjs';
import { HostileWic } from './lib/hostile_wic.mjs';
import { uriOf } from './lib/loose_sip.mjs';
import { MwPeer } from './lib/mw_peer.mjs';
import { REALM, impu } from './lib/names.mjs';
import { HOSTILE_WORLDS, assert, scenario } from './lib/scenario.mjs';

const ALICE = impu('alice');
const TEL = 'tel:+15551230001';
const SIP_TEL = `sip:+15551230001@${REALM};user=phone`;
const BOB = impu('bob');
const METHODS = ['MESSAGE', 'INVITE'];

/** Registers with these identities of the core's (P-Associated-URI). */
async function withIdentities(world, peer, identities) {
	const wic = await HostileWic.connect('alice', { ca: world.files.ca_pem });
	peer.rules.set(wic.call_id, (request) => request.reply(200, 'OK',
		{ lines: peer.registered(request, identities) }));
	assert.equal((await wic.register(world.mint.issue('alice'))).status, 200);
	return wic;
}

/** A request with this From and these lines: the answer, and what the core got of it. */
async function say(wic, peer, method, more) {
	const sent = wic.write(method, BOB, more);
	peer.rules.set(sent.call_id, (request) => request.method !== 'ACK'
		&& request.reply(request.method === 'INVITE' ? 486 : 200, 'X'));
	wic.say(sent.text);
	const { status } = await wic.final(sent);
	const [arrived = null] = peer.of(sent.call_id, method);
	return { status, arrived, passed: status === (method === 'INVITE' ? 486 : 200) };
}

/** From, and whether it is the sender's (F22, D-33). */
const OURS = [`<${ALICE}>`, `"Alice" <${ALICE}>`, `<SIP:alice@${REALM}>`,
	`<sip:alice@${REALM.toUpperCase()}>`, `<sip:%61lice@${REALM}>`, `<sip:al%69ce@${REALM}>`,
	`<sip:alice@${REALM};transport=tcp>`, `${ALICE}`,
	'"Anonymous" <sip:anonymous@anonymous.invalid>', '<sip:anonymous@ANONYMOUS.INVALID>',
	`"<${BOB}>" <${ALICE}>`, `"a \\" <${BOB}>, " <${ALICE}>`];
const NOT_OURS = [`<${BOB}>`, `<sip:Alice@${REALM}>`, `<sip:ALICE@${REALM}>`,
	'<sip:alice@evil.example>',
	`<sip:alice@${REALM}.evil.example>`, `<sip:alice@evil.${REALM}>`, `<sip:alice%40x@${REALM}>`,
	`<sip:${REALM}>`, `<sip:alice:pw@x@${REALM}>`,
	`<tel:+15551239999>`, `"<${ALICE}>" <${BOB}>`, `"${ALICE}" <${BOB}>`, `<${BOB}?x=${ALICE}>`,
	`<sip:bob@${REALM};x=alice>`, `<sip:alice@${REALM}%2eevil.example>`,
		'<sip:anonymous@evil.example>',
	`<sip:alice%00@${REALM}>`, '<urn:service:sos>', '<http://x/>'];

const fromIsChecked = (wic, peer, method, ours) => async (from) => {
	const { passed, status, arrived } = await say(wic, peer, method, { from: `${from};tag=f1` });
	if (ours) {
		assert.ok(passed, `answered ${status}`);
		assert.equal(arrived.header('From'), `${from};tag=f1`, 'From is not rewritten');
		assert.deepEqual(arrived.all('P-Asserted-Identity').map(uriOf), [ALICE]);
	} else {
		assert.ok(status === 403 || status === 400, `answered ${status}`);
		assert.equal(arrived, null, 'nothing reached the core');
	}
};

const ppi = (...values) => values.map((value) => ['P-Preferred-Identity', value]);
/** P-Preferred-Identity: {name: [lines, the identities asserted, or a status]} */
const PREFERRED = {
	'none: the default': [[], [ALICE]],
	'the default': [ppi(`<${ALICE}>`), [ALICE]],
	'another of his': [ppi(`<${TEL}>`), [TEL]],
	'another of his, as it is written': [ppi('<TEL:+1-555-123-0001>'), [TEL]],
	'another of his, with escapes': [ppi(`<sip:%61lice@${REALM.toUpperCase()}>`), [ALICE]],
	'another of his, without brackets': [ppi(TEL), [TEL]],
	'the third, with a port that is the default': [ppi(`<sip:alice.work@${REALM}>`),
		[`sip:alice.work@${REALM}`]],
	'the name in small letters': [[`p-preferred-identity : <${TEL}>`], [TEL]],
	'folded': [[`P-Preferred-Identity:\r\n <${TEL}>`], [TEL]],
	'somebody else\'s: the default': [ppi(`<${BOB}>`), [ALICE]],
	'a display name that lies': [ppi(`"<${ALICE}>" <${BOB}>`), [ALICE]],
	'case of the user differs: the default': [ppi(`<sip:Alice.work@${REALM}>`), [ALICE]],
	'a tel that is not his': [ppi('<tel:+15551239999>'), [ALICE]],
	'a SIP and a tel': [ppi(`<sip:alice.work@${REALM}>`, `<${TEL}>`), null],
	'a SIP and a tel in one line': [ppi(`<sip:alice.work@${REALM}>, <${TEL}>`), null],
	'two SIPs': [ppi(`<${ALICE}>`, `<sip:alice.work@${REALM}>`), 403],
	'two SIPs in one line': [ppi(`<${ALICE}>, <sip:alice.work@${REALM}>`), 403],
	'two SIPs, one sips': [ppi(`<${ALICE}>`, `<sips:alice@${REALM}>`), 403],
	'two tels': [ppi(`<${TEL}>`, '<tel:+15551239999>'), 403],
	'three': [ppi(`<${ALICE}>`, `<${TEL}>`, `<${BOB}>`), 403],
	'nonsense: the default': [ppi('forged nonsense'), null],
	'a forged asserted one beside it': [[...ppi(`<${TEL}>`),
		['P-Asserted-Identity', '<sip:forged@evil.example>']], [TEL]],
};

const preferredIsChecked = (wic, peer, method) => async ([lines, wanted]) => {
	const { status, arrived, passed } = await say(wic, peer, method, { lines });
	if (typeof wanted === 'number') {
		assert.equal(status, wanted);
		assert.equal(arrived, null, 'nothing reached the core');
		return;
	}
	if (wanted === null && !passed) { /* a refusal is as good */
		assert.ok([400, 403].includes(status), `answered ${status}`);
		return;
	}
	assert.ok(passed, `answered ${status}`);
	assert.deepEqual(arrived.all('P-Preferred-Identity'), [], 'no P-Preferred-Identity');
	const asserted = arrived.list('P-Asserted-Identity').map(uriOf);
	if (wanted)
		assert.deepEqual(asserted.map((uri) => uri.toLowerCase().replaceAll('-', '')
			.replace('%61', 'a')), wanted.map((uri) => uri.toLowerCase()));
	else
		for (const uri of asserted)
			assert.ok([ALICE, TEL, `sip:alice.work@${REALM}`].includes(uri), `asserted ${uri}`);
};

/** Privacy: the core is trusted, so it is told who it is, and what the WIC asked for. */
const privacyIsKept = (wic, peer, method) => async (privacy) => {
	const { passed, arrived } = await say(wic, peer, method, { lines: [['Privacy', privacy]],
		from: '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=p1' });
	assert.ok(passed);
	assert.equal(arrived.header('Privacy'), privacy);
	assert.deepEqual(arrived.all('P-Asserted-Identity').map(uriOf), [ALICE]);
};

/** In a REGISTER (PROTOCOL 5.3): To and From are the token's identity, in any spelling of it. */
const registerIsChecked = (world, peer, good) => async (uri) => {
	const wic = await HostileWic.connect('alice', { ca: world.files.ca_pem });
	const sent = wic.ask('REGISTER', `sip:${REALM}`, { to: `<${uri}>`, from: `<${uri}>;tag=r1`,
		contact: wic.contact, lines: [['Expires', '600'],
			['Authorization', `Bearer ${world.mint.issue('alice')}`],
			...ppi('<sip:forged@evil.example>')] });
	const { status } = await wic.final(sent);
	const [register = null] = peer.of(sent.call_id);
	if (good) {
		assert.equal(status, 200);
		assert.equal(uriOf(register.header('To')), uri, 'To is not rewritten');
		assert.deepEqual(register.all('P-Preferred-Identity'), [], 'no preferred identity');
	} else {
		assert.ok(status === 403 || status === 400, `answered ${status}`);
		assert.equal(register, null, 'nothing reached the core');
	}
	await wic.close();
};

const byName = (values) => Object.fromEntries(values.map((value) => [value, value]));

await scenario(HOSTILE_WORLDS, async (world) => {
	const peer = await MwPeer.start(world);
	const one = await withIdentities(world, peer, [`<${ALICE}>`]);
	const many = await withIdentities(world, peer, [`<${ALICE}>`, `<${TEL}>`, `<${SIP_TEL}>`,
		`"Work" <sip:alice.work@${REALM}>`]);
	const groups = METHODS.map((method) => ({
		[`${method} with a From that is ours`]: [byName(OURS), fromIsChecked(one, peer, method,
			true)],
		[`${method} with one that is not`]: [byName(NOT_OURS), fromIsChecked(one, peer, method,
			false)],
		[`${method} with a preferred identity`]: [PREFERRED, preferredIsChecked(many, peer,
			method)],
		[`${method} with Privacy`]: [byName(['id', 'none', 'header;id', 'user; id; critical']),
			privacyIsKept(one, peer, method)],
	}));
	await eachCase({ ...groups[0], ...groups[1],
		'REGISTER of ours': [byName([ALICE, `SIP:alice@${REALM}`,
			`sip:alice@${REALM.toUpperCase()}`,
			`sip:%61lice@${REALM}`]), registerIsChecked(world, peer, true)],
		'REGISTER of others': [byName([`sip:Alice@${REALM}`, `sip:alice@${REALM}.evil.example`,
			`sip:alice%40@${REALM}`, `sip:alice%00@${REALM}`, BOB, TEL, 'isbn:2983792873']),
		registerIsChecked(world, peer, false)],
	}, ([cases, play]) => eachCaseAbreast(cases, play));
	assertNothingForged(peer);
	await one.close();
	await many.close();
});
