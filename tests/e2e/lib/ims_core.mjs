// SPDX-License-Identifier: BSD-3-Clause
// The IMS core: Kamailio's own S-CSCF (peers/ims-scscf.cfg) with a Cx HSS beside it (peers/ims-hss.cfg), which speak Diameter
// on lo. To a scenario it is a Kamailio (lib/kamailio.mjs) that knows subscriptions and can take a registration back.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CORE_ADDRESS, CORE_HOST, HSS_ADDRESS, HSS_HOST, HSS_PORT, MW_PORT, bracketed,
	impu } from './names.mjs';
import { askKamailio, contactsOf } from './kamailio.mjs';
import { LOOK_AGAIN_BY_PROCESS_MS, Program, within } from './process.mjs';
import { parseSip, writeSip } from './sip.mjs';
import { nameHosts } from './space.mjs';

const MEET_MS = 30000; /* the peers look for each other every second, and wait in between */

const peer = (name) => fileURLToPath(new URL(`../peers/ims-${name}`, import.meta.url));

/** A Kamailio of the core's: its own folder for what it writes, its log beside the others'. */
function start(name, folder, settings, listen) {
	const own = join(folder, name);
	mkdirSync(own, { recursive: true });
	return new Program(name, ['kamailio', '-DD', '-E', '-m', '64', '-M', '8', '-f', peer(`${name}.cfg`),
		'-P', join(own, 'pid'), '-Y', own, '-w', own,
		...Object.entries(settings).flatMap(([key, value]) => ['-A', `${key}="${value}"`]),
		...listen.flatMap((one) => ['-l', one])], folder);
}

export class ImsCore {
	/** names: of the world (hosts()), to which those of Diameter are added. Returns when the two have met. */
	static async start(folder, link, names) {
		const core = new ImsCore();
		core.socket = join(folder, 'ims.ctl');
		core.dumps = 0;
		nameHosts({ ...names, [HSS_HOST]: HSS_ADDRESS, [CORE_HOST]: CORE_ADDRESS });
		core.hss = start('hss', folder, { HSS_XML: peer('hss.xml') }, [`udp:${HSS_ADDRESS}:${HSS_PORT}`]);
		const at = `${bracketed(link.core)}:${MW_PORT}`;
		core.program = start('scscf', folder, { SCSCF_XML: peer('scscf.xml'),
			SCSCF_NAME: `sip:${at}`, RPC_SOCK: `unixs:${core.socket}` }, [`udp:${at}`, `tcp:${at}`]);
		try {
			await core.program.ready(() => core.#met(), MEET_MS, LOOK_AGAIN_BY_PROCESS_MS);
		} catch (error) {
			await core.destroy();
			throw error;
		}
		return core;
	}

	async #met() {
		if (this.hss.exit)
			throw new Error(`hss ended at start: ${JSON.stringify(this.hss.exit)}`);
		try {
			return /State: [IR]_Open/.test(await this.ask('cdp.list_peers'));
		} catch {
			return false; /* its control socket is not there yet */
		}
	}

	get programs() {
		return [this.program, this.hss];
	}

	async destroy() {
		for (const program of this.programs)
			await program?.destroy();
	}

	ask(...command) {
		return askKamailio(this.socket, command);
	}

	/**
	 * What the S-CSCF knows of an identity, a SIP URI or the name of a user: {state, impi, impus, contacts}, or null.
	 * A contact: {uri, expires_s}.
	 */
	async registration(user) {
		const text = await this.ask('ulscscf.showimpu', user.includes(':') ? user : impu(user))
			.catch(() => '');
		const state = /^\tstate: (.*)$/m.exec(text)?.[1];
		if (!state)
			return null;
		const part = (name) => text.slice(text.indexOf(`\n\t${name}: {`));
		return { state, impi: /impi: (\S+)/.exec(text)?.[1] ?? null,
			impus: [...part('subscription').split('\n\tcontacts:')[0].matchAll(/\d+: (\S+:\S+)$/gm)]
				.map(([, one]) => one),
			contacts: [...part('contacts').matchAll(/^\t\t(\S+): \{\s*expires: (-?\d+)/gm)]
				.map(([, uri, seconds]) => ({ uri, expires_s: Number(seconds) })) };
	}

	/** The contacts of a user who is registered: [{uri, expires_s}]. */
	async contacts(user) {
		const found = await this.registration(user);
		return found?.state === 'registered' ? found.contacts : [];
	}

	/** The Path of each contact there is, by its URI: a dump of everything is all that tells it. */
	async #paths() {
		const dump = `${this.socket}.${this.dumps += 1}`;
		await this.ask('ulscscf.snapshot', dump);
		return new Map([...readFileSync(dump, 'utf8')
			.matchAll(/^\s+Contact\s+: '(.*)'$[^]*?^\s+Path\s+: '(.*)'$/gm)].map(([, uri, path]) => [uri, path]));
	}

	/** Waits until the user has exactly `count` contacts and returns them: [{uri, expires_s, path}]. */
	async waitForContacts(user, count, timeout_ms) {
		const contacts = await contactsOf(this, user, count, timeout_ms);
		const paths = count > 0 ? await this.#paths() : null;
		return contacts.map((contact) => ({ ...contact, path: paths.get(contact.uri) }));
	}

	/** Makes the HSS send a Cx RTR for a user: the network takes the registration back. */
	async rtr(user) {
		const socket = createSocket('udp4');
		try {
			socket.bind(0, HSS_ADDRESS);
			await once(socket, 'listening');
			const answered = once(socket, 'message');
			socket.send(writeSip(`OPTIONS ${impu(user)} SIP/2.0`, [
				['Via', `SIP/2.0/UDP ${HSS_ADDRESS}:${socket.address().port};branch=z9hG4bKrtr${Date.now()}`],
				['Max-Forwards', '70'], ['From', `<sip:hss@${HSS_HOST}>;tag=rtr`], ['To', `<${impu(user)}>`],
				['Call-ID', `rtr-${user}-${Date.now()}`], ['CSeq', '1 OPTIONS']]), HSS_PORT, HSS_ADDRESS);
			const [bytes] = await within(`the HSS has sent an RTR for ${user}`, answered);
			const { status, start: line } = parseSip(String(bytes));
			if (status !== 200)
				throw new Error(`no RTR for ${user}: ${line}`);
		} finally {
			socket.close();
		}
	}

	/** How often the S-CSCF asked the HSS something, by lines of its log: cmd=303 is MAR, 301 SAR. what: an expression of a line. */
	saidToHss(what) {
		return this.hss.log().split('\n').filter((line) => what.test(line)).length;
	}
}
