// SPDX-License-Identifier: BSD-3-Clause
// A throw-away CA, the server certificate of the site and the gateway, and the key that signs
// tokens. All P-256.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GATEWAY_ADDRESS, GATEWAY_HOST, SITE_HOST } from './names.mjs';
import { run } from './process.mjs';

const P256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const SERVER_NAMES = [`DNS:${SITE_HOST}`, `DNS:${GATEWAY_HOST}`, 'DNS:localhost',
	`IP:${GATEWAY_ADDRESS}`, 'IP:127.0.0.1'].join(',');

/** Makes the files in folder. Returns their paths and the CA as PEM. */
export async function makeCertificates(folder) {
	const path = (name) => join(folder, name);
	const files = {
		ca: path('ca.pem'),
		certificate: path('cert.pem'),
		key: path('key.pem'),
		token_key: path('es256.pem'),
	};
	await run('openssl', ['req', '-x509', ...P256, '-days', '7', '-subj', '/CN=wicgate test CA',
		'-keyout', path('ca.key'), '-out', files.ca]);
	await run('openssl', ['req', '-x509', ...P256, '-days', '7', '-subj', `/CN=${GATEWAY_HOST}`,
		'-CA', files.ca, '-CAkey', path('ca.key'),
		'-addext', `subjectAltName=${SERVER_NAMES}`,
		'-addext', 'basicConstraints=critical,CA:FALSE',
		'-addext', 'extendedKeyUsage=serverAuth',
		'-keyout', files.key, '-out', files.certificate]);
	await run('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256',
		'-out', files.token_key]);
	return { ...files, ca_pem: readFileSync(files.ca, 'utf8') };
}
