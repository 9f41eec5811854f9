// SPDX-License-Identifier: BSD-3-Clause
// Tokens that break one rule at a time, signed like good ones by Node's crypto, and a second issuer
// with a key of every algorithm.

import { constants, createHmac, createPublicKey, generateKeyPairSync, randomUUID,
	sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AUDIENCE, ISSUER, KEY_ID, REALM, impi, impu } from './names.mjs';

export const OTHER_ISSUER = 'https://waf.other.example';
export const OTHER_ORIGINS = ['https://other.example', 'https://more.example'];
export const OTHER_USERS = ['erin', 'frank']; /* one of each site of the second issuer */

const P1363 = { dsaEncoding: 'ieee-p1363' };
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
const SIGN = {
	ES256: (bytes, key) => sign('sha256', bytes, { key, ...P1363 }),
	ES384: (bytes, key) => sign('sha384', bytes, { key, ...P1363 }),
	RS256: (bytes, key) => sign('sha256', bytes, key),
	PS256: (bytes, key) => sign('sha256', bytes, { key, ...PSS }),
	EdDSA: (bytes, key) => sign(null, bytes, key),
	HS256: (bytes, key) => createHmac('sha256', key).update(bytes).digest(),
	none: () => Buffer.alloc(0),
};
const MAKE = {
	ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
	ES384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
	RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
	PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
	EdDSA: () => generateKeyPairSync('ed25519'),
};
export const ALGORITHMS = Object.keys(MAKE);

export const base64url = (value) => (Buffer.isBuffer(value) ? value
	: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))).toString('base64url');

/** A compact JWS. header and payload: values, or their very bytes; signed: makes the signature. */
export function compact(header, payload, signed) {
	const input = `${base64url(header)}.${base64url(payload)}`;
	return `${input}.${signed(Buffer.from(input)).toString('base64url')}`;
}

export const signer = (algorithm, key) => (bytes) => SIGN[algorithm](bytes, key);
/** RSASSA-PSS with another salt than the length of the hash (RFC 7518 section 3.5 wants that). */
export const saltedSigner = (key, saltLength) => (bytes) =>
	sign('sha256', bytes, { key, ...PSS, saltLength });
export const derSigner = (key) => (bytes) => sign('sha256', bytes, key);

export class Forge {
	/** mint: the site's; folder: where the second issuer's files go. */
	constructor(mint, folder) {
		this.key = mint.key;
		this.folder = folder;
		this.keys = Object.fromEntries(ALGORITHMS.map((name) => [name, MAKE[name]().privateKey]));
		this.small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
	}

	/** Writes the files of the second issuer and returns what to add to a configuration. */
	configuration() {
		const published = (kid, alg, key) =>
			({ ...createPublicKey(key).export({ format: 'jwk' }), kid, alg, use: 'sig' });
		const jwks = join(this.folder, 'other.jwks');
		writeFileSync(jwks, JSON.stringify({ keys: [
			...ALGORITHMS.map((name) => published(`key-${name}`, name, this.keys[name])),
			published('key-small', 'RS256', this.small)] }));
		return {
			more_issuers: `  - {name: other-waf, iss: "${OTHER_ISSUER}", audience: "${AUDIENCE}",
     algorithms: [${ALGORITHMS.join(', ')}], jwks: "file:${jwks}", authz_server: "${OTHER_ISSUER}"}
`,
			more_sites: OTHER_ORIGINS.map((origin, at) => this.#site(origin, at)).join(''),
		};
	}

	#site(origin, at) {
		const pairs = join(this.folder, `other${at}.csv`);
		writeFileSync(pairs, `${impi(OTHER_USERS[at])},${impu(OTHER_USERS[at])}\n`);
		return `  - {name: other${at}, issuer: other-waf, origins: ["${origin}"], mode: individual,
     identities: {file: ${pairs}}}
`;
	}

	/** The claims of a good token of the site's issuer; undefined takes one out. */
	claims(user, changes = {}) {
		const now_s = Math.floor(Date.now() / 1000);
		return { iss: ISSUER, aud: AUDIENCE, sub: `subject-${randomUUID()}`, jti: randomUUID(),
			impi: impi(user), impu: impu(user), iat: now_s, exp: now_s + 600, ...changes };
	}

	header(changes = {}) {
		return { typ: 'at+jwt', alg: 'ES256', kid: KEY_ID, ...changes };
	}

	/** A token of the site's issuer for user, with changes. */
	token(user, { claims = {}, header = {}, signed = signer('ES256', this.key) } = {}) {
		return compact(this.header(header), this.claims(user, claims), signed);
	}

	/** The same with the very bytes of its header or its payload. */
	bytes(user, { header = this.header(), payload = this.claims(user) }) {
		return compact(header, payload, signer('ES256', this.key));
	}

	/** A token of the second issuer for the user of site `at`. */
	other(algorithm, { at = 0, claims = {}, header = {},
		signed = signer(algorithm, this.keys[algorithm]) } = {}) {
		return compact(this.header({ alg: algorithm, kid: `key-${algorithm}`, ...header }),
			this.claims(OTHER_USERS[at], { iss: OTHER_ISSUER, wwsf: `other${at}`, ...claims }),
			signed);
	}
}

export const FOREIGN_IMPU = `sip:zoe@${REALM}`;
