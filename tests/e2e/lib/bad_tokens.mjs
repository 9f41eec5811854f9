// SPDX-License-Identifier: BSD-3-Clause
// A token, or what stands for one, for each rule it can break: {name: {rows, token}}. rows: the
// F-rows of which one must be counted; several where the rules leave open which comes first.

import { createPublicKey } from 'node:crypto';
import { AUDIENCE, ISSUER, KEY_ID, REALM, impi, impu } from './names.mjs';
import { FOREIGN_IMPU, OTHER_ISSUER, base64url, derSigner, saltedSigner,
	signer } from './forge.mjs';
import { strangerKey } from './token.mjs';

const now_s = () => Math.floor(Date.now() / 1000);
const pem = (key) => createPublicKey(key).export({ type: 'spki', format: 'pem' });
/** A token may be a function: one that is about now is made when it is sent. */
const rows = (list, tokens) => Object.fromEntries(Object.entries(tokens)
	.map(([name, token]) => [`${list[0]} ${name}`, { rows: list,
		get token() { return typeof token === 'function' ? token() : token; } }]));

/** Another last character that decodes to the same bytes: unused bits that are not zero. */
function unusedBits(token) {
	const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
	/* 64 bytes leave four of them */
	return token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1)) | 1];
}

function malformed(forge) {
	const good = () => forge.token('alice');
	const [header, payload, signature] = good().split('.');
	return { ...rows(['F04'], {
		'no dots': 'abcdef',
		'two parts': `${header}.${payload}`,
		'four parts': `${good()}.AAAA`,
		'five parts, as a JWE': `${header}.${signature}.${signature}.${payload}.${signature}`,
		'padding': `${good()}==`,
		'a plus': `${header}.${payload}.+${signature.slice(1)}`,
		'a slash': `${header}.${payload}./${signature.slice(1)}`,
		'unused bits': unusedBits(good()),
		'a length that base64url does not have': `${header}.${payload}.${signature.slice(0, 85)}`,
		'more than 8192 bytes': forge.token('alice', { claims: { filler: 'x'.repeat(6200) } }),
	}), ...rows(['F04', 'F05'], {
		'an empty header': `.${payload}.${signature}`,
		'an empty payload': `${header}..${signature}`,
	}) };
}

function notJson(forge) {
	const header = (text) => forge.bytes('alice', { header: text });
	const claims = () => JSON.stringify(forge.claims('alice'));
	const payload = (change) => forge.bytes('alice', { payload: change(claims()) });
	const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);
	return rows(['F05'], {
		'header is text': header('hello'),
		'header is a list': header('[]'),
		'header with alg twice': header(`{"alg":"ES256","kid":"${KEY_ID}","alg":"ES256"}`),
		'header with an escaped alg twice': header(
			`{"alg":"ES256","kid":"${KEY_ID}","\\u0061lg":"none"}`),
		'header with something behind': header(`{"alg":"ES256","kid":"${KEY_ID}"}x`),
		'header with a comma too many': header(`{"alg":"ES256","kid":"${KEY_ID}",}`),
		'header with a byte order mark': header(`\ufeff{"alg":"ES256","kid":"${KEY_ID}"}`),
		'header not UTF-8': header(Buffer.from(
			`{"alg":"ES256","kid":"${KEY_ID}","x":"\xff"}`, 'latin1')),
		'payload is text': payload(() => 'hello'),
		'payload is a list': payload((text) => `[${text}]`),
		'payload is null': payload(() => 'null'),
		'payload with iss twice': payload((text) => text.replace('{', `{"iss":"${ISSUER}",`)),
		'payload with an unknown claim twice': payload((text) =>
			text.replace('{', '{"x":1,"x":1,')),
		'payload that is cut': payload((text) => text.slice(0, -1)),
		'payload with something behind': payload((text) => `${text}{}`),
		'payload with NaN': payload((text) => text.replace('{', '{"x":NaN,')),
		'payload with a number that has no end': payload((text) =>
			text.replace('{', '{"x":1e999,')),
		'payload with a comment': payload((text) => text.replace('{', '{/* */')),
		'payload too deep': payload((text) => text.replace('{', `{"x":${nested(9)},`)),
		'payload not UTF-8': payload((text) =>
			Buffer.from(text.replace('{', '{"x":"\xff",'), 'latin1')),
	});
}

function header(forge) {
	const with_header = (changes, signed) => forge.token('alice', { header: changes, signed });
	return {
		...rows(['F06'], {
			'logout+jwt': with_header({ typ: 'logout+jwt' }),
			'dpop+jwt': with_header({ typ: 'dpop+jwt' }),
			'secevent+jwt': with_header({ typ: 'secevent+jwt' }),
			'JWS': with_header({ typ: 'JOSE' }),
			'empty': with_header({ typ: '' }), 'a longer one': with_header({ typ: 'at+jwt2' }),
			'application twice': with_header({ typ: 'application/application/at+jwt' }),
		}),
		...rows(['F07'], {
			/* RFC 7515 appendix A.5: its signature is empty, and it is a JWS all the same */
			'none': with_header({ alg: 'none' }, signer('none')),
			'none with a signature': with_header({ alg: 'none' }),
			'None': with_header({ alg: 'None' }, signer('none')),
			'HS256 with the public key': with_header({ alg: 'HS256' },
				signer('HS256', pem(forge.key))),
			'not allowed for the issuer': with_header({ alg: 'RS256' },
				signer('RS256', forge.keys.RS256)),
			'in small letters': with_header({ alg: 'es256' }),
			'unknown': with_header({ alg: 'ES256K' }),
		}),
		...rows(['F07', 'F05', 'F17'], {
			'absent': with_header({ alg: undefined }), 'a number': with_header({ alg: 256 }),
		}),
		...rows(['F08'], {
			'of what we know': with_header({ crit: ['exp'], exp: 1 }),
			'of what nobody knows': with_header({ crit: ['x'], x: 1 }),
			'b64': with_header({ crit: ['b64'], b64: true }),
			'an empty list': with_header({ crit: [] }),
		}),
		...rows(['F09'], {
			'unknown': forge.token('alice', { claims: { iss: 'https://evil.example' } }),
			'with a slash': forge.token('alice', { claims: { iss: `${ISSUER}/` } }),
			'in capitals': forge.token('alice', { claims: { iss: ISSUER.toUpperCase() } }),
		}),
		...rows(['F09', 'F17'], {
			'absent': forge.token('alice', { claims: { iss: undefined } }),
			'a list': forge.token('alice', { claims: { iss: [ISSUER] } }),
		}),
		...rows(['F10'], {
			'unknown': with_header({ kid: 'waf-2' }), 'longer': with_header({ kid: `${KEY_ID}x` }),
			'in capitals': with_header({ kid: KEY_ID.toUpperCase() }),
			'a path': with_header({ kid: '../../../dev/null' }),
			'of the other issuer': with_header({ kid: 'key-ES256' },
				signer('ES256', forge.keys.ES256)),
			'jwk in the header': with_header({ kid: 'mine', jwk: createPublicKey(forge.keys.ES256)
				.export({ format: 'jwk' }) }, signer('ES256', forge.keys.ES256)),
			'issuer of another key': forge.token('alice', { claims: { iss: OTHER_ISSUER } }),
		}),
	};
}

function signature(forge) {
	const signed = (make) => forge.token('alice', { signed: make });
	const [head, , tail] = forge.token('alice').split('.');
	return {
		...rows(['F12'], {
			'of a stranger': signed(signer('ES256', strangerKey())),
			'of other claims': `${head}.${base64url(forge.claims('alice'))}.${tail}`,
			'of zeroes': signed(() => Buffer.alloc(64)),
			'of ones': signed(() => Buffer.alloc(64, 0xff)),
			'with the jwk of a stranger': forge.token('alice', { header: {
				jwk: createPublicKey(forge.keys.ES256).export({ format: 'jwk' }),
				jku: 'https://evil.example/jwks.json' }, signed:
				signer('ES256', forge.keys.ES256) }),
		}),
		...rows(['F12', 'F04'], {
			'none at all': signed(() => Buffer.alloc(0)),
			'of 63 bytes': signed(() => Buffer.alloc(63, 1)),
			'of 65 bytes': signed(() => Buffer.alloc(65, 1)),
			'in DER': signed(derSigner(forge.key)),
		}),
	};
}

function claims(forge) {
	const token = (changes) => forge.token('alice', { claims: changes });
	const now = now_s();
	return {
		...rows(['F13'], {
			'absent': token({ aud: undefined }), 'another': token({ aud: 'sip:ep9.home9.net' }),
			'a list of others': token({ aud: ['a', 'b'] }), 'an empty list': token({ aud: [] }),
			'longer': token({ aud: `${AUDIENCE}.evil.example` }),
			'in capitals': token({ aud: AUDIENCE.toUpperCase() }),
		}),
		...rows(['F14'], {
			'absent': token({ exp: undefined }),
			'passed': token({ iat: now - 700, exp: now - 100 }),
			'long ago': token({ iat: 0, exp: 1 }),
		}),
		...rows(['F15'], {
			'iat in the future': token({ iat: now + 120, exp: now + 700 }),
			'nbf in the future': token({ nbf: now + 120 }),
			'a life above the cap': token({ exp: now + 86400 + 60 }),
			'iat long ago': token({ iat: now - 86400 }),
		}),
		...rows(['F17'], {
			'no sub': token({ sub: undefined }), 'sub is a number': token({ sub: 7 }),
			'no iat': token({ iat: undefined }), 'iat is a text': token({ iat: String(now) }),
			'nbf is a text': token({ nbf: String(now) }), 'jti is a number': token({ jti: 7 }),
			'jti too long': token({ jti: 'x'.repeat(129) }),
			'no impi': token({ impi: undefined }),
			'impi is a list': token({ impi: [impi('alice')] }),
			'no impu': token({ impu: undefined }), 'impu is a number': token({ impu: 7 }),
			'impu is a list of numbers': token({ impu: [7] }),
			'impu is an empty list': token({ impu: [] }),
			'impu is no URI': token({ impu: 'alice' }),
			'impu of another scheme': token({ impu: 'mailto:a@b' }),
			'impi is no NAI': token({ impi: 'alice' }),
		}),
		...rows(['F17', 'F14'], { 'exp is a text': token({ exp: String(now + 600) }),
			'exp is null': token({ exp: null }) }),
		...rows(['F17', 'F13'], { 'aud is a number': token({ aud: 7 }),
			'aud is a list of numbers': token({ aud: [7] }) }),
		...rows(['F25'], {
			'45 s left': () => token({ iat: now_s() - 550, exp: now_s() + 45 }),
			'only the leeway left': () => token({ iat: now_s() - 600, exp: now_s() - 5 }),
		}),
	};
}

/** Refused with 401 or 407. */
export const curable = (forge) => ({ ...malformed(forge), ...notJson(forge), ...header(forge),
	...signature(forge), ...claims(forge) });

/** Genuine, but not for this: 403. */
export function notAllowed(forge) {
	const token = (changes) => forge.token('alice', { claims: changes });
	return {
		...rows(['F19'], {
			'of another issuer': forge.other('ES256', { claims: {
				impi: impi('alice'), impu: impu('alice') } }),
			'names another site': token({ wwsf: 'other0' }),
			'names no site that there is': token({ wwsf: 'nowhere' }),
		}),
		...rows(['F21'], {
			'a pair of two users': token({ impi: impi('bob') }),
			'a user who is not listed': token({ impi: `zoe@${REALM}`,
				impu: [impu('alice'), FOREIGN_IMPU] }),
			'an IMPI of elsewhere': token({ impi: 'alice@home9.net' }),
		}),
	};
}

/** Of the second issuer, for the user of its first site: {curable, not_allowed}. */
export function otherAlgorithms(forge) {
	const input = (algorithm, signed) => forge.other(algorithm, { signed });
	const rsa = forge.keys.PS256;
	const site = (wwsf) => forge.other('ES256', { claims: { wwsf } });
	const curable_ones = {
		...rows(['F17'], { 'no site, of two': site(undefined) }),
		...rows(['F07'], {
			'RS256 with a key of EC': forge.other('RS256', { header: { kid: 'key-ES256' } }),
			'ES256 with a key of P-384': forge.other('ES256', { header: { kid: 'key-ES384' } }),
			'RS256 with a key of PS256': forge.other('RS256', { header: { kid: 'key-PS256' },
				signed: signer('RS256', rsa) }),
			'PS256 with a key of RS256': forge.other('PS256', { header: { kid: 'key-RS256' },
				signed: signer('PS256', forge.keys.RS256) }),
			'EdDSA with a key of EC': forge.other('EdDSA', { header: { kid: 'key-ES256' } }),
		}),
		...rows(['F10'], {
			'no kid and several keys': forge.other('ES256', { header: { kid: undefined } }),
			'a key of 1024 bits': forge.other('RS256', { header: { kid: 'key-small' },
				signed: signer('RS256', forge.small) }),
		}),
		...rows(['F12'], {
			'PS256 with RS256': input('PS256', signer('RS256', rsa)),
			'PS256 without salt': input('PS256', saltedSigner(rsa, 0)),
			'PS256 with 20 bytes of salt': input('PS256', saltedSigner(rsa, 20)),
			'RS256 with PS256': input('RS256', signer('PS256', forge.keys.RS256)),
			'RS256 of zeroes': input('RS256', () => Buffer.alloc(256)),
			'ES384 of zeroes': input('ES384', () => Buffer.alloc(96)),
			'EdDSA of zeroes': input('EdDSA', () => Buffer.alloc(64)),
			'EdDSA with S too large': input('EdDSA', (bytes) => largeS(
				signer('EdDSA', forge.keys.EdDSA)(bytes))),
		}),
		...rows(['F12', 'F04'], { 'RS256 of 255 bytes': input('RS256', () => Buffer.alloc(255, 1)),
			'EdDSA of 63 bytes': input('EdDSA', () => Buffer.alloc(63, 1)) }),
	};
	return { curable: curable_ones,
		not_allowed: rows(['F19'], { 'the other site of the issuer': site('other1') }) };
}

/** S + L verifies as S does where a verifier is not strict (RFC 8032 section 5.1.7). */
function largeS(signature) {
	const order = (1n << 252n) + 27742317777372353535851937790883648493n;
	const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order;
	const bytes = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
	return Buffer.concat([signature.subarray(0, 32), bytes]);
}
