// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync } from 'node:fs';
import { RSA, makeServerCertificate } from './lib/certificate.mjs';
import { GATEWAY_ADDRESS, GATEWAY_HOST } from './lib/names.mjs';
import { run } from './lib/process.mjs';
import { assert, scenario } from './lib/scenario.mjs';

const LIMIT_MS = 330000; /* thousands of handshakes, by a shell */
/* side by side */
const PARTS = [['-p', '-s', '-f'], ['-P', '-S'], ['-U']];
/* about testssl and what it may ask here, not about what it found */
const ABOUT_ITSELF = ['engine_problem', 'HTTP_status_code'];

const TIMES = 3;

const judged = ({ id, severity }) =>
	!['OK', 'INFO', 'LOW'].includes(severity) && !ABOUT_ITSELF.includes(id);

/** What it finds; again, when it says that it could not find something out: it gives up easily. */
async function findings(folder, files, checks, times = TIMES) {
	const found = await findOnce(`${folder}/testssl${checks.join('')}${times}.json`, files, checks);
	const unknown = found.some((row) => judged(row) && row.severity === 'WARN');
	return unknown && times > 1 ? findings(folder, files, checks, times - 1) : found;
}

async function findOnce(out, files, checks) {
	/* it ends with how many things it did not like, or with what went wrong */
	const said = await run('testssl', ['--quiet', '--color', '0', '--warnings', 'off', '--nodns',
		'min', '--ip', GATEWAY_ADDRESS, '--add-ca', files.ca, ...checks, '--jsonfile', out,
		`${GATEWAY_HOST}:443`], { maxBuffer: 16 << 20 }).catch((error) => error);
	const found = JSON.parse(readFileSync(out, 'utf8'));
	assert.equal(found.find(({ id }) => id === 'scanTime')?.severity, 'INFO', said.stdout);
	return found;
}

await scenario([{ workers: 2, mw: 'tcp', core: 'script' }], async (world) => {
	const { files, folder, gateway } = world;
	const revoked = ['-addext', 'crlDistributionPoints=URI:http://pki.example/ca.crl'];
	await gateway.reload({ certificates: [
		await makeServerCertificate(folder, 'ecdsa', `DNS:${GATEWAY_HOST}`, undefined, revoked),
		await makeServerCertificate(folder, 'rsa', `DNS:${GATEWAY_HOST}`, RSA, revoked)] });
	const found = (await Promise.all(PARTS.map((part) => findings(folder, files, part)))).flat();
	const bad = found.filter(judged);
	assert.deepEqual(bad.map(({ id, severity, finding }) => `${severity} ${id}: ${finding}`), []);
	for (const id of ['TLS1_2', 'TLS1_3', 'secure_client_renego', 'CRIME_TLS'])
		assert.equal(found.find((row) => row.id === id)?.severity, 'OK', id);
}, LIMIT_MS);
