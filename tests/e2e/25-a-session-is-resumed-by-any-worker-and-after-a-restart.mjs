// SPDX-License-Identifier: BSD-3-Clause
import { statSync } from 'node:fs';
import { Gateway } from './lib/gateway.mjs';
import { SITE_HOST } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { sClient } from './lib/s_client.mjs';
import { WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';

/** Two workers: on sockets and on packets of our own. */
const WORLDS = [{ workers: 2, mw: 'tcp' }, WORKER_COUNTS[1]];

await scenario(WORLDS, async (world) => {
	const { folder, files } = world;
	const resume = (version, more = {}) => sClient({ files,
		args: [version, '-sess_in', `${folder}/${version}.session`], ...more });
	/* each worker's own count */
	const resumed = async () => (await world.gateway.ask('stats')).stats
		.find(({ name }) => name === 'tls_resumed')?.workers ?? [0, 0];

	for (const version of ['-tls1_2', '-tls1_3']) {
		const first = await sClient({ files, args: [version],
			ticket: `${folder}/${version}.session` });
		assert.equal(first.resumed, false);
		const before = await resumed();
		await waitFor('both workers have resumed it', async () => {
			assert.ok((await resume(version)).resumed, `${version} is not resumed`);
			return (await resumed()).every((count, worker) => count > before[worker]);
		}, 20000);
		assert.equal((await resume(version, { name: SITE_HOST })).resumed, false,
			'under another name');
	}
	assert.equal(statSync(`${folder}/state/ticket.keys`).mode & 0o777, 0o600);

	if (!world.link.port) { /* on a port of its own this kernel would have to be its peer anew */
		assert.equal((await world.gateway.program.stop()).code, 0);
		world.gateway = await Gateway.start(world.gateway.options, 1);
		for (const version of ['-tls1_2', '-tls1_3'])
			assert.ok((await resume(version)).resumed, `${version} after a restart`);
	}

	await world.gateway.reload({ tls: 'tickets: 0' });
	for (const version of ['-tls1_2', '-tls1_3'])
		assert.equal((await resume(version)).resumed, false, `${version} without tickets`);
});
