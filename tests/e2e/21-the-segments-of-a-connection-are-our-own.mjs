// SPDX-License-Identifier: BSD-3-Clause
import { Capture } from './lib/capture.mjs';
import { CLIENT_ADDRESSES, bracketed } from './lib/names.mjs';
import { PROTOCOL_TCP } from './lib/pcap.mjs';
import { run } from './lib/process.mjs';
import { ALL_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { Wic } from './lib/wic.mjs';

const SYN_ACK = 0x12;
const W2_PORT = 443;
/* MSS, SACK permitted, timestamps, NOP, window scale 3: no kernel's numbers */
const OPTIONS = { 4: /^02040550 0402 080a[0-9a-f]{16} 01 030303$/,
	6: /^020404c4 0402 080a[0-9a-f]{16} 01 030303$/ };

/** What the stack alone decides of each packet: no fragment, no identification, 64 hops. */
function assertHeader({ bytes }, family) {
	if (family === 6) {
		assert.equal(bytes[7], 64, 'hop limit');
		return;
	}
	assert.equal(bytes[8], 64, 'time to live');
	assert.equal(bytes.readUInt16BE(4), 0, 'identification');
	assert.equal(bytes.readUInt16BE(6), 0x4000, 'do not fragment, and nothing else');
}

function assertSynAck({ payload: segment }, family) {
	const options = segment.subarray(20, (segment[12] >> 4) * 4).toString('hex');
	/* spaces where an option of the usual order ends */
	assert.match([[0, 8], [8, 12], [12, 32], [32, 34], [34]]
		.map(([from, to]) => options.slice(from, to)).join(' '), OPTIONS[family]);
	assert.notEqual(segment.readUInt16BE(14), 0, 'never a closed window');
}

/** Nothing of this kernel's has the gateway's address, in any state. */
async function assertNoSocket(link) {
	const { stdout } = await run('ss', ['-Htuan']);
	const ours = stdout.split('\n').map((line) => line.trim().split(/\s+/)[4] ?? '')
		.filter((local) => local.startsWith(`${bracketed(link.gateway)}:`)
			|| local.endsWith(`:${W2_PORT}`));
	assert.deepEqual(ours, [], 'sockets of the kernel');
}

await scenario(ALL_WORLDS, async (world) => {
	const { files, folder, gateway, link, mint, mw } = world;
	const w2 = await Capture.start(folder, link, { host: link.access, name: 'w2' });
	const wic = await Wic.connect('alice', { ca: files.ca_pem });
	assert.equal((await wic.register(mint.issue('alice'))).status, 200);
	await w2.settle();
	await w2.stop();

	const segments = w2.fromGateway(0, PROTOCOL_TCP);
	segments.forEach((packet) => assertHeader(packet, link.ip));
	const answers = segments.filter(({ payload }) => payload[13] === SYN_ACK
		&& payload.readUInt16BE(0) === W2_PORT);
	assert.ok(answers.length > 0, 'a SYN-ACK was seen');
	answers.forEach((packet) => assertSynAck(packet, link.ip));
	await assertNoSocket(link);

	const [row, ...more] = await gateway.connections(String(W2_PORT));
	assert.equal(more.length, 0, 'one connection of a browser');
	assert.deepEqual([row.stack, row.state], ['packets', 'ESTAB']);
	assert.equal(row.local, `${bracketed(link.access)}:${W2_PORT}`);
	assert.ok(row.peer.startsWith(`${bracketed(CLIENT_ADDRESSES[link.ip])}:`), row.peer);
	assert.ok(row.srtt_us > 0 && row.rto_us >= 200000 && row.cwnd > 0, JSON.stringify(row));
	const links = await gateway.connections(link.core);
	assert.equal(links.length > 0, mw === 'tcp', 'and TCP with the core where it is wanted');
	assert.ok(links.every(({ stack }) => stack === 'packets'));
	await wic.close();
});
