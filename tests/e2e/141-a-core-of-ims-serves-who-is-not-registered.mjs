// SPDX-License-Identifier: BSD-3-Clause
// Scenario 4 (PROTOCOL 7.1) over an S-CSCF that asks its HSS whether there is a service for who is not registered (Cx SAR,
// UNREGISTERED_USER). There is one for a wildcard of the HSS's; the site's own is wider, and the core has the last word.

import { ImsWic, callsAndEnds, messages } from './lib/ims_stage.mjs';
import { REALM, impu } from './lib/names.mjs';
import { WORKER_COUNTS, assert, assertNoTokenOnMw, scenario } from './lib/scenario.mjs';
import { bearer, issueGuest, openGuest, openOffice, wildcardWorlds } from './lib/wildcard.mjs';

const GUEST = 'pool-web-77';
const UNKNOWN = 'ext-web-77'; /* the site's, and not the HSS's */
const WORLDS = wildcardWorlds({ core: 'ims', wildcard: `sip:!(pool|ext)-[a-z0-9.-]*!@${REALM}` }, WORKER_COUNTS);

/** SARs about an identity, by their Server-Assignment-Type: 1 registration, 3 unregistered user. */
const sars = (world, user, type) =>
	world.kamailio.saidToHss(new RegExp(`cmd=301 type=${type} impu=${impu(user)} `));

/** The first request with the token in it; those behind it go without. */
async function introduces(world, guest, to) {
	const token = issueGuest(world, guest.user);
	const { status } = await guest.request('MESSAGE', impu(to),
		{ headers: [['Content-Type', 'text/plain'], bearer(token)], body: 'hello' });
	return { token, status };
}

await scenario(WORLDS, async (world) => {
	const { kamailio } = world;
	const alice = await openOffice(world, 'alice', ImsWic);
	const guest = await openGuest(world, GUEST, ImsWic);
	const known = await introduces(world, guest, 'alice');
	assert.equal(known.status, 200);
	assert.deepEqual([sars(world, GUEST, 3), sars(world, GUEST, 1)], [1, 0], 'the HSS has a service for it');

	/* by the token that it has shown, to who is registered */
	await messages(guest, alice);
	await callsAndEnds(world, guest, alice);
	assert.deepEqual([GUEST, 'alice'].map((user) => sars(world, user, 3)), [3, 0], 'she is registered');

	/* nobody finds it, not even who has just heard of it */
	assert.equal((await alice.message(GUEST, 'and back?')).status, 480);
	assert.ok(!guest.requests.some(({ method }) => method === 'MESSAGE'));

	/* whom the HSS does not serve */
	const other = await openGuest(world, UNKNOWN, ImsWic);
	const unknown = await introduces(world, other, 'alice');
	assert.equal(unknown.status, 403);
	assert.equal(sars(world, UNKNOWN, 3), 1);
	assert.equal(await kamailio.registration(UNKNOWN), null);
	assert.equal(alice.requests.filter(({ body }) => body === 'hello').length, 1, 'it reached nobody');

	await world.capture.settle();
	const { messages: onMw } = world.capture;
	assert.ok(!onMw.some(({ sip }) => sip.method === 'REGISTER' && !sip.header('To').includes(impu('alice'))));
	assert.ok(!world.capture.contains('!('), 'a wildcard on Mw');
	await assertNoTokenOnMw(world, [known.token, unknown.token]);
	for (const wic of [guest, other, alice])
		await wic.close();
});
