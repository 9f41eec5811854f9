// SPDX-License-Identifier: BSD-3-Clause
import { readFileSync, statSync } from 'node:fs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { accept } from './lib/scripted_core.mjs';
import { Wic } from './lib/wic.mjs';

const NOBODY = 65534;
const WORLDS = [{ workers: 1, w2: 'port' }, { workers: 2 }]
	.map((world) => ({ ...DEVICE_WORLDS[0], ...world, owner: 'nobody' }));

/** A line of /proc/PID/status. */
const status = (pid, name) => new RegExp(`^${name}:\\s*(.*)$`, 'm')
	.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1];

await scenario(WORLDS, async (world) => {
	const { files, folder, gateway, link, mint } = world;
	const { pid } = gateway.program.child;
	assert.equal(status(pid, 'Uid'), Array(4).fill(NOBODY).join('\t'));
	assert.equal(BigInt(`0x${status(pid, 'CapEff')}`), 0n, 'no capability');
	assert.equal(statSync(`${folder}/control.sock`).uid, NOBODY);

	await world.playCore((request) => accept(request, link.core));
	const wic = await Wic.connect('alice', { ca: files.ca_pem });
	assert.equal((await wic.register(mint.issue('alice'))).status, 200);
	assert.equal((await wic.message('bob', 'hello')).status, 200);
	await wic.close();
});
