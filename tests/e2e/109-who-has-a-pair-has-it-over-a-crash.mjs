// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 6.3, 6.4 and 10.4 item 6: a gateway that is killed knows when it is back who has which pair, and
// until when: nobody else gets it, he gets it, and for who does not come back the core is told.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eachCaseAbreast } from './lib/cases.mjs';
import { sendTerminating } from './lib/core_peer.mjs';
import { impi } from './lib/names.mjs';
import { POOL_SETTINGS, PoolIssuer, PoolStage, PoolWic, assertInUse,
	behind } from './lib/pool.mjs';
import { waitFor } from './lib/process.mjs';
import { KERNEL_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { wayTo } from './lib/scripted_core.mjs';

const GRACE_S = 5;
/* kernel sockets: the core's address would go with a link of the gateway's */
const WORLDS = KERNEL_WORLDS.map((world) => ({ ...world, ...POOL_SETTINGS,
	settings: POOL_SETTINGS.settings.replace(/flow_grace: \d+/, `flow_grace: ${GRACE_S}`) }));

/** {name: {before(stage), after(stage, what before() gave)}}: the crash is in between. */
const CASES = {
	'another user is refused, and he himself is back on another connection': {
		before: (stage) => PoolWic.enter(stage, stage.issuer.visitor(), { lifetime_s: 300 }),
		async after(stage, old) {
			const end_s = stage.issuer.end(old.visitor);
			const other = await PoolWic.connectAs(stage, stage.issuer.next(old.visitor));
			assertInUse(await other.registers({ lifetime_s: 60 }), end_s);
			const again = await PoolWic.connectAs(stage, old.visitor, old.instance);
			assert.equal((await again.registers()).status, 200);
			await stage.world.kamailio.waitForContacts(old.user, 1);
			await stage.reaches(old.user, again, [other]);
			assertInUse(await other.registers({ lifetime_s: 60 }), stage.issuer.end(old.visitor));
			await again.close();
			await other.close();
		},
	},
	'as another instance too': {
		before: (stage) => PoolWic.enter(stage, stage.issuer.visitor()),
		async after(stage, old) {
			const again = await PoolWic.enter(stage, old.visitor);
			await stage.world.kamailio.waitForContacts(old.user, 1);
			await stage.reaches(old.user, again);
			await again.close();
		},
	},
	'who does not come back is taken out of the core, and followed by nobody before his end': {
		before: (stage) => PoolWic.enter(stage, stage.issuer.visitor(), { lifetime_s: 300 }),
		async after(stage, old) {
			const { link, mw } = stage.world;
			const [register] = await stage.registers(old.user);
			const { status } = await sendTerminating({ mw, link, ...wayTo(register) });
			assert.equal(status, 430, 'by the way of before');
			const { time_s, sip } = await stage.leaving(old.user);
			assert.ok(time_s - stage.back_s > GRACE_S - 1, `${time_s - stage.back_s} s later`);
			assert.equal(sip.header('CSeq'), '1 REGISTER');
			assert.equal(/<([^>]*)>/.exec(sip.header('Contact'))[1],
				/<([^>]*)>/.exec(register.header('Contact'))[1], 'Contact');
			assert.match(sip.header('Contact'), /;reg-id=1(;|$)/);
			assert.ok(sip.header('Contact').includes(`"<urn:uuid:${old.instance}>"`));
			assert.match(sip.header('Authorization'), /integrity-protected="auth-done"/);
			await stage.world.kamailio.waitForContacts(old.user, 0);
			const other = await PoolWic.connectAs(stage, stage.issuer.next(old.visitor));
			assertInUse(await other.registers({ lifetime_s: 60 }), stage.issuer.end(old.visitor));
			await other.close();
		},
	},
	'whose token ends meanwhile is followed': {
		before: (stage) => PoolWic.enter(stage, stage.issuer.visitor(), { lifetime_s: 5 }),
		async after(stage, old) {
			await behind(stage.issuer.end(old.visitor));
			const next = await PoolWic.enter(stage, stage.issuer.next(old.visitor));
			await stage.world.kamailio.waitForContacts(old.user, 1);
			await stage.reaches(old.user, next);
			await next.close();
		},
	},
	'who had left is nobody': {
		async before(stage) {
			const wic = await PoolWic.enter(stage, stage.issuer.visitor());
			assert.equal((await wic.leaves()).status, 200);
			return { wic, registers: (await stage.registers(wic.user)).length };
		},
		async after(stage, { wic, registers }) {
			await behind(stage.back_s + GRACE_S);
			assert.equal((await stage.registers(wic.user)).length, registers, 'the core is not told');
		},
	},
};

await scenario(WORLDS, async (world) => {
	/* who calls the others is nobody's concern before the crash */
	const stage = Object.assign(new PoolStage(), { world, issuer: new PoolIssuer(world.mint), texts: 0 });
	const things = {};
	await eachCaseAbreast(CASES, async ({ before }, name) => {
		things[name] = await before(stage);
	});
	const holders = Object.values(things).filter((one) => one instanceof PoolWic);
	const leases = () => readFileSync(join(world.folder, 'state', 'leases'), 'utf8');
	await waitFor('they are on the disk', () =>
		holders.every(({ user }) => leases().includes(impi(user))));
	await world.gateway.restart();
	stage.back_s = Date.now() / 1000;
	stage.caller = await PoolWic.enter(stage, stage.issuer.visitor());
	await eachCaseAbreast(CASES, ({ after }, name) => after(stage, things[name]));
	await stage.caller.close();
}, 60000);
