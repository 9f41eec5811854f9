// SPDX-License-Identifier: BSD-3-Clause
// Scenario 2 (PROTOCOL 5, 9.3, 9.5, 9.6) over an S-CSCF with Diameter behind it: it asks its HSS for each registration,
// grants less than it is asked for, and knows who is registered and who is not. With wicgate-wwsf, pages do the same.

import { calls, CALLS_MS } from './lib/calls.mjs';
import { Stage, callsAndEnds, messages } from './lib/ims_stage.mjs';
import { REALM, impi, impu } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { IMS_WORLDS, WORKER_COUNTS, assert, assertNoTokenOnMw, scenario } from './lib/scenario.mjs';
import { contactExpires } from './lib/sip.mjs';

const ASKED_S = 600;
const GRANTED_S = 540; /* of what it is asked for this S-CSCF grants nine tenths */

/** What the core was told of a user, and what it keeps. */
async function registers(stage, user) {
	const { world } = stage;
	const { wic, answer } = await stage.enter(user, { expires: ASKED_S });
	assert.equal(contactExpires(answer.header('Contact')), GRANTED_S, 'what the core grants is what is told');
	assert.match(answer.header('Service-Route'), /^<sip:orig@.*;lr>$/);
	assert.match(answer.header('P-Associated-URI'), new RegExp(`^<${impu(user)}>`));
	assert.equal(answer.header('Path'), null, 'D-29');

	const kept = await world.kamailio.registration(user);
	assert.deepEqual([kept.state, kept.impi, kept.impus], ['registered', impi(user), [impu(user)]]);
	assert.deepEqual(kept.contacts.map(({ uri }) => uri), [`sip:${user}@${wic.host};transport=ws`]);
	await world.capture.settle();
	const register = world.capture.requestsToCore('REGISTER', user).at(-1);
	assert.match(register.header('Authorization'), /^Digest .*integrity-protected="auth-done"/);
	assert.ok(register.header('Authorization').includes(`username="${impi(user)}"`));
	assert.match(register.header('P-Visited-Network-ID'), new RegExp(REALM));
	return wic;
}

/** The same user once more is one contact, and SAR once more. */
async function refreshes(stage, wic) {
	const before = stage.sars();
	const answer = await wic.register(stage.world.mint.issue(wic.user), { expires: ASKED_S });
	assert.equal(answer.status, 200, answer.start);
	assert.equal((await stage.world.kamailio.contacts(wic.user)).length, 1);
	await waitFor('another SAR at the HSS', () => stage.sars() > before);
}

/** Who has left is not there any more, for the S-CSCF and for who calls. */
async function leaves(stage, wic, caller) {
	assert.equal((await wic.register(null, { expires: 0 })).status, 200, 'no token is needed');
	await stage.world.kamailio.waitForContacts(wic.user, 0);
	assert.equal((await caller.message(wic.user, 'still there?')).status, 480);
	assert.equal((await wic.message(caller.user, 'and I?')).status, 403, 'F27');
	await waitFor('its binding gone', async () =>
		(await stage.world.gateway.bindings()).length === 1);
}

/** 9.4: what the HSS does not know is refused by the core; that passes, and the connection stays. */
async function unknown(stage) {
	for (const user of ['unknown1', 'barred1']) {
		const wic = await stage.connect(user);
		const answer = await wic.register(stage.world.mint.issue(user));
		assert.ok(answer.status >= 400 && answer.status < 600 && answer.status !== 401, answer.start);
		assert.equal(await stage.world.kamailio.contacts(user).then((found) => found.length), 0);
		assert.ok(wic.isOpen);
		await wic.close();
	}
}

async function scripted(world) {
	const stage = await Stage.open(world);
	const alice = await registers(stage, 'alice');
	const bob = await registers(stage, 'bob');
	await refreshes(stage, alice);
	await messages(alice, bob);
	await messages(bob, alice);
	await callsAndEnds(world, alice, bob);
	await callsAndEnds(world, bob, alice);
	await unknown(stage);
	await leaves(stage, bob, alice);
	await assertNoTokenOnMw(world, stage.tokens);
	await alice.close();
	await bob.close();
}

const PAGES = IMS_WORLDS.map((world) => ({ ...world, site: true }));

await scenario([...WORKER_COUNTS, ...PAGES].map((world) => ({ ...world, core: 'ims',
	users: ['alice', 'bob', 'unknown1', 'barred1'] })),
(world, { site }) => site ? calls('jssip')(world) : scripted(world), CALLS_MS);
