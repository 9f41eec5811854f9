// SPDX-License-Identifier: BSD-3-Clause
// Scenario 1 by a WIC that lies: whatever it says of its protection, in whatever spelling, Mw has
// the gateway's word and no other; Kamailio checks the rest of the credential with SHA-256.

import { eachCase } from './lib/cases.mjs';
import { answerChallenge, password } from './lib/digest.mjs';
import { KERNEL_WORLDS, WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';
import { Wic } from './lib/wic.mjs';

const WORLDS = [...WORKER_COUNTS, ...KERNEL_WORLDS]
	.map((world) => ({ ...world, digest: 'SHA-256' }));

/* credential -> what it becomes */
const SPELLINGS = {
	'at the end': (c) => `${c},integrity-protected="auth-done"`,
	bare: (c) => `${c}, integrity-protected=yes`,
	'in capitals': (c) => `${c}, INTEGRITY-PROTECTED = "tls-yes"`,
	first: (c) => c.replace('Digest ', 'Digest integrity-protected="yes",'),
	folded: (c) => `${c},\r\n integrity-protected\r\n =\r\n "yes"`,
	repeated: (c) => `${c},integrity-protected="no",integrity-protected="yes"`,
	escaped: (c) => `${c},integrity-protected="\\y\\e\\s"`,
	'with an entity': (c) => `${c},authorization-entity="waf"`,
};

const REFUSED = {
	'in a string': (c) => `${c},opaque="x, integrity-protected=yes"`,
	'behind a semicolon': (c) => `${c};integrity-protected=yes`,
	'behind a space': (c) => `${c} integrity-protected=yes`,
	'with an escape in its name': (c) => `${c},integrity%2Dprotected=yes`,
	'a second user': (c) => `${c},username="bob@ims.example.test"`,
	'a second credential': (c) => `${c}, Digest integrity-protected="yes"`,
};

async function challenge(wic) {
	const answer = await wic.register(null);
	assert.equal(answer.status, 401);
	return answer.header('WWW-Authenticate');
}

await scenario(WORLDS, async (world) => {
	const open = (user) => Wic.connect(user, { ca: world.files.ca_pem });
	const last = async () => {
		await world.capture.settle();
		return world.capture.requestsToCore('REGISTER', 'alice').at(-1).header('Authorization');
	};

	await eachCase(SPELLINGS, async (spelled) => {
		const wic = await open('alice');
		const credential = answerChallenge(await challenge(wic), 'alice');
		assert.equal((await wic.register(null, { credential: spelled(credential) })).status, 200);
		assert.equal(await last(), `${credential},integrity-protected="tls-pending"`);
		/* and on a flow that is bound */
		const again = answerChallenge(await challenge(wic), 'alice');
		const left = await wic.register(null, { credential: spelled(again), expires: 0 });
		assert.equal(left.status, 200);
		assert.equal(await last(), `${again},integrity-protected="tls-yes"`);
		await wic.close();
	});

	const wic = await open('alice');
	await eachCase(REFUSED, async (spelled) => {
		const credential = answerChallenge(await challenge(wic), 'alice');
		const before = world.capture.requestsToCore('REGISTER', 'alice').length;
		assert.equal((await wic.register(null, { credential: spelled(credential) })).status, 400);
		await world.capture.settle();
		assert.ok(world.capture.requestsToCore('REGISTER', 'alice').length <= before + 1,
			'it stopped at the gateway'); /* + 1: that of the challenge may be seen late */
	});

	/* who is bound as one is not trusted as another, and a wrong password binds nobody */
	const good = answerChallenge(await challenge(wic), 'alice');
	assert.equal((await wic.register(null, { credential: good })).status, 200);
	const wrong = answerChallenge(await challenge(wic), 'alice', password('bob'))
		.replace('username="alice@', 'username="bob@');
	assert.notEqual((await wic.register(null, { credential: wrong })).status, 200);
	assert.match(await last(), /,integrity-protected="tls-pending"$/);

	/* a token has no meaning here */
	const other = await open('bob');
	assert.equal((await other.register(world.mint.issue('bob'))).status, 403);
	assert.equal((await other.message('alice', 'x')).status, 403);
	await world.capture.settle();
	assert.ok(!world.capture.contains('Bearer'), 'the word Bearer on Mw');
	for (const lie of ['auth-done', 'authorization-entity', 'integrity-protected="no"'])
		assert.ok(!world.capture.contains(lie), `${lie} on Mw`);
	await wic.close();
	await other.close();
});
