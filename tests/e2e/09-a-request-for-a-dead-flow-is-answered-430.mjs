// SPDX-License-Identifier: BSD-3-Clause
import { sendTerminating } from './lib/core_peer.mjs';
import { waitFor } from './lib/process.mjs';
import { ALL_WORLDS, KERNEL_WORLDS, OTHER_DEVICE_WORLDS, assert,
	scenario } from './lib/scenario.mjs';
import { wayTo } from './lib/scripted_core.mjs';
import { Wic } from './lib/wic.mjs';

const WORLDS = [...ALL_WORLDS, ...KERNEL_WORLDS, ...OTHER_DEVICE_WORLDS];

await scenario(WORLDS, async (world) => {
	const alice = await Wic.connect('alice', { ca: world.files.ca_pem });
	const bob = await Wic.connect('bob', { ca: world.files.ca_pem });
	assert.equal((await alice.register(world.mint.issue('alice'))).status, 200);
	assert.equal((await bob.register(world.mint.issue('bob'))).status, 200);
	assert.equal((await bob.message('alice', 'are you there?')).status, 200);
	assert.equal(alice.requests.at(-1).body, 'are you there?');

	await world.capture.settle();
	const [register] = world.capture.requestsToCore('REGISTER', 'alice');
	const { route, contact, port } = wayTo(register);
	alice.socket.terminate(); /* no close frame, no un-REGISTER: the page is gone */
	await waitFor('the gateway saw it', async () =>
		(await world.gateway.sessions()).length === 1);

	const answer = await sendTerminating(
		{ mw: world.mw, link: world.link, route, contact, port });
	assert.equal(answer.status, 430);
	/* the same by way of the S-CSCF, which drops the binding for it (RFC 5626) */
	assert.equal((await bob.message('alice', 'and now?')).status, 480);
	await world.kamailio.waitForContacts('alice', 0);
	await bob.close();
});
