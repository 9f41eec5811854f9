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
	const keys = { a: strangerKey(), b: strangerKey(), c: strangerKey() };
	const token = (kid) => mint.issue('alice', { header: { kid }, key: keys[kid] });
	const wic = await Wic.connect('alice', { ca: world.files.ca_pem });

	/* nobody serves the keys yet: F11 */
	const answer = await wic.register(token('a'));
	assert.equal(answer.status, 503, 'without any keys');
	assert.ok(Number(answer.header('Retry-After')) > 0, 'with a time to come again');

	const server = await KeyServer.start(world);
	server.publish({ a: keys.a });
	await waitFor('the keys are fetched', async () => (await gateway.issuer()).state === 'fresh');
	assert.equal((await wic.register(token('a'))).status, 200, 'with a key of the set');

	/* rotation: nobody tells the gateway, and what it has is fresh for an hour */
	const before = server.asked;
	server.publish({ a: keys.a, b: keys.b });
	assert.equal((await wic.register(token('b'))).status, 200, 'with a key it did not know');
	assert.equal(server.asked, before + 1, 'asked once for it');

	/* F10, and whoever makes kids up costs the server nothing more */
	for (const again of ['', ', again'])
		assert.equal((await wic.register(token('c'))).status, 401, `an unknown kid${again}`);
	assert.equal(server.asked, before + 1, 'not asked within the cooldown');
	assert.equal((await wic.register(token('b'))).status, 200, 'on the same connection');
	await wic.close();
	server.close();
});
