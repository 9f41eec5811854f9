// SPDX-License-Identifier: BSD-3-Clause
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KEY_ID } from './lib/names.mjs';
import { within } from './lib/process.mjs';
import { KERNEL_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { Wic } from './lib/wic.mjs';

const challenge = (answer) => /error="([^"]*)"/.exec(answer.header('WWW-Authenticate'))?.[1];

/** A REGISTER with this token is answered so, and the connection stays. */
async function assertAnswer(wic, token, status, what) {
	const answer = await wic.register(token);
	assert.equal(answer.status, status, what);
	if (status === 401)
		assert.equal(challenge(answer), 'invalid_token', what);
	assert.ok(wic.isOpen, `connection open: ${what}`);
}

await scenario(KERNEL_WORLDS, async (world) => {
	const { gateway, files, mint, folder } = world;
	const connect = (user) => Wic.connect(user, { ca: files.ca_pem });
	const [lost, stolen] = [randomUUID(), randomUUID()];
	const good = () => mint.issue('bob');
	const token_lost = mint.issue('bob', { claims: { jti: lost } });
	const token_stolen = mint.issue('alice', { claims: { jti: stolen } });

	/* a token that is in use, one that is not yet */
	let bob = await connect('bob');
	const alice = await connect('alice');
	await assertAnswer(alice, token_stolen, 200, 'before it is revoked');
	await gateway.ask('revoke', 'jti', 'shop-waf', lost);
	await assertAnswer(bob, token_lost, 401, 'revoked by its jti');
	await assertAnswer(bob, token_lost, 401, 'the same again');
	await assertAnswer(bob, good(), 200, 'another token on the same connection');
	await gateway.ask('revoke', 'jti', 'shop-waf', stolen);
	assert.equal((await within('the connection of a revoked token closed', alice.closed)).code, 1008);

	/* killed the moment after the word */
	await gateway.ask('disable', 'shop');
	await gateway.restart();
	bob = await connect('bob');
	await assertAnswer(bob, good(), 403, 'of a web site that is disabled');
	assert.deepEqual((await gateway.ask('wwsf')).wwsf.map(({ name, enabled }) => [name, enabled]),
		[['shop', false]]);
	await gateway.ask('enable', 'shop');
	await gateway.restart();
	bob = await connect('bob');
	await assertAnswer(bob, token_lost, 401, 'revoked before the crash');
	await assertAnswer(bob, good(), 200, 'of the web site that is enabled again');

	/* the only key of the issuer, and what is given back */
	await gateway.ask('revoke', 'key', 'shop-waf', KEY_ID);
	await assertAnswer(bob, good(), 401, 'by a key that is revoked');
	await gateway.restart();
	bob = await connect('bob');
	await assertAnswer(bob, good(), 401, 'by a key that was revoked before the crash');
	await gateway.ask('revoke', 'undo', 'key', 'shop-waf', KEY_ID);
	await gateway.ask('revoke', 'undo', 'jti', 'shop-waf', lost);
	await assertAnswer(bob, good(), 200, 'by the key that is given back');
	assert.deepEqual((await gateway.ask('revoke', 'list')).revocations.map((row) => row.kind),
		['jti']);

	for (const name of ['wicgate.log', 'state/revocations'])
		for (const jti of [lost, stolen])
			assert.ok(!readFileSync(join(folder, name), 'utf8').includes(jti), `a jti in ${name}`);
	await bob.close();
});
