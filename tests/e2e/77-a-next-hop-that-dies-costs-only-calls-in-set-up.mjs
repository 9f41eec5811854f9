// SPDX-License-Identifier: BSD-3-Clause
// The next hop is killed in the middle of many calls and started again. Lost are at most the calls that
// were being set up then, and each of these has a final answer. Those that stand are ended as ever, those
// that end meanwhile too: their BYEs wait until it is back.

import { setTimeout as pause } from 'node:timers/promises';
import { crowd, crowdWorld, many, tally } from './lib/crowd.mjs';
import { Kamailio } from './lib/kamailio.mjs';
import { MW_PORT } from './lib/names.mjs';
import { KERNEL_WORLDS, WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';
import { Sipp } from './lib/sipp.mjs';

const WICS = 20;
const ABREAST = 60;
const HOLD_MS = 2500; /* longer than the next hop is away */
const AGAIN_MS = 500; /* who is refused tries again then */
const ACK_MS = 100; /* from here to the callee */
const BYE_MS = 100; /* there and back: the answer can go down with the next hop, and is not given twice */
const COUNTED_MS = 1500; /* SIPp writes what it has counted each second */
const BEFORE_MS = 4000;
const AWAY_MS = 1500;
const INTO_MS = 500; /* of those */
const NEWCOMERS = 5; /* who call while it is away */
const AFTER_MS = 5000;
const MANY = 1000000;
const REGISTRAR_PORT = MW_PORT + 1;
const CALLEE_PORT = MW_PORT + 2;
/* timers B and F of what was under way when it went, and some */
const LIMIT_MS = 90000;

/** Begins calls until told to stop, so many at a time; returns all of them. */
async function callOn(wics, isOver) {
	const calls = [];
	await many(ABREAST, ABREAST, async (n) => {
		await pause(n * HOLD_MS / ABREAST); /* or they would all do the same at the same time */
		for (let k = n; !isOver(); k += ABREAST) {
			calls.push(await wics[k % WICS].call('callee', HOLD_MS));
			if (calls.at(-1).setup !== 200)
				await pause(AGAIN_MS);
		}
	});
	return calls;
}

function assertLosses(calls, killed, back) {
	const touched = (from, to) => from <= back && to >= killed;
	const shown = JSON.stringify(tally(calls.map(({ setup, bye }) => `${setup} ${bye}`)));
	for (const call of calls) {
		assert.notEqual(call.setup, 'silent', `an INVITE without a final answer: ${shown}`);
		assert.notEqual(call.bye, 'silent', `a BYE without a final answer: ${shown}`);
		if (call.setup !== 200)
			assert.ok(touched(call.began, call.answered), `lost outside the window: ${shown}`);
		else if (call.bye !== 200)
			assert.ok(Math.abs(call.answered + HOLD_MS - killed) < BYE_MS, `BYE lost: ${shown}`);
	}
	const waited = calls.filter(({ setup, answered, ended }) => setup === 200
		&& answered + HOLD_MS > killed + BYE_MS && answered + HOLD_MS < back && ended > back);
	assert.ok(waited.length > 0, `BYEs waited for it: ${shown}`);
	const stood = calls.filter(({ setup, answered, ended }) => setup === 200
		&& answered < killed && ended - 100 > back);
	assert.ok(stood.length > 0, 'a call stood all the time');
	assert.ok(stood.every(({ bye }) => bye === 200), 'what stood was ended as ever');
	assert.ok(calls.filter(({ began, bye }) => began > back && bye === 200).length >= ABREAST / 2,
		`calls go on afterwards: ${shown}`);
	console.log(`# ${shown}`);
}

/** What was whole here was whole there, but where the ACK was lost: the callee never saw such a call stand. */
function assertCounted(calls, successful, killed, back) {
	const whole = calls.filter(({ setup, bye }) => setup === 200 && bye === 200);
	const unsure = whole.filter(({ answered }) => answered > killed - ACK_MS && answered < back);
	assert.ok(successful <= whole.length && successful >= whole.length - unsure.length,
		`the callee counted ${successful} of ${whole.length}, ${unsure.length} of them in doubt`);
}

async function start(world) {
	await world.capture.stop();
	const registrar = Sipp.start(world, 'registrar', { port: REGISTRAR_PORT, calls: WICS, mw: 'udp',
		keys: { service_port: String(MW_PORT) } });
	const callee = Sipp.start(world, 'callee', { port: CALLEE_PORT, calls: MANY, mw: 'udp' });
	await Promise.all([registrar.ready(), callee.ready()]);
	const wics = await crowd(world, WICS);
	const done = await many(WICS, WICS, (n) => wics[n].registerOnce(
		world.mint.issue(wics[n].user)));
	assert.deepEqual(tally(done), { 200: WICS }, 'registered');
	return { wics, callee };
}

await scenario([...KERNEL_WORLDS, WORKER_COUNTS[0]].map((world) =>
	({ ...world, core: 'proxy', ...crowdWorld(WICS) })), async (world) => {
	const { wics, callee } = await start(world);
	let isOver = false;
	const calling = callOn(wics, () => isOver);
	await pause(BEFORE_MS);
	const killed = Date.now();
	await world.kamailio.program.destroy();
	await pause(INTO_MS);
	const refused = await many(NEWCOMERS, NEWCOMERS, (n) => wics[n].call('callee', HOLD_MS));
	assert.deepEqual(tally(refused.map(({ setup }) => setup)), { 504: NEWCOMERS }, 'calls begun meanwhile');
	await pause(AWAY_MS - INTO_MS);
	world.kamailio = await Kamailio.start(world.folder, world.link, { role: 'proxy' });
	const back = Date.now();
	await pause(AFTER_MS);
	isOver = true;
	const calls = refused.concat(await calling);
	assertLosses(calls, killed, back);
	await pause(COUNTED_MS);
	assertCounted(calls, callee.counted().successful, killed, back);
}, LIMIT_MS);
