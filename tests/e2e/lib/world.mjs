// SPDX-License-Identifier: BSD-3-Clause
// Everything a scenario plays with: S-CSCF, gateway, site and a capture of Mw, in a folder of its
// own.

import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { Capture } from './capture.mjs';
import { makeCertificates, makeMwCertificates } from './certificate.mjs';
import { Gateway } from './gateway.mjs';
import { ImsCore } from './ims_core.mjs';
import { Kamailio } from './kamailio.mjs';
import { makeLink } from './link.mjs';
import { AUDIENCE, ISSUER, KEY_ID, SITE_HOST, USERS, bracketed, hosts, impi,
	impu } from './names.mjs';
import { Program, run } from './process.mjs';
import { ScriptedCore } from './scripted_core.mjs';
import { nameHosts } from './space.mjs';
import { TokenMint } from './token.mjs';

const BUILD = process.env.WICGATE_BUILD;
const PAGES = process.env.WICGATE_E2E_PAGES; /* where run.mjs put the bundled pages */
const SITE_TOKEN_LIFETIME_S = 600;

export class World {
	/**
	 * workers: 1 or 2; mw: 'tcp', 'udp' or 'tls'; site: whether to start the web site too; core: 'kamailio',
	 * 'proxy' (peers/), 'ims' (lib/ims_core.mjs), or 'script' when the script plays it; users: who can
	 * have a token, or, with pool, the pairs that are lent; digest: the algorithm by which the core
	 * authenticates the site's users, no token then. More of options is for the link (lib/link.mjs)
	 * and the gateway.
	 */
	static async open({ folder, workers = 1, mw = 'tcp', site = false, core = 'kamailio',
		...options }) {
		const world = new World();
		Object.assign(world, { folder, workers, mw, link: makeLink(options, folder, BUILD),
			played: [] });
		world.hosts = hosts(world.link.access);
		nameHosts(world.hosts);
		try {
			await world.#makeFiles(options);
			await world.#start(core, options);
			if (site)
				world.site = await world.#startSite(options);
			return world;
		} catch (error) {
			await world.destroy();
			throw error;
		}
	}

	async #makeFiles({ owner, users = USERS }) {
		const { folder } = this;
		mkdirSync(join(folder, 'state'), { recursive: true, mode: 0o700 });
		this.files = await makeCertificates(folder);
		if (this.mw === 'tls')
			this.files.mw = await makeMwCertificates(folder, this.link);
		this.files.pairs = join(folder, 'pairs.csv');
		this.files.jwks = join(folder, 'shop.jwks');
		writeFileSync(this.files.pairs,
			users.map((user) => `${impi(user)},${impu(user)}\n`).join(''));
		this.mint = new TokenMint(this.files.token_key);
		writeFileSync(this.files.jwks, this.mint.jwks());
		if (owner)
			await run('chown', ['-R', owner, folder]);
	}

	/* on a link the interface of the core may be of the gateway's making: then that is first */
	async #start(core, options) {
		const { folder, files, workers, mw, link } = this;
		await link.prepare();
		if (!link.port)
			await this.#startCore(core, options);
		this.gateway = await Gateway.start(
			{ ...options, folder, files, workers, mw, link, build: BUILD });
		await link.connect(this.gateway);
		if (link.port)
			await this.#startCore(core, options);
	}

	async #startCore(core, { digest, grant_at_least }) {
		this.capture = await Capture.start(this.folder, this.link);
		this.core_settings = { digest, grant_at_least,
			tls: this.files.mw && { ...this.files.mw.core, ca: this.files.ca } };
		if (core === 'kamailio')
			await this.startKamailio();
		else if (core === 'proxy')
			this.kamailio = await Kamailio.start(this.folder, this.link, { role: 'proxy' });
		else if (core === 'ims')
			this.kamailio = await ImsCore.start(this.folder, this.link, this.hosts);
	}

	/** Starts the S-CSCF; again, after one that has ended: it remembers nothing. */
	async startKamailio() {
		this.kamailio = await Kamailio.start(this.folder, this.link, this.core_settings);
	}

	async #startSite({ pool }) {
		const program = new Program('wicgate-wwsf', [join(BUILD, 'wicgate-wwsf'),
			'--listen', `${bracketed(this.hosts[SITE_HOST])}:443`,
			'--certificate', this.files.certificate, '--key', this.files.key, '--root', PAGES,
			'--signing-key', this.files.token_key, '--kid', KEY_ID, '--issuer', ISSUER,
			'--audience', AUDIENCE, '--pairs', this.files.pairs,
			'--lifetime', String(SITE_TOKEN_LIFETIME_S),
			...(pool ? ['--pool', join(this.folder, 'lent')] : [])], this.folder);
		return program.ready(() => this.get(SITE_HOST, '/jwks.json')
			.then(({ status }) => status === 200, () => false));
	}

	/** A plain HTTPS GET, with the certificate checked: {status, headers, body}. */
	get(host, path, headers = {}) {
		return new Promise((resolve, reject) => {
			const asked = request({ host, path, headers, ca: this.files.ca_pem, timeout: 5000,
				agent: false }, (response) => {
				let body = '';
				response.on('data', (piece) => body += piece);
				response.on('end', () => resolve({
					status: response.statusCode, headers: response.headers, body }));
			});
			asked.on('error', reject);
			asked.on('timeout', () => asked.destroy(new Error(`no answer from ${host}`)));
			asked.end();
		});
	}

	/** Plays the core, or somebody else on the link, until the world ends: see ScriptedCore. */
	async playCore(answer, address = this.link.core) {
		const core = await ScriptedCore.start(address, answer);
		this.played.push(core);
		return core;
	}

	programs() {
		return [this.site, this.gateway?.program, ...this.kamailio?.programs ?? []].filter(Boolean);
	}

	/**
	 * Stops all. The products must end by SIGTERM, and with 0; how Kamailio ends is not our
	 * subject.
	 */
	async close() {
		for (const program of [this.site, this.gateway.program].filter(Boolean)) {
			const exit = program.exit ?? await program.stop();
			if (exit.code !== 0)
				throw new Error(`${program.name} ended with ${JSON.stringify(exit)}`);
		}
		await this.destroy();
	}

	/** Ends whatever still runs, and returns when it is gone. */
	async destroy() {
		for (const program of this.programs())
			await program.destroy();
		for (const core of this.played.splice(0))
			core.close();
		await this.capture?.stop();
		await this.link.close();
	}
}
