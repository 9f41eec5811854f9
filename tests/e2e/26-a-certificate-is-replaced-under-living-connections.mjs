// SPDX-License-Identifier: BSD-3-Clause
import { makeServerCertificate } from './lib/certificate.mjs';
import { GATEWAY_HOST } from './lib/names.mjs';
import { sClient } from './lib/s_client.mjs';
import { WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';
import { Wic } from './lib/wic.mjs';

await scenario(WORKER_COUNTS, async (world) => {
	const { folder, gateway, files, mint } = world;
	const served = async () => (await sClient({ files })).subject;
	const alice = await Wic.connect('alice', { ca: files.ca_pem });
	assert.equal((await alice.register(mint.issue('alice'))).status, 200);
	assert.equal(await served(), 'cert');

	for (const name of ['second', 'third']) {
		const renewed = await makeServerCertificate(folder, name, `DNS:${GATEWAY_HOST}`);
		await gateway.reload({ certificates: [renewed] });
		for (let i = 0; i < 8; i += 1) /* whichever worker it is */
			assert.equal(await served(), name);
		assert.ok(alice.isOpen);
		assert.equal((await alice.register(mint.issue('alice'))).status, 200);
	}

	/* what does not fit is refused with its line, and changes nothing */
	await gateway.reload({ certificates: [{ ...files, key: `${folder}/second.key` }] },
		'key does not belong to the certificate');
	assert.match(gateway.program.log(), /wicgate\.yaml:\d+: access\.tls\.certificates\[\]: /);
	await gateway.reload({ certificates: [{ ...files, certificate: `${folder}/none.pem` }] },
		'certificate: No such file or directory');
	assert.equal(await served(), 'third');
	assert.equal((await alice.register(mint.issue('alice'))).status, 200);
	assert.equal((await alice.message('alice', 'still here')).status, 200);
	await alice.close();
});
