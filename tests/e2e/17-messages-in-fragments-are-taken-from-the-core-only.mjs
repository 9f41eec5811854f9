// SPDX-License-Identifier: BSD-3-Clause
import { waitFor } from './lib/process.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { accept, terminating, wayTo } from './lib/scripted_core.mjs';
import { Wic } from './lib/wic.mjs';

const BYTES = 3000;
const WORLDS = [...DEVICE_WORLDS, { ...DEVICE_WORLDS[0], workers: 2 }]
	.flatMap((world) => [4, 6].map((ip) => ({ ...world, ip })));

await scenario(WORLDS, async (world) => {
	const { files, gateway, link, mint } = world;
	/* fragments of one message; none where the kernel puts them together before the gateway */
	const fragments = link.gathers4 && link.ip === 4 ? 0 : 3;
	const assertGathered = async (messages) => {
		assert.equal(await gateway.counter('net_reassembled'), fragments > 0 ? messages : 0);
		assert.equal(await gateway.counter('net_fragments_in'), messages * fragments);
	};
	const core = await world.playCore((request) => accept(request, link.core, BYTES));
	const wic = await Wic.connect('alice', { ca: files.ca_pem });
	const answer = await wic.register(mint.issue('alice'));
	assert.equal(answer.status, 200, 'the long response to a REGISTER');
	assert.ok(answer.all('X-Padding').length > 5, 'all of it came');
	assert.equal((await wic.message('bob', 'hello')).status, 200, 'and to a MESSAGE');
	await assertGathered(2);
	assert.equal(await gateway.errors('GW_IP_FRAGMENT'), 0);
	assert.equal(await gateway.counter('mw_retransmits'), 0, 'at once');

	const way = wayTo(core.requests[0]);
	core.send(terminating(link.core, { ...way, size: BYTES }), way.port, link.gateway);
	await waitFor('a long request arrives', () => wic.requests.length === 1);
	await waitFor('its answer too', () => core.responses.some(({ status }) => status === 200));

	/* the same from somebody else: its fragments never are a message */
	const stranger = await world.playCore(() => null, link.stranger);
	stranger.send(terminating(link.stranger, { ...way, size: BYTES }), way.port, link.gateway);
	await waitFor('it is counted where it is dropped', async () => fragments > 0
		? await gateway.errors('GW_IP_FRAGMENT') === fragments
		: await gateway.counter('mw_untrusted') === 1);
	await assertGathered(3);
	const refused = fragments > 0 ? 0 : 1;
	assert.equal(await gateway.counter('mw_untrusted'), refused);
	stranger.send(terminating(link.stranger, way), way.port, link.gateway);
	await waitFor('a short one is refused by its source', async () =>
		await gateway.counter('mw_untrusted') === refused + 1);
	assert.equal(wic.requests.length, 1, 'nothing more was delivered');
	assert.equal(stranger.responses.length, 0, 'and nothing answered');
	await wic.close();
});
