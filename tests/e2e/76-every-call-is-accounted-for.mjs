// SPDX-License-Identifier: BSD-3-Clause
// SIPp is registrar, caller and callee of the core, at the same time. Each call, whoever began it, has
// been whole at both of its ends. WICGATE_E2E_CALLS: how many, half in each direction.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crowd, crowdWorld, many, tally } from './lib/crowd.mjs';
import { MW_PORT } from './lib/names.mjs';
import { KERNEL_WORLDS, WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';
import { Sipp } from './lib/sipp.mjs';
import { waitFor } from './lib/process.mjs';

const CALLS = Number(process.env.WICGATE_E2E_CALLS ?? 200);
const EACH_WAY = CALLS / 2;
const WICS = Math.max(10, Math.min(200, CALLS / 20));
const ABREAST = 100; /* of those that WICs begin */
const CALLS_PER_S = 200;   /* of those that the core begins */
const HOLD_MS = 100;
const LIMIT_MS = 60000 + CALLS * 20;
const CALLEE_PORT = MW_PORT + 2;
const CALLER_PORT = MW_PORT + 4;
const TOKEN_S = 7200;

async function register(world, wics) {
	const registrar = Sipp.start(world, 'registrar', { port: MW_PORT, calls: WICS,
		keys: { service_port: String(CALLEE_PORT) } });
	await registrar.ready();
	const done = await many(WICS, WICS, (n) => wics[n].registerOnce(
		world.mint.issue(wics[n].user, { lifetime_s: TOKEN_S })));
	assert.deepEqual(tally(done), { 200: WICS }, 'registered');
	await registrar.done();
	return registrar.ways();
}

/** The core calls all who have registered, one after the other and over again. */
function startCaller(world, ways) {
	const file = join(world.folder, 'ways.csv');
	writeFileSync(file, ['SEQUENTIAL', ...ways.map(({ impu, token, user, host }) =>
		[impu, token, user, host].join(';')), ''].join('\n'));
	return Sipp.start(world, 'caller', { port: CALLER_PORT, calls: EACH_WAY, more: [
		ways[0].at, '-inf', file, '-r', String(CALLS_PER_S), '-l', String(4 * CALLS_PER_S)] });
}

const whole = (calls) => ({ exit: 0, created: calls, successful: calls, failed: 0, stray: 0 });

await scenario([...KERNEL_WORLDS, WORKER_COUNTS[0]].map((world, at) => ({ ...world, core: 'script',
	...crowdWorld(WICS), thorough: at === 0 })), async (world, { thorough }) => {
	await world.capture.stop();
	const wics = await crowd(world, WICS);
	const ways = await register(world, wics);
	assert.equal(ways.length, WICS, 'ways to the WICs');
	const callee = Sipp.start(world, 'callee', { port: CALLEE_PORT, calls: EACH_WAY });
	await callee.ready();
	const began = Date.now();
	const caller = startCaller(world, ways);
	const calls = await many(EACH_WAY, ABREAST, (n) => wics[n % WICS].call('callee', HOLD_MS));
	const ends = tally(calls.map(({ setup, bye }) => `${setup} ${bye}`));
	assert.deepEqual(ends, { '200 200': EACH_WAY }, `calls that WICs began: ${
		JSON.stringify(ends)}; the gateway counted ${await world.gateway.allErrors()}`);
	assert.deepEqual(await callee.done(), whole(EACH_WAY), 'the same at the core');
	assert.deepEqual(await caller.done(LIMIT_MS), whole(EACH_WAY), 'calls that the core began');
	const seconds = (Date.now() - began) / 1000;
	assert.deepEqual(tally(wics.flatMap(({ incoming }) => [...incoming.values()])),
		{ over: EACH_WAY }, 'the same at the WICs');
	assert.deepEqual(wics.flatMap(({ strays }) => strays), [], 'responses to nobody');
	if (thorough) /* timers L and M (RFC 6026) */
		await waitFor('no transaction left', async () =>
			await world.gateway.counter('transaction_live') === 0, 40000);
	console.log(`# ${CALLS} calls in ${seconds.toFixed(1)} s`);
}, LIMIT_MS);
