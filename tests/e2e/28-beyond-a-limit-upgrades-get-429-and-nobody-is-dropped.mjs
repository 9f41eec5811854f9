// SPDX-License-Identifier: BSD-3-Clause
import { setTimeout as sleep } from 'node:timers/promises';
import { WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';
import { UpgradeRefused, Wic } from './lib/wic.mjs';

const EACH = 2;          /* connections of the one address that a worker grants */
const COMES_BACK_MS = 2500; /* when SIP.js tries again after a drop */

const worlds = WORKER_COUNTS.map((world) => ({ ...world,
	settings: `limits: {connections_per_address: ${EACH * world.workers}, requests_per_second: 1}\n` }));

await scenario(worlds, async ({ workers, files, gateway, mint }) => {
	const connect = () => Wic.connect('alice', { ca: files.ca_pem }).catch((error) => error);
	const answers = [];
	for (let i = 0; i < 4 * EACH * workers; i++)
		answers.push(await connect());
	const refused = answers.filter((answer) => answer instanceof UpgradeRefused);
	const open = answers.filter((answer) => answer instanceof Wic);
	assert.equal(refused.length + open.length, answers.length, 'each is told');
	assert.ok(open.length >= EACH && open.length <= EACH * workers, `${open.length} are in`);
	for (const { status, headers } of refused) {
		assert.equal(status, 429);
		assert.ok(Number(headers['retry-after']) >= 1, `Retry-After: ${headers['retry-after']}`);
	}
	assert.equal(await gateway.errors('GW_HTTP_RATE'), refused.length);

	/* who was let in stays, whatever knocks */
	await sleep(COMES_BACK_MS);
	assert.ok(await connect() instanceof Error || open.length < EACH * workers);
	for (const wic of open)
		assert.ok(wic.isOpen, 'nobody is dropped');
	const [wic] = open;
	assert.equal((await wic.register(mint.issue('alice'))).status, 200);

	/* a flood on it is told 503, and it stays open */
	const flood = await Promise.all(Array.from({ length: 8 }, () => wic.register(null)));
	const limited = flood.filter(({ status }) => status === 503);
	assert.ok(limited.length >= 5, `${limited.length} are told 503`);
	for (const answer of limited)
		assert.equal(answer.header('Retry-After'), '5');
	assert.equal(await gateway.errors('GW_RATE'), limited.length);
	assert.ok(wic.isOpen);
	await sleep(1100);
	assert.equal((await wic.register(mint.issue('alice'))).status, 200);

	/* a place that is left is given away */
	for (const each of open)
		await each.close();
	const last = await connect();
	assert.ok(last instanceof Wic, last.message);
	await last.close();
});
