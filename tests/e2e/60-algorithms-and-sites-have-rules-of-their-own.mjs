// SPDX-License-Identifier: BSD-3-Clause
// F07, F10, F12 with every algorithm, F19 and F21; and tokens that look strange and are right.

import { notAllowed, otherAlgorithms } from './lib/bad_tokens.mjs';
import { eachCase } from './lib/cases.mjs';
import { ALGORITHMS, OTHER_ISSUER, OTHER_ORIGINS, OTHER_USERS } from './lib/forge.mjs';
import { AUDIENCE } from './lib/names.mjs';
import { Refusals, refusedTwice } from './lib/refusals.mjs';
import { DEVICE_WORLDS, scenario } from './lib/scenario.mjs';

const WORLDS = [{ ...DEVICE_WORLDS[0], w2: 'port' }, { workers: 2, mw: 'udp', core: 'script' }];

/** What looks strange and is right. */
const strange = (forge) => ({
	'typ JWT': forge.token('alice', { header: { typ: 'JWT' } }),
	'no typ': forge.token('alice', { header: { typ: undefined } }),
	'typ application/at+jwt': forge.token('alice', { header: { typ: 'application/at+jwt' } }),
	'typ in capitals': forge.token('alice', { header: { typ: 'AT+JWT' } }),
	'no kid and one key': forge.token('alice', { header: { kid: undefined } }),
	'jku, x5u and x5c that nobody reads': forge.token('alice', { header: {
		jku: 'https://evil.example/', x5u: 'https://evil.example/', x5c: ['AAAA'] } }),
	'aud is a list with us': forge.token('alice', { claims: { aud: ['x', AUDIENCE] } }),
	'impu is a list': forge.token('alice', { claims: { impu: ['sip:alice@ims.example.test'] } }),
	'exp with a fraction': forge.token('alice', { claims: { exp: Date.now() / 1000 + 600.5 } }),
	'iat within the leeway': forge.token('alice', { claims: { iat: Math.floor(Date.now() / 1000)
		+ 20 } }),
	'claims that nobody knows': forge.token('alice', { claims: { x: { y: [1, null, 'z'] } } }),
	'white space in the JSON': forge.bytes('alice', { payload: JSON.stringify(forge.claims('alice'),
		null, 2) }),
	'iss with escapes': forge.bytes('alice', { payload: JSON.stringify(forge.claims('alice'))
		.replace('https:', '\\u0068ttps:') }),
	'the site by its name': forge.token('alice', { claims: { wwsf: 'shop' } }),
	'eight levels': forge.bytes('alice', { payload: JSON.stringify(forge.claims('alice'))
		.replace('{', '{"x":[[[[[[[]]]]]]],') }),
});

async function isAccepted(refusals, user, origin, token) {
	const wic = await refusals.connect(user, origin);
	await refusals.serves(wic, token);
	await wic.close();
}

await scenario(WORLDS, async (world) => {
	const refusals = await Refusals.open(world);
	const { forge } = refusals;
	const [user] = OTHER_USERS;
	const [origin] = OTHER_ORIGINS;
	const ours = { user: 'alice', good: () => forge.token('alice') };
	const theirs = { user, origin, authz_server: OTHER_ISSUER, good: () => forge.other('EdDSA') };
	const cases = otherAlgorithms(forge);
	await eachCase({
		'not allowed': [notAllowed(forge), refusedTwice(refusals, { ...ours, status: 403 })],
		'other algorithms': [cases.curable, refusedTwice(refusals, { ...theirs, status: 401 })],
		'other sites': [cases.not_allowed, refusedTwice(refusals, { ...theirs, status: 403 })],
		'strange': [strange(forge), (token) => isAccepted(refusals, 'alice', undefined, token)],
		'good': [Object.fromEntries(ALGORITHMS.map((name) => [name, forge.other(name)])),
			(token) => isAccepted(refusals, user, origin, token)],
	}, ([tokens, play]) => eachCase(tokens, play));
});
