#!/usr/bin/env node
// SPDX-License-Identifier: BSD-3-Clause
// demo.mjs [--hold] [--kernel]: shows two browsers that register in an IMS through wicgate and
// write to each other, as a ladder of the SIP on both sides. With --hold it stays up for the browser
// of whoever started it. On a TAP port; with --kernel, or without /dev/net/tun, on kernel sockets.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HOLD_GATEWAY_PORT, HOLD_ORIGIN, HOLD_PAGE_PORT } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { relay } from './lib/relay.mjs';
import { killInside, spawnInside } from './lib/space.mjs';
import { prepare } from './lib/tools.mjs';

const INSIDE = fileURLToPath(new URL('lib/demo_inside.mjs', import.meta.url));
const DEMO_MS = 120000;
const hold = process.argv.includes('--hold');

const BY_HAND = `
To try it by hand from a browser of your own:

    make demo-hold

keeps everything running and lends it two ports of this machine's loopback. Then open

    https://localhost:${HOLD_GATEWAY_PORT}   once, for the certificate (426 is its answer)
    ${HOLD_ORIGIN}   the page: open it twice, as alice and as bob

From another machine: ssh -L ${HOLD_PAGE_PORT}:127.0.0.1:${HOLD_PAGE_PORT} `
	+ `-L ${HOLD_GATEWAY_PORT}:127.0.0.1:${HOLD_GATEWAY_PORT} THIS-MACHINE`;

async function holdOpen(run_folder) {
	const socket = (name) => ({ path: join(run_folder, name) });
	await relay({ host: '127.0.0.1', port: HOLD_PAGE_PORT }, socket('page.sock'));
	await relay({ host: '127.0.0.1', port: HOLD_GATEWAY_PORT }, socket('gateway.sock'));
	console.log(`
It is running. Open in your browser (the certificate is the demo's own: accept it for both):

    https://localhost:${HOLD_GATEWAY_PORT}   once, for the certificate (426 is its answer)
    ${HOLD_ORIGIN}   the page: twice, register as alice and as bob, send messages

The Mw side of what you do is drawn below. Ctrl-C ends everything.`);
}

async function main() {
	const { run_folder, env } = await prepare('wicgate-demo-');
	const child = spawnInside(INSIDE, process.argv.slice(2), env, 'pipe');
	const exited = new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
	let ending = false;
	const end = async (code) => {
		ending = true;
		killInside(child);
		await exited;
		/* what was inside may take a moment longer to die, and write until then */
		rmSync(run_folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
		process.exit(code);
	};
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
		process.on(signal, () => end(hold ? 0 : 130));
	process.stdout.on('error', () => end(1)); /* whoever read it is gone */

	let said = '';
	child.stdout.on('data', (bytes) => {
		said = (said + bytes).slice(-4096);
		process.stdout.write(bytes);
	});
	const timer = hold ? null : setTimeout(() => killInside(child), DEMO_MS);
	if (hold) {
		const passed = waitFor('the demo', () => said.includes('demo: PASS'), DEMO_MS);
		await Promise.race([exited, passed]);
		if (child.exitCode === null)
			await holdOpen(run_folder);
	}
	const code = await exited;
	clearTimeout(timer);
	if (ending)
		return;
	if (!said.includes('demo: '))
		console.log(`demo: FAIL it ended with ${code} and no verdict`);
	if (code !== 0) {
		console.log(`demo: logs are in ${run_folder}`);
		process.exit(code);
	}
	console.log(BY_HAND);
	await end(0);
}

main().catch((error) => {
	console.log(`demo: FAIL ${error.message}`);
	process.exit(2);
});
