// SPDX-License-Identifier: BSD-3-Clause
// A name server with every record in the script's hand: NAPTR, SRV and A over UDP (RFC 1035, 2782,
// 3403). What it does not know does not exist.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const TYPES = { A: 1, SRV: 33, NAPTR: 35 };

const u16 = (...values) => Buffer.from(values.flatMap((value) => [value >> 8, value & 255]));
const text = (value) => Buffer.from([value.length, ...Buffer.from(value)]);
const name = (value) => Buffer.concat([...value.split('.').filter(Boolean).map(text), Buffer.of(0)]);

const WRITE = {
	A: (address) => Buffer.from(address.split('.').map(Number)),
	SRV: ({ priority = 0, weight = 0, port, target }) =>
		Buffer.concat([u16(priority, weight, port), name(target)]),
	NAPTR: ({ order, preference = 0, service, replacement }) => Buffer.concat([
		u16(order, preference), text('s'), text(service), text(''), name(replacement)]),
};

function readQuestion(bytes) {
	const labels = [];
	let at = 12;
	for (; bytes[at] > 0; at += 1 + bytes[at])
		labels.push(String(bytes.subarray(at + 1, at + 1 + bytes[at])));
	return { asked: labels.join('.').toLowerCase(), type: bytes.readUInt16BE(at + 1),
		question: bytes.subarray(12, at + 5) };
}

export class NameServer {
	/** records: {name: {TYPE: [value, ...]}}, see WRITE; may be changed at any time. */
	static async start(records, { address = '127.0.0.1', port = 5353, ttl_s = 5 } = {}) {
		const server = new NameServer();
		Object.assign(server, { records, ttl_s, asked: [], socket: createSocket('udp4') });
		server.socket.on('message', (bytes, from) => server.#answer(bytes, from));
		server.socket.bind(port, address);
		await once(server.socket, 'listening');
		return server;
	}

	#answer(bytes, from) {
		const { asked, type, question } = readQuestion(bytes);
		const kind = Object.keys(TYPES).find((word) => TYPES[word] === type);
		const found = this.records[asked]?.[kind] ?? [];
		this.asked.push(`${kind} ${asked}`);
		const answers = found.map((value) => {
			const data = WRITE[kind](value);
			return Buffer.concat([u16(0xc00c, type, 1, 0, this.ttl_s, data.length), data]);
		});
		const missing = this.records[asked] ? 0 : 3; /* NXDOMAIN */
		this.socket.send(Buffer.concat([bytes.subarray(0, 2), u16(0x8180 | missing, 1, found.length, 0, 0),
			question, ...answers]), from.port, from.address);
	}

	close() {
		this.socket.close();
	}
}
