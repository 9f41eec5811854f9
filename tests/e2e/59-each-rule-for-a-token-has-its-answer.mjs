// SPDX-License-Identifier: BSD-3-Clause
// F04 to F10, F12 to F15, F17, F25: a REGISTER with a token that breaks one rule, twice, and a good
// one on the same connection.

import { curable } from './lib/bad_tokens.mjs';
import { eachCase } from './lib/cases.mjs';
import { Refusals, refusedTwice } from './lib/refusals.mjs';
import { DEVICE_WORLDS, scenario } from './lib/scenario.mjs';

const WORLDS = [{ ...DEVICE_WORLDS[0], w2: 'port' }, { workers: 2, mw: 'udp', core: 'script' }];

await scenario(WORLDS, async (world) => {
	const refusals = await Refusals.open(world);
	const { forge } = refusals;
	await eachCase(curable(forge), refusedTwice(refusals,
		{ user: 'alice', good: () => forge.token('alice'), status: 401 }));
});
