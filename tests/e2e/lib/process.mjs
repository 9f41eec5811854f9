// SPDX-License-Identifier: BSD-3-Clause
// Programs a script starts, and waiting with a bound: by looking again, never by hoping that a
// pause is long enough.

import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

/* times as long as is enough where nothing else runs: who waits in vain waits longer, nobody else */
const PATIENCE = Number(process.env.WICGATE_E2E_PATIENCE ?? 1);
const LOOK_AGAIN_MS = 20;
export const READY_MS = 15000; /* from the start of a program until it can be used */
export const LOOK_AGAIN_BY_PROCESS_MS = 100; /* where each look starts a program */

export const run = promisify(execFile);

/**
 * Resolves with the first truthy result of probe(), which is looked for every look_again_ms; throws with `what` in the text
 * when timeout_ms has passed.
 */
export async function waitFor(what, probe, timeout_ms = 10000, look_again_ms = LOOK_AGAIN_MS) {
	const deadline = Date.now() + timeout_ms * PATIENCE;
	for (;;) {
		const result = await probe();
		if (result)
			return result;
		if (Date.now() > deadline)
			throw new Error(`not within ${timeout_ms * PATIENCE / 1000} s: ${what}`);
		await pause(look_again_ms);
	}
}

/** Rejects when the promise has not settled within timeout_ms. */
export async function within(what, promise, timeout_ms = 10000) {
	let timer;
	const late = new Promise((_, reject) => {
		const patience_ms = timeout_ms * PATIENCE;
		timer = setTimeout(() => reject(new Error(`not within ${patience_ms / 1000} s: ${what}`)),
			patience_ms);
	});
	try {
		return await Promise.race([promise, late]);
	} finally {
		clearTimeout(timer);
	}
}

/**
 * Whether anything of a process group still runs. What is dead and not waited for does not count.
 */
function groupRuns(group) {
	return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).some((pid) => {
		try {
			const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
			const [state, , its_group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
			return Number(its_group) === group && state !== 'Z';
		} catch {
			return false; /* it ended while we looked */
		}
	});
}

/** One running program. What it prints goes to FOLDER/NAME.log. */
export class Program {
	constructor(name, argv, folder, env = {}) {
		this.name = name;
		this.log_path = join(folder, `${name}.log`);
		const log = openSync(this.log_path, 'a');
		/* a process group of its own: what it forks can be ended with it */
		this.child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', log, log], detached: true,
			env: { ...process.env, ...env } });
		closeSync(log);
		this.exit = null;
		this.ended = new Promise((resolve) => {
			const end = (exit) => resolve(this.exit = exit);
			this.child.once('error', (error) => end({ error: error.message }));
			this.child.once('exit', (code, signal) => end({ code, signal }));
		});
	}

	log() {
		return readFileSync(this.log_path, 'utf8');
	}

	/**
	 * Waits until probe() is truthy. A program that ends meanwhile, or a probe that throws for
	 * good, is an error.
	 */
	async ready(probe, timeout_ms = READY_MS, look_again_ms = LOOK_AGAIN_MS) {
		await waitFor(`${this.name} ready`, async () => {
			if (this.exit)
				throw new Error(`${this.name} ended at start: ${JSON.stringify(this.exit)}`);
			return probe();
		}, timeout_ms, look_again_ms);
		return this;
	}

	signal(name) {
		if (!this.exit)
			this.child.kill(name);
	}

	/** Asks the program to end and waits. Returns {code, signal}; throws if it had to be killed. */
	async stop(timeout_ms = 10000) {
		this.signal('SIGTERM');
		try {
			return await within(`${this.name} stopped by SIGTERM`, this.ended, timeout_ms);
		} finally {
			this.kill();
		}
	}

	/** Kills the program and all it forked, and returns when they are gone, with their ports. */
	async destroy() {
		this.kill();
		await waitFor(`${this.name} killed`, () => !groupRuns(this.child.pid));
	}

	kill() {
		try {
			process.kill(-this.child.pid, 'SIGKILL');
		} catch {
			/* the whole group is gone already: that is what was wanted */
		}
	}
}
