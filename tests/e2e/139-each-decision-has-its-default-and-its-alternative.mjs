// SPDX-License-Identifier: BSD-3-Clause
// Every decision D-nn of the protocol is a row: what its default does, seen from outside, and, where it has a setting, what
// that changes when it is reloaded. Rows that are not seen here say why.

import { readFileSync } from 'node:fs';
import { FIXED } from './lib/decisions_fixed.mjs';
import { SETTINGS } from './lib/decisions_set.mjs';
import { DecisionStage } from './lib/decisions.mjs';
import { HOSTILE_WORLDS, assert, scenario } from './lib/scenario.mjs';

const COUNT = 46; /* PROTOCOL has D-01 to D-46 */
const LIMIT_MS = 90000;

/** Rows that no scenario can show from outside at once, or that come with what is still being built. */
const ELSEWHERE = {
	'D-20': 'whose is the next token of a pair: e2e 104 and 105 have its rows',
	'D-21': 'whose is a pair: e2e 105 has the rows of 6.4; pool_multi_device has no setting',
	'D-22': 'un-registered wildcard: with its own scripts', 'D-23': 'un-registered wildcard: with its own scripts',
	'D-24': 'un-registered wildcard: with its own scripts',
	'D-25': 'block registration: with its own scripts', 'D-26': 'block registration: with its own scripts',
	'D-36': 'dialogs outlive a registration: unit dialog, it takes the time of a registration',
	'D-37': 'no BYE of ours: unit call_timers; no dialog is kept that one could end',
	'D-38': 'reg-event: with its own scripts',
	'D-42': '481 after the grace: unit dialog and e2e 94',
	'D-43': 'scenario 1 waits for the expiry: unit ims_rows, it takes the time of a registration',
	'D-44': 'the instant of an expiry: unit reconnect, by a clock of its own',
	'D-45': 'timers of 32 s: unit timers and call_timers',
};

function assertComplete() {
	const rows = [...SETTINGS.map(({ id }) => id), ...FIXED.map(({ id }) => id), ...Object.keys(ELSEWHERE)];
	assert.equal(new Set(rows.filter((id) => !SETTINGS.some((row) => row.id === id))).size
		+ new Set(SETTINGS.map(({ id }) => id)).size, new Set(rows).size, 'a row is in one table');
	const all = Array.from({ length: COUNT }, (_, at) => `D-${String(at + 1).padStart(2, '0')}`);
	assert.deepEqual(all.filter((id) => !rows.includes(id)), [], 'decisions without a row');
	assert.deepEqual(rows.filter((id) => !all.includes(id)), [], 'rows of no decision');
}

/** A setting that a row names must be one of the product's. */
function assertSettings() {
	const known = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
	for (const { id, setting } of SETTINGS)
		assert.ok(known.includes(`| \`${setting}\` |`), `${id}: ${setting} is no setting`);
}

assertComplete();
assertSettings();
await scenario(HOSTILE_WORLDS.map((world) => ({ ...world, ...DecisionStage.world })), async (world, options) => {
	const stage = await DecisionStage.open(world, options);
	for (const row of FIXED)
		await stage.plays(row);
	for (const row of SETTINGS)
		await stage.turns(row);
	assert.deepEqual(stage.failed, []);
}, LIMIT_MS);
