// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync, statSync } from 'node:fs';
import { RSA, makeServerCertificate } from './lib/certificate.mjs';
import { GATEWAY_HOST } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { sClient } from './lib/s_client.mjs';
import { WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';

const SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
const CIPHERS = ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'];
/* what is offered, what of it is taken; TLS 1.2 wants the curve of the certificate among them */
const GROUPS = { 'X25519:P-256': 'X25519', 'P-256': 'prime256v1' };
/* what RFC 8446 6 calls them */
const HANDSHAKE_FAILURE = '40', PROTOCOL_VERSION = '70', NO_RENEGOTIATION = '100',
	UNRECOGNIZED_NAME = '112', NO_APPLICATION_PROTOCOL = '120';
const TWO = 'two.example'; /* whose certificate is there twice, ECDSA and RSA */
const ANY = '@SECLEVEL=0';

await scenario(WORKER_COUNTS, async (world) => {
	const { folder, gateway, files } = world;
	const names = 'DNS:two.example,DNS:*.wic.example';
	const ecdsa = await makeServerCertificate(folder, 'ecdsa', names);
	const rsa = await makeServerCertificate(folder, 'rsa', names, RSA);
	const certificates = [files, ecdsa, rsa];
	const client = (args, more = {}) => sClient({ files, args, ...more });
	const speaks = async (args, expected, more) => {
		const got = await client(args, more);
		for (const [what, value] of Object.entries(expected))
			assert.equal(got[what], value, `${args.join(' ')}: ${what}: ${got.text}`);
		return got;
	};
	const refuses = (args, alert, more) => speaks(args, { alert, version: null }, more);

	await gateway.reload({ certificates });

	/* versions by groups by ciphers */
	for (const [group, called] of Object.entries(GROUPS)) {
		for (const suite of SUITES)
			await speaks(['-tls1_3', '-groups', group, '-ciphersuites', suite],
				{ version: 'TLSv1.3', cipher: suite, group: called, verified: true });
		for (const kind of ['ECDSA', 'RSA'])
			for (const cipher of CIPHERS)
				await speaks(['-tls1_2', '-groups', group, '-cipher', `ECDHE-${kind}-${cipher}`],
					{ version: 'TLSv1.2', cipher: `ECDHE-${kind}-${cipher}`, group: called,
						verified: true }, { name: TWO });
	}
	for (const version of ['-tls1', '-tls1_1'])
		await refuses([version, '-cipher', `ALL:${ANY}`], PROTOCOL_VERSION);
	for (const version of ['-tls1_2', '-tls1_3'])
		await refuses([version, '-groups', 'P-384'], HANDSHAKE_FAILURE);
	for (const cipher of ['ECDHE-ECDSA-AES128-SHA256', 'AES128-GCM-SHA256',
		'DHE-RSA-AES128-GCM-SHA256'])
		await refuses(['-tls1_2', '-cipher', `${cipher}:${ANY}`], HANDSHAKE_FAILURE,
			{ name: TWO });

	/* names: exact, wildcard, none; one that nobody has is told to the operator */
	await speaks([], { subject: 'cert' }, { name: null });
	await speaks([], { subject: 'ecdsa' }, { name: 'a.wic.example' });
	await speaks(['-sigalgs', 'RSA-PSS+SHA256'], { subject: 'rsa' }, { name: 'a.wic.example' });
	await refuses([], UNRECOGNIZED_NAME, { name: 'nobody.example' });
	await waitFor('the name in the log', () => gateway.program.log().split('\n').some((line) =>
		['event=tls_failed', 'peer=', 'sent alert unrecognized name', 'sni=nobody.example']
			.every((word) => line.includes(word))));
	await refuses(['-alpn', 'h2'], NO_APPLICATION_PROTOCOL);

	/* no compression, no renegotiation, no early data */
	const old = await speaks(['-tls1_2', '-comp'], { version: 'TLSv1.2' });
	assert.match(old.text, /Compression: NONE/);
	const again = await client(['-tls1_2', '-legacy_renegotiation'],
		{ keys: 'R\n', until: /RENEGOTIATING[^]*(alert|error)/ });
	assert.match(again.text, /no renegotiation/, again.text);
	const session = `${folder}/early.session`;
	await client(['-tls1_3'], { ticket: session });
	const early = await client(['-tls1_3', '-sess_in', session, '-early_data', files.ca]);
	assert.ok(early.resumed, early.text);
	assert.match(early.text, /Early data was not sent/, early.text); /* the ticket forbids it */

	/* all of it counts after a reload */
	await gateway.reload({ certificates, tls:
		'min_version: 1.3, groups: P-384, ciphers: TLS_AES_256_GCM_SHA384' });
	await refuses(['-tls1_2'], PROTOCOL_VERSION);
	await refuses(['-groups', 'X25519'], HANDSHAKE_FAILURE);
	await speaks([], { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' });
	await gateway.reload({ certificates, tls: 'groups: P-385' },
		'access.tls.groups: \\"P-385\\": not a list of groups');
	await speaks([], { version: 'TLSv1.3', subject: 'cert' }, { name: GATEWAY_HOST });

	/* secrets only for who asks for them: then those that the client has too */
	const [ours, theirs] = ['ours', 'theirs'].map((whose) => `${folder}/${whose}.keys`);
	const lines = (path) => readFileSync(path, 'utf8').split('\n').filter((line) => /^[^#]/.test(line));
	await gateway.reload({ certificates, tls: `key_log: ${ours}` });
	assert.match(gateway.program.log(), /level=warning event=tls_secrets_are_written/);
	assert.equal(statSync(ours).mode & 0o777, 0o600);
	for (const version of ['-tls1_2', '-tls1_3'])
		await speaks([version, '-keylogfile', theirs], { verified: true });
	assert.ok(lines(theirs).length > 5);
	await waitFor('the same secrets', () => lines(theirs).every((line) => lines(ours).includes(line)));
	await gateway.reload({ certificates, tls: 'key_log: /nowhere/keys' },
		'access.tls.key_log: /nowhere/keys: No such file or directory');
	await gateway.reload({ certificates });
	const before = lines(ours).length;
	await speaks([], { verified: true });
	await gateway.sessions(); /* behind all that a worker has told */
	assert.equal(lines(ours).length, before);
});
