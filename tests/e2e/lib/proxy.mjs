// SPDX-License-Identifier: BSD-3-Clause
// What a load balancer says first: the PROXY protocol, version 2 (HAProxy, doc/proxy-protocol.txt).

import { isIPv6 } from 'node:net';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const CRC32C = 0x03;

/** The balancer speaks for itself, as in a health check. */
export const PROXY_LOCAL = Buffer.concat([SIGNATURE, Buffer.from([0x20, 0, 0, 0])]);

function crc32c(bytes) {
	let crc = 0xffffffff;
	for (const byte of bytes) {
		crc ^= byte;
		for (let bit = 0; bit < 8; bit++)
			crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return (crc ^ 0xffffffff) >>> 0;
}

/** The 4 or 16 bytes of an address; of IPv6 with one "::". */
function addressBytes(address) {
	if (!isIPv6(address))
		return Buffer.from(address.split('.').map(Number));
	const [before, after] = address.split('::')
		.map((half) => half.split(':').filter(Boolean).map((word) => parseInt(word, 16)));
	const zeros = Array(8 - before.length - after.length).fill(0);
	return Buffer.from([...before, ...zeros, ...after].flatMap((word) => [word >> 8, word & 255]));
}

/** A header that names a client, to port 443 of itself. checksum: none, 'right' or 'wrong'. */
export function proxyHeader(client, port, { checksum } = {}) {
	const address = addressBytes(client);
	const ports = Buffer.from([port >> 8, port & 255, 443 >> 8, 443 & 255]);
	const sum = Buffer.from(checksum ? [CRC32C, 0, 4, 0, 0, 0, 0] : []);
	const block = Buffer.concat([address, address, ports, sum]);
	const header = Buffer.concat([SIGNATURE,
		Buffer.from([0x21, isIPv6(client) ? 0x21 : 0x11, 0, block.length]), block]);
	if (checksum)
		header.writeUInt32BE((crc32c(header) ^ (checksum === 'right' ? 0 : 1)) >>> 0,
			header.length - 4);
	return header;
}
