// SPDX-License-Identifier: BSD-3-Clause
// What a request and its responses have in them on the other side: the tables of originating and
// terminating requests, row by row.

import { setTimeout as pause } from 'node:timers/promises';
import { eachCase } from './lib/cases.mjs';
import { Stage } from './lib/legs.mjs';
import { REALM, impu } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';

const WORLDS = [{ ...DEVICE_WORLDS[0], w2: 'port' }, { workers: 2, mw: 'udp', core: 'script' }]
	.map((world) => ({ ...world,
		settings: 'limits: {upgrades_per_second: 1000000, upgrades_burst: 1000000}\n'
			+ 'emergency: {numbers: [112], reason: "Use a <telephone>"}\n' }));
const NOTHING_MS = 300;
const FORGED = `<sip:president@${REALM}>`;
/* what is of the trust domain, in either direction, with a value that is well-formed */
const TRUSTED = {
	'P-Asserted-Service': 'urn:urn-7:3gpp-service.x', 'P-Associated-URI': FORGED,
	'P-Charging-Vector': 'icid-value="forged"', 'P-Charging-Function-Addresses': 'ccf=192.0.2.1',
	'P-Visited-Network-ID': '"forged"', 'P-Served-User': FORGED, 'P-Profile-Key': FORGED,
	'P-User-Database': '<aaa://forged>', 'P-Private-Network-Indication': 'forged',
	'Path': '<sip:forged;lr>', 'Service-Route': '<sip:forged;lr>', 'Feature-Caps': '*;forged',
	'Restoration-Info': 'forged', 'Relayed-Charge': 'forged', 'Service-Interact-Info': 'forged',
	'Cellular-Network-Info': 'forged', 'Response-Source': 'forged', 'Attestation-Info': 'forged',
	'Origination-Id': 'forged', 'Additional-Identity': 'forged', 'Resource-Priority': 'ets.0',
};
const icid = (sip) => /icid-value="?([^";]+)/.exec(sip.header('P-Charging-Vector') ?? '')?.[1];

/** A case: what alice's INVITE with these headers comes to at the core. */
const sent = (more, check, change) => async ({ core }, alice) => {
	const leg = alice.invites('bob', more, change);
	const invite = await core.gets('INVITE', leg);
	check(invite, alice);
	core.replies(invite, 486, 'Busy Here');
	await alice.hears(486, 'INVITE', leg);
	alice.sends('ACK', leg, { branch: leg.branch });
};

/** A case: alice's INVITE is refused, and the core sees nothing of it. */
const refused = (status, more, change) => async ({ core }, alice) => {
	const leg = alice.invites('bob', more, change);
	await alice.hears(status, 'INVITE', leg);
	assert.equal(core.of('INVITE', leg).length, 0, 'nothing at the core');
	alice.sends('ACK', leg, { branch: leg.branch });
};

/** A case: alice's INVITE of that target is an emergency call (D-32), and she is told so. */
const emergency = (target) => async ({ core }, alice) => {
	const leg = alice.invites('bob', [], { target });
	const answer = await alice.hears(380, 'INVITE', leg);
	assert.equal(answer.header('Content-Type'), 'application/3gpp-ims+xml');
	assert.match(answer.body, /^<\?xml version="1.0" encoding="UTF-8"\?>\r\n<ims-3gpp version="1">/);
	assert.match(answer.body, /<type>emergency<\/type><reason>Use a &lt;telephone&gt;<\/reason>/);
	assert.equal(core.of('INVITE', leg).length, 0, 'nothing at the core');
	alice.sends('ACK', leg, { branch: leg.branch });
};

/** A case: what an INVITE of the core with these headers comes to at alice, and how it is refused. */
const received = (more, check) => async ({ core }, alice) => {
	const leg = core.legTo(alice.register_on_mw, 'alice');
	const branch = core.sends('INVITE', leg, { more });
	const invite = await alice.gets('INVITE', leg.id);
	check(invite, leg);
	alice.replies(invite, 486, 'Busy Here');
	await core.hears(486, 'INVITE', leg);
	core.sends('ACK', leg, { branch });
};

/** A case: what alice's 200, with these headers, comes to at the core. */
const answered = (request, reply, check) => async ({ core }, alice) => {
	const leg = core.legTo(alice.register_on_mw, 'alice');
	core.sends('INVITE', leg, { more: request });
	const invite = await alice.gets('INVITE', leg.id);
	alice.replies(invite, 200, 'OK', reply);
	const response = await core.hears(200, 'INVITE', leg);
	check(response, invite);
	core.sends('ACK', core.answered(leg, response));
	await alice.gets('ACK', leg.id);
};

/** A case: what the core's 200, with these headers, comes to at alice. */
const heard = (more, check) => async ({ core }, alice) => {
	const leg = alice.invites('bob');
	core.replies(await core.gets('INVITE', leg), 200, 'OK', { more });
	const response = await alice.hears(200, 'INVITE', leg);
	check(response);
	alice.sends('ACK', alice.answered(leg, response));
	await core.gets('ACK', leg);
};

const asserted = (user) => (invite) => {
	assert.deepEqual(invite.all('P-Asserted-Identity'), [`<${impu(user)}>`]);
	assert.equal(invite.header('P-Preferred-Identity'), null);
};
const lacks = (names) => (sip) => {
	for (const name of names)
		assert.equal(sip.header(name), null, name);
};

const ORIGINATING = {
	'an emergency call is for the telephone': emergency('urn:service:sos'),
	'so is one of its kinds': emergency('urn:service:sos.police'),
	'and a number that is configured': emergency('tel:112'),
	'in the words of a page, too': emergency(`sip:1-12@${REALM}`),
	'another number is not': sent([], (invite) => assert.equal(invite.uri, 'tel:1120'),
		{ target: 'tel:1120' }),
	'the Service-Route is the route, whatever the WIC says': sent(
		[['Route', '<sip:elsewhere.example;lr>'], ['Route', '<sip:further.example;lr>']],
		(invite) => {
			assert.equal(invite.all('Route').length, 1);
			assert.match(invite.header('Route'), /^<sip:orig@[^>]*;lr>$/);
		}),
	'without preference the default identity is asserted': sent([], asserted('alice')),
	'the preferred identity of the binding is asserted': sent(
		[['P-Preferred-Identity', `<${impu('alice')}>`]], asserted('alice')),
	'a preferred identity of another is not': sent(
		[['P-Preferred-Identity', `<${impu('bob')}>`]], asserted('alice')),
	'a telephone number beside it is no fault': sent([['P-Preferred-Identity',
		`<${impu('alice')}>, <tel:+15551234567>`]], asserted('alice')),
	'two preferred identities of one scheme are': refused(403, [
		['P-Preferred-Identity', `<${impu('alice')}>`], ['P-Preferred-Identity', FORGED]]),
	'an asserted identity of the WIC is none': sent([['P-Asserted-Identity', FORGED]],
		asserted('alice')),
	'a From of another is refused': refused(403, [], { near: `${FORGED};tag=f` }),
	'an anonymous From is not': sent([], asserted('alice'),
		{ near: '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=f' }),
	'Privacy is kept, and the identity asserted': sent([['Privacy', 'id']], (invite) => {
		assert.equal(invite.header('Privacy'), 'id');
		asserted('alice')(invite);
	}),
	'we are in Via and in Record-Route, and charge': sent([], (invite, alice) => {
		assert.equal(invite.all('Via').length, 2);
		assert.match(invite.all('Via')[0], /^SIP\/2\.0\/(UDP|TCP) [^;]+;branch=z9hG4bK/);
		assert.match(invite.header('Record-Route'), /^<sip:[BF]t1\.[A-Za-z0-9_-]{43}@[^>]*;lr/);
		assert.doesNotMatch(invite.header('Record-Route'), /;ob/);
		assert.match(invite.header('P-Charging-Vector'),
			/^icid-value="[^"]+";icid-generated-at=[^;"]+;orig-ioi="[^"]+"$/);
		assert.equal(invite.header('Contact'), alice.contactUri, 'unchanged');
		assert.equal(invite.header('Max-Forwards'), '69');
	}),
	'what a network says of an access is no word of the WIC': sent([
		['P-Access-Network-Info', 'IEEE-802.11;np, 3GPP-E-UTRAN;network-provided'],
		['P-Access-Network-Info', 'IEEE-802.11']], (invite) =>
		assert.deepEqual(invite.all('P-Access-Network-Info'), ['IEEE-802.11'])),
	'nothing of the trust domain comes from a WIC': sent(Object.entries(TRUSTED), (invite) => {
		assert.doesNotMatch(invite.text, /forged/);
		lacks(Object.keys(TRUSTED).filter((name) => name !== 'P-Charging-Vector'))(invite);
	}),
	'unknown headers pass': sent([['X-Whatever', 'passes']], (invite) =>
		assert.equal(invite.header('X-Whatever'), 'passes')),
	'a bad token is no fault of who has registered': sent([['Authorization', 'Bearer a.b.c']],
		(invite) => assert.equal(invite.header('Authorization'), null)),
	async 'a method nobody knows is forwarded'({ core }, alice) {
		const leg = alice.invites('bob', [], {}, 'FANTASY');
		core.replies(await core.gets('FANTASY', leg), 200, 'OK');
		await alice.hears(200, 'FANTASY', leg);
	},
	async 'each call has a charging identifier of its own'({ core }, alice) {
		const seen = [];
		for (let n = 0; n < 2; n += 1) {
			const leg = alice.invites('bob');
			const invite = await core.gets('INVITE', leg);
			seen.push(icid(invite));
			core.replies(invite, 486, 'Busy Here');
			await alice.hears(486, 'INVITE', leg);
		}
		assert.ok(seen[0] && seen[1] && seen[0] !== seen[1], seen.join(' and '));
	},
};

const CALLER = `<sip:caller@${REALM}>`;
const CHARGE = ['P-Charging-Vector',
	'icid-value="of-the-core";icid-generated-at=192.0.2.7;orig-ioi="other.example"'];

const TERMINATING = {
	'who calls is told': received([['P-Asserted-Identity', CALLER]], (invite) =>
		assert.equal(invite.header('P-Asserted-Identity'), CALLER)),
	'who calls is not told when that is private': received(
		[['P-Asserted-Identity', CALLER], ['Privacy', 'id']], lacks(['P-Asserted-Identity'])),
	'nor when it is among other things': received([['P-Asserted-Identity', CALLER],
		['Privacy', 'header; id ;critical']], lacks(['P-Asserted-Identity'])),
	'what is of the core does not come out': received(
		Object.entries(TRUSTED).filter(([name]) => !['Path', 'Service-Route', 'Feature-Caps',
			'P-Associated-URI', 'Resource-Priority'].includes(name)),
		lacks(['P-Charging-Vector', 'P-Charging-Function-Addresses', 'P-Served-User',
			'P-Profile-Key', 'P-User-Database', 'P-Visited-Network-ID',
			'P-Private-Network-Indication', 'Relayed-Charge'])),
	'who was called is told': received([], (invite) =>
		assert.equal(invite.header('P-Called-Party-ID'), `<${impu('alice')}>`)),
	'the target is the Contact, and the way is ours': received([], (invite, leg) => {
		assert.equal(invite.uri, leg.target);
		assert.equal(invite.header('Route'), null);
		assert.match(invite.all('Via')[0], /^SIP\/2\.0\/WSS? /);
		assert.match(invite.all('Record-Route')[0], /^<sip:[BF]t1\.[A-Za-z0-9_-]{43}@[^>]*;lr/);
		assert.doesNotMatch(invite.all('Record-Route')[0], /;ob/);
		assert.equal(invite.header('Max-Forwards'), '68');
	}),
	async 'a further Route is a fault'({ core }, alice) {
		const leg = core.legTo(alice.register_on_mw, 'alice');
		core.sends('INVITE', { ...leg, routes: [...leg.routes, '<sip:elsewhere.example;lr>'] });
		await core.hears(403, 'INVITE', leg);
		await pause(NOTHING_MS);
		assert.ok(!alice.requests.some((sip) => sip.header('Call-ID') === leg.id), 'nothing at alice');
	},
};

const RESPONSES = {
	'who was called is asserted, whoever the WIC says it is': answered([],
		{ more: [['P-Asserted-Identity', FORGED], ['P-Preferred-Identity', FORGED]] }, (response) => {
			assert.deepEqual(response.all('P-Asserted-Identity'), [`<${impu('alice')}>`]);
			assert.equal(response.header('P-Preferred-Identity'), null);
		}),
	'the charging of the request comes back with our part': answered([CHARGE],
		{ more: [['P-Charging-Vector', 'icid-value="forged"']] }, (response) => {
			const [value, ...others] = response.all('P-Charging-Vector');
			assert.equal(others.length, 0);
			assert.match(value, /icid-value="?of-the-core"?/);
			assert.match(value, /orig-ioi="?other\.example"?/);
			assert.match(value, new RegExp(`term-ioi="?${REALM}"?`));
		}),
	async 'inside too'({ core }, alice) {
		const leg = core.legTo(alice.register_on_mw, 'alice');
		core.sends('INVITE', leg, { more: [CHARGE] });
		alice.replies(await alice.gets('INVITE', leg.id), 200, 'OK');
		const inner = core.answered(leg, await core.hears(200, 'INVITE', leg));
		core.sends('ACK', inner);
		for (const [cseq, more] of [[2, [CHARGE]], [3, []]]) {
			core.sends('INFO', inner, { cseq, more });
			alice.replies(await waitFor('INFO', () => alice.requests.find((sip) =>
				sip.header('CSeq') === `${cseq} INFO` && sip.header('Call-ID') === leg.id)), 200, 'OK');
			const response = await waitFor('its answer', () => core.core.responses.find((sip) =>
				sip.header('CSeq') === `${cseq} INFO` && sip.header('Call-ID') === leg.id));
			assert.equal(icid(response), 'of-the-core', `${cseq} INFO`);
		}
	},
	'nothing of the trust domain comes with a response of a WIC': answered([],
		{ more: Object.entries(TRUSTED) }, (response) => assert.doesNotMatch(response.text, /forged/)),
	'a Record-Route that the WIC has changed is put right': answered([],
		{ edit: ([name, value]) => name === 'record-route' && /[BF]t1\./.test(value)
			? [name, '<sip:elsewhere.example;lr>'] : [name, value] }, (response, invite) => {
			assert.doesNotMatch(response.text, /elsewhere/);
			assert.equal(response.all('Record-Route').flatMap((line) => line.split(','))[0].split('@')[1]
				.split(';')[0], invite.all('Record-Route')[0].split('@')[1].split(';')[0]);
		}),
	'the Contact of an answer is unchanged': answered([], {}, (response, invite) =>
		assert.equal(response.header('Contact'), `<${invite.uri}>`)),
	'who answers is told, and nothing of the charging': heard([
		['P-Asserted-Identity', `<${impu('bob')}>`], CHARGE,
		['P-Charging-Function-Addresses', 'ccf=192.0.2.1']], (response) => {
		assert.equal(response.header('P-Asserted-Identity'), `<${impu('bob')}>`);
		lacks([CHARGE[0], 'P-Charging-Function-Addresses'])(response);
		assert.equal(response.all('Via').length, 1);
	}),
	'who answers is not told when that is private': heard([
		['P-Asserted-Identity', `<${impu('bob')}>`], ['Privacy', 'id']],
	lacks(['P-Asserted-Identity'])),
	async 'the 100 of the core ends here'({ core }, alice) {
		const leg = alice.invites('bob');
		const invite = await core.gets('INVITE', leg);
		core.replies(invite, 100, 'Trying');
		core.replies(invite, 183, 'Session Progress');
		await alice.hears(183, 'INVITE', leg);
		assert.equal(alice.heard(leg), '100 to 1 INVITE, 183 to 1 INVITE');
		core.replies(invite, 603, 'Decline');
		await alice.hears(603, 'INVITE', leg);
	},
	async 'a response to nothing goes nowhere'({ core }, alice) {
		const leg = core.legTo(alice.register_on_mw, 'alice');
		const branch = core.sends('INVITE', leg);
		const invite = await alice.gets('INVITE', leg.id);
		const wrong = ([name, value]) => [name, name === 'via' ? value.replace('z9hG4bK', 'z9hG4bKx') : value];
		alice.replies(invite, 200, 'OK', { edit: wrong });
		alice.replies(invite, 486, 'Busy Here');
		await core.hears(486, 'INVITE', leg);
		assert.ok(!core.heard(leg).includes('200'), core.heard(leg));
		core.sends('ACK', leg, { branch });
	},
};

await scenario(WORLDS, async (world) => {
	const stage = await Stage.open(world);
	await eachCase({ ...ORIGINATING, ...TERMINATING, ...RESPONSES }, async (play) => {
		const alice = await stage.enter('alice');
		try {
			await play(stage, alice);
		} finally {
			await alice.close();
		}
	});
}, 120000);
