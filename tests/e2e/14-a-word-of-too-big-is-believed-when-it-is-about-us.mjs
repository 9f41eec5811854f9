// SPDX-License-Identifier: BSD-3-Clause
import { sendFrames, tooBig } from './lib/packet.mjs';
import { waitFor } from './lib/process.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { accept, terminating, wayTo } from './lib/scripted_core.mjs';
import { Wic } from './lib/wic.mjs';

const LINK_MTU = 1500;
const BYTES = 3000; /* of a response: UDP like its request, whatever its length */
/* what a router says -> what is made of it; the last is less than anybody may say */
const SAID = { 4: [[600, 600], [68, 552]], 6: [[1400, 1400], [500, 1280]] };
const SOURCE = { 4: 12, 6: 8 };
const DESTINATION = { 4: 16, 6: 24 };
const HEADERS = { 4: 20, 6: 48 }; /* of a fragment, in front of the ports */
const WORLDS = [...DEVICE_WORLDS.map((world) => ({ ...world, ip: 4 })),
	{ ...DEVICE_WORLDS[0], ip: 6 }];

await scenario(WORLDS, async (world) => {
	const { capture, files, gateway, link, mint } = world;
	const core = await world.playCore((request) => accept(request, link.core));
	const wic = await Wic.connect('alice', { ca: files.ca_pem });
	wic.answer = (request) => accept(request, link.core, BYTES);
	assert.equal((await wic.register(mint.issue('alice'))).status, 200);
	const way = wayTo(core.requests[0]);
	const ours = { mac: (await link.neighbour(link.gateway)).lladdr, ip: link.gateway };
	const router = { mac: await link.mac(), ip: link.router };

	/** Has the gateway send one long message and returns the packets it went in. */
	const haveSent = async () => {
		await capture.settle();
		const since = capture.frames.length, answered = core.responses.length;
		core.send(terminating(link.core, way), way.port, link.gateway);
		await waitFor('the long response', () => core.responses.length > answered);
		await capture.settle();
		return capture.fromGateway(since);
	};
	/** A router speaks about a packet; returns when it was heard. */
	const say = async (mtu, packet) => {
		const before = await gateway.counter('net_icmp_in');
		await sendFrames(link.peer, tooBig(router, ours, packet, mtu));
		await waitFor(`"at most ${mtu} bytes" was heard`, async () =>
			await gateway.counter('net_icmp_in') > before);
	};
	const assertSize = (packets, mtu) => {
		const longest = Math.max(...packets.map(({ bytes }) => bytes.length));
		assert.ok(longest <= mtu && longest > mtu - 8, `${longest} bytes where ${mtu} fit`);
	};

	const sent = await haveSent();
	assertSize(sent, LINK_MTU);
	const [first] = sent.filter(({ fragment }) => fragment?.offset === 0).map(({ bytes }) => bytes);

	/* guesses: about a source, a port and a destination that are not those of our datagrams */
	for (const offset of [SOURCE[link.ip], HEADERS[link.ip], DESTINATION[link.ip]]) {
		const guess = Buffer.from(first);
		guess[offset + 1] ^= 0xff;
		await say(SAID[link.ip][0][0], guess);
		assertSize(await haveSent(), LINK_MTU);
	}
	assert.equal(await gateway.errors('GW_ICMP_FOREIGN'), 3, 'each is counted');
	assert.equal(await gateway.counter('net_path_mtu'), 0);

	for (const [mtu, believed] of SAID[link.ip]) {
		await say(mtu, first);
		assertSize(await haveSent(), believed);
	}
	assert.equal(await gateway.counter('net_path_mtu'), 2);
	await wic.close();
});
