// SPDX-License-Identifier: BSD-3-Clause
// Scenario 4 of the seeds, end to end: a visitor of a web site with a wildcard is never registered. It sends
// a message and calls a registered user by its token, through an S-CSCF that serves it in the un-registered
// state; both go on with the call and end it; nobody can call it.

import { SDP } from './lib/dialog.mjs';
import { LegWic } from './lib/legs.mjs';
import { impu } from './lib/names.mjs';
import { waitFor } from './lib/process.mjs';
import { assert, assertNoTokenOnMw, scenario } from './lib/scenario.mjs';
import { bearer, issueGuest, openGuest, openOffice, wildcardWorlds } from './lib/wildcard.mjs';

const GUEST = 'pool-web-77';
const WITH_SDP = { more: [['Content-Type', 'application/sdp']], body: SDP };

/** A call of the guest that alice takes; the legs as each has them. */
async function call(guest, alice, more) {
	const leg = guest.invites('alice', [...more, ...WITH_SDP.more]);
	const invite = await alice.gets('INVITE', leg.id);
	alice.replies(invite, 180, 'Ringing');
	await guest.hears(180, 'INVITE', leg);
	alice.replies(invite, 200, 'OK', { more: WITH_SDP.more });
	const out = guest.answered(leg, await guest.hears(200, 'INVITE', leg));
	guest.sends('ACK', out);
	await alice.gets('ACK', leg.id);
	const routes = invite.all('Record-Route').flatMap((line) => line.split(',')).map((one) => one.trim());
	return { invite, out, back: { id: leg.id, far: invite.header('From'), routes,
		near: `${invite.header('To')};tag=${alice.tag}`, target: /<([^>]+)>/.exec(invite.header('Contact'))[1] } };
}

/** One asks inside the call, the other answers, the first hears it. */
async function asks(from, to, leg, method, cseq) {
	from.sends(method, leg, { cseq });
	to.replies(await to.gets(method, leg.id), 200, 'OK');
	await from.hears(200, method, leg);
}

await scenario(wildcardWorlds(), async (world) => {
	const alice = await openOffice(world, 'alice');
	const guest = await openGuest(world, GUEST, LegWic);
	const token = issueGuest(world, GUEST);
	const text = (more) => guest.request('MESSAGE', impu('alice'),
		{ headers: [['Content-Type', 'text/plain'], ...more], body: 'hello' });
	const taken = async (sent) => {
		const came = await waitFor('MESSAGE at alice', () =>
			alice.requests.findLast((sip) => sip.method === 'MESSAGE'));
		alice.replies(came, 200, 'OK');
		alice.requests.splice(0);
		assert.equal((await sent).status, 200);
		return came;
	};

	/* without a token nothing goes; it is never registered */
	const asked = await text([]);
	assert.equal(asked.status, 407);
	assert.match(asked.header('Proxy-Authenticate'), /^Bearer /);
	assert.equal((await guest.register(token)).status, 403);

	/* with one it does, and then by the one that it has shown */
	const came = await taken(text([bearer(token)]));
	assert.equal(came.header('P-Asserted-Identity'), `<${impu(GUEST)}>`);
	await taken(text([]));

	const first = await call(guest, alice, []);
	await asks(guest, alice, first.out, 'INFO', 2);
	await asks(alice, guest, first.back, 'INFO', 1);
	await asks(alice, guest, first.back, 'BYE', 2);
	guest.requests.splice(0);
	alice.requests.splice(0);
	const second = await call(guest, alice, [bearer(token)]);
	await asks(guest, alice, second.out, 'BYE', 3);

	/* the core has no way to it */
	alice.cseq = 100;
	assert.equal((await alice.request('MESSAGE', impu(GUEST))).status, 480);

	/* what an operator sees */
	const shown = await world.gateway.ask('show', 'connection', impu(GUEST));
	assert.equal(shown.unregistered.length, 1);
	assert.equal(shown.unregistered[0].wwsf, 'shop');
	assert.equal(shown.bindings.length, 0);
	assert.equal(shown.sessions.length, 1);
	assert.equal((await world.gateway.bindings()).length, 1, 'alice alone is registered');

	/* revoked: the connection with it */
	const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
	await world.gateway.ask('revoke', 'jti', 'shop-waf', claims.jti);
	assert.equal((await guest.closed).code, 1008);

	await world.capture.settle();
	const onMw = world.capture.messages.map(({ sip }) => sip).filter((sip) => sip.method
		&& sip.header('From').includes(GUEST) && !/;tag=.*;tag=/.test(sip.start));
	const initial = onMw.filter((sip) => !/;\s*tag=/.test(sip.header('To')) && sip.header('P-Asserted-Identity')
		&& sip.all('Via').length === 2);
	assert.ok(initial.length >= 4, `${initial.length} requests of the guest at the core`);
	for (const sip of initial) {
		assert.equal(sip.header('P-Asserted-Identity'), `<${impu(GUEST)}>`);
		assert.match(sip.header('Route'), /^<sip:orig@[^>]+;lr;orig>$/);
	}
	assert.ok(!world.capture.contains('pool-!'), 'the wildcard on Mw');
	assert.ok(!onMw.some((sip) => sip.method === 'REGISTER'), 'a REGISTER of the guest on Mw');
	await assertNoTokenOnMw(world, [token]);
	await alice.close();
});
