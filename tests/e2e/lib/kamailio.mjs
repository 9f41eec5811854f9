// SPDX-License-Identifier: BSD-3-Clause
// The S-CSCF: Debian's Kamailio with peers/kamailio-scscf.cfg, or another role of peers/.

import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { MW_PORT, MW_TLS_PORT, bracketed, impi } from './names.mjs';
import { LOOK_AGAIN_BY_PROCESS_MS, Program, READY_MS, run, waitFor } from './process.mjs';

const config = (role) => fileURLToPath(new URL(`../peers/kamailio-${role}.cfg`, import.meta.url));

const ANSWER_MS = 4000;
const TRIES = 4;

/** Waits until a core has exactly `count` contacts of the user and returns them. */
export async function contactsOf(core, user, count, timeout_ms = 10000) {
	let contacts;
	await waitFor(`${count} contacts of ${user} at the S-CSCF`, async () => {
		contacts = await core.contacts(user);
		return contacts.length === count;
	}, timeout_ms, LOOK_AGAIN_BY_PROCESS_MS);
	return contacts;
}

/** What a Kamailio answers by its control socket. Who asks it while it starts may never be answered: he asks again. */
export async function askKamailio(socket, command) {
	for (let tries = 1; ; tries += 1) {
		try {
			return (await run('kamcmd', ['-s', `unix:${socket}`, ...command], { timeout: ANSWER_MS })).stdout;
		} catch (error) {
			if (!error.killed || tries === TRIES)
				throw error;
		}
	}
}

export class Kamailio {
	/**
	 * role: a file of peers/; digest: the algorithm it challenges every REGISTER with, 'MD5' or
	 * 'SHA-256'; tls: {certificate, key, ca} of a core that is reached by TLS alone; grant_at_least:
	 * seconds of its shortest registration, whatever is asked for.
	 */
	static async start(folder, link, { role = 'scscf', digest = null, tls = null,
		grant_at_least = null } = {}) {
		const kamailio = new Kamailio(folder, link, { role, digest, tls, grant_at_least });
		await kamailio.program.ready(async () => {
			try {
				return await kamailio.ask('core.uptime');
			} catch {
				return false; /* its control socket is not there yet */
			}
		}, READY_MS, LOOK_AGAIN_BY_PROCESS_MS);
		return kamailio;
	}

	constructor(folder, link, { role, digest, tls, grant_at_least }) {
		this.socket = join(folder, 'kamailio.ctl');
		this.program = new Program('kamailio', ['kamailio', '-DD', '-E', '-m', '64', '-M', '8',
			'-f', config(role), '-P', join(folder, 'kamailio.pid'), '-Y', folder, '-w', folder,
			'-A', `RPC_SOCK="unixs:${this.socket}"`,
			...(digest ? ['-A', `DIGEST="${digest}"`] : []),
			...(grant_at_least ? ['-A', `GRANT_AT_LEAST=${grant_at_least}`] : []),
			...(tls ? ['-A', 'WITH_TLS', '-A', `TLS_CERTIFICATE="${tls.certificate}"`,
				'-A', `TLS_KEY="${tls.key}"`, '-A', `TLS_CA="${tls.ca}"`,
				'-l', `tls:${bracketed(link.core)}:${MW_TLS_PORT}`]
				: ['-l', `udp:${bracketed(link.core)}:${MW_PORT}`,
					'-l', `tcp:${bracketed(link.core)}:${MW_PORT}`])], folder);
	}

	get programs() {
		return [this.program];
	}

	/** Says and hears nothing until speak(): what comes meanwhile waits for it. */
	silence() {
		process.kill(-this.program.child.pid, 'SIGSTOP');
	}

	speak() {
		process.kill(-this.program.child.pid, 'SIGCONT');
	}

	ask(...command) {
		return askKamailio(this.socket, command);
	}

	/** The contacts bound to a user: [{path, expires_s}], from ul.dump. */
	async contacts(user) {
		const dump = await this.ask('ul.dump');
		const record = dump.split(/\bAoR: /)
			.find((part) => part.split('\n')[0].trim() === impi(user));
		return (record ?? '').split(/\bContact: \{/).slice(1).map((text) => {
			const field = (name) => new RegExp(`\\b${name}: (.*)`).exec(text)?.[1].trim() ?? '';
			return { path: field('Path'), expires_s: Number(field('Expires')) };
		});
	}

	/** Waits until the user has exactly `count` contacts and returns them. */
	waitForContacts(user, count, timeout_ms) {
		return contactsOf(this, user, count, timeout_ms);
	}
}
