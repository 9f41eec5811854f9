// SPDX-License-Identifier: BSD-3-Clause
import { WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';
import { contactExpires } from './lib/sip.mjs';
import { Wic } from './lib/wic.mjs';

const ASKED_S = 600000;
const LIFETIME_S = 300;

await scenario(WORKER_COUNTS, async (world) => {
	const alice = await Wic.connect('alice', { ca: world.files.ca_pem });
	const answer = await alice.register(world.mint.issue('alice', { lifetime_s: LIFETIME_S }),
		{ expires: ASKED_S });
	assert.equal(answer.status, 200);
	assert.ok(contactExpires(answer.header('Contact')) <= LIFETIME_S, 'as the WIC is told');
	assert.ok(contactExpires(answer.header('Contact')) > LIFETIME_S - 30, 'and not much less');

	await world.capture.settle();
	const [register] = world.capture.requestsToCore('REGISTER', 'alice');
	assert.ok(Number(register.header('Expires')) <= LIFETIME_S, 'Expires on Mw');
	assert.ok(Number(register.header('Expires')) > 0, 'Expires on Mw is there');
	assert.equal(contactExpires(register.header('Contact')), Number(register.header('Expires')),
		'Contact on Mw says the same');
	const [contact] = await world.kamailio.waitForContacts('alice', 1);
	assert.ok(contact.expires_s <= LIFETIME_S, 'as the S-CSCF keeps it');
	await alice.close();
});
