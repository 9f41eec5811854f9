// SPDX-License-Identifier: BSD-3-Clause
// Packets that no kernel would send: made byte by byte here, put on a wire by send_frame.py.

import { fileURLToPath } from 'node:url';
import { run } from './process.mjs';

const SENDER = fileURLToPath(new URL('send_frame.py', import.meta.url));
const TYPE_ARP = 0x0806;
const TYPE_TAG = 0x8100;
const TYPE_IP = { 4: 0x0800, 6: 0x86dd };
const PROTOCOL_ICMP = 1;
const PROTOCOL_ICMP6 = 58;

const mac = (text) => Buffer.from(text.replaceAll(':', ''), 'hex');

/** An address as its bytes. */
export function address(text) {
	if (!text.includes(':'))
		return Buffer.from(text.split('.').map(Number));
	const [head, tail = ''] = text.split('::').map((part) => part.split(':').filter(Boolean));
	const words = [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail];
	return Buffer.concat(words.map((word) => Buffer.from(word.padStart(4, '0'), 'hex')));
}

function uint(bytes, value) {
	const buffer = Buffer.alloc(bytes);
	buffer.writeUIntBE(value, 0, bytes);
	return buffer;
}

/** RFC 1071. */
function checksum(bytes) {
	let sum = 0;
	for (let i = 0; i < bytes.length; i += 2)
		sum += (bytes[i] << 8) + (bytes[i + 1] ?? 0);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >>> 16);
	return uint(2, ~sum & 0xffff);
}

export const ethernet = (to, from, type, payload) =>
	Buffer.concat([mac(to), mac(from), uint(2, type), payload]);

/** The frame in a VLAN. */
export const tagged = (frame, vlan) => Buffer.concat([frame.subarray(0, 12), uint(2, TYPE_TAG),
	uint(2, vlan), frame.subarray(12)]);

/** A question of `from` ({mac, ip}) to everybody: who has `target`? */
export const arpRequest = (from, target) => ethernet('ff:ff:ff:ff:ff:ff', from.mac, TYPE_ARP,
	Buffer.concat([Buffer.from('0001080006040001', 'hex'), mac(from.mac), address(from.ip),
		Buffer.alloc(6), address(target)]));

function ip4(source, destination, protocol, payload) {
	const head = (sum) => Buffer.concat([uint(2, 0x4500), uint(2, 20 + payload.length), uint(4, 0),
		uint(1, 64), uint(1, protocol), sum, address(source), address(destination)]);
	return Buffer.concat([head(checksum(head(Buffer.alloc(2)))), payload]);
}

function ip6(source, destination, protocol, payload) {
	return Buffer.concat([uint(4, 0x60000000), uint(2, payload.length), uint(1, protocol),
		uint(1, 64), address(source), address(destination), payload]);
}

/**
 * A router's word that `packet` (an IP packet of the gateway's) was too big for mtu, as a frame
 * from the station `from` to the station `to` ({mac, ip} each).
 */
export function tooBig(from, to, packet, mtu) {
	const family = from.ip.includes(':') ? 6 : 4;
	const message = (sum) => family === 4
		? Buffer.concat([uint(2, 0x0304), sum, uint(2, 0), uint(2, mtu), packet.subarray(0, 548)])
		: Buffer.concat([uint(2, 0x0200), sum, uint(4, mtu), packet.subarray(0, 1232)]);
	const blank = message(Buffer.alloc(2));
	const pseudo = family === 4 ? Buffer.alloc(0) : Buffer.concat([address(from.ip),
		address(to.ip), uint(4, blank.length), uint(4, PROTOCOL_ICMP6)]);
	const whole = message(checksum(Buffer.concat([pseudo, blank])));
	return ethernet(to.mac, from.mac, TYPE_IP[family], family === 4
		? ip4(from.ip, to.ip, PROTOCOL_ICMP, whole) : ip6(from.ip, to.ip, PROTOCOL_ICMP6, whole));
}

/** Puts frames on an interface as they are. */
export const sendFrames = (name, ...frames) =>
	run('python3', [SENDER, name, ...frames.map((frame) => frame.toString('hex'))]);
