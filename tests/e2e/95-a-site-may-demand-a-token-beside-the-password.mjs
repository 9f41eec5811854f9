// SPDX-License-Identifier: BSD-3-Clause
// D-13: the core authenticates the users, and the web site still says who may come in: first its token,
// then the password of the core, each in a REGISTER of its own.

import { answerChallenge } from './lib/digest.mjs';
import { KERNEL_WORLDS, WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';
import { Wic } from './lib/wic.mjs';

const WORLDS = [WORKER_COUNTS[0], KERNEL_WORLDS[1]].map((world) => ({ ...world, digest: 'SHA-256',
	site_limits: 'demand_token: true\n    issuer: shop-waf' }));

await scenario(WORLDS, async (world) => {
	const open = (user) => Wic.connect(user, { ca: world.files.ca_pem });
	const onMw = async (user) => {
		await world.capture.settle();
		return world.capture.requestsToCore('REGISTER', user);
	};
	const alice = await open('alice');
	const bob = await open('bob');

	/* without one, the core is not asked */
	const asked = await alice.register(null);
	assert.equal(asked.status, 401);
	assert.match(asked.header('WWW-Authenticate'), /^Bearer realm="[^"]+",authz_server="https:/);
	assert.equal((await onMw('alice')).length, 0);

	const token = world.mint.issue('alice');
	const challenged = await alice.register(token);
	assert.equal(challenged.status, 401);
	assert.match(challenged.header('WWW-Authenticate'), /^Digest /);
	assert.equal((await onMw('alice')).at(-1).header('Authorization'), null, 'no credential yet');
	const credential = answerChallenge(challenged.header('WWW-Authenticate'), 'alice');
	assert.equal((await alice.register(null, { credential })).status, 200);
	assert.equal((await onMw('alice')).at(-1).header('Authorization'),
		`${credential},integrity-protected="tls-pending"`);

	/* one that is another's lets nobody in */
	assert.equal((await bob.register(token)).status, 403);
	assert.equal((await bob.register(null)).status, 401);
	assert.equal((await onMw('bob')).length, 0);

	/* and to leave none is needed */
	const again = await alice.register(null);
	assert.equal(again.status, 401);
	assert.match(again.header('WWW-Authenticate'), /^Digest /, 'the token is still believed');
	const last = answerChallenge(again.header('WWW-Authenticate'), 'alice');
	assert.equal((await alice.register(null, { credential: last, expires: 0 })).status, 200);
	await world.capture.settle();
	assert.ok(!world.capture.contains('Bearer'), 'the word Bearer on Mw');
	await alice.close();
	await bob.close();
});
