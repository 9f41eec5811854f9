// SPDX-License-Identifier: BSD-3-Clause
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { KeyServer } from './lib/key_server.mjs';
import { GATEWAY_HOST } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { KERNEL_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { nameHosts } from './lib/space.mjs';
import { strangerKey } from './lib/token.mjs';
import { Wic } from './lib/wic.mjs';

const worlds = [{ ...KERNEL_WORLDS[0], keys: 'https', settings: 'limits: {jwks_cache_min: 1}' }];

/** A name server that hears every question and answers none. */
async function hangNames() {
	const server = createSocket('udp4');
	server.bind(53, '127.0.0.1');
	await once(server, 'listening');
	writeFileSync('/etc/resolv.conf', 'nameserver 127.0.0.1\noptions timeout:30 attempts:5\n');
	return server;
}

await scenario(worlds, async (world) => {
	const { gateway, mint } = world;
	const keys = { a: strangerKey() };
	const token = () => mint.issue('alice', { header: { kid: 'a' }, key: keys.a });
	const server = await KeyServer.start(world);
	server.max_age_s = 1;
	server.publish(keys);
	await waitFor('the keys are fetched', async () => (await gateway.issuer()).state === 'fresh');
	const wic = await Wic.connect('alice', { ca: world.files.ca_pem });
	assert.equal((await wic.register(token())).status, 200);

	/* the name of the key server is one for the name server now */
	const names = await hangNames();
	let questions = 0;
	names.on('message', () => { questions += 1; });
	nameHosts({ [GATEWAY_HOST]: world.hosts[GATEWAY_HOST] });
	for (const times of [1, 2]) { /* control answers, also while the resolver of before still waits */
		const { fetches } = await gateway.issuer();
		await waitFor(`fetches end by their time: ${times}`, async () => {
			const issuer = await gateway.issuer();
			return issuer.fetches > fetches && /timed out/.test(issuer.error);
		}, 12000);
	}
	assert.ok(questions > 0, 'the name server was asked');
	assert.equal((await wic.register(token())).status, 200, 'with the keys of before');

	nameHosts(world.hosts);
	await waitFor('the keys are fetched again', async () =>
		(await gateway.issuer()).state === 'fresh', 15000);
	await wic.close();
	names.close();
	server.close();
});
