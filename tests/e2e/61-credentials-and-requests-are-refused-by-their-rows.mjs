// SPDX-License-Identifier: BSD-3-Clause
// F01 to F03, F22, F23, F26: not the token is wrong but how it comes, or with which request.

import { eachCase } from './lib/cases.mjs';
import { FOREIGN_IMPU } from './lib/forge.mjs';
import { REALM, impi, impu } from './lib/names.mjs';
import { Refusals, assertNothingOf, assertRefused } from './lib/refusals.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';

const WORLDS = [{ ...DEVICE_WORLDS[0], w2: 'port' }, { workers: 2, mw: 'udp', core: 'script' }];
const HOME = `sip:${REALM}`;
const DIGEST = `Digest username="${impi('alice')}",realm="${REALM}",nonce="",uri="${HOME}",`
	+ 'response=""';
const lines = (...values) => values.map((value) => ['Authorization', value]);
const parameters = (token, ...more) =>
	['Bearer ' + [`access_token="${token}"`, ...more].join(', ')];

/** A REGISTER of this WIC with everything in the script's hand. */
const register = (wic, { uri = HOME, to = impu(wic.user), credentials = [], headers = [] }) =>
	wic.request('REGISTER', uri, { to, call_id: wic.call_id, headers: [
		['Contact', wic.contact], ['Expires', '600'], ['Supported', 'path, outbound'],
		...credentials, ...headers] });

/** {name: [rows, status, the request]} */
function refusedRequests(forge) {
	const token = () => forge.token('alice');
	const good = token();
	const named = (name) => ({ credentials: lines(...parameters(token(), `username="${name}"`)) });
	return {
		'F01 no credential': [['F01'], 401, {}],
		'F02 two tokens': [['F02'], 400, { credentials: lines(`Bearer ${token()}`,
			`Bearer ${token()}`) }],
		'F02 two tokens, spelled in two ways': [['F02'], 400, {
			credentials: lines(`Bearer ${token()}`, ...parameters(token())) }],
		'F02 two tokens, in one line': [['F02'], 400, { credentials: lines(
			`Bearer access_token="${token()}", access_token="${token()}"`) }],
		'F02 a token and Digest': [['F02'], 400, { credentials: lines(DIGEST, `Bearer ${good}`) }],
		'F02 Digest behind a token': [['F02'], 400, { credentials: lines(`Bearer ${good}`,
			DIGEST) }],
		'F03 Basic': [['F03'], 401, { credentials: lines('Basic YWxpY2U6c2VjcmV0') }],
		'F03 a scheme that nobody knows': [['F03'], 401,
			{ credentials: lines('NoOneKnows x="y"') }],
		'F03 a scheme that begins like ours': [['F03'], 401,
			{ credentials: lines(`Bearer2 ${good}`) }],
		'F22 To of another user': [['F22'], 403, { credentials: lines(`Bearer ${token()}`),
			user: 'bob' }],
		'F22 another username': [['F22'], 403, named(impi('bob'))],
		'F22 a username with something behind': [['F22'], 403, named(`${impi('alice')}.example`)],
		'F23 To of another user, From ours': [['F23'], 403,
			{ credentials: lines(`Bearer ${token()}`),
			to: impu('bob') }],
		'F23 From of another user, To ours': [['F23'], 403,
			{ credentials: lines(`Bearer ${token()}`),
			to: impu('alice'), user: 'bob' }],
		'F23 To of nobody': [['F23'], 403, { credentials: lines(`Bearer ${token()}`),
			to: FOREIGN_IMPU }],
		'F26 a domain that is not served': [['F26'], 403, { credentials: lines(`Bearer ${token()}`),
			uri: 'sip:ims.other.test' }],
		'F26 a domain below ours': [['F26'], 403, { credentials: lines(`Bearer ${token()}`),
			uri: `sip:a.${REALM}` }],
		'F26 a domain that ends like ours': [['F26'], 403,
			{ credentials: lines(`Bearer ${token()}`),
			uri: `sip:x${REALM}` }],
	};
}

/** Both spellings, and what may be said beside the token. */
function acceptedRequests(forge) {
	const token = () => forge.token('alice');
	const twice = token();
	return {
		'the spelling of RFC 6750': { credentials: lines(`Bearer ${token()}`) },
		'the spelling of TS 24.371': { credentials: lines(...parameters(token())) },
		'with our username': { credentials: lines(...parameters(token(),
			`username="${impi('alice')}"`)) },
		'username first': { credentials: lines(
			`Bearer username="${impi('alice')}",access_token="${token()}"`) },
		'the scheme in small letters': { credentials: lines(`bearer ${token()}`) },
		'the parameter in capitals': { credentials: lines(`BEARER Access_Token="${token()}"`) },
		'a folded line': { credentials: lines(`Bearer\r\n access_token="${token()}"`) },
		'one token twice': { credentials: lines(`Bearer ${twice}`, `Bearer ${twice}`) },
		'one token in both spellings': { credentials: lines(`Bearer ${twice}`,
			...parameters(twice)) },
		'domain and host in capitals': { credentials: lines(`Bearer ${token()}`),
			uri: `sip:${REALM.toUpperCase()}` },
		'a display name': { credentials: lines(`Bearer ${token()}`) },
	};
}

/** Nor does a token count that is in a URI, or in a header of the other direction. */
function tokenElsewhere(forge) {
	const token = forge.token('alice');
	return {
		'F01 a token in the Request-URI': [['F01', 'F26'], null,
			{ uri: `${HOME};access_token=${token}` }],
		'F01 a token in a header of our own': [['F01'], 401, { headers: [['X-Token',
			`Bearer ${token}`]] }],
		'F01 a token in WWW-Authenticate': [['F01'], 401, {
			headers: [['WWW-Authenticate', `Bearer ${token}`]] }],
	};
}

await scenario(WORLDS, async (world) => {
	const refusals = await Refusals.open(world);
	const { forge } = refusals;
	const refused = async ([rows, status, request]) => {
		const wic = await refusals.connect(request.user ?? 'alice');
		const answer = await refusals.counted(rows, 1, () => register(wic, request));
		assertRefused(answer, status ?? answer.status);
		assert.ok([400, 401, 403].includes(answer.status), answer.start);
		await refusals.serves(wic, forge.token(wic.user));
		await wic.close();
	};
	const accepted = async (request) => {
		const wic = await refusals.connect('alice');
		const answer = await register(wic, request);
		assert.equal(answer.status, 200, answer.start);
		const { text } = refusals.heard().at(-1);
		assert.doesNotMatch(text, /Bearer /i);
		for (const token of JSON.stringify(request).match(/eyJ[\w.-]+/g))
			assertNothingOf(token, text, 'nothing of the token');
		await wic.close();
	};
	await eachCase({ 'refused': [refusedRequests(forge), refused],
		'elsewhere': [tokenElsewhere(forge), refused], 'accepted': [acceptedRequests(forge),
			accepted],
	}, ([cases, play]) => eachCase(cases, play));
});
