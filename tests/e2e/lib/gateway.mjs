// SPDX-License-Identifier: BSD-3-Clause
// The gateway under test: its configuration, its life, and what its CLI says.

import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { AUDIENCE, AUTHZ_SERVER, CORE_HOST, GATEWAY_ADDRESS, GATEWAY_HOST, HOLD_ORIGIN, ISSUER, MW_PORT,
	MW_TLS_PORT, REALM,
	SITE_HOST, SITE_ORIGIN, bracketed } from './names.mjs';
import { Program, run, waitFor, within } from './process.mjs';

/* peers/kamailio-scscf.cfg knows whose they are */
const blockIdentities = `{wildcard: "sip:guest-!.*!@${REALM}", registering: {impi: block-shop@${REALM}, \
impu: "sip:block-shop@${REALM}"}}`;

const ANSWER_MS = 15000; /* as wicctl */
/* memory for these is taken and written to at each start, of which there are hundreds */
const FEW_PACKETS = 'tcp: {send_packets: 2048, held_packets: 2048}\n';

/**
 * The text of wicgate.yaml. keys: 'file', or 'https' for those of a KeyServer; digest: the core
 * authenticates the site's users, by AKA from the first REGISTER on with aka; pool: its identities
 * are lent; block (on the common port alone: a Kamailio with two addresses opens a further connection
 * from the wrong one): its identities are guest-..., and registered as one; wildcard: they are
 * of it, and its users are not registered (lib/wildcard.mjs).
 */
export function configuration({ folder, files, workers, mw, link, keys = 'file',
	digest = null, aka = false, pool = false, block = false, wildcard = null, origins = [SITE_ORIGIN, HOLD_ORIGIN], served = [], balancers = [], control_mode = '0600', certificates = [files], tls = '',
	more_issuers = '', more_sites = '', more_realm = '', site_limits = '', settings = '',
	next_hops = null, trusted = [link.core], options_interval = 0, more_access = '', more_mw = '' }) {
	const w2_on_port = link.access === link.gateway && link.port;
	const jwks = keys === 'file' ? `jwks: "file:${files.jwks}"`
		: `jwks: "https://${SITE_HOST}/jwks.json"\n    jwks_ca: ${files.ca}`;
	const pairs = certificates.map(({ certificate, key }) =>
		`{certificate: ${certificate}, key: ${key}}`).join(', ');
	const cores = Array.from({ length: workers }, (_, core) => core).join(', ');
	return `\
node: {name: ${GATEWAY_HOST}, state_directory: ${folder}/state}
realms: [{domain: ${REALM}, visited_network: ${REALM}${wildcard ? `, icscf_orig: "sip:orig@${
		bracketed(link.core)}:${MW_PORT};lr;orig"` : ''}${more_realm}}]
workers: {cores: [${cores}], idle: sleep}
ports:
${w2_on_port ? '' : `  - {name: access, device: kernel, addresses: [${GATEWAY_ADDRESS}/24]}
`}${link.port ?? ''}access:
  listen: [{port: ${w2_on_port ? 'core' : 'access'}, tcp: 443}]
  paths: [/]
  hosts: [${served.join(', ')}]
  proxy_protocol_from: [${balancers.map((address) => `"${address}"`).join(', ')}]
  tls: {certificates: [${pairs}]${tls && `, ${tls}`}}
${more_access}mw:
  port: ${link.port ? 'core' : 'access'}
  sip_port: ${MW_PORT}
  advertise_port: ${workers > 1 || block ? 'common' : 'worker'}
  next_hops: [${(next_hops ?? [{ uri: `sip:${bracketed(link.core)}:${
		mw === 'tls' ? MW_TLS_PORT : MW_PORT};transport=${mw}` }])
		.map(({ uri, priority = 1, weight = 1 }) =>
			`{uri: "${uri}", priority: ${priority}, weight: ${weight}}`).join(', ')}]
  trusted: [${trusted.map((address) => `"${address}"`).join(', ')}]
  options_interval: ${options_interval}
${files.mw ? `  tls: {certificate: ${files.mw.gateway.certificate}, key: ${files.mw.gateway.key}, authorities: ${
		files.ca}, peers: [${CORE_HOST}]}
` : ''}${more_mw}issuers:
  - name: shop-waf
    iss: "${ISSUER}"
    audience: "${AUDIENCE}"
    algorithms: [ES256]
    ${jwks}
    authz_server: "${AUTHZ_SERVER}"
${more_issuers}wwsf:
  - name: shop
    origins: [${origins.map((origin) => `"${origin}"`).join(', ')}]
    ${digest ? `mode: ims-auth
    aka: ${aka}`
		: wildcard ? `mode: wildcard-unregistered
    issuer: shop-waf
    identities: {wildcard: "${wildcard}"}`
		: `mode: ${block ? 'block' : pool ? 'pool' : 'individual'}
    issuer: shop-waf
    identities: ${block ? blockIdentities : `{file: ${files.pairs}}`}`}
${site_limits && `    ${site_limits}\n`}${more_sites}control: {socket: ${folder}/control.sock, mode: "${control_mode}"}
log: {level: info}
${settings.includes('tcp:') ? '' : FEW_PACKETS}${settings}`;
}

/** In front of a command line: as another user, with no privilege left. */
export const as = (user, group = 'nogroup') => ['setpriv', '--reuid', user, '--regid', group,
	'--clear-groups', '--bounding-set', '-all', '--inh-caps', '-all'];

/** One line there, one document back. A process for each of these would cost more than all else. */
async function askSocket(path, command) {
	const socket = connect(path);
	const pieces = [];
	socket.write(`${command.join(' ')}\n`);
	const answered = async () => {
		for await (const piece of socket)
			pieces.push(piece);
	};
	await within(`the answer to ${command[0]}`, answered(), ANSWER_MS).finally(() => socket.destroy());
	return JSON.parse(Buffer.concat(pieces).toString());
}

export class Gateway {
	/** Starts the daemon and waits until it says that it is ready; again, after one that has ended. */
	static async start(options, before = 0) {
		const gateway = new Gateway(options);
		await gateway.#ready(before);
		return gateway;
	}

	/** Kills the daemon, as a crash would, and starts it again. */
	async restart() {
		await this.program.destroy();
		/* all of its threads: they hold the state directory */
		await within('the killed gateway gone', this.program.ended);
		const before = this.starts();
		this.#launch();
		await this.#ready(before);
	}

	/** Waits until it has said once more that it is ready. */
	#ready(before) {
		return this.program.ready(() => this.starts() > before);
	}

	/** How often its log says that it is ready. */
	starts() {
		return (this.program.log().match(/(^|\s)event=ready(\s|$)/gm) ?? []).length;
	}

	constructor(options) {
		this.options = options;
		this.config_path = join(options.folder, 'wicgate.yaml');
		this.configure();
		this.#launch();
	}

	#launch() {
		const { owner, build, folder, link } = this.options; /* no owner: who runs the script */
		this.program = new Program('wicgate', [...(owner ? as(owner) : []),
			join(build, 'wicgate'), '-c', this.config_path], folder, link.env);
	}

	/** Writes the configuration again, with changes, for a reload. */
	configure(changes = {}) {
		writeFileSync(this.config_path, configuration({ ...this.options, ...changes }));
	}

	/** Reloads with changes, and waits until they count, or for the problem that refuses them. */
	async reload(changes, problem = null) {
		const lines = () => this.program.log().split('\n').filter((line) =>
			line.includes(problem ? 'event=reload_refused' : 'event=reloaded'));
		const before = lines().length;
		this.configure(changes);
		this.program.signal('SIGHUP');
		await waitFor('the reload', () => lines().length > before);
		if (problem && !this.program.log().includes(problem))
			throw new Error(`the log does not say: ${problem}`);
	}

	/** The command line of `wicctl --json COMMAND...`. */
	cli(...command) {
		return [join(this.options.build, 'wicctl'),
			'--socket', join(this.options.folder, 'control.sock'), '--json', ...command];
	}

	/** What `wicctl --json COMMAND...` would print, by its socket; an error in it is thrown. */
	async ask(...command) {
		const answer = await askSocket(join(this.options.folder, 'control.sock'), command);
		const wrong = answer.error ? answer : Object.values(answer).find((part) => part?.error);
		if (wrong)
			throw new Error(`wicctl: ${wrong.error}`);
		return answer;
	}

	/** The same by the program itself, and how that ends; input: what it reads, or nothing. */
	wicctl(command, input = '') {
		const [program, ...words] = this.cli(...command);
		const ran = run(program, words);
		ran.child.stdin.on('error', () => {}); /* it may end and not read */
		ran.child.stdin.end(input);
		return ran;
	}

	/** The TCP connections, of W2 and Mw, or those with an end like this. */
	async connections(...end) {
		return (await this.ask('connections', ...end)).connections;
	}

	/** The WICs. */
	async sessions() {
		return (await this.ask('sessions')).sessions;
	}

	async blocks() {
		return (await this.ask('blocks')).blocks;
	}

	async bindings() {
		return (await this.ask('bindings')).bindings;
	}

	/** What it knows of a next hop: {address, port, mac, state, gateway}, or undefined. */
	async neighbour(address) {
		return (await this.ask('neighbours')).neighbours.find((row) => row.address === address);
	}

	/** How it stands with the keys of the one issuer: {state, keys, fetches, error, ...}. */
	async issuer() {
		return (await this.ask('keys')).issuers[0];
	}

	/** Waits until the log has an alarm of this kind about an address on a link. */
	waitForAlarm(error, about) {
		return waitFor(`alarm ${error} about ${about}`, () => this.program.log().split('\n')
			.some((line) => ['event=net_alarm', `error=${error}`, about]
				.every((word) => line.includes(word))));
	}

	/** All errors that were counted, for people: 'GW_RATE 3, ...'. */
	async allErrors() {
		return (await this.ask('stats')).stats.filter(({ name, total }) =>
			name.startsWith('errors.') && total > 0)
			.map(({ name, total }) => `${name.slice('errors.'.length)} ${total}`).join(', ');
	}

	/** How often an error was counted, all workers together. Only what has happened has a row. */
	async errors(name) {
		const found = (await this.ask('stats')).stats.find((row) => row.name === `errors.${name}`);
		return found?.total ?? 0;
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
