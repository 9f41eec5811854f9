// SPDX-License-Identifier: BSD-3-Clause
// The journal of leases (docs/operations.md): nobody waits for a disk that is full, and what was told
// meanwhile is there when it is well again. A gateway that is killed comes back as another one: with
// one worker for two, a pair less, and a file that a crash has cut and something has damaged.

import { appendFileSync, closeSync, openSync, readFileSync, statSync, unlinkSync, writeFileSync,
	writeSync } from 'node:fs';
import { join } from 'node:path';
import { impi } from './lib/names.mjs';
import { POOL_SETTINGS, PoolIssuer, PoolStage, PoolWic, assertInUse } from './lib/pool.mjs';
import { run, waitFor } from './lib/process.mjs';
import { KERNEL_WORLDS, assert, scenario } from './lib/scenario.mjs';

const GRACE_S = 3;
const WORLDS = [{ ...KERNEL_WORLDS[1], ...POOL_SETTINGS,
	settings: POOL_SETTINGS.settings.replace(/flow_grace: \d+/, `flow_grace: ${GRACE_S}`) }];
const MANY = 14; /* more lines than a page of the file has room for */

/** The state directory on a disk of its own, which is small. */
async function moveToSmallDisk(state, folder) {
	const disk = join(folder, 'disk');
	await run('mkdir', [disk]);
	await run('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=0700', 'none', disk]);
	await run('cp', ['-a', `${state}/.`, disk]);
	await run('mount', ['--bind', disk, state]);
}

/** Fills the disk to its last byte; the file that does. */
function fill(state) {
	const path = join(state, 'filler');
	const file = openSync(path, 'w');
	assert.throws(() => {
		for (;;)
			writeSync(file, Buffer.alloc(4096));
	}, { code: 'ENOSPC' });
	closeSync(file);
	return path;
}

/** One byte of the line about this pair is another one. */
function damage(path, user) {
	const at = readFileSync(path, 'latin1').indexOf(impi(user));
	assert.ok(at > 0, `a line about ${user}`);
	const file = openSync(path, 'r+');
	writeSync(file, '#', at);
	closeSync(file);
}

await scenario(WORLDS, async (world) => {
	const { folder, gateway, files } = world;
	const state = join(folder, 'state');
	const leases = join(state, 'leases');
	const stage = Object.assign(new PoolStage(), { world, issuer: new PoolIssuer(world.mint), texts: 0 });
	const enter = () => PoolWic.enter(stage, stage.issuer.visitor(), { lifetime_s: 300 });
	const status = async () => (await gateway.ask('status')).status;
	const logged = (text) => waitFor(text, () => gateway.program.log().includes(text));
	await moveToSmallDisk(state, folder);
	await gateway.restart();

	/* a disk that is full */
	const keeper = await enter();
	const hurt = await enter();
	const removed = await enter();
	await waitFor('they are in the file', async () => (await status()).journal_bindings === 3);
	const filler = fill(state);
	const many = await Promise.all(Array.from({ length: MANY }, enter));
	await logged('event=leases_not_written why=');
	assert.ok((await status()).journal_failed > 0, 'it is counted');
	unlinkSync(filler);
	await logged('event=leases_written_again');
	await waitFor('all of them are', async () => (await status()).journal_bindings === 3 + MANY);
	assert.equal((await status()).journal_lost, 0);

	/* whose business it is */
	assert.equal(statSync(leases).mode & 0o777, 0o600);
	const text = readFileSync(leases, 'utf8');
	for (const token of stage.issuer.issued)
		for (const piece of token.split('.'))
			assert.ok(!text.includes(piece), 'part of a token in the journal');
	assert.ok(!text.includes(keeper.visitor.sub), 'a user of the web site in the journal');
	assert.ok(text.includes(impi(keeper.user)), 'the pairs are');

	/* a crash */
	damage(leases, hurt.user);
	appendFileSync(leases, text.slice(0, 100));
	writeFileSync(files.pairs, readFileSync(files.pairs, 'utf8').split('\n')
		.filter((line) => !line.startsWith(impi(removed.user))).join('\n'));
	gateway.configure({ workers: 1 });
	await gateway.restart();
	const back_s = Date.now() / 1000;
	await logged('event=leases_torn line=18 bytes=100');
	await logged('event=leases_damaged lines=1 first=2');
	await logged('event=leases_restored bindings=16 refused=0');
	const other = await PoolWic.connectAs(stage, stage.issuer.next(keeper.visitor));
	assertInUse(await other.registers({ lifetime_s: 60 }), stage.issuer.end(keeper.visitor));
	const again = await PoolWic.connectAs(stage, keeper.visitor, keeper.instance);
	assert.equal((await again.registers()).status, 200, 'who had it is back');
	await world.kamailio.waitForContacts(keeper.user, 1);
	const gone = await stage.leaving(removed.user);
	assert.ok(gone.time_s - back_s < GRACE_S - 1, 'a pair that is no longer of the pool: at once');
	for (const wic of many)
		assert.ok((await stage.leaving(wic.user)).time_s - back_s > GRACE_S - 1, wic.user);
	await waitFor('only who is back is left', async () => (await status()).journal_bindings === 1);
	const caller = await enter();
	stage.caller = caller;
	await stage.reaches(keeper.user, again, [other]);
}, 60000);
