#!/usr/bin/env node
// SPDX-License-Identifier: BSD-3-Clause
// run.mjs [--one-world] [--without=PART-OF-A-NAME...] [PART-OF-A-NAME...]: plays the end-to-end
// scripts, some side by side, each in a namespace of its own; one verdict line for each scenario.
// --one-world: each script in one of its worlds only, the next script in the next one.

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { killInside, spawnInside } from './lib/space.mjs';
import { prepare } from './lib/tools.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SCRIPT_MS = Number(process.env.WICGATE_E2E_SCRIPT_S ?? 360) * 1000;
const ABREAST = 3; /* most of the time of a scenario is waiting */
const verdicts = { ok: 0, FAIL: 0 };
const playing = new Set();

function verdict(line) {
	const kind = /^(ok|FAIL) /.exec(line)?.[1];
	console.log(line);
	if (kind)
		verdicts[kind] += 1;
	return Boolean(kind);
}

/** Plays one script; a script that dies, is late or says nothing is a failure too. */
async function play(script, env) {
	const child = spawnInside(join(HERE, script), [], env, 'pipe');
	playing.add(child);
	const exited = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
	const begun = Date.now();
	const timer = setTimeout(() => killInside(child), SCRIPT_MS);
	let spoken = 0;
	for await (const line of createInterface({ input: child.stdout }))
		spoken += verdict(line) ? 1 : 0;
	const code = await exited;
	playing.delete(child);
	console.log(`took ${((Date.now() - begun) / 1000).toFixed(1)} s ${script}`);
	clearTimeout(timer);
	if (code !== 0)
		verdict(`FAIL ${script}: ended with ${code ?? `a kill after ${SCRIPT_MS / 1000} s`}`);
	else if (spoken === 0)
		verdict(`FAIL ${script}: no verdict`);
}

async function main(words) {
	const one_world = words.includes('--one-world');
	const without = words.filter((word) => word.startsWith('--without=')).map((word) =>
		word.slice('--without='.length));
	const parts = words.filter((word) => !word.startsWith('--'));
	const scripts = readdirSync(HERE).filter((name) => /^\d{2,3}-.*\.mjs$/.test(name)).sort()
		.filter((name) => parts.length === 0 || parts.some((part) => name.includes(part)))
		.filter((name) => !without.some((part) => name.includes(part)));
	if (scripts.length === 0)
		throw new Error(`no script has ${parts.join(' or ')} in its name`);
	const { run_folder, env } = await prepare('wicgate-e2e-', ['tests/wirebox/wirebox']);
	const todo = [...scripts.entries()];
	const player = async () => {
		for (let next; (next = todo.shift());) {
			const [number, script] = next;
			const world = one_world ? { WICGATE_E2E_WORLD: String(number) } : {};
			await play(script, { ...env, ...world });
		}
	};
	await Promise.all(Array.from({ length: ABREAST }, player));
	console.log(`e2e: ${verdicts.ok} passed, ${verdicts.FAIL} failed`);
	if (verdicts.FAIL === 0)
		rmSync(run_folder, { recursive: true, force: true });
	else
		console.log(`e2e: logs and captures are in ${run_folder}`);
	return verdicts.FAIL === 0 ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
	process.on(signal, () => {
		for (const child of playing)
			killInside(child);
		process.exit(130);
	});
main(process.argv.slice(2)).then((code) => process.exit(code), (error) => {
	console.error(`e2e: ${error.message}`);
	process.exit(2);
});
