// SPDX-License-Identifier: BSD-3-Clause
import { ip } from './lib/link.mjs';
import { CLIENT_ADDRESSES } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { ALL_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { Wic } from './lib/wic.mjs';

/* a ping each second, and nobody waits longer than five for what it was sent */
const SETTINGS = 'tcp: {user_timeout: 5}\nlimits: {ws_ping: 1}\n';
const WORLDS = [{ ...ALL_WORLDS[0], settings: SETTINGS }];

await scenario(WORLDS, async (world) => {
	const { files, gateway, link, mint } = world;
	const address = `${CLIENT_ADDRESSES[link.ip]}/32 dev lo`;
	const wic = await Wic.connect('alice', { ca: files.ca_pem });
	assert.equal((await wic.register(mint.issue('alice'))).status, 200);
	const [{ peer }] = await gateway.sessions();

	await ip('addr del', address); /* nobody is there, and nobody says so */
	await waitFor('the gateway gives up', async () => (await gateway.sessions()).length === 0, 15000);
	await ip('addr add', address);
	const told = gateway.program.log().split('\n')
		.filter((line) => line.includes('event=connection_broken'));
	assert.equal(told.length, 1, 'of the browser alone');
	assert.ok(told[0].includes(`peer=${peer}`) && told[0].includes('error=GW_CONN_TIMEOUT'), told[0]);
	const trace = /trace="([^"]*)"/.exec(told[0])?.[1] ?? '';
	assert.match(trace, /^-\d+ .* -\d+ >PA \d+\+\d+ .* -\d+ \^PA \d+\+\d+ /, 'sent, and sent again');
	assert.match(trace, / rto /);
	assert.equal((await gateway.connections(link.core)).length, 1, 'Mw goes on');
	wic.socket.terminate();
});
