// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 7.1 row by row against a core that a script leads: what an un-registered request looks like there,
// which are refused and how, what ends a token, and what the core may say.

import { eachCase } from './lib/cases.mjs';
import { WITH_SDP, callOut } from './lib/dialog.mjs';
import { HostileWic } from './lib/hostile_wic.mjs';
import { MwPeer } from './lib/mw_peer.mjs';
import { REALM, impu } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { HOSTILE_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { WILDCARD, bearer, issueGuest, openGuest, wildcardWorlds } from './lib/wildcard.mjs';

const BOB = impu('bob');
const ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=x1';
const WORLDS = wildcardWorlds({ core: 'script', more_realm: ', orig_served_user: true, orig_profile_key: true' },
	HOSTILE_WORLDS.map(({ site_limits, ...world }) => ({ ...world,
		site_limits: 'limits: {requests_per_second: 1000000, calls_in_setup: 3}' })));
let count = 0;
const name = () => `pool-${++count}`;
const line = (value, header = 'P-Preferred-Identity') => [header, value];

/** Begins something: {final, arrived}; by its token unless lines say otherwise. */
async function begins(peer, wic, { method = 'MESSAGE', lines = [], token, ...more } = {},
	answer = (request) => request.reply(200, 'OK')) {
	const sent = wic.write(method, BOB, { ...more,
		lines: [...(token ? [bearer(token)] : []), ...lines] });
	peer.rules.set(sent.call_id, (request) => request.method !== 'ACK' && answer(request));
	wic.say(sent.text);
	return { final: await wic.final(sent), arrived: peer.of(sent.call_id, method)[0] ?? null, sent };
}

/** Where the gateway is reached, as its Via says. */
const portOf = (request) => Number(/^SIP\/2\.0\/\w+ (?:\[[^\]]+\]|[^:;]+):(\d+)/.exec(request.header('Via'))[1]);

const refused = (status) => async ({ peer, wic, token }, more) => {
	const { final, arrived } = await begins(peer, wic, { token, ...more });
	assert.equal(final.status, status);
	assert.equal(arrived, null, 'it reached the core');
};

/** What a request may look like, with its own identity's name at hand. */
const REFUSED = {
	'From of another name of the wildcard': [403, () => ({ from: `<${impu('pool-other')}>;tag=1` })],
	'From of a registered user': [403, () => ({ from: `<${impu('alice')}>;tag=1` })],
	'From is the wildcard': [403, () => ({ from: `<${WILDCARD.replaceAll(/[[\]]/g, '')}>;tag=1` })],
	'anonymous, and nobody preferred': [403, () => ({ from: ANONYMOUS })],
	'another preferred': [403, () => ({ lines: [line(`<${BOB}>`)] })],
	'another preferred beside it': [403, (user) => ({ lines: [line(`<${impu(user)}>, <tel:+15551230000>`)] })],
	'a Contact elsewhere': [400, () => ({ contact: '<sip:web@198.18.0.21:5060>' })],
	'REGISTER': [403, (user) => ({ method: 'REGISTER', to: `<${impu(user)}>` })],
};
const TAKEN = {
	'its From': () => ({}),
	'itself preferred': (user) => ({ lines: [line(`<${impu(user)}>`)] }),
	'anonymous, and itself preferred': (user) => ({ from: ANONYMOUS, lines: [line(`<${impu(user)}>`)] }),
	'with a Route of its own': () => ({ lines: [line('<sip:evil.example;lr;orig>', 'Route')] }),
	'asserting more': () => ({ lines: [line(`<${BOB}>`, 'P-Asserted-Identity'),
		line('<sip:x!.*!@y>', 'P-Profile-Key'), line(`<${BOB}>`, 'P-Served-User')] }),
	'an INVITE': () => ({ method: 'INVITE', ...WITH_SDP }),
	'a method that nobody knows': () => ({ method: 'NEWMETHOD' }),
};
const TOKENS = {
	'of a name outside': [403, { impu: impu('alice') }],
	'of another domain': [403, { impu: 'sip:pool-1@example.org' }],
	'of the wildcard itself': [403, { impu: `sip:pool-!%5Ba-z0-9.-%5D*!@${REALM}` }],
	'of two names': [407, { impu: [impu('pool-1'), impu('pool-2')] }],
	'of no name': [407, { impu: undefined }],
	'without a jti': [407, { jti: undefined }],
	'that has ended': [407, { iat: 1, exp: 2 }],
	'for another scenario': [403, { scn: 'pool' }],
};

await scenario(WORLDS, async (world) => {
	const peer = await MwPeer.start(world);
	const open = async (lifetime_s = 600) => {
		const user = name();
		return { peer, user, wic: await openGuest(world, user), token: issueGuest(world, user, { lifetime_s }) };
	};

	await eachCase(REFUSED, async ([status, more]) => {
		const guest = await open();
		await refused(status)(guest, more(guest.user));
		await guest.wic.close();
	});
	await eachCase(TOKENS, async ([status, claims]) => {
		const guest = await open();
		guest.token = issueGuest(world, guest.user, { claims });
		await refused(status)(guest, { ...(typeof claims.impu === 'string'
			? { from: `<${claims.impu}>;tag=1` } : {}) });
		await guest.wic.close();
	});
	await eachCase(TAKEN, async (more) => {
		const guest = await open();
		const { arrived } = await begins(peer, guest.wic, { token: guest.token, ...more(guest.user) });
		assert.ok(arrived, 'it did not reach the core');
		assert.deepEqual(arrived.all('P-Asserted-Identity'), [`<${impu(guest.user)}>`]);
		assert.equal(arrived.all('Route').length, 1);
		assert.match(arrived.header('Route'), /^<sip:orig@[^>]+;lr;orig>$/);
		assert.deepEqual(arrived.all('P-Served-User'), [`<${impu(guest.user)}>;sescase=orig;regstate=unreg`]);
		assert.deepEqual(arrived.all('P-Profile-Key'), [`<sip:pool-!%5Ba-z0-9.-%5D*!@${REALM}>`]);
		assert.match(arrived.header('P-Charging-Vector'), /icid-value="[0-9a-f]{32}"/);
		assert.equal(arrived.header('Proxy-Authorization'), null);
		if (arrived.method === 'INVITE')
			assert.match(arrived.header('Record-Route'), /^<sip:Ft1\./);
		await guest.wic.close();
	});

	/* a token that ends: the call goes on, nothing begins */
	const short = await open(2);
	const standing = await callOut(short.wic, peer, { lines: [bearer(short.token)] });
	await begins(peer, short.wic).then(({ final }) => assert.equal(final.status, 200, 'by the shown one'));
	await waitFor('the end of the token', async () => (await begins(peer, short.wic)).final.status === 407);
	standing.core.port = portOf(standing.invite);
	standing.core.send('INFO');
	await short.wic.received(standing.sent.call_id, 'INFO');
	const bye = standing.dialog.send('BYE');
	assert.equal((await short.wic.final({ ...bye, method: 'BYE' })).status, 200);

	/* another connection has not shown it */
	const shown = await open();
	assert.equal((await begins(peer, shown.wic, { token: shown.token })).final.status, 200);
	const beside = await HostileWic.connect(shown.user, { ca: world.files.ca_pem });
	assert.equal((await begins(peer, beside)).final.status, 407);

	/* calls in setup */
	const busy = await open();
	const ringing = [];
	for (let i = 0; i < 3; i++) {
		const sent = busy.wic.write('INVITE', BOB, { ...WITH_SDP, lines: [...WITH_SDP.lines, bearer(busy.token)] });
		peer.rules.set(sent.call_id, (request) => request.method === 'INVITE' && request.reply(180, 'Ringing'));
		busy.wic.say(sent.text);
		await peer.request(sent.call_id, 'INVITE');
		ringing.push(sent);
	}
	await refused(503)(busy, { method: 'INVITE', ...WITH_SDP });

	/* the core asks for a Digest, which it has not */
	for (const [status, header] of [[401, 'WWW-Authenticate'], [407, 'Proxy-Authenticate']]) {
		const asked = await open();
		const { final } = await begins(peer, asked.wic, { method: 'INVITE', token: asked.token }, (request) =>
			request.method === 'INVITE' && request.reply(status, 'X',
				{ lines: [[header, 'Digest realm="x",nonce="y"']] }));
		assert.equal(final.status, 500);
		assert.ok(!/Digest/.test(final.text ?? ''), 'the challenge went on');
		await asked.wic.close();
	}
	assert.equal(await world.gateway.counter('tna_challenged'), 2);

	/* the core calls one: it is absent (7.3) */
	const called = await peer.ask('MESSAGE', { route: null, contact: impu('pool-9'), port: 5060 },
		{ to: `<${impu('pool-9')}>` });
	const absent = await peer.response(called.call_id, 'MESSAGE');
	assert.equal(absent.status, 480);
	assert.match(absent.header('Reason'), /^Q\.850;cause=20/);

	/* a site that is taken back takes its connections with it */
	await world.gateway.ask('disable', 'shop');
	assert.equal((await shown.wic.closed).code, 1008);
	await peer.settle();
	assert.ok(!peer.everything().includes('Bearer'), 'a token at the core');
	assert.ok(!/P-Asserted-Identity: <[^>]*!/.test(peer.everything()), 'a wildcard is asserted');
});
