// SPDX-License-Identifier: BSD-3-Clause
// SIPp, a peer on Mw that counts.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { REALM, bracketed } from './names.mjs';
import { Program, run, waitFor } from './process.mjs';

const SCENARIOS = fileURLToPath(new URL('../sipp/', import.meta.url));
const LIMIT_S = 3600; /* whatever happens */

/** What SIPp has counted: the last line of its statistics, by the names of its columns. */
function counts(path) {
	const [head, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n')
		.map((line) => line.split(';'));
	const last = lines.at(-1) ?? [];
	return (name) => Number(last[head.indexOf(name)] ?? 0);
}

export class Sipp {
	/**
	 * Plays sipp/NAME.xml from the core's address and a port of its own, `calls` times. keys: for the
	 * scenario; more: arguments of SIPp's; mw: 'tcp' or 'udp'.
	 */
	static start(world, name, { port, calls, keys = {}, more = [], title = name,
		mw = world.mw }) {
		const { link, folder } = world;
		const host = bracketed(link.core);
		const sipp = Object.assign(new Sipp(), { host, port, mw });
		const all = { host, domain: REALM, transport_param: mw === 'tcp' ? ';transport=tcp' : '',
			...keys };
		sipp.stats = join(folder, `${title}.csv`);
		sipp.log = join(folder, `${title}.ways`);
		sipp.program = new Program(title, ['sipp', '-sf', join(SCENARIOS, `${name}.xml`),
			'-i', host, '-p', String(port), '-t', mw === 'tcp' ? 't1' : 'u1',
			'-m', String(calls), '-nostdin', '-deadcall_wait', '0', '-buff_size', '4194304',
			'-timeout', `${LIMIT_S}s`, '-trace_stat', '-stf', sipp.stats, '-fd', '1',
			'-trace_logs', '-log_file', sipp.log, '-trace_err', '-error_file', join(folder, `${title}.errors.log`),
			...Object.entries(all).flatMap(([key, value]) => ['-key', key, value]), ...more], folder);
		world.played.push(sipp);
		return sipp;
	}

	close() {
		this.program.kill();
	}

	/** Waits until it has its port: a UAS. */
	async ready() {
		const { host, port, mw } = this;
		return this.program.ready(async () => (await run('ss', ['-Hln', mw === 'tcp' ? '-t' : '-u',
			'src', `${host}:${port}`])).stdout.trim() !== '');
	}

	/** Waits until it has had all of its calls; returns what it counted. */
	async done(timeout_ms) {
		await waitFor(`${this.program.name} done`, () => this.program.exit, timeout_ms);
		return { exit: this.program.exit.code, ...this.counted() };
	}

	/** stray: messages of no call, but for second answers to what it had sent twice. */
	counted() {
		const count = counts(this.stats);
		return { created: count('TotalCallCreated'), successful: count('SuccessfulCall(C)'),
			failed: count('FailedCall(C)'),
			stray: Math.max(0, count('OutOfCallMsgs(C)') - count('Retransmissions(C)')) };
	}

	/** The latest way to each that has registered: {impu, token, at, user, host}. */
	ways() {
		const ways = new Map();
		for (const line of readFileSync(this.log, 'utf8').split('\n')) {
			const found = /way <sip:([^@>]+)@[^>]*> <sip:([^@>]+)@([^;>]+)[^>]*> <sip:([^@>]+)@([^;>]+)/.exec(line);
			if (found)
				ways.set(found[1], { impu: found[1], token: found[2], at: found[3],
					user: found[4], host: found[5] });
		}
		return [...ways.values()];
	}
}
