// SPDX-License-Identifier: BSD-3-Clause
// The column "other" of the table of failures: MESSAGE and INVITE with a credential, on a
// connection that has no binding.

import { curable, notAllowed } from './lib/bad_tokens.mjs';
import { eachCase } from './lib/cases.mjs';
import { REALM, impu } from './lib/names.mjs';
import { Refusals, assertRefused } from './lib/refusals.mjs';
import { DEVICE_WORLDS, scenario } from './lib/scenario.mjs';

const WORLDS = [{ ...DEVICE_WORLDS[0], w2: 'port' }, { workers: 2, mw: 'udp', core: 'script' }];
const METHODS = ['MESSAGE', 'INVITE'];
const CARRIERS = ['Proxy-Authorization', 'Authorization'];

const ask = (wic, method, headers) => wic.request(method, impu('bob'), { headers: [
	['Contact', `<sip:alice@${wic.host};transport=ws>`], ['Content-Type', 'text/plain'],
		...headers],
body: 'hello' });

/** One token for each row, in both carriers, with both methods. */
const challenged = (refusals) => async ({ rows, token }) => {
	const wic = await refusals.connect('alice');
	for (const method of METHODS)
		for (const carrier of CARRIERS) {
			const answer = await refusals.counted(rows, 1, () =>
				ask(wic, method, [[carrier, `Bearer ${token}`]]));
			assertRefused(answer, 407, { error: 'invalid_token', token });
		}
	await refusals.serves(wic, refusals.forge.token('alice'));
	await wic.close();
};

/** Credentials: {name: [rows, status, headers]} */
function credentials(forge) {
	const two = CARRIERS.map((name) => [name, `Bearer ${forge.token('alice')}`]);
	return {
		'F02 two tokens': [['F02'], 400, two],
		'F02 a token and Digest': [['F02'], 400, [two[0],
			['Proxy-Authorization', `Digest username="a",realm="${REALM}",nonce="",response=""`]]],
		'F03 a scheme that nobody knows': [['F03'], 407, [['Proxy-Authorization',
			'NoOneKnows x="y"']]],
	};
}

const refused = (refusals) => async ([rows, status, headers]) => {
	const wic = await refusals.connect('alice');
	for (const method of METHODS)
		assertRefused(await refusals.counted(rows, 1, () => ask(wic, method, headers)), status);
	await refusals.serves(wic, refusals.forge.token('alice'));
	await wic.close();
};

/**
 * 403: the token is genuine. Whether the site has this scenario at all (F20) comes before whose the
 * identities are (F21): PROTOCOL 3.5, steps 14, 15, 17.
 */
const forbidden = (refusals) => async ({ rows: [row], token }) => {
	const rows = [row === 'F19' ? 'F19' : 'F20'];
	const wic = await refusals.connect('alice');
	for (const method of METHODS)
		assertRefused(await refusals.counted(rows, 1, () =>
			ask(wic, method, [['Authorization', `Bearer ${token}`]])), 403, { token });
	await refusals.serves(wic, refusals.forge.token('alice'));
	await wic.close();
};

/** One of each row is enough here: 59 has them all. F25 is about registrations. */
function oneOfEach(cases) {
	const firsts = Object.entries(cases).filter(([, { rows: [row] }], at, all) =>
		row !== 'F25' && all.findIndex(([, { rows }]) => rows[0] === row) === at);
	return Object.fromEntries(firsts);
}

await scenario(WORLDS, async (world) => {
	const refusals = await Refusals.open(world);
	const { forge } = refusals;
	await eachCase({
		'challenged': [oneOfEach(curable(forge)), challenged(refusals)],
		'forbidden': [{ ...oneOfEach(notAllowed(forge)),
			'F20 a good token': { rows: ['F20'], token: forge.token('alice') } },
		forbidden(refusals)],
		'credentials': [credentials(forge), refused(refusals)],
	}, ([cases, play]) => eachCase(cases, play));
});
