// SPDX-License-Identifier: BSD-3-Clause
// HTTP Digest as a WIC computes it (RFC 7616), and the passwords and cards that the core knows.

import { createHash, randomBytes } from 'node:crypto';
import { REALM, impi } from './names.mjs';

const HASHES = { MD5: 'md5', 'AKAv1-MD5': 'md5', 'SHA-256': 'sha256', 'AKAv2-SHA-256': 'sha256' };

/** As peers/kamailio-scscf.cfg and peers/ims-hss.cfg have it. */
export const password = (user) => `secret-${user}`;

/** {name: value} of the parameters of a challenge or credential. */
export function parameters(text) {
	const found = text.slice(text.indexOf(' ')).matchAll(/([\w-]+)\s*=\s*(?:"([^"]*)"|([^\s,]+))/g);
	return Object.fromEntries([...found].map(([, name, quoted, bare]) =>
		[name.toLowerCase(), quoted ?? bare]));
}

/**
 * What the card of a user says to a challenge of AKA (RES), by the keys of peers/ims-hss.cfg. It answers its home network only.
 */
export function askCard(challenge, user) {
	const nonce = Buffer.from(parameters(challenge).nonce, 'base64');
	const key = `${password(user)}:${nonce.subarray(0, 16).toString('hex')}`;
	const made = (what) => createHash('md5').update(`${what}:${key}`).digest();
	if (!made('autn').equals(nonce.subarray(16)))
		throw new Error('the challenge is of somebody else than the home network');
	return made('xres');
}

/** The Digest that answers a challenge to REGISTER. secret: what the user knows, text or bytes. */
export function answerChallenge(challenge, user, secret = password(user)) {
	const { realm, nonce, algorithm = 'MD5', qop } = parameters(challenge);
	const hash = (...pieces) => pieces.reduce((sum, piece) => sum.update(piece), createHash(HASHES[algorithm]))
		.digest('hex');
	const uri = `sip:${REALM}`;
	const cnonce = randomBytes(8).toString('hex');
	const rest = qop ? `${nonce}:00000001:${cnonce}:auth` : nonce;
	const response = hash(`${hash(`${impi(user)}:${realm}:`, secret)}:${rest}:`
		+ hash(`REGISTER:${uri}`));
	return `Digest username="${impi(user)}",realm="${realm}",nonce="${nonce}",uri="${uri}",`
		+ `response="${response}",algorithm=${algorithm}`
		+ (qop ? `,qop=auth,nc=00000001,cnonce="${cnonce}"` : '');
}
