// SPDX-License-Identifier: BSD-3-Clause
// A block (PROTOCOL 8, 7.3) over an S-CSCF whose HSS has it as one subscription: its registering identity, and with it,
// implicitly, the wildcarded one that all guests are of. The core knows no guest, and what becomes of the block becomes of them
// all.

import { BLOCK, BLOCK_SETTINGS, blockIs, ofBlock } from './lib/block.mjs';
import { ImsWic, callsAndEnds, messages } from './lib/ims_stage.mjs';
import { REALM, impi, impu } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';

const WILDCARD = `sip:guest-!.*!@${REALM}`;
const GRANTED_S = 540000; /* nine tenths of what it is asked for */
const WORLDS = WORKER_COUNTS.map((world) => ({ ...world, ...BLOCK_SETTINGS, core: 'ims' }));
const Guest = ofBlock(ImsWic);

/** How the core has the block: both identities, and one Contact for all. */
async function isKept({ kamailio, link }) {
	for (const identity of [impu(BLOCK), WILDCARD]) {
		const { state, impi: private_identity, impus, contacts } = await kamailio.registration(identity);
		assert.deepEqual([state, private_identity, impus], ['registered', impi(BLOCK), [impu(BLOCK), WILDCARD]]);
		assert.equal(contacts.length, 1);
		assert.ok(contacts[0].uri.startsWith(`sip:${BLOCK}@`) && contacts[0].uri.includes(link.gateway), contacts[0].uri);
	}
	const [{ path }] = await kamailio.waitForContacts(BLOCK, 1);
	assert.match(path, /^<sip:[^@]*;lr>$/, 'no flow, the gateway');
	assert.ok(path.includes(link.gateway), path);
}

/** What the core said to the REGISTER, and what came of it. */
async function isUp(world) {
	await blockIs(world, 'up');
	assert.ok(world.gateway.program.log().includes(` seconds=${GRANTED_S} `), 'what the core grants');
	await isKept(world);
	await world.capture.settle();
	const answer = world.capture.messages.map(({ sip }) => sip).find((sip) => sip.status === 200
		&& sip.header('CSeq').endsWith(' REGISTER'));
	assert.match(answer.header('Service-Route'), /^<sip:orig@.*;lr>$/);
	assert.equal(answer.header('P-Associated-URI'), `<${impu(BLOCK)}>, <${WILDCARD}>`, 'the wildcard too');
	assert.ok(!world.gateway.program.log().includes('event=block_differs'), 'it is the configured one');
}

await scenario(WORLDS, async (world) => {
	const { kamailio, capture } = world;
	await isUp(world);
	const one = await Guest.enter(world, 'guest-1');
	const two = await Guest.enter(world, 'guest-2');
	assert.equal(kamailio.saidToHss(/cmd=301 /), 1, 'one SAR for all');
	assert.equal(await kamailio.registration('guest-1'), null);

	await messages(one, two);
	await messages(two, one);
	await callsAndEnds(world, one, two);
	await callsAndEnds(world, two, one);
	const [{ sip: down }] = capture.messages.filter(({ sip }) => sip.method === 'MESSAGE' && sip.uri.includes(BLOCK));
	assert.equal(down.header('P-Called-Party-ID'), `<${impu('guest-2')}>`);

	/* the core cannot know who is there: it asks for everybody */
	const absent = await one.message('guest-9', 'is anybody there?');
	assert.equal(absent.status, 480, absent.start);
	assert.equal(absent.header('Reason'), 'Q.850;cause=20;text="Subscriber absent"');
	assert.ok(await world.gateway.counter('block_absent') > 0);

	/* the HSS takes the block back, and the core tells of it: it is registered anew at once, and its guests stay */
	await waitFor('the core tells of the block', () => capture.messages.some(({ sip }) => sip.method === 'NOTIFY'
		&& sip.body.includes(`aor="${impu(BLOCK)}"`)));
	const registers = () => capture.requestsToCore('REGISTER', BLOCK).length;
	const before = registers();
	await kamailio.rtr(BLOCK);
	await waitFor('another REGISTER', () => registers() > before);
	await blockIs(world, 'up');
	await isKept(world);
	await messages(one, two);
	await callsAndEnds(world, two, one);
	assert.ok(!world.gateway.program.log().includes('event=block_differs'), 'the wildcard of the events is no other one');

	await capture.settle();
	assert.ok(!capture.messages.some(({ sip }) => sip.method === 'REGISTER'
		&& !sip.header('To').includes(`<${impu(BLOCK)}>`)), 'the core hears of no guest');
	assert.ok(!capture.contains('Bearer'), 'the word Bearer on Mw');
});
