// SPDX-License-Identifier: BSD-3-Clause
import { ip, setting } from './lib/link.mjs';
import { LINK_ADDRESSES } from './lib/names.mjs';
import { run, waitFor } from './lib/process.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { accept } from './lib/scripted_core.mjs';
import { Wic } from './lib/wic.mjs';

const IGNORE_ALL = 8; /* arp_ignore: answer for no address */

/** The peer's view: where the gateway's addresses are. */
async function assertKnownToPeer(link) {
	const macs = [];
	for (const { core, gateway: ours } of Object.values(LINK_ADDRESSES)) {
		await run('ping', ['-c', '1', '-W', '1', '-I', core, ours]);
		macs.push((await link.neighbour(ours)).lladdr);
	}
	assert.equal(macs[0], macs[1], 'one station for IPv4 and IPv6');
	assert.notEqual(macs[0], await link.mac(), 'an address of its own');
	assert.equal(parseInt(macs[0].slice(0, 2), 16) & 1, 0, 'no group address');
}

/** The gateway's view: where its peer is. */
async function assertKnownToGateway(gateway, link, address, is_gateway) {
	const row = await waitFor(`${address} found`, async () => {
		const found = await gateway.neighbour(address);
		return found?.state === 'reachable' && found;
	});
	assert.deepEqual(row, { address, port: 'core', mac: await link.mac(), state: 'reachable',
		gateway: is_gateway });
}

const waitForState = (gateway, address, state) => waitFor(`${address} ${state}`, async () =>
	(await gateway.neighbour(address))?.state === state);

await scenario(DEVICE_WORLDS, async (world) => {
	const { files, gateway, link, mint } = world;
	const router6 = LINK_ADDRESSES[6].router;
	await assertKnownToPeer(link);
	await assertKnownToGateway(gateway, link, link.core, false);
	await assertKnownToGateway(gateway, link, link.router, true);
	await assertKnownToGateway(gateway, link, router6, true);

	await world.playCore((request) => accept(request, link.core));
	const wic = await Wic.connect('alice', { ca: files.ca_pem });
	assert.equal((await wic.register(mint.issue('alice'))).status, 200);
	setting('ipv4', link.peer, 'arp_ignore', IGNORE_ALL);
	await ip(`addr del ${router6}/64 dev`, link.peer);
	for (const silent of [link.core, link.router, router6]) {
		await waitForState(gateway, silent, 'stale');
		await gateway.waitForAlarm('GW_NEIGHBOUR_LOST', silent);
		assert.equal((await gateway.neighbour(silent)).mac, await link.mac(), 'kept');
	}
	assert.equal((await wic.message('bob', 'still there?')).status, 200, 'to the address kept');

	setting('ipv4', link.peer, 'arp_ignore', 0);
	await link.addAddress(router6);
	for (const back of [link.core, link.router, router6]) {
		await waitForState(gateway, back, 'reachable');
		await gateway.waitForAlarm('GW_NEIGHBOUR_FOUND', back);
	}
	await wic.close();
});
