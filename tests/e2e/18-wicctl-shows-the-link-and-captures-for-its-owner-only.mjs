// SPDX-License-Identifier: BSD-3-Clause
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { as } from './lib/gateway.mjs';
import { LINK_ADDRESSES } from './lib/names.mjs';
import { run } from './lib/process.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { accept } from './lib/scripted_core.mjs';
import { Wic } from './lib/wic.mjs';

const PINGS = 3;
const NOBODY_THERE = '198.18.1.99';
const DRIVERS = { tap: 'tap', net_tap: 'net_tap', net_af_packet: 'net_af_packet',
	net_af_xdp: 'net_af_xdp' };

async function assertPorts(gateway, device) {
	const { ports } = await gateway.ask('ports');
	assert.deepEqual(ports.map(({ name }) => name), ['access', 'core']);
	const [access, core] = ports;
	assert.equal(access.driver, 'kernel');
	assert.equal(core.driver, DRIVERS[device]);
	assert.equal(core.link, 'up');
	assert.ok(core.rx_packets > 0 && core.tx_packets > 0, 'it counts');
}

async function assertPings(gateway) {
	for (const { core } of Object.values(LINK_ADDRESSES)) {
		const { ping } = await gateway.ask('ping', core, String(PINGS));
		assert.deepEqual([ping.address, ping.sent, ping.received], [core, PINGS, PINGS]);
		assert.equal(ping.rtt_us.length, PINGS);
		assert.ok(ping.rtt_us.every((us) => us > 0 && us < 1e6), `${ping.rtt_us}`);
	}
	const failed = await gateway.wicctl(['ping', NOBODY_THERE, '1']).catch((error) => error);
	assert.equal(failed.code, 1, 'nobody there');
}

/** What tcpdump finds in the file. */
const readCapture = async (file) =>
	(await run('tcpdump', ['-r', file, '-n', '-A', '-Z', 'root'], { maxBuffer: 16 << 20 })).stdout;

/** A user who may reach the socket, by its group, and is neither root nor the gateway's own. */
async function assertNotForOthers(gateway, file) {
	const asMember = (...command) => {
		const [program, ...words] = [...as('nobody', 'root'), ...gateway.cli(...command)];
		return run(program, words);
	};
	assert.ok(JSON.parse((await asMember('ports')).stdout).ports, 'may look');
	const refused = await asMember('capture', 'udp port 5060', file).catch((error) => error);
	assert.equal(refused.code, 1);
	assert.match(refused.stdout, /not allowed/);
	assert.ok(!existsSync(file), 'nothing was written');
}

const WORLDS = DEVICE_WORLDS.map((world) => ({ ...world, control_mode: '0660',
	more_mw: '  reg_event: false\n' /* what is counted is what the WIC does */ }));

await scenario(WORLDS, async (world) => {
	const { files, folder, gateway, link, mint } = world;
	const file = join(folder, 'trace.pcapng');
	await assertPorts(gateway, link.options.device);
	await assertPings(gateway);
	await assertNotForOthers(gateway, join(folder, 'stolen.pcapng'));

	await world.playCore((request) => accept(request, link.core));
	const wic = await Wic.connect('alice', { ca: files.ca_pem });
	assert.equal((await gateway.ask('capture', 'udp port 5060', file)).capture.state, 'running');
	assert.equal((await wic.register(mint.issue('alice'))).status, 200);
	await run('ping', ['-c', '1', '-W', '1', link.gateway]); /* not what is captured */
	const { capture } = await gateway.ask('capture', 'stop');
	assert.equal(capture.state, 'ended');
	assert.equal(capture.frames, 2, 'the REGISTER and its answer');

	assert.equal(statSync(file).mode & 0o777, 0o600, 'for its owner only');
	const text = await readCapture(file);
	assert.match(text, /REGISTER sip:/);
	assert.match(text, /SIP\/2\.0 200 OK/);
	assert.doesNotMatch(text, /ICMP/);
	await wic.close();
});
