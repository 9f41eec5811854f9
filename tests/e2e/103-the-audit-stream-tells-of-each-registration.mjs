// SPDX-License-Identifier: BSD-3-Clause
// The audit stream: start, refresh and end of a registration, identities by hash or in clear as the
// policy says; its file is moved away, and a disk that is full stops nobody.

import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { impu } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { assert, scenario } from './lib/scenario.mjs';
import { accept } from './lib/scripted_core.mjs';
import { Wic } from './lib/wic.mjs';

/* a registration ends with its connection and not half a minute later */
const AT_ONCE = 'limits: {flow_grace: 0}\n';
const WORLDS = [{ workers: 2, mw: 'udp', core: 'script',
	settings: `${AT_ONCE}audit: {file: audit.log}\n` }];

const fields = (line) => Object.fromEntries(line.split(' ').map((pair) => {
	const at = pair.indexOf('=');
	return [pair.slice(0, at), pair.slice(at + 1)];
}));

await scenario(WORLDS, async (world) => {
	const { files, folder, gateway, link, mint } = world;
	let status = 200;
	const registers = [];
	await world.playCore((request) => {
		registers.push(request);
		const text = accept(request, link.core);
		return status === 200 ? text : text.replace('200 OK', '403 Forbidden');
	});
	const path = join(folder, 'audit.log');
	const lines = (file = path) => readFileSync(file, 'utf8').trim().split('\n').filter(Boolean)
		.map(fields);
	const until = (count, file) => waitFor(`${count} lines`, () => lines(file).length >= count
		&& lines(file));

	const wic = await Wic.connect('alice', { ca: files.ca_pem });
	assert.equal((await wic.register(mint.issue('alice'))).status, 200);
	assert.equal((await wic.register(mint.issue('alice'))).status, 200);
	const [start, refresh] = await until(2);
	assert.deepEqual([start.audit, refresh.audit], ['register_start', 'register_refresh']);
	assert.match(start.impu, /^h:[0-9a-f]{16}$/);
	assert.match(start.impi, /^h:[0-9a-f]{16}$/);
	assert.equal(start.impu, (await gateway.bindings())[0].impu);
	assert.equal(start.wwsf, 'shop');
	assert.ok(start.expires_s > 590 && start.expires_s <= 600, start.expires_s);
	assert.ok(Math.abs(Date.parse(start.ts) - Date.now()) < 20000, start.ts);
	for (const [i, line] of [start, refresh].entries())
		assert.ok(registers[i].header('P-Charging-Vector').includes(`icid-value="${line.icid}"`));
	assert.ok(!readFileSync(path, 'utf8').includes('alice'), 'an identity in clear');

	/* rotation */
	renameSync(path, `${path}.1`);
	await gateway.reload({});
	await wic.close();
	const [end] = await until(1);
	assert.equal(end.audit, 'register_end');
	assert.equal(end.icid, refresh.icid);
	assert.ok(Date.parse(end.began) <= Date.parse(refresh.ts));
	assert.equal(lines(`${path}.1`).length, 2);

	/* another policy */
	await gateway.reload({ settings: `${AT_ONCE}audit: {file: audit.log, identities: clear}\n` });
	status = 403;
	const refused = await Wic.connect('bob', { ca: files.ca_pem });
	assert.equal((await refused.register(mint.issue('bob'))).status, 403);
	const [, failed] = await until(2);
	assert.deepEqual([failed.audit, failed.impu, failed.status],
		['register_failed', impu('bob'), '403']);
	assert.ok(!gateway.program.log().includes(impu('bob')), 'the log has no identity');

	/* a full disk: counted and told, and nobody waits for it */
	await gateway.reload({ settings: `${AT_ONCE}audit: {file: /dev/full}\n` });
	status = 200;
	assert.equal((await refused.register(mint.issue('bob'))).status, 200);
	await waitFor('the alarm', () => /event=audit_failed .*No space left/.test(gateway.program.log()));
	assert.equal((await gateway.ask('status')).status.bindings, 1);
	await gateway.reload({ settings: `${AT_ONCE}audit: {file: audit.log}\n` });
	await refused.close();
	assert.equal((await until(3))[2].lost, '1');
});
