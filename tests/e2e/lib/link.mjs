// SPDX-License-Identifier: BSD-3-Clause
// The gateway's network, from its peers' point of view. Either all is on the loopback interface and
// in kernel sockets, or the gateway has a device of its own, for Mw alone or for W2 too, and this
// kernel is its peer on the link: core, router, and whoever is behind the router.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CLIENT_ADDRESSES, CORE_ADDRESS, GATEWAY_ADDRESS, LINK_ADDRESSES, LINK_PREFIX,
	OTHER_CORE_ADDRESS } from './names.mjs';
import { Program, run, waitFor } from './process.mjs';

const LEAKS = fileURLToPath(new URL('af_xdp.supp', import.meta.url));
const BOXED_PEER = 'boxed0';

/**
 * The devices a gateway can be given. port: how it is named in the configuration. peer: the
 * interface of this kernel at the other end. gathers4: fragments of IPv4 do not reach the gateway,
 * what they are put together to does. made: what makes both beforehand; without it the
 * gateway makes the interface, and it goes with the gateway.
 */
const VETH = { peer: 'veth1', made: 'link add veth0 type veth peer name veth1', taken: 'veth0' };
export const DEVICES = {
	tap: { port: 'tap:wic0', peer: 'wic0' },
	net_tap: { port: 'net_tap0,iface=dtap0', peer: 'dtap0' },
	/* the kernel puts fragments of IPv4 together for it: frames are longer than the link's */
	net_af_packet: { port: 'net_af_packet0,iface=veth0,framesz=4096,blocksz=4096', ...VETH,
		gathers4: true },
	/* its driver leaks: for a gateway with the address sanitizer */
	net_af_xdp: { port: 'net_af_xdp0,iface=veth0,busy_budget=0', ...VETH, env: {
		LSAN_OPTIONS: `suppressions=${LEAKS}:print_suppressions=0`,
		ASAN_OPTIONS: 'fast_unwind_on_malloc=0' /* or it sees no names */ } },
};

export const ip = (...words) => run('ip', words.join(' ').split(' '));

/** Commands of ip, one after the other, by one process. */
export async function ipAll(commands) {
	const ran = run('ip', ['-batch', '-']);
	ran.child.stdin.end(`${commands.join('\n')}\n`);
	await ran;
}

const addressCommand = (address, interface_name) => `addr add ${address}/${address.includes(':')
	? `${LINK_PREFIX[6]} dev ${interface_name} nodad` : `${LINK_PREFIX[4]} dev ${interface_name}`}`;

/** A setting of the kernel for one interface, as arp_ignore or disable_ipv6. */
export function setting(family, name, setting_name, value) {
	writeFileSync(`/proc/sys/net/${family}/conf/${name}/${setting_name}`, String(value));
}

/** This kernel stays out of what passes an interface: it answers and asks nothing. */
async function keepOut(name) {
	setting('ipv6', name, 'disable_ipv6', 1);
	await ip('link set dev', name, 'arp off');
	await ip('link set dev', name, 'up');
}

/** A port that hands over unfinished packets, and whole trains of them, without this. */
const finishPackets = (name) =>
	run('ethtool', ['-K', name, 'tx', 'off', 'tso', 'off', 'gso', 'off']);

/** All on the loopback interface. access: where W2 is; gateway: where Mw is. */
class Loopback {
	constructor() {
		Object.assign(this, { access: GATEWAY_ADDRESS, gateway: GATEWAY_ADDRESS, core: CORE_ADDRESS,
			stranger: OTHER_CORE_ADDRESS, peer: 'lo', ip: 4 });
	}

	prepare() {}

	connect() {}

	close() {}
}

/** Mw, and W2 when it is wanted there, on a device of the gateway's. */
class PacketLink {
	/**
	 * options: device, a name of DEVICES; w2, 'port' or 'kernel'; ip, 4 or 6; vlan; wirebox, arguments of one in between;
	 * owner, a user for whom a TAP is made beforehand.
	 */
	constructor(options, folder, build) {
		this.options = options;
		this.folder = folder;
		this.build = build;
		this.device = DEVICES[options.device];
		this.env = this.device.env ?? {};
		this.ip = options.ip ?? 4;
		this.vlan = options.vlan ?? 0;
		this.gathers4 = Boolean(this.device.gathers4);
		Object.assign(this, LINK_ADDRESSES[this.ip]);
		this.access = options.w2 === 'port' ? this.gateway : GATEWAY_ADDRESS;
		this.addressed = false;
		this.unmake = null; /* what takes away what prepare() has made */
		this.peer = options.wirebox ? BOXED_PEER : this.device.peer;
	}

	/** The port's lines in the configuration. */
	get port() {
		const families = this.ip === 4 ? [4, 6] : [6];
		const list = (who, bits) => families.map((family) =>
			`"${LINK_ADDRESSES[family][who]}${bits ? `/${LINK_PREFIX[family]}` : ''}"`).join(', ');
		return `  - {name: core, device: "${this.device.port}", addresses: [${list('gateway', true)}],
     gateways: [${list('router', false)}], neighbour_probe: 1, vlan: ${this.vlan}}
`;
	}

	/** Before the gateway starts: what can be there already is. */
	async prepare() {
		if (this.device.made) {
			await ip(this.device.made);
			this.unmake = `link del ${this.device.taken}`;
			await keepOut(this.device.taken);
			await finishPackets(this.device.peer);
		} else if (this.options.owner) {
			const tap = `dev ${this.device.peer} mode tap multi_queue`;
			await ip('tuntap add', tap, 'user', this.options.owner);
			this.unmake = `tuntap del ${tap}`;
		}
		if (this.unmake && !this.options.wirebox)
			await this.#address();
	}

	/** When the gateway runs, and its interface is there. Returns when it has found its peer. */
	async connect(gateway) {
		if (this.options.wirebox)
			await this.#box();
		if (!this.addressed)
			await this.#address();
		await waitFor('the gateway has found the core', async () =>
			(await gateway.neighbour(this.core))?.state === 'reachable');
	}

	async #address() {
		this.addressed = true;
		await ipAll([`link set dev ${this.peer} up`, ...[4, 6].flatMap((family) =>
			['core', 'stranger', 'router'].map((who) =>
				addressCommand(LINK_ADDRESSES[family][who], this.peer))),
		...this.options.w2 === 'port' ? this.#routes() : []]);
	}

	/*
	 * browsers are behind the router: what has no address of its own goes out with theirs. With
	 * path_mtu this kernel knows how narrow the path is, and says nothing of it to the gateway
	 */
	#routes() {
		const { path_mtu } = this.options;
		const narrow = path_mtu ? ` mtu ${path_mtu} advmss 1460` : '';
		return Object.entries(LINK_ADDRESSES).map(([family, { gateway }]) =>
			`route replace ${gateway} dev ${this.peer} src ${CLIENT_ADDRESSES[family]}${narrow}`);
	}

	addAddress(address) {
		return ip(addressCommand(address, this.peer));
	}

	async #box() {
		await keepOut(this.device.peer);
		const vlan = this.vlan ? ['--vlan', String(this.vlan)] : [];
		this.box = new Program('wirebox', [join(this.build, 'tests', 'wirebox', 'wirebox'),
			...vlan, ...this.options.wirebox, `tap:${BOXED_PEER}`, `packet:${this.device.peer}`],
			this.folder);
		await this.box.ready(() => this.box.log().includes('wirebox: ready'));
	}

	/** Ends the wirebox and returns what it counted: {a_to_b, b_to_a}; a is the core's side. */
	async unbox() {
		await this.box.stop();
		return JSON.parse(this.box.log().split('\n').find((line) => line.startsWith('{')));
	}

	/** The hardware address of the core's side. */
	async mac() {
		const [{ address }] = JSON.parse((await run('ip', ['-j', 'link', 'show', this.peer])).stdout);
		return address;
	}

	/** What this kernel knows of an address on the link: {lladdr, state}, or undefined. */
	async neighbour(address) {
		const { stdout } = await run('ip', ['-j', 'neigh', 'show', 'to', address, 'dev', this.peer]);
		return JSON.parse(stdout || '[]')[0];
	}

	async close() {
		await this.box?.destroy();
		const { unmake } = this;
		this.unmake = null;
		if (unmake)
			await ip(unmake);
	}
}

/** options.device: a name of DEVICES; without one, or 'kernel', all is on the loopback interface. */
export function makeLink(options, folder, build) {
	return (options.device ?? 'kernel') === 'kernel' ? new Loopback()
		: new PacketLink(options, folder, build);
}
