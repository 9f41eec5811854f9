// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 8.1: the gateway registers a block for itself, by its own REGISTER, as long as its web site
// has one; a core that is away is asked again.

import { BLOCK, BLOCK_WORLDS, Guest, blockIs } from './lib/block.mjs';
import { MW_PORT, REALM, bracketed, impi, impu } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { assert, scenario } from './lib/scenario.mjs';

const registers = (world) => world.capture.messages.filter(({ sip }) => sip.method === 'REGISTER')
	.map(({ sip }) => sip);

/** PROTOCOL 8.4. */
function assertRegister(register, { link, mw }) {
	const host = bracketed(link.gateway);
	assert.equal(register.uri, `sip:${REALM}`);
	assert.match(register.header('From'), new RegExp(`^<${impu(BLOCK)}>;tag=`));
	assert.equal(register.header('To'), `<${impu(BLOCK)}>`);
	assert.equal(register.header('Contact'),
		`<sip:${BLOCK}@${host}:${MW_PORT};transport=tcp>;expires=600000`);
	assert.equal(register.header('Path'),
		`<sip:${host}:${MW_PORT}${mw === 'tcp' ? ';transport=tcp' : ''};lr>`);
	assert.match(register.header('Authorization'), new RegExp(
		`^Digest username="${impi(BLOCK)}".*,integrity-protected="auth-done"$`));
	assert.equal(register.header('Require'), 'path');
	assert.equal(register.header('P-Visited-Network-ID'), `"${REALM}"`);
	assert.equal(register.all('Via').length, 1);
}

await scenario(BLOCK_WORLDS, async (world) => {
	const { gateway } = world;
	const up = await blockIs(world, 'up');
	assert.equal(up.wwsf, 'shop');
	assert.ok(up.seconds > 599000 && up.seconds <= 600000, `${up.seconds} s`);
	await world.capture.settle();
	assertRegister(registers(world)[0], world);
	const asked = new Set(registers(world) /* by UDP it may be said again */
		.map((sip) => `${sip.header('Call-ID')} ${sip.header('CSeq')}`));
	assert.equal(asked.size, 1, 'one for all');
	const [contact] = await world.kamailio.waitForContacts(BLOCK, 1);
	assert.ok(contact.path.includes(bracketed(world.link.gateway)), contact.path);

	const guest = await Guest.enter(world, 'guest-1');
	assert.equal((await blockIs(world, 'up')).bindings, 1);
	assert.equal((await world.kamailio.contacts('guest-1')).length, 0);

	await gateway.reload({ block: false });
	await world.kamailio.waitForContacts(BLOCK, 0);
	await waitFor('the end of the guest', () => !guest.isOpen);
	assert.deepEqual(await gateway.blocks(), []);

	/* the core is away while the block comes back, and then is there again */
	await world.kamailio.program.destroy();
	await gateway.reload({ block: true });
	const down = await waitFor('a try that failed', async () => {
		const [row] = await gateway.blocks();
		return row?.last_failure > 0 && row;
	});
	assert.equal(down.state, 'down');
	const refused = await Guest.open(world, 'guest-2');
	const answer = await refused.registers();
	assert.equal(answer.status, 503, answer.start);
	assert.ok(Number(answer.header('Retry-After')) > 0, 'Retry-After');
	await world.startKamailio();
	assert.equal((await blockIs(world, 'up')).last_failure, 0);
	assert.equal((await refused.registers()).status, 200);
	assert.ok(gateway.program.log().includes('event=block_failed'), 'the log tells of it');
	assert.ok(gateway.program.log().includes('event=block_up'), 'and of the end');

	/* SIGTERM drains: the core is told */
	await gateway.program.stop();
	await world.kamailio.waitForContacts(BLOCK, 0);
	assert.ok(registers(world).at(-1).header('Contact').endsWith(';expires=0'), 'its end');
}, 90000);
