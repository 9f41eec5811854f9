// SPDX-License-Identifier: BSD-3-Clause
// A second voice at the S-CSCF's address: requests on Mw that Kamailio would never write.

import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { REALM, bracketed } from './names.mjs';
import { within } from './process.mjs';
import { cutSipStream, parseSip, writeSip } from './sip.mjs';

const hex = () => randomBytes(6).toString('hex');

/**
 * Sends a terminating MESSAGE to contact by the Route given, as the S-CSCF does, over the world's
 * link from the address `from`. Returns the final response; rejects when there is none within
 * timeout_ms.
 */
export async function sendTerminating({ mw, link, route, contact, port, from = link.core,
	timeout_ms = 10000 }) {
	const exchange = mw === 'tcp' ? exchangeTcp : exchangeUdp;
	const to = { host: link.gateway, port };
	return exchange(from, to, timeout_ms, (local_port) => writeSip(`MESSAGE ${contact} SIP/2.0`, [
		['Via', `SIP/2.0/${mw.toUpperCase()} ${bracketed(from)}:${local_port};branch=z9hG4bK${hex()}`],
		['Route', route],
		['Max-Forwards', '69'],
		['From', `<sip:carol@${REALM}>;tag=${hex()}`],
		['To', `<sip:alice@${REALM}>`],
		['Call-ID', `${hex()}@core.example.test`],
		['CSeq', '1 MESSAGE'],
		['P-Asserted-Identity', `<sip:carol@${REALM}>`],
		['Content-Type', 'text/plain']], 'should it arrive?'));
}

function finalOf(texts) {
	return texts.map(parseSip).find((sip) => sip.status >= 200) ?? null;
}

async function exchangeUdp(address, to, timeout_ms, write) {
	const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
	try {
		await new Promise((resolve) => socket.bind(0, address, resolve));
		const answered = new Promise((resolve) => socket.on('message', (bytes) => {
			const final = finalOf([String(bytes)]);
			if (final)
				resolve(final);
		}));
		socket.send(write(socket.address().port), to.port, to.host);
		return await within('answer to a terminating MESSAGE over UDP', answered, timeout_ms);
	} finally {
		socket.close();
	}
}

async function exchangeTcp(address, to, timeout_ms, write) {
	const socket = connect({ ...to, localAddress: address });
	try {
		const answered = new Promise((resolve, reject) => {
			let unread = Buffer.alloc(0);
			socket.on('error', reject);
			socket.on('close', () => reject(new Error('the gateway closed the connection')));
			socket.on('connect', () => socket.write(write(socket.localPort)));
			socket.on('data', (bytes) => {
				const cut = cutSipStream(Buffer.concat([unread, bytes]));
				unread = cut.rest;
				const final = finalOf(cut.texts);
				if (final)
					resolve(final);
			});
		});
		return await within('answer to a terminating MESSAGE over TCP', answered, timeout_ms);
	} finally {
		socket.destroy();
	}
}
