// SPDX-License-Identifier: BSD-3-Clause
import { ip } from './lib/link.mjs';
import { LINK_ADDRESSES } from './lib/names.mjs';
import { arpRequest, sendFrames } from './lib/packet.mjs';
import { waitFor } from './lib/process.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { accept } from './lib/scripted_core.mjs';
import { Wic } from './lib/wic.mjs';

const NEW_MAC = '02:18:00:00:00:77';
const LIARS_MAC = '02:18:00:00:00:99';
const LIES = 20;

await scenario(DEVICE_WORLDS, async (world) => {
	const { files, gateway, link, mint } = world;
	await world.playCore((request) => accept(request, link.core));
	const wic = await Wic.connect('alice', { ca: files.ca_pem });
	assert.equal((await wic.register(mint.issue('alice'))).status, 200);

	/* who only says that he is the core is not believed: the core still answers where it was */
	const true_mac = await link.mac();
	const lie = arpRequest({ mac: LIARS_MAC, ip: link.core }, link.gateway);
	await sendFrames(link.peer, ...Array(LIES).fill(lie));
	assert.equal((await wic.message('bob', 'to whom?')).status, 200);
	assert.equal((await gateway.neighbour(link.core)).mac, true_mac, 'after the lies');

	await ip('link set dev', link.peer, 'address', NEW_MAC);
	for (const moved of [link.core, link.router, LINK_ADDRESSES[6].router]) {
		await waitFor(`${moved} is found at its new place`, async () => {
			const { mac, state } = await gateway.neighbour(moved);
			return mac === NEW_MAC && state === 'reachable';
		}, 15000);
		await gateway.waitForAlarm('GW_NEIGHBOUR_MOVED', moved);
	}
	assert.equal((await wic.message('bob', 'there you are')).status, 200);
	await wic.close();
});
