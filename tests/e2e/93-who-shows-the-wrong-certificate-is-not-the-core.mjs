// SPDX-License-Identifier: BSD-3-Clause
// Mutual TLS with a core that the script plays: whose certificate is not signed by the configured
// authority, is over, or is for another host, gets no REGISTER and no word to a WIC; with the right
// one all goes on by itself.

import { mkdirSync, readFileSync } from 'node:fs';
import { connect as connectTcp, createServer } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { makeCertificates, makeServerCertificate, makeStale } from './lib/certificate.mjs';
import { MwPeer } from './lib/mw_peer.mjs';
import { CORE_HOST, MW_TLS_PORT } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { assert, scenario } from './lib/scenario.mjs';
import { Wic } from './lib/wic.mjs';

const WORLDS = [{ workers: 1, mw: 'tls', core: 'script' },
	{ workers: 2, mw: 'tls', core: 'script', device: 'tap', w2: 'port' }];

const read = ({ certificate, key }, ca) => ({ cert: readFileSync(certificate), key: readFileSync(key),
	...(ca ? { ca: readFileSync(ca) } : {}) });

/** Options of TLS for who plays the core, good and bad: {name: {tls, says}}. */
async function makePeers({ folder, files }) {
	const elsewhere = join(folder, 'elsewhere');
	mkdirSync(elsewhere);
	await makeCertificates(elsewhere);
	const of = (where, name) => makeServerCertificate(where, `core-${name}`, `DNS:${name}`);
	return {
		good: read(files.mw.core, files.ca),
		bad: {
			'signed by another authority': { says: 'unable to get local issuer certificate',
				...read(await of(elsewhere, CORE_HOST), files.ca) },
			'over since yesterday': { says: 'certificate has expired',
				...read(await makeStale(folder, files.mw.core), files.ca) },
			'of another host': { says: 'the certificate is for somebody else',
				...read(await of(folder, 'mail.ims.example.test'), files.ca) },
		},
	};
}

const refusals = (world) => world.gateway.program.log().split('\n')
	.filter((line) => line.includes('event=mw_tls_failed'));

/** The gateway goes to who shows this certificate, and does not take it for the core. */
async function refusedAsServer(world, wic, tls, says) {
	const before = refusals(world).length;
	const core = await MwPeer.start(world, world.link.core, tls);
	await waitFor(`the log says: ${says}`, async () => { /* a hop that is down is left alone for 5 s */
		assert.equal((await wic.register(world.mint.issue('alice'))).status, 504);
		return refusals(world).slice(before).some((line) => line.includes(says));
	}, 12000);
	assert.deepEqual(core.requests, [], 'what it heard');
	core.close();
	world.played.splice(world.played.indexOf(core), 1);
}

/** Who comes with this certificate, or none, is sent away. */
async function refusedAsClient(world, tls, says) {
	const before = refusals(world).length;
	const socket = connect({ host: world.link.gateway, port: MW_TLS_PORT,
		localAddress: world.link.core, rejectUnauthorized: false, ...tls });
	let heard = '';
	socket.on('error', () => {});
	socket.on('data', (bytes) => heard += bytes);
	const closed = new Promise((resolve) => socket.once('close', resolve));
	socket.on('secureConnect', () => socket.write('OPTIONS sip:ep1.home1.net SIP/2.0\r\n\r\n'));
	await waitFor(`the log says: ${says}`, () =>
		refusals(world).slice(before).some((line) => line.includes(says)));
	await closed;
	assert.equal(heard, '');
}

/** Who connects and says next to nothing is cut off, and the hop that says nothing is given up. */
async function silent(world, wic) {
	const server = createServer((socket) => socket.on('error', () => {}).resume());
	await new Promise((resolve) => server.listen(MW_TLS_PORT, world.link.core, resolve));
	const before = await world.gateway.errors('GW_CONN_TIMEOUT');
	const socket = connectTcp({ host: world.link.gateway, port: MW_TLS_PORT,
		localAddress: world.link.core });
	socket.write('\x16'); /* the first byte of a ClientHello, and no more */
	const cut = new Promise((resolve) => socket.on('error', () => {}).resume().once('close', resolve));
	await waitFor('the hop is given up', async () => {
		assert.equal((await wic.register(world.mint.issue('alice'))).status, 504);
		return await world.gateway.errors('GW_CONN_TIMEOUT') >= before + 2;
	}, 15000);
	await cut;
	server.close();
}

async function served(world, wic, tls) {
	const core = await MwPeer.start(world, world.link.core, tls);
	await waitFor('the hop is tried again', async () =>
		(await wic.register(world.mint.issue('alice'))).status === 200, 12000);
	const way = await core.learn(wic);
	const page = await core.ask('MESSAGE', way, { body: 'over TLS' });
	assert.equal((await core.response(page.call_id, 'MESSAGE')).status, 200);
	assert.equal(wic.requests.at(-1).body, 'over TLS');
	assert.match(core.requests.at(-1).header('Via'), /^SIP\/2\.0\/TLS /);
	return core;
}

await scenario(WORLDS, async (world) => {
	const { good, bad } = await makePeers(world);
	const wic = await Wic.connect('alice', { ca: world.files.ca_pem });
	for (const [what, { says, ...tls }] of Object.entries(bad)) {
		await refusedAsServer(world, wic, tls, says);
		await refusedAsClient(world, tls, says);
		console.log(`# a certificate ${what} is refused both ways`);
	}
	await refusedAsClient(world, {}, 'peer did not return a certificate');
	await silent(world, wic);
	const core = await served(world, wic, good);
	assert.equal(core.refused.length, 0, core.refused.join());
	assert.ok(await world.gateway.counter('mw_tls_failures') >= 2 * Object.keys(bad).length + 1);
}, 90000);
