// SPDX-License-Identifier: BSD-3-Clause
// Tokens as the site issues them, and the wrong ones it never would. Made by Node's crypto: a third
// implementation beside the gateway's and the site's.

import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID,
	sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { AUDIENCE, ISSUER, KEY_ID, impi, impu } from './names.mjs';

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export class TokenMint {
	constructor(key_path) {
		this.key = createPrivateKey(readFileSync(key_path));
	}

	/** The public half, as the gateway is given it. */
	jwks() {
		const jwk = createPublicKey(this.key).export({ format: 'jwk' });
		return JSON.stringify({ keys: [{ ...jwk, kid: KEY_ID, use: 'sig', alg: 'ES256' }] });
	}

	/**
	 * A token for user, lifetime_s from now. `claims` and `header` replace single members
	 * (undefined removes one).
	 */
	issue(user, { lifetime_s = 600, claims = {}, header = {}, key = this.key } = {}) {
		const now_s = Math.floor(Date.now() / 1000);
		const signed = [
			encode({ typ: 'at+jwt', alg: 'ES256', kid: KEY_ID, ...header }),
			encode({
				iss: ISSUER, aud: AUDIENCE, sub: `user-${user}`, jti: randomUUID(),
				impi: impi(user), impu: impu(user), iat: now_s, exp: now_s + lifetime_s, ...claims,
			})].join('.');
		const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
		return `${signed}.${signature.toString('base64url')}`;
	}
}

/** A key nobody published, yet. */
export function strangerKey() {
	return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}
