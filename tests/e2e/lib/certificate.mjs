// SPDX-License-Identifier: BSD-3-Clause
// A throw-away CA, the server certificate of the site and the gateway, and the key that signs
// tokens. All P-256.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CORE_HOST, GATEWAY_ADDRESS, GATEWAY_HOST, SITE_HOST } from './names.mjs';
import { run } from './process.mjs';

const P256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
export const RSA = ['-newkey', 'rsa:2048', '-nodes'];
const SERVER_NAMES = [`DNS:${SITE_HOST}`, `DNS:${GATEWAY_HOST}`, 'DNS:localhost',
	`IP:${GATEWAY_ADDRESS}`, 'IP:127.0.0.1'].join(',');

/** Certificates for Mw over TLS, of the gateway and of the core, by the CA in folder. */
export async function makeMwCertificates(folder, link) {
	return {
		gateway: await makeServerCertificate(folder, 'mw-gateway', `IP:${link.gateway}`),
		core: await makeServerCertificate(folder, 'mw-core', `DNS:${CORE_HOST},IP:${link.core}`),
	};
}

/**
 * Another certificate of the CA in folder, for names as in subjectAltName. Returns its paths. more:
 * of openssl req.
 */
export async function makeServerCertificate(folder, name, names, kind = P256, more = []) {
	const path = (file) => join(folder, file);
	const files = { certificate: path(`${name}.pem`), key: path(`${name}.key`) };
	await run('openssl', ['req', '-x509', ...kind, '-days', '90', '-subj', `/CN=${name}`, ...more,
		'-CA', path('ca.pem'), '-CAkey', path('ca.key'),
		'-addext', `subjectAltName=${names}`,
		'-addext', 'basicConstraints=critical,CA:FALSE',
		'-addext', 'extendedKeyUsage=serverAuth,clientAuth',
		'-keyout', files.key, '-out', files.certificate]);
	return files;
}

/** The same certificate and key, but over since yesterday. */
export async function makeStale(folder, { certificate, key }) {
	const stale = `${certificate}.stale`;
	const copy = ['-copy_extensions', 'copy'];
	await run('openssl', ['x509', '-x509toreq', '-in', certificate, '-signkey', key, ...copy,
		'-out', `${stale}.csr`]);
	await run('openssl', ['x509', '-req', '-in', `${stale}.csr`, '-days', '-1', ...copy,
		'-CA', join(folder, 'ca.pem'), '-CAkey', join(folder, 'ca.key'), '-out', stale]);
	return { certificate: stale, key };
}

/** Makes the files in folder. Returns their paths and the CA as PEM. */
export async function makeCertificates(folder) {
	const path = (name) => join(folder, name);
	const files = {
		ca: path('ca.pem'),
		certificate: path('cert.pem'),
		key: path('cert.key'),
		token_key: path('es256.pem'),
	};
	await run('openssl', ['req', '-x509', ...P256, '-days', '7', '-subj', '/CN=wicgate test CA',
		'-keyout', path('ca.key'), '-out', files.ca]);
	await makeServerCertificate(folder, 'cert', SERVER_NAMES);
	await run('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256',
		'-out', files.token_key]);
	return { ...files, ca_pem: readFileSync(files.ca, 'utf8') };
}
