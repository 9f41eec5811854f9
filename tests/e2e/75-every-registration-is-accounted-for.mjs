// SPDX-License-Identifier: BSD-3-Clause
// SIPp is the registrar. Each REGISTER that a WIC sends is one at the core and one 200, no more and no
// less. WICGATE_E2E_REGISTERS: how many.

import { crowd, crowdWorld, many, tally } from './lib/crowd.mjs';
import { MW_PORT } from './lib/names.mjs';
import { KERNEL_WORLDS, WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';
import { Sipp } from './lib/sipp.mjs';

const REGISTERS = Number(process.env.WICGATE_E2E_REGISTERS ?? 1000);
const WICS = Math.max(20, Math.min(500, REGISTERS / 200));
const LIMIT_MS = 60000 + REGISTERS * 10;
const ABREAST = 250;   /* WICs that register at a time: a worker checks so many new signatures at once (256) */
const TOKEN_S = 7200;

await scenario([...KERNEL_WORLDS, WORKER_COUNTS[0]].map((world) =>
	({ ...world, core: 'script', ...crowdWorld(WICS) })), async (world) => {
	await world.capture.stop(); /* it would be all that we remember */
	const registrar = Sipp.start(world, 'registrar', { port: MW_PORT, calls: REGISTERS,
		keys: { service_port: String(MW_PORT) } });
	await registrar.ready();
	const wics = await crowd(world, WICS);
	const tokens = wics.map(({ user }) => world.mint.issue(user, { lifetime_s: TOKEN_S }));
	const began = Date.now();
	const each = await many(WICS, ABREAST, (n) =>
		many(REGISTERS / WICS, 1, () => wics[n].registerOnce(tokens[n])));
	const seconds = (Date.now() - began) / 1000;
	assert.deepEqual(tally(each.flat()), { 200: REGISTERS }, `what the WICs were told: ${
		JSON.stringify(tally(each.flat()))}; the gateway counted ${await world.gateway.allErrors()}`);
	assert.deepEqual(await registrar.done(), { exit: 0, created: REGISTERS, successful: REGISTERS,
		failed: 0, stray: 0 }, 'what the registrar counted');
	assert.deepEqual(wics.flatMap(({ strays }) => strays), [], 'responses to nobody');
	assert.equal((await world.gateway.bindings()).length, WICS);
	console.log(`# ${REGISTERS} REGISTERs in ${seconds.toFixed(1)} s`);
}, LIMIT_MS);
