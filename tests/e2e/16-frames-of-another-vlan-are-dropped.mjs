// SPDX-License-Identifier: BSD-3-Clause
import { DEVICES } from './lib/link.mjs';
import { arpRequest, sendFrames, tagged } from './lib/packet.mjs';
import { run, waitFor } from './lib/process.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { accept } from './lib/scripted_core.mjs';
import { Wic } from './lib/wic.mjs';

const VLAN = 18;
const STRANGER = '02:18:00:00:00:99';
const ANSWERED_MS = 2000; /* in which it asks of its own accord for far less than FRAMES, on a patient machine too */
const FRAMES = 100; /* more than the gateway asks of its own accord meanwhile: three a second */
const WORLDS = DEVICE_WORLDS.map((world) => ({ ...world, vlan: VLAN, wirebox: [] }));

await scenario(WORLDS, async (world) => {
	const { files, gateway, link, mint } = world;
	/* the gateway's end of the wire, where frames have tags */
	const outside = DEVICES[link.options.device].peer;
	const question = arpRequest({ mac: STRANGER, ip: link.stranger }, link.gateway);
	await world.playCore((request) => accept(request, link.core));
	const wic = await Wic.connect('alice', { ca: files.ca_pem });
	assert.equal((await wic.register(mint.issue('alice'))).status, 200, 'within the VLAN');
	await run('ping', ['-c', '1', '-W', '1', '-s', '1400', link.gateway]);

	for (const frame of [question, tagged(question, VLAN + 1)]) {
		const dropped = await gateway.errors('GW_ETH_VLAN');
		const answers = await gateway.counter('net_arp_out');
		await sendFrames(outside, ...Array(FRAMES).fill(frame));
		await waitFor('they were dropped', async () =>
			await gateway.errors('GW_ETH_VLAN') >= dropped + FRAMES);
		assert.ok(await gateway.counter('net_arp_out') - answers < FRAMES, 'and not answered');
	}
	const answers = await gateway.counter('net_arp_out');
	await sendFrames(outside, ...Array(FRAMES).fill(tagged(question, VLAN)));
	await waitFor('in the VLAN they are answered', async () =>
		await gateway.counter('net_arp_out') >= answers + FRAMES, ANSWERED_MS);
	assert.equal((await link.unbox()).b_to_a.foreign, 0, 'all that the gateway sends is tagged');
	await wic.close();
});
