// SPDX-License-Identifier: BSD-3-Clause
import { KeyServer } from './lib/key_server.mjs';
import { waitFor } from './lib/process.mjs';
import { WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';
import { strangerKey } from './lib/token.mjs';
import { Wic } from './lib/wic.mjs';

const worlds = WORKER_COUNTS.map((world) => ({ ...world, keys: 'https',
	settings: 'limits: {jwks_cache_min: 1}' }));

await scenario(worlds, async (world) => {
	const { gateway, mint } = world;
	const keys = { a: strangerKey(), b: strangerKey() };
	const token = (kid) => mint.issue('alice', { header: { kid }, key: keys[kid] });
	const server = await KeyServer.start(world);
	server.max_age_s = 1;
	server.publish(keys);
	await waitFor('the keys are fetched', async () => (await gateway.issuer()).state === 'fresh');
	const wic = await Wic.connect('alice', { ca: world.files.ca_pem });
	assert.equal((await wic.register(token('a'))).status, 200);

	for (const [manner, error] of Object.entries({ breaks: /HTTP status 500/,
		floods: /longer than a key set may be/, hangs: /timed out/ })) {
		server.manner = manner;
		await waitFor(`keys are stale: the server ${manner}`, async () => {
			const issuer = await gateway.issuer(); /* control answers */
			return issuer.state === 'stale' && error.test(issuer.error);
		}, 15000);
		assert.equal((await wic.register(token('a'))).status, 200, `the server ${manner}`);
	}
	assert.ok(wic.isOpen);

	/* it serves again, and has taken a key back */
	server.manner = 'serves';
	server.publish({ b: keys.b });
	await waitFor('the key is gone', async () => {
		const { issuers: [issuer], keys: known } = await gateway.ask('keys');
		return issuer.state === 'fresh' && known.length === 1;
	}, 15000);
	assert.equal((await wic.register(token('b'))).status, 200, 'with a key that is left');
	assert.equal((await wic.register(token('a'))).status, 401, 'with one that was taken back');
	assert.ok(wic.isOpen);
	await wic.close();
	server.close();
});
