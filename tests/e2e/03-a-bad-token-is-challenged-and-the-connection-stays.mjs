// SPDX-License-Identifier: BSD-3-Clause
import { AUTHZ_SERVER } from './lib/names.mjs';
import { KERNEL_WORLDS, MIXED_WORLDS, WORKER_COUNTS, assert, assertNoTokenOnMw,
	scenario } from './lib/scenario.mjs';
import { strangerKey } from './lib/token.mjs';
import { Wic } from './lib/wic.mjs';

function withoutSignature(token) {
	const [, claims] = token.split('.');
	const header = Buffer.from('{"typ":"at+jwt","alg":"none"}').toString('base64url');
	return `${header}.${claims}.`;
}

/** What is wrong -> [token, error expected in the challenge (PROTOCOL 3.6)] */
function badTokens(mint) {
	return {
		'no token': [null, null],
		'expired': [mint.issue('alice', { lifetime_s: -120, claims: {
			iat: Math.floor(Date.now() / 1000) - 720 } }), 'invalid_token'],
		'signed by a stranger': [mint.issue('alice', { key: strangerKey() }), 'invalid_token'],
		'for another audience': [mint.issue('alice', { claims: { aud: 'sip:ep9.home9.net' } }),
			'invalid_token'],
		'of an unknown issuer': [mint.issue('alice', { claims: { iss: 'https://evil.example' } }),
			'invalid_token'],
		'not signed at all': [withoutSignature(mint.issue('alice')), 'invalid_token'],
		'no token at all but text': ['abc', 'invalid_token'],
	};
}

function assertChallenge(answer, error, what) {
	assert.equal(answer.status, 401, what);
	const challenge = answer.header('WWW-Authenticate');
	assert.match(challenge, /^Bearer /, what);
	assert.ok(challenge.includes(`authz_server="${AUTHZ_SERVER}"`), `${what}: ${challenge}`);
	assert.equal(/error="([^"]*)"/.exec(challenge)?.[1] ?? null, error, what);
}

await scenario([...WORKER_COUNTS, KERNEL_WORLDS[0], ...MIXED_WORLDS], async (world) => {
	const wic = await Wic.connect('alice', { ca: world.files.ca_pem });
	const bad = Object.entries(badTokens(world.mint));
	for (const [what, [token, error]] of bad) {
		assertChallenge(await wic.register(token), error, what);
		assertChallenge(await wic.register(token), error, `${what}, again`);
		assert.ok(wic.isOpen, `connection open after: ${what}`);
	}
	await world.capture.settle();
	assert.equal(world.capture.requestsToCore('REGISTER').length, 0, 'nothing of it on Mw');

	const good = world.mint.issue('alice');
	assert.equal((await wic.register(good)).status, 200, 'a good token on the same connection');
	await world.kamailio.waitForContacts('alice', 1);
	const used = [good, ...bad.map(([, [token]]) => token)];
	await assertNoTokenOnMw(world, used.filter((token) => token?.includes('.')));
	await wic.close();
});
