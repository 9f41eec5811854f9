// SPDX-License-Identifier: BSD-3-Clause
// The gateway under test: its configuration, its life, and what its CLI says.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AUDIENCE, AUTHZ_SERVER, CORE_ADDRESS, GATEWAY_ADDRESS, GATEWAY_HOST, HOLD_ORIGIN, ISSUER,
	MW_PORT, REALM, SITE_ORIGIN } from './names.mjs';
import { Program, run } from './process.mjs';

/** The text of wicgate.yaml. */
export function configuration({ folder, files, workers, mw,
	origins = [SITE_ORIGIN, HOLD_ORIGIN] }) {
	const cores = Array.from({ length: workers }, (_, core) => core).join(', ');
	return `\
node: {name: ${GATEWAY_HOST}, state_directory: ${folder}/state}
realms: [{domain: ${REALM}, visited_network: ${REALM}}]
workers: {cores: [${cores}], idle: sleep}
ports:
  - {name: access, device: kernel, addresses: [${GATEWAY_ADDRESS}/24]}
access:
  listen: [{port: access, tcp: 443}]
  paths: [/]
  tls: {certificates: [{certificate: ${files.certificate}, key: ${files.key}}]}
mw:
  port: access
  sip_port: ${MW_PORT}
  advertise_port: ${workers > 1 ? 'common' : 'worker'}
  next_hops: [{uri: "sip:${CORE_ADDRESS}:${MW_PORT};transport=${mw}", priority: 1, weight: 1}]
  trusted: [${CORE_ADDRESS}]
issuers:
  - name: shop-waf
    iss: "${ISSUER}"
    audience: "${AUDIENCE}"
    algorithms: [ES256]
    jwks: "file:${files.jwks}"
    authz_server: "${AUTHZ_SERVER}"
wwsf:
  - name: shop
    issuer: shop-waf
    origins: [${origins.map((origin) => `"${origin}"`).join(', ')}]
    mode: individual
    identities: {file: ${files.pairs}}
control: {socket: ${folder}/control.sock}
log: {level: info}
`;
}

export class Gateway {
	/** Starts the daemon and waits until it says that it is ready. */
	static async start(options) {
		const gateway = new Gateway(options);
		await gateway.program.ready(() => /(^|\s)event=ready(\s|$)/m.test(gateway.program.log()));
		return gateway;
	}

	constructor(options) {
		this.options = options;
		this.config_path = join(options.folder, 'wicgate.yaml');
		this.configure();
		this.program = new Program('wicgate',
			[join(options.build, 'wicgate'), '-c', this.config_path], options.folder);
	}

	/** Writes the configuration again, with changes, for a reload. */
	configure(changes = {}) {
		writeFileSync(this.config_path, configuration({ ...this.options, ...changes }));
	}

	/** The answer of `wicctl --json COMMAND`. */
	async ask(command) {
		const { stdout } = await run(join(this.options.build, 'wicctl'),
			['--socket', join(this.options.folder, 'control.sock'), '--json', command],
			{ maxBuffer: 16 << 20 });
		return JSON.parse(stdout);
	}

	async connections() {
		return (await this.ask('connections')).connections;
	}

	async bindings() {
		return (await this.ask('bindings')).bindings;
	}

	/**
	 * A counter, all workers together. A name the gateway does not have is an error, not a zero.
	 */
	async counter(name) {
		const found = (await this.ask('stats')).stats.find((row) => row.name === name);
		if (!found)
			throw new Error(`wicctl stats has no counter ${name}`);
		return found.total;
	}
}
