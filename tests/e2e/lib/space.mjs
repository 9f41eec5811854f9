// SPDX-License-Identifier: BSD-3-Clause
// The namespace a script runs in: network, mounts and processes of its own, without a name. The
// kernel takes it away, and ends everything in it, when its first process (the script) ends for
// whatever reason.

import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ipAll } from './link.mjs';
import { ADDRESSES, ADDRESSES_V6, hosts } from './names.mjs';
import { run } from './process.mjs';

const INSIDE = 'WICGATE_E2E_INSIDE';

/**
 * Starts `node file args...` as the first process of a new namespace. The pipe on its stdin is the
 * life line: it ends when its starter does, however that ends.
 */
export function spawnInside(file, args, env, stdout) {
	return spawn('unshare', ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc',
		process.execPath, file, ...args], {
		env: { ...process.env, ...env, [INSIDE]: '1' },
		stdio: ['pipe', stdout, 'inherit'],
	});
}

/** Kills what spawnInside() started, and with it everything inside. */
export function killInside(child) {
	child.kill('SIGKILL');
}

/** The other side of the life line. */
function watchStarter() {
	process.stdin.on('end', () => process.exit(1));
	process.stdin.on('error', () => process.exit(1));
	process.stdin.resume();
	process.stdin.unref();
}

/**
 * An interface has its addresses when it is up, and no more come seconds later: a browser drops what
 * it is loading when an address appears (net::ERR_NETWORK_CHANGED). Nobody here could have a double.
 */
function addressAtOnce() {
	for (const setting of ['accept_dad', 'dad_transmits', 'router_solicitations'])
		writeFileSync(`/proc/sys/net/ipv6/conf/default/${setting}`, '0');
}

/**
 * Processes of scripts that run side by side have other numbers: Kamailio names files in /tmp by the number of a process and
 * the second, and ends when there is one already.
 */
function numberProcesses() {
	const last = '/proc/sys/kernel/ns_last_pid';
	if (existsSync(last)) /* a kernel may be without it */
		writeFileSync(last, String(randomInt(1000, Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8')) - 1000)));
}

/**
 * Called first by a script inside: addresses on the loopback interface, names in a private
 * /etc/hosts.
 */
export async function enterSpace(folder) {
	if (process.env[INSIDE] !== '1')
		throw new Error('not in a namespace of its own: start it by run.mjs or demo.mjs');
	watchStarter();
	numberProcesses();
	addressAtOnce();
	await ipAll(['link set lo up',
		...ADDRESSES.map((address) => `addr add ${address}/32 dev lo`),
		...ADDRESSES_V6.map((address) => `addr add ${address}/128 dev lo nodad`)]);
	/* who has no privilege may open port 443 too */
	writeFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', '0');
	chmodSync(folder, 0o711); /* and pass through to a folder of his own */
	const own = mkdtempSync(join(folder, 'names-')); /* others have theirs, side by side */
	chmodSync(own, 0o755);
	await cover('/etc/hosts', join(own, 'hosts'), []);
	nameHosts(hosts());
	/*
	 * no name server: a name that is not in the file fails at once. Without this file that is so
	 * already
	 */
	if (existsSync('/etc/resolv.conf'))
		await cover('/etc/resolv.conf', join(own, 'resolv.conf'), ['options timeout:1']);
}

/** Writes the private /etc/hosts anew: {name: address}. */
export function nameHosts(names) {
	writeFileSync('/etc/hosts', ['127.0.0.1 localhost',
		...Object.entries(names).map(([name, to]) => `${to} ${name}`), ''].join('\n'));
}

async function cover(path, by, lines) {
	writeFileSync(by, `${lines.join('\n')}\n`);
	await run('mount', ['--bind', by, path]);
}
