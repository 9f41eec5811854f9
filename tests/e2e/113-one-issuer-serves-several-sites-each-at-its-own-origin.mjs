// SPDX-License-Identifier: BSD-3-Clause
// A WAF that issues the tokens of two web sites (D-04, D-15): a token is good at the site that it names
// and at no other, and the core is told who vouches where that is a third party. The second site lists no
// origins: it has the one that discovery leads to, https only (D-02, D-03).

import { REALM, SITE_ORIGIN, impi } from './lib/names.mjs';
import { IMS_WORLDS, KERNEL_WORLDS, WORKER_COUNTS, assert, assertNoTokenOnMw, scenario } from './lib/scenario.mjs';
import { UpgradeRefused, Wic } from './lib/wic.mjs';

const OWN_ORIGIN = `https://wwsf.${REALM}`;
const WAF = 'waf.shop.example';
const WORLDS = [WORKER_COUNTS[0], KERNEL_WORLDS[1], ...IMS_WORLDS].map((world) => ({ ...world, more_sites: `\
  - name: own
    issuer: shop-waf
    waf_identity: ${WAF}
    identities: {domains: [${REALM}]}
` }));

await scenario(WORLDS, async (world) => {
	const tokens = [];
	const open = (user, origin) => Wic.connect(user, { ca: world.files.ca_pem, origin });
	const issue = (user, claims) => {
		const token = world.mint.issue(user, { claims });
		tokens.push(token);
		return token;
	};
	const onMw = async (user) => {
		await world.capture.settle();
		return world.capture.requestsToCore('REGISTER', user);
	};
	const statusAt = async (origin, claims) => {
		const wic = await open('carol', origin);
		const answer = await wic.register(issue('carol', claims));
		await wic.close();
		return answer.status;
	};

	const rows = (await world.gateway.ask('wwsf')).wwsf;
	assert.deepEqual(rows.find(({ name }) => name === 'own').origins, [OWN_ORIGIN]);
	for (const origin of [OWN_ORIGIN.replace('https', 'http'), `https://wwsf.pub.${REALM}`, `${OWN_ORIGIN}.`])
		await assert.rejects(open('alice', origin), (error) =>
			error instanceof UpgradeRefused && error.status === 403, origin);

	/* each site's token at its own Origin; only one of them tells the core who vouches */
	const alice = await open('alice', SITE_ORIGIN);
	assert.equal((await alice.register(issue('alice', { wwsf: 'shop' }))).status, 200);
	const bob = await open('bob', OWN_ORIGIN);
	assert.equal((await bob.register(issue('bob', { wwsf: 'own' }))).status, 200);
	const credential = (user, more) => `Digest username="${impi(user)}",realm="${REALM}",nonce="",`
		+ `uri="sip:${REALM}",response="",integrity-protected="auth-done"${more}`;
	assert.equal((await onMw('alice'))[0].header('Authorization'), credential('alice', ''));
	assert.equal((await onMw('bob'))[0].header('Authorization'),
		credential('bob', `,authorization-entity="${WAF}"`));

	/* by another name of it, or the claims that OAuth has for whom a token was issued to */
	for (const claims of [{ wwsf: OWN_ORIGIN }, { azp: 'own' }, { client_id: 'own' }])
		assert.equal(await statusAt(OWN_ORIGIN, claims), 200, JSON.stringify(claims));

	/* never at the other one, though issuer, key and identity are the same */
	const before = (await onMw('carol')).length;
	for (const [origin, claims, status] of [
		[SITE_ORIGIN, { wwsf: 'own' }, 403], [OWN_ORIGIN, { wwsf: 'shop' }, 403],
		[OWN_ORIGIN, { azp: 'shop' }, 403], [SITE_ORIGIN, { client_id: 'own' }, 403],
		[OWN_ORIGIN, { wwsf: 'shop', azp: 'own' }, 403], [OWN_ORIGIN, { wwsf: 'nobody' }, 403],
		[OWN_ORIGIN, {}, 401]]) /* which of the two, nobody says */
		assert.equal(await statusAt(origin, claims), status, `${origin} ${JSON.stringify(claims)}`);
	assert.equal((await onMw('carol')).length, before, 'a REGISTER of carol reached the core');

	/* an operator takes one site back: the other's users stay */
	await world.gateway.ask('disable', 'own');
	assert.equal((await bob.closed).code, 1008);
	assert.equal(await statusAt(OWN_ORIGIN, { wwsf: 'own' }), 403);
	assert.equal((await alice.register(issue('alice', { wwsf: 'shop' }))).status, 200);
	assert.equal((await alice.message('alice', 'still here')).status, 200);
	await alice.close();
	await assertNoTokenOnMw(world, tokens);
});
