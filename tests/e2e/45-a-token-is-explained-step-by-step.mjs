// SPDX-License-Identifier: BSD-3-Clause
import { randomUUID } from 'node:crypto';
import { SITE_ORIGIN, impu } from './lib/names.mjs';
import { KERNEL_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { strangerKey } from './lib/token.mjs';

await scenario([KERNEL_WORLDS[1]], async (world) => {
	const { gateway, mint } = world;
	const explain = async (token, origin) => JSON.parse((await gateway.wicctl(
		['explain', ...(origin ? ['--origin', origin] : [])], token)).stdout);
	const jti = randomUUID();
	const good = mint.issue('alice', { claims: { jti } });

	const { steps, header, claims } = await explain(good, SITE_ORIGIN);
	assert.deepEqual(steps.filter(({ result }) => result !== 'ok'), []);
	assert.ok(steps.length >= 10, `only ${steps.length} steps`);
	assert.deepEqual(header.find((row) => row.header === '"alg"').value, '"ES256"');
	const claim = (name) => claims.find((row) => row.claim === `"${name}"`).value;
	assert.equal(claim('impu'), `"${impu('alice')}"`);
	assert.match(claim('jti'), /^"h:[0-9a-f]{16}"$/);

	/* the last step says why, whatever is wrong */
	const last = async (token, origin) => (await explain(token, origin)).steps.at(-1).result;
	assert.match(await last('abc'), /^F04 /);
	assert.match(await last(mint.issue('alice', { key: strangerKey() })), /^F12 /);
	assert.match(await last(mint.issue('alice', { claims: { aud: 'sip:ep9.home9.net' } })), /^F13 /);
	assert.match(await last(mint.issue('alice', { lifetime_s: -120, claims: {
		iat: Math.floor(Date.now() / 1000) - 720 } })), /^F14 /);
	assert.match(await last(mint.issue('eve')), /^F21 /);

	/* revoked by the hash that it has shown */
	await gateway.ask('revoke', 'jti-hash', JSON.parse(claim('jti')));
	assert.match(await last(good, SITE_ORIGIN), /^F16 /);
	await gateway.ask('revoke', 'undo', 'jti', 'shop-waf', jti);
	assert.equal(await last(good, SITE_ORIGIN), 'ok');
	await gateway.ask('disable', 'shop');
	assert.match(await last(good, SITE_ORIGIN), /^F19 /);

	const log = gateway.program.log();
	for (const secret of [jti, ...good.split('.')])
		assert.ok(!log.includes(secret), 'something of a token in the log');
});
