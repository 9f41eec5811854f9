// SPDX-License-Identifier: BSD-3-Clause
import { LINK_ADDRESSES } from './lib/names.mjs';
import { PROTOCOL_TCP } from './lib/pcap.mjs';
import { ALL_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { Wic } from './lib/wic.mjs';

const MTU = 1280; /* full segments over IPv4 are 1400 bytes, over IPv6 they fit */
const WIREBOX = ['--mtu', MTU, ...Object.values(LINK_ADDRESSES).flatMap(({ router }) =>
	['--ptb', router])].map(String);
const WORLDS = ALL_WORLDS.filter(({ mw }) => mw === 'tcp')
	.map((world) => ({ ...world, wirebox: WIREBOX, path_mtu: MTU }));
const TEXT = 'x'.repeat(6000);

await scenario(WORLDS, async (world) => {
	const { capture, files, gateway, link, mint } = world;
	const wics = [];
	for (const user of ['alice', 'bob']) {
		const wic = await Wic.connect(user, { ca: files.ca_pem });
		assert.equal((await wic.register(mint.issue(user))).status, 200, user);
		wics.push(wic);
	}
	const [alice, bob] = wics;
	assert.equal((await alice.message('bob', TEXT)).status, 200, 'by the core and back');
	assert.equal(bob.requests.at(-1).body, TEXT);
	/* with the core and with bob; what was too long is sent again, and then it fits */
	const learned = await gateway.counter('tcp_path_mtu');
	assert.equal(learned > 0, link.ip === 4, `${learned} connections have learned`);
	const since = capture.frames.length;
	assert.equal((await alice.message('bob', TEXT)).status, 200, 'again');
	await capture.settle();
	const segments = capture.fromGateway(since, PROTOCOL_TCP);
	assert.ok(segments.some(({ bytes }) => bytes.length > MTU - 8), 'full ones');
	assert.ok(segments.every(({ bytes }) => bytes.length <= MTU), 'that fit');
	for (const wic of wics)
		await wic.close();
	assert.equal((await link.unbox()).b_to_a.too_big > 0, link.ip === 4);
});
