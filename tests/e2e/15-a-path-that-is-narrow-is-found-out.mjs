// SPDX-License-Identifier: BSD-3-Clause
import { LINK_ADDRESSES } from './lib/names.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { accept } from './lib/scripted_core.mjs';
import { Wic } from './lib/wic.mjs';

const MTU = 1280; /* no IPv6 link has less */
/* of a request on Mw: too long for the path in one packet, short enough for UDP */
const BYTES = 1290;
const WIREBOX = ['--mtu', MTU, ...Object.values(LINK_ADDRESSES).flatMap(({ router }) =>
	['--ptb', router])].map(String);
const WORLDS = [4, 6].map((ip) => ({ ...DEVICE_WORLDS[0], ip, wirebox: WIREBOX }));

await scenario(WORLDS, async (world) => {
	const { capture, files, gateway, link, mint } = world;
	const core = await world.playCore((request) => accept(request, link.core));
	const wic = await Wic.connect('alice', { ca: files.ca_pem });
	assert.equal((await wic.register(mint.issue('alice'))).status, 200);
	assert.equal((await wic.message('bob', '')).status, 200);
	const text = 'x'.repeat(BYTES - Buffer.byteLength(core.requests.at(-1).text));

	/* its first packet is lost, and the router says why: the repetition comes through */
	const before = await gateway.counter('mw_retransmits');
	assert.equal((await wic.message('bob', text)).status, 200, 'the first that is too long');
	const retransmits = await gateway.counter('mw_retransmits');
	assert.ok(retransmits > before, 'it was repeated');
	assert.equal(await gateway.counter('net_path_mtu'), 1);

	/* the next one is cut to size at once */
	assert.equal((await wic.message('bob', text)).status, 200, 'the next');
	assert.equal(await gateway.counter('mw_retransmits'), retransmits, 'nothing was lost');
	await capture.settle();
	assert.ok(capture.fromGateway().every(({ bytes }) => bytes.length <= MTU));

	const { b_to_a } = await link.unbox();
	assert.deepEqual([b_to_a.too_big, b_to_a.answered], [1, 1]);
	await wic.close();
});
