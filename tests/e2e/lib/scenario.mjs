// SPDX-License-Identifier: BSD-3-Clause
// What makes a script a test: scenarios with a sentence for a name, one verdict line each, a bound
// on their time.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { within } from './process.mjs';
import { enterSpace } from './space.mjs';
import { World } from './world.mjs';

const SCENARIO_MS = 45000;
const LOG_LINES = 25;
const script = basename(process.argv[1], '.mjs');
const run_folder = process.env.WICGATE_E2E_RUN;
let count = 0;

/* W2 and Mw on packets of the gateway's own, by one TAP port */
const onTap = (workers, mw, ip) => ({ workers, mw, ip, device: 'tap', w2: 'port' });
/** The worlds most scenarios are played in. */
export const WORKER_COUNTS = [onTap(1, 'tcp', 4), onTap(2, 'udp', 6)];
export const ALL_WORLDS = [...WORKER_COUNTS, onTap(1, 'udp', 4), onTap(2, 'tcp', 6)];
/** The same on kernel sockets, and on both: W2 here, Mw there. */
export const KERNEL_WORLDS = [{ workers: 1, mw: 'udp' }, { workers: 2, mw: 'tcp' }];
/** A core that has an HSS: lib/ims_core.mjs. */
export const IMS_WORLDS = KERNEL_WORLDS.map((world) => ({ ...world, core: 'ims' }));
export const MIXED_WORLDS = [{ workers: 2, mw: 'tcp', device: 'tap' }];
export const OTHER_DEVICE_WORLDS = ['net_tap', 'net_af_packet', 'net_af_xdp']
	.map((device) => ({ ...onTap(1, 'tcp', 4), device }));
/** Mw on every device, over UDP, for what the script plays the core; W2 on kernel sockets. */
export const DEVICE_WORLDS = ['tap', 'net_tap', 'net_af_packet', 'net_af_xdp']
	.map((device) => ({ workers: 1, mw: 'udp', device, core: 'script' }));

/** Both TCPs, the script plays the core; one address may come as often as it can. */
export const RAW_WORLDS = [{ ...DEVICE_WORLDS[0], w2: 'port' }, { workers: 2, mw: 'udp', core: 'script' }]
	.map((world) => ({ ...world,
		settings: 'limits: {upgrades_per_second: 1000000, upgrades_burst: 1000000}\n' }));

/** The same, and no limit on requests: a hostile WIC says much. */
export const HOSTILE_WORLDS = [{ ...RAW_WORLDS[0] }, { ...RAW_WORLDS[1], mw: 'tcp' }]
	.map((world) => ({ ...world,
		settings: 'limits: {upgrades_per_second: 1000000, upgrades_burst: 1000000,'
			+ ' requests_per_second: 1000000, dialog_requests_per_second: 1000000}\n',
		site_limits: 'limits: {requests_per_second: 1000000, calls_in_setup: 1000}' }));

function title({ workers, mw, ip, w2, device = 'kernel', core, library }) {
	const over = `Mw over ${mw.toUpperCase()}${ip ? ` and IPv${ip}` : ''}`;
	return `${workers} worker${workers > 1 ? 's' : ''}, ${over} on ${device}`
		+ (device !== 'kernel' && w2 !== 'port' ? ', W2 on kernel' : '')
		+ (core === 'ims' ? ', a core of IMS' : '')
		+ (library ? `, ${library}` : '');
}

/**
 * Plays the scenario once in each world, by play(world, its options), and prints `ok` or `FAIL` for
 * each. Never throws. limit_ms: for what takes long by its nature.
 */
export async function scenario(worlds, play, limit_ms = SCENARIO_MS) {
	const one = process.env.WICGATE_E2E_WORLD; /* a number: of the only one to be played in */
	const chosen = one === undefined ? worlds : [worlds[Number(one) % worlds.length]];
	for (const options of chosen) {
		count += 1;
		const folder = join(run_folder, `${script.split('-')[0]}.${count}`);
		const name = `${script} (${title(options)})`;
		mkdirSync(folder, { recursive: true });
		try {
			await once(folder, options, play, limit_ms);
			console.log(`ok ${name}`);
		} catch (error) {
			console.log(`FAIL ${name}: ${oneLine(error)}`);
			report(folder, error);
		}
	}
	process.exit(0);
}

async function once(folder, options, play, limit_ms) {
	if (count === 1)
		await enterSpace(run_folder);
	const world = await World.open({ folder, ...options });
	try {
		await within('the scenario', play(world, options), limit_ms);
		await world.close();
	} finally {
		await world.destroy();
	}
}

/** The verdict is a line, whatever assert had to draw. */
function oneLine(error) {
	return String(error.message).split('\n').map((line) => line.trim()).filter(Boolean).join(' | ');
}

function report(folder, error) {
	console.error(`  ${error.stack?.split('\n').slice(1, 4).join('\n  ')}\n  logs: ${folder}`);
	for (const file of readdirSync(folder).filter((name) => name.endsWith('.log'))) {
		const lines = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n');
		console.error(lines.slice(-LOG_LINES).map((line) => `  ${file} | ${line}`).join('\n'));
	}
}

/** No byte of a token may be on Mw: not the token, not one of its parts, not its scheme. */
export async function assertNoTokenOnMw(world, tokens) {
	await world.capture.settle();
	assert.ok(tokens.length > 0, 'no token was used: nothing would be proved');
	assert.ok(world.capture.messages.length > 0, 'nothing at all was seen on Mw');
	for (const token of tokens)
		for (const piece of [token, ...token.split('.')].filter((text) => text !== ''))
			assert.ok(!world.capture.contains(piece),
				`part of a token on Mw: ${piece.slice(0, 8)}...`);
	assert.ok(!world.capture.contains('Bearer'), 'the word Bearer on Mw');
}

export { assert };
