// SPDX-License-Identifier: BSD-3-Clause
// The web site's key set over HTTPS, served by the script itself: what it says, and whether it
// answers at all, is in the script's hand.

import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { SITE_HOST } from './names.mjs';

export class KeyServer {
	/** Serves at https://SITE_HOST/jwks.json, with the certificate of the world. */
	static async start(world) {
		const server = new KeyServer(world);
		server.https.listen(443, world.hosts[SITE_HOST]);
		await once(server.https, 'listening');
		return server;
	}

	constructor({ files }) {
		this.set = { keys: [] };
		this.max_age_s = 3600;
		this.manner = 'serves'; /* or 'hangs', 'breaks', 'floods' */
		this.asked = 0;
		this.https = createServer({ cert: readFileSync(files.certificate),
			key: readFileSync(files.key) }, (request, response) => this.#answer(response));
	}

	#answer(response) {
		this.asked += 1;
		const tell = { 'Content-Type': 'application/jwk-set+json',
			'Cache-Control': `max-age=${this.max_age_s}` };
		const manners = {
			serves: () => response.writeHead(200, tell).end(JSON.stringify(this.set)),
			hangs: () => {},
			breaks: () => response.writeHead(500, tell).end('{}'),
			floods: () => response.writeHead(200, tell).end(' '.repeat(10 << 20)),
		};
		manners[this.manner]();
	}

	/** The set is the public halves of these private keys, {kid: key}. */
	publish(keys) {
		this.set = { keys: Object.entries(keys).map(([kid, key]) => ({ kid, use: 'sig',
			alg: 'ES256', ...createPublicKey(key).export({ format: 'jwk' }) })) };
	}

	close() {
		this.https.closeAllConnections?.();
		this.https.close();
	}
}
