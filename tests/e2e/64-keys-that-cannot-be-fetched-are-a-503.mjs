// SPDX-License-Identifier: BSD-3-Clause
// F11: nobody answers where the keys of an issuer are. Its users are told to come again, those of
// others notice nothing.

import { OTHER_ISSUER, OTHER_ORIGINS, OTHER_USERS } from './lib/forge.mjs';
import { SITE_HOST } from './lib/names.mjs';
import { Refusals, assertRefused } from './lib/refusals.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';

const WORLDS = [{ ...DEVICE_WORLDS[0], w2: 'port' }, { workers: 2, mw: 'udp', core: 'script' }];
const NOWHERE = `https://${SITE_HOST}:9/jwks.json`; /* nothing listens there */

await scenario(WORLDS, async (world) => {
	const refusals = await Refusals.open(world, ({ more_issuers, ...more }) => ({ ...more,
		more_issuers: more_issuers.replace(/"file:[^"]*"/, `"${NOWHERE}"`) }));
	const { forge } = refusals;
	const wic = await refusals.connect(OTHER_USERS[0], OTHER_ORIGINS[0]);
	for (const token of [forge.other('ES256'), forge.other('EdDSA')]) {
		const answer = await refusals.counted(['F11'], 1, () => wic.register(token));
		assertRefused(answer, 503, { token, authz_server: OTHER_ISSUER });
		assert.match(answer.header('Retry-After') ?? 'none', /^[1-9]\d*$/);
		assert.ok(wic.isOpen);
	}
	const alice = await refusals.connect('alice');
	await refusals.serves(alice, forge.token('alice'));
	await alice.close();
	await wic.close();
});
