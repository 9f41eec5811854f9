// SPDX-License-Identifier: BSD-3-Clause
// A trace costs nobody anything when its owner has gone, there are a few at a time, and it is for
// root and the gateway's own user only.

import { as } from './lib/gateway.mjs';
import { impu } from './lib/names.mjs';
import { Program, run, waitFor } from './lib/process.mjs';
import { assert, scenario } from './lib/scenario.mjs';
import { accept } from './lib/scripted_core.mjs';
import { Wic } from './lib/wic.mjs';

const WORLDS = [{ workers: 2, mw: 'udp', core: 'script', control_mode: '0660',
	more_mw: '  reg_event: false\n' /* what is counted is what the WIC does */ }];
const AT_A_TIME = 4;

const stat = async (gateway, name) =>
	(await gateway.ask('stats')).stats.find((row) => row.name === name).total;

async function trace(world, name) {
	const program = new Program(name, world.gateway.cli('trace', impu('alice')), world.folder);
	return program.ready(() => program.log().includes('"running"'));
}

await scenario(WORLDS, async (world) => {
	const { files, gateway, link, mint } = world;
	await world.playCore((request) => accept(request, link.core));
	const wic = await Wic.connect('alice', { ca: files.ca_pem });

	const all = [];
	for (let i = 0; i < AT_A_TIME; i += 1)
		all.push(await trace(world, `trace.${i}`));
	const refused = await gateway.wicctl(['trace', impu('alice')]).catch((error) => error);
	assert.equal(refused.code, 1);
	assert.match(refused.stdout, /busy: as many traces/);

	assert.equal((await wic.register(mint.issue('alice'))).status, 200);
	for (const program of all)
		await waitFor('its messages', () => program.log().split('"message"').length === 5);
	assert.equal(await stat(gateway, 'traced'), 4, 'each message once, for all of them');

	for (const program of all)
		await program.destroy(); /* SIGKILL */
	const ended = () => gateway.program.log().match(/event=trace_end/g)?.length === AT_A_TIME;
	await waitFor('the end of the traces', ended);
	assert.equal((await wic.register(mint.issue('alice'))).status, 200);
	assert.equal(await stat(gateway, 'traced'), 4, 'nobody looks any more');
	const last = await trace(world, 'trace.last');
	last.signal('SIGINT');
	assert.equal((await last.ended).code, 0);

	const [program, ...words] = [...as('nobody', 'root'), ...gateway.cli('trace', impu('alice'))];
	const other = await run(program, words).catch((error) => error);
	assert.equal(other.code, 1);
	assert.match(other.stdout, /not allowed/);
	await wic.close();
});
