// SPDX-License-Identifier: BSD-3-Clause
import { CLIENT_ADDRESSES, SITE_ADDRESSES } from './lib/names.mjs';
import { proxyHeader, PROXY_LOCAL } from './lib/proxy.mjs';
import { waitFor } from './lib/process.mjs';
import { WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';
import { UpgradeRefused, Wic } from './lib/wic.mjs';

const CLIENT = '198.51.100.7';
const CLIENT_V6 = '2001:db8:0:1::7';
const NEIGHBOUR_V6 = '2001:db8:0:1:ffff::8'; /* of the same /64 */

const worlds = WORKER_COUNTS.map((world) => ({ ...world, balancers: [CLIENT_ADDRESSES[world.ip]],
	settings: `limits: {connections_per_address: 1, http_upgrade: 1}\n` }));

await scenario(worlds, async ({ workers, files, gateway, link, mint }) => {
	const family = link.access.includes(':') ? 6 : 4;
	const connect = (options) => Wic.connect('alice', { ca: files.ca_pem, ...options })
		.catch((error) => error);
	const brought = (client, port = 40001) => connect({ before: proxyHeader(client, port) });

	/* the client that the header names is who is listed */
	const alice = await brought(CLIENT);
	assert.ok(alice instanceof Wic, alice.message);
	assert.equal((await alice.register(mint.issue('alice'))).status, 200);
	assert.deepEqual((await gateway.sessions()).map(({ peer }) => peer), [`${CLIENT}:40001`]);

	/* and who is counted: one of an address for each worker */
	const again = [];
	for (let i = 0; i < 6 * workers; i++)
		again.push(await brought(CLIENT, 40002 + i));
	const more = again.filter((answer) => answer instanceof Wic);
	assert.ok(more.length < workers, `${more.length} more of ${CLIENT}`);
	for (const answer of again.filter((each) => !(each instanceof Wic)))
		assert.equal(answer instanceof UpgradeRefused && answer.status, 429, answer.message);
	const six = await brought(CLIENT_V6);
	assert.ok(six instanceof Wic, six.message);
	if (workers === 1)
		assert.equal((await brought(NEIGHBOUR_V6)).status, 429, 'one /64 is one client');

	/* a header with a checksum, the balancer for itself, and somebody who is no balancer */
	const summed = await connect({ before: proxyHeader('203.0.113.9', 1, { checksum: 'right' }) });
	assert.ok(summed instanceof Wic, summed.message);
	const local = await connect({ before: PROXY_LOCAL });
	assert.ok(local instanceof Wic, local.message);
	const open = (await gateway.sessions()).length;
	await local.close(); /* its /64 is also that of the next */
	await waitFor('the balancer is gone', async () => (await gateway.sessions()).length < open);
	const direct = await connect({ from: SITE_ADDRESSES[family] });
	assert.ok(direct instanceof Wic, direct.message);

	/* nothing else gets as far as TLS */
	const wrong = {
		'no header': {},
		'a header of version 1': { before: `PROXY TCP4 ${CLIENT} 198.18.0.10 40001 443\r\n` },
		'a wrong checksum': { before: proxyHeader(CLIENT, 40001, { checksum: 'wrong' }) },
		'half a header': { before: proxyHeader(CLIENT, 40001).subarray(0, 20), silent: true },
	};
	let cut = await gateway.errors('GW_PROXY_HEADER');
	for (const [what, options] of Object.entries(wrong)) {
		const answer = await connect(options);
		assert.ok(!(answer instanceof Wic) && !(answer instanceof UpgradeRefused), what);
		cut += 1;
		await waitFor(`${what} is counted`, async () =>
			await gateway.errors('GW_PROXY_HEADER') === cut);
	}
	const foreign = await connect({ from: SITE_ADDRESSES[family], before: proxyHeader(CLIENT, 1) });
	assert.ok(!(foreign instanceof Wic) && !(foreign instanceof UpgradeRefused),
		'a header of somebody who is no balancer');
	assert.equal(await gateway.errors('GW_PROXY_HEADER'), cut);
	assert.ok(alice.isOpen);
	for (const wic of [alice, ...more, six, summed, direct])
		await wic.close();
});
