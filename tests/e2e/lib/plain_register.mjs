// SPDX-License-Identifier: BSD-3-Clause
// A REGISTER that needs nobody behind the gateway: without a token it is answered 401, and the
// answer shows what was read of it.

import { REALM, impu } from './names.mjs';
import { parseSip } from './sip.mjs';

/**
 * The text of one. cseq: its number; size: its length in bytes, 0 for as long as it is; display: in
 * front of From and To; body: its bytes.
 */
export function plainRegister({ cseq = 1, size = 0, display = '', body = '',
	user = 'alice' } = {}) {
	const write = (length) => [`REGISTER sip:${REALM} SIP/2.0`,
		`Via: SIP/2.0/WSS raw.invalid;branch=z9hG4bKraw${cseq}`,
		'Max-Forwards: 70',
		`From: ${display}<${impu(user)}>;tag=r${cseq}`,
		`To: ${display}<${impu(user)}>`,
		'Call-ID: raw@raw.invalid',
		`CSeq: ${cseq} REGISTER`,
		`Contact: <sip:${user}@raw.invalid;transport=ws>`,
		'Content-Type: text/plain',
		`Content-Length: ${String(length).padStart(6, '0')}`,
		'', ''].join('\r\n');
	const head = write(0);
	const filled = size === 0 ? Buffer.from(body) : Buffer.alloc(size - Buffer.byteLength(head),
		'x');
	return Buffer.concat([Buffer.from(write(filled.length)), filled]);
}

/** The number in the CSeq of an answer to one, once it is what such an answer must be. */
export function answeredCseq(frame) {
	const sip = parseSip(frame.payload.toString('latin1'));
	if (sip.status !== 401)
		throw new Error(`answered ${sip.start}`);
	return Number(/^(\d+) REGISTER$/.exec(sip.header('CSeq'))[1]);
}
