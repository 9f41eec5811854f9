// SPDX-License-Identifier: BSD-3-Clause
// Reads a pcap stream of an Ethernet-like interface as it grows: packets, and the TCP byte streams
// in them put in order.

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const ETHERNET_HEADER = 14;
const ETHERTYPE_IP4 = 0x0800;
const ETHERTYPE_IP6 = 0x86dd;
const IP4_MORE = 0x2000;
const IP4_OFFSET = 0x1fff;
const IP6_HEADER = 40;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
const PROTOCOL_FRAGMENT = 44; /* IPv6 extension header */
const MAGIC_MICROSECONDS = 0xa1b2c3d4;
const LINKTYPE_ETHERNET = 1;

/** Cuts records out of pcap bytes that arrive in any pieces. */
export class PcapReader {
	constructor() {
		this.rest = Buffer.alloc(0);
		this.started = false;
	}

	/** Returns the packets that are complete now: {time_s, frame}. */
	take(bytes) {
		this.rest = Buffer.concat([this.rest, bytes]);
		if (!this.started && !this.#takeFileHeader())
			return [];
		const packets = [];
		while (this.rest.length >= RECORD_HEADER) {
			const length = this.rest.readUInt32LE(8);
			if (this.rest.length < RECORD_HEADER + length)
				break;
			packets.push({
				time_s: this.rest.readUInt32LE(0) + this.rest.readUInt32LE(4) / 1e6,
				frame: this.rest.subarray(RECORD_HEADER, RECORD_HEADER + length),
			});
			this.rest = this.rest.subarray(RECORD_HEADER + length);
		}
		return packets;
	}

	#takeFileHeader() {
		if (this.rest.length < FILE_HEADER)
			return false;
		if (this.rest.readUInt32LE(0) !== MAGIC_MICROSECONDS
			|| this.rest.readUInt32LE(20) !== LINKTYPE_ETHERNET)
			throw new Error('capture is not little-endian pcap of an Ethernet-like interface');
		this.rest = this.rest.subarray(FILE_HEADER);
		return this.started = true;
	}
}

/**
 * The IP packet in a frame: {source, destination, protocol, payload, fragment, bytes,
 * source_bytes}, or null when there is none. fragment: {id, offset, more}, or null when it is whole.
 */
export function readPacket(frame) {
	const type = frame.readUInt16BE(12);
	const ip = frame.subarray(ETHERNET_HEADER);
	if (type === ETHERTYPE_IP4)
		return readIp4(ip.subarray(0, ip.readUInt16BE(2)));
	if (type === ETHERTYPE_IP6)
		return readIp6(ip.subarray(0, IP6_HEADER + ip.readUInt16BE(4)));
	return null;
}

function readIp4(ip) {
	const part = ip.readUInt16BE(6);
	const isFragment = (part & (IP4_MORE | IP4_OFFSET)) !== 0;
	return {
		bytes: ip, protocol: ip[9], payload: ip.subarray((ip[0] & 15) * 4),
		source_bytes: ip.subarray(12, 16),
		source: [...ip.subarray(12, 16)].join('.'),
		destination: [...ip.subarray(16, 20)].join('.'),
		fragment: isFragment ? { id: ip.readUInt16BE(4), offset: (part & IP4_OFFSET) * 8,
			more: (part & IP4_MORE) !== 0 } : null,
	};
}

function readIp6(ip) {
	const packet = {
		bytes: ip, protocol: ip[6], payload: ip.subarray(IP6_HEADER), fragment: null,
		source_bytes: ip.subarray(8, 24),
		source: `[${ip.subarray(8, 24).toString('hex')}]`,
		destination: `[${ip.subarray(24, 40).toString('hex')}]`,
	};
	if (packet.protocol !== PROTOCOL_FRAGMENT)
		return packet;
	const part = packet.payload.readUInt16BE(2);
	return { ...packet, protocol: packet.payload[0], payload: packet.payload.subarray(8),
		fragment: { id: packet.payload.readUInt32BE(4), offset: part & ~7,
			more: (part & 1) !== 0 } };
}

/**
 * What a whole packet carries: {transport, from, to, payload, seq, syn}, or null when it is neither
 * TCP nor UDP.
 */
export function readTransport({ protocol, payload: segment, source, destination }) {
	if (protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP)
		return null;
	const from = `${source}:${segment.readUInt16BE(0)}`;
	const to = `${destination}:${segment.readUInt16BE(2)}`;
	if (protocol === PROTOCOL_UDP)
		return { transport: 'udp', from, to, payload: segment.subarray(8), seq: 0, syn: false };
	return {
		transport: 'tcp', from, to,
		payload: segment.subarray((segment[12] >> 4) * 4),
		seq: segment.readUInt32BE(4),
		syn: (segment[13] & 2) !== 0,
	};
}

/** One direction of a TCP connection, in order. */
export class TcpStream {
	constructor() {
		this.bytes = Buffer.alloc(0);
		this.next = null;
		this.early = [];
	}

	/** Takes a segment; returns the bytes that have become contiguous with it. */
	take({ seq, syn, payload }) {
		if (syn) {
			this.next = (seq + 1) >>> 0;
			return Buffer.alloc(0);
		}
		if (this.next === null)
			this.next = seq;
		this.early.push({ seq, payload });
		const before = this.bytes.length;
		while (this.#takeOne())
			;
		return this.bytes.subarray(before);
	}

	#takeOne() {
		const at = this.early.findIndex(({ seq }) => ((this.next - seq) | 0) >= 0);
		if (at < 0)
			return false;
		const [{ seq, payload }] = this.early.splice(at, 1);
		const fresh = payload.subarray(Math.min((this.next - seq) >>> 0, payload.length));
		this.bytes = Buffer.concat([this.bytes, fresh]);
		this.next = (this.next + fresh.length) >>> 0;
		return true;
	}
}
