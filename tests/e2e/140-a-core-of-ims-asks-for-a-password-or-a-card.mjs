// SPDX-License-Identifier: BSD-3-Clause
// Scenario 1 (PROTOCOL 4) over an S-CSCF that lets its HSS choose how a user is asked (Cx MAR): SIP Digest of a password, or AKA
// of a card. It believes who is called tls-yes, so that a WIC which could say that of itself would need neither.

import { answerChallenge, askCard, parameters } from './lib/digest.mjs';
import { Stage, callsAndEnds, messages } from './lib/ims_stage.mjs';
import { REALM, impi, impu } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';
import { contactExpires } from './lib/sip.mjs';

const WORLDS = WORKER_COUNTS.map((world) => ({ ...world, core: 'ims', digest: 'MD5', aka: true }));
const CARD = 'aka-carol';

/** How the core was told the REGISTERs of a user are protected, in their order; null: not at all. */
async function protection({ world }, user) {
	await world.capture.settle();
	return world.capture.requestsToCore('REGISTER', user).map((sip) =>
		/,integrity-protected="([^"]*)"$/.exec(sip.header('Authorization') ?? '')?.[1] ?? null);
}

/** The challenges to a user as the core sent them. */
const challenges = ({ world }, user) => world.capture.messages.map(({ sip }) => sip)
	.filter((sip) => sip.status === 401 && sip.header('To').includes(`<${impu(user)}>`))
	.map((sip) => sip.header('WWW-Authenticate'));

/** How often the HSS was asked for a vector of a user, and told that he is registered. */
const asked = ({ world }, user) => [303, 301].map((command) =>
	world.kamailio.saidToHss(new RegExp(`cmd=${command} .*impu=${impu(user)} impi=${impi(user)}$`)));

async function isKept({ world }, wic) {
	const kept = await world.kamailio.registration(wic.user);
	assert.deepEqual([kept.state, kept.impi, kept.contacts.map(({ uri }) => uri)],
		['registered', impi(wic.user), [`sip:${wic.user}@${wic.host};transport=ws`]]);
}

/** Asked once, answered, and from then on believed. */
async function registers(stage, user) {
	const wic = await stage.connect(user);
	const first = await wic.register(null);
	assert.equal(first.status, 401, first.start);
	const challenge = first.header('WWW-Authenticate');
	const { algorithm, qop, realm } = parameters(challenge);
	assert.deepEqual([algorithm, qop, realm], ['MD5', 'auth', REALM]);
	const credential = answerChallenge(challenge, user);
	const answer = await wic.register(null, { credential });
	assert.equal(answer.status, 200, answer.start);
	assert.equal(contactExpires(answer.header('Contact')), 540, 'nine tenths of what it was asked for');
	await isKept(stage, wic);
	assert.deepEqual(await protection(stage, user), [null, 'tls-pending']);
	assert.deepEqual(asked(stage, user), [1, 1], 'a MAR and a SAR');

	assert.equal((await wic.register(null, { credential })).status, 200, 'a refresh');
	assert.deepEqual(await protection(stage, user), [null, 'tls-pending', 'tls-yes']);
	assert.deepEqual(asked(stage, user), [1, 2], 'the flow is bound: nobody asks again');
	await isKept(stage, wic);
	return wic;
}

/** Whatever he says of himself, who does not know the password is asked for it. */
async function guesses(stage) {
	const wic = await stage.connect('mallory');
	let { status, ...answer } = await wic.register(null);
	for (const lie of ['', ',integrity-protected="tls-yes"', ',integrity-protected=auth-done']) {
		assert.equal(status, 401);
		const credential = answerChallenge(answer.header('WWW-Authenticate'), 'mallory', 'guessed');
		({ status, ...answer } = await wic.register(null, { credential: `${credential}${lie}` }));
	}
	assert.equal(status, 401);
	assert.deepEqual(await protection(stage, 'mallory'), [null, ...Array(3).fill('tls-pending')]);
	assert.equal(await stage.world.kamailio.registration('mallory'), null);
	assert.equal((await wic.message('alice', 'let me in')).status, 403, 'F27');
	await wic.close();
}

/** The keys go to the gateway and no further. */
async function showsCard(stage) {
	const wic = await stage.connect(CARD);
	const empty = `Digest username="${impi(CARD)}",realm="${REALM}",nonce="",uri="sip:${REALM}",response=""`;
	const first = await wic.register(null, { credential: empty });
	assert.equal(first.status, 401, first.start);
	const challenge = first.header('WWW-Authenticate');
	await stage.world.capture.settle();
	const { ck, ik, ...rest } = parameters(challenges(stage, CARD).at(-1));
	assert.deepEqual([ck.length, ik.length, rest.algorithm], [32, 32, 'AKAv1-MD5'], 'as the core has it');
	assert.deepEqual(parameters(challenge), rest, 'the same without the keys');
	assert.ok(!first.text.includes(ck) && !first.text.includes(ik), 'not a byte of them');

	const credential = answerChallenge(challenge, CARD, askCard(challenge, CARD));
	const answer = await wic.register(null, { credential });
	assert.equal(answer.status, 200, answer.start);
	await isKept(stage, wic);
	assert.deepEqual(await protection(stage, CARD), ['tls-connected', 'tls-pending']);
	assert.deepEqual(asked(stage, CARD), [1, 1]);
	return wic;
}

/** The network takes a registration back; who knows the password may come again, and is asked for it. */
async function takenBack(stage, wic, others) {
	const { world } = stage;
	await waitFor('his subscription taken', async () => (await world.gateway.bindings())
		.every((row) => row.reg_event === 'active'));
	await world.kamailio.rtr(wic.user);
	await waitFor('his binding gone', async () => (await world.gateway.bindings()).length === others);
	assert.equal((await wic.message('alice', 'am I?')).status, 403, 'F27');
	const before = (await protection(stage, wic.user)).length;
	const { status, ...first } = await wic.register(null);
	assert.equal(status, 401);
	const credential = answerChallenge(first.header('WWW-Authenticate'), wic.user);
	assert.equal((await wic.register(null, { credential })).status, 200);
	assert.deepEqual((await protection(stage, wic.user)).slice(before), [null, 'tls-pending'], 'not bound any more');
}

/** Who has left is not there, and his next REGISTER is nobody's. */
async function leaves(stage, wic, caller) {
	const challenge = (await wic.register(null, { expires: 0 })).header('WWW-Authenticate');
	const answer = await wic.register(null, { credential: answerChallenge(challenge, wic.user), expires: 0 });
	assert.equal(answer.status, 200, answer.start);
	await stage.world.kamailio.waitForContacts(wic.user, 0);
	assert.equal((await caller.message(wic.user, 'still there?')).status, 480);
	assert.equal((await protection(stage, wic.user)).at(-1), 'tls-yes');
}

await scenario(WORLDS, async (world) => {
	const stage = await Stage.open(world);
	const alice = await registers(stage, 'alice');
	const bob = await registers(stage, 'bob');
	await guesses(stage);
	const carol = await showsCard(stage);
	await messages(alice, bob);
	await messages(carol, alice);
	await callsAndEnds(world, alice, carol);
	await callsAndEnds(world, carol, bob);
	await takenBack(stage, bob, 2);
	await messages(alice, bob);
	await leaves(stage, bob, alice);
	assert.ok(!world.capture.contains('auth-done'), 'nobody vouched for anybody');
	for (const wic of [alice, bob, carol])
		await wic.close();
});
