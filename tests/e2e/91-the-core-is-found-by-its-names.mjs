// SPDX-License-Identifier: BSD-3-Clause
// The next hop is a domain with NAPTR and SRV records; the S-CSCF that the core names in its
// Service-Route is a host. A record that changes is followed when its time is over.

import { CORE_ADDRESS, MW_PORT, OTHER_CORE_ADDRESS, REALM, impu } from './lib/names.mjs';
import { NameServer } from './lib/name_server.mjs';
import { waitFor } from './lib/process.mjs';
import { assert, scenario } from './lib/scenario.mjs';
import { accept } from './lib/scripted_core.mjs';
import { Wic } from './lib/wic.mjs';

const WORLDS = [1, 2].map((workers) => ({ workers, mw: 'udp', core: 'script',
	trusted: [CORE_ADDRESS, OTHER_CORE_ADDRESS], next_hops: [{ uri: `sip:${REALM}` }],
	more_mw: '  name_servers: ["127.0.0.1@5353"]\n',
	site_limits: 'limits: {requests_per_second: 1000000}' }));
const SCSCF = `scscf.${REALM}`;

const records = (icscf, scscf) => ({
	[REALM]: { NAPTR: [{ order: 1, service: 'SIPS+D2T', replacement: `_sips._tcp.${REALM}` },
		{ order: 2, service: 'SIP+D2U', replacement: `_sip._udp.${REALM}` }] },
	[`_sip._udp.${REALM}`]: { SRV: [{ priority: 9, port: MW_PORT, target: `icscf.${REALM}` }] },
	[`icscf.${REALM}`]: { A: [icscf] },
	[SCSCF]: { A: [scscf] },
});

await scenario(WORLDS, async (world) => {
	const { gateway, mint } = world;
	/* both say that alice's S-CSCF has that name */
	const by_name = (request) => accept(request, SCSCF);
	const icscf = await world.playCore(by_name, CORE_ADDRESS);
	const scscf = await world.playCore(by_name, OTHER_CORE_ADDRESS);
	const wic = await Wic.connect('alice', { ca: world.files.ca_pem });
	const register = async () => (await wic.register(mint.issue('alice'))).status;
	assert.equal(await register(), 504, 'no name server, no core');

	const names = await NameServer.start(records(CORE_ADDRESS, OTHER_CORE_ADDRESS));
	try {
		await waitFor('the next hop is found', async () => await register() === 200, 40000);
		for (const question of [`NAPTR ${REALM}`, `SRV _sip._udp.${REALM}`])
			assert.ok(names.asked.includes(question), names.asked.join());
		assert.ok(icscf.requests.every(({ method }) => method === 'REGISTER'));

		const page = async () => (await wic.request('MESSAGE', impu('bob'), { body: 'hello',
			headers: [['Content-Type', 'text/plain']] })).status;
		await waitFor('the S-CSCF is found', async () => {
			assert.equal(await page(), 200);
			return scscf.requests.some(({ method }) => method === 'MESSAGE');
		});
		assert.equal(scscf.requests.at(-1).header('Route'), `<sip:orig@${SCSCF}:${MW_PORT};lr>`);

		names.records = records(OTHER_CORE_ADDRESS, OTHER_CORE_ADDRESS);
		await waitFor('the new address is followed', async () => {
			assert.equal(await register(), 200);
			return scscf.requests.some(({ method }) => method === 'REGISTER');
		}, 20000);
		assert.ok(await gateway.counter('mw_names_wanted') > 0);
	} finally {
		names.close();
	}
	await wic.close();
}, 90000);
