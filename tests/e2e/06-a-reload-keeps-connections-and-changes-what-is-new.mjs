// SPDX-License-Identifier: BSD-3-Clause
import { writeFileSync } from 'node:fs';
import { SITE_ORIGIN } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';
import { Wic } from './lib/wic.mjs';

const NEW_ORIGIN = 'https://second.shop.example';

await scenario(WORKER_COUNTS, async (world) => {
	const { gateway, files, mint } = world;
	const admits = (origin) => Wic.connect('bob', { ca: files.ca_pem, origin })
		.then((wic) => wic.close().then(() => true), () => false);
	const alice = await Wic.connect('alice', { ca: files.ca_pem });
	assert.equal((await alice.register(mint.issue('alice'))).status, 200);
	assert.equal(await admits(NEW_ORIGIN), false, 'the new origin before the reload');

	gateway.configure({ origins: [SITE_ORIGIN, NEW_ORIGIN] });
	gateway.program.signal('SIGHUP');
	await waitFor('the new origin is admitted', () => admits(NEW_ORIGIN));
	assert.ok(alice.isOpen, 'the connection from before is open');
	assert.equal((await alice.register(mint.issue('alice'))).status, 200, 're-REGISTER on it');

	/* a configuration that is refused changes nothing */
	const lines = gateway.program.log().length;
	writeFileSync(gateway.config_path, 'node: {nonsense: true}\n');
	gateway.program.signal('SIGHUP');
	await waitFor('a word about it in the log', () => gateway.program.log().length > lines);
	assert.equal(await admits(NEW_ORIGIN), true, 'the new origin after a refused reload');
	assert.equal((await alice.register(mint.issue('alice'))).status, 200, 're-REGISTER after it');
	assert.equal(gateway.program.exit, null, 'the gateway runs');
	await alice.close();
});
