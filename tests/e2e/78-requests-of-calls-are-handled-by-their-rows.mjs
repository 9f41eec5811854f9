// SPDX-License-Identifier: BSD-3-Clause
// Calls with both ends in our hand: CANCEL, ACK and requests inside (RFC 3261 9, 13, 16), what races, and
// what ends when a WIC is gone.

import { setTimeout as pause } from 'node:timers/promises';
import { eachCase } from './lib/cases.mjs';
import { LegWic, Stage } from './lib/legs.mjs';
import { waitFor } from './lib/process.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';

const GRACE_S = 2;
const NOTHING_MS = 300; /* for what must not come */
const WORLDS = [{ ...DEVICE_WORLDS[0], w2: 'port' }, { workers: 2, mw: 'udp', core: 'script' }]
	.map((world) => ({ ...world, settings: `limits: {flow_grace: ${GRACE_S}, `
		+ 'upgrades_per_second: 1000000, upgrades_burst: 1000000}\n' }));
const branchOf = (sip) => /;branch=([^;]+)/.exec(sip.header('Via'))[1];

async function gone(stage, alice) {
	const { gateway } = stage.world;
	const before = (await gateway.sessions()).length;
	alice.socket.terminate();
	await waitFor('the gateway saw it', async () => (await gateway.sessions()).length < before);
}

const CASES = {
	/* 9.8: ours goes when a provisional has come, with what the INVITE had */
	async 'a CANCEL waits for a provisional response'({ core }, alice) {
		const leg = alice.invites('bob');
		const invite = await core.gets('INVITE', leg);
		alice.sends('CANCEL', leg, { branch: leg.branch });
		await alice.hears(200, 'CANCEL', leg);
		await pause(NOTHING_MS);
		assert.equal(core.of('CANCEL', leg).length, 0, 'nothing has come yet');
		core.replies(invite, 180, 'Ringing');
		const cancel = await core.gets('CANCEL', leg);
		assert.equal(branchOf(cancel), branchOf(invite));
		assert.equal(cancel.uri, invite.uri);
		assert.deepEqual(cancel.all('Route'), invite.all('Route'));
		core.replies(cancel, 200, 'OK');
		core.replies(invite, 487, 'Request Terminated');
		await alice.hears(487, 'INVITE', leg);
		assert.equal(branchOf(await core.gets('ACK', leg)), branchOf(invite), 'hop by hop');
	},
	/* 10.5: the answer wins, and the call can be ended */
	async 'a CANCEL that crosses the 200 ends nothing'({ core }, alice) {
		const leg = alice.invites('bob');
		const invite = await core.gets('INVITE', leg);
		core.replies(invite, 180, 'Ringing');
		await alice.hears(180, 'INVITE', leg);
		alice.sends('CANCEL', leg, { branch: leg.branch });
		const cancel = await core.gets('CANCEL', leg);
		core.replies(invite, 200, 'OK');
		core.replies(cancel, 200, 'OK');
		await alice.hears(200, 'CANCEL', leg);
		const inner = alice.answered(leg, await alice.hears(200, 'INVITE', leg));
		alice.sends('ACK', inner);
		await core.gets('ACK', leg);
		alice.sends('BYE', inner, { cseq: 2 });
		core.replies(await core.gets('BYE', leg), 200, 'OK');
		await alice.hears(200, 'BYE', leg);
	},
	async 'a CANCEL from the core reaches who rings'({ core }, alice) {
		const leg = core.legTo(alice.register_on_mw, 'alice');
		const branch = core.sends('INVITE', leg);
		const invite = await alice.gets('INVITE', leg.id);
		alice.replies(invite, 180, 'Ringing');
		await core.hears(180, 'INVITE', leg);
		core.sends('CANCEL', leg, { branch });
		await core.hears(200, 'CANCEL', leg);
		const cancel = await alice.gets('CANCEL', leg.id);
		assert.equal(branchOf(cancel), branchOf(invite));
		alice.replies(cancel, 200, 'OK');
		alice.replies(invite, 487, 'Request Terminated');
		await core.hears(487, 'INVITE', leg);
		core.sends('ACK', leg, { branch });
		await alice.gets('ACK', leg.id);
	},
	async 'a CANCEL of nothing is 481'({ core }, alice) {
		const leg = { id: 'nothing', near: '<sip:alice@ims.example.test>;tag=n',
			far: '<sip:bob@ims.example.test>', target: 'sip:bob@ims.example.test' };
		alice.sends('CANCEL', leg);
		await alice.hears(481, 'CANCEL', leg);
		assert.equal(core.of('CANCEL', leg).length, 0);
	},
	async 'both answers of an INVITE that has forked are acknowledged'({ core }, alice) {
		const leg = alice.invites('bob');
		const invite = await core.gets('INVITE', leg);
		const legs = [];
		for (const tag of ['one', 'two']) {
			core.replies(invite, 200, 'OK', { tag });
			const answer = await waitFor(`200 of ${tag}`, () => alice.responses.find((sip) =>
				sip.status === 200 && sip.header('To').endsWith(`;tag=${tag}`)));
			legs.push(alice.answered(leg, answer));
		}
		legs.forEach((inner) => alice.sends('ACK', inner));
		await waitFor('both ACKs', () => core.of('ACK', leg).length === 2);
		assert.deepEqual(core.of('ACK', leg).map((sip) => /tag=(.*)/.exec(sip.header('To'))[1]).sort(),
			['one', 'two']);
	},
	/* 9.7 and RFC 3261 16.7: it would be taken for ours */
	async 'a 503 of the core is a 500'({ core }, alice) {
		const leg = alice.invites('bob');
		core.replies(await core.gets('INVITE', leg), 503, 'Service Unavailable');
		await alice.hears(500, 'INVITE', leg);
		await core.gets('ACK', leg);
	},
	async 'an ACK carries no token'({ core, world }, alice) {
		const token = world.mint.issue('alice');
		const leg = alice.invites('bob', [['Authorization', `Bearer ${token}`]]);
		const invite = await core.gets('INVITE', leg);
		core.replies(invite, 200, 'OK');
		alice.sends('ACK', alice.answered(leg, await alice.hears(200, 'INVITE', leg)),
			{ more: [['Authorization', `Bearer ${token}`], ['Proxy-Authorization', `Bearer ${token}`]] });
		for (const sip of [invite, await core.gets('ACK', leg)])
			assert.doesNotMatch(sip.text, /Bearer/i);
	},
	async 'requests of every method pass inside'(stage, alice) {
		const leg = await stage.standing(alice);
		let cseq = 1;
		for (const method of ['PRACK', 'UPDATE', 'INFO', 'MESSAGE', 'REFER', 'NOTIFY', 'OPTIONS', 'FANTASY']) {
			cseq += 1;
			alice.sends(method, leg, { cseq });
			const request = await stage.core.gets(method, leg);
			assert.equal(request.all('Route').length, 1, 'our own is taken off');
			assert.match(request.header('P-Charging-Vector'), /icid-value=/);
			stage.core.replies(request, 200, 'OK');
			await alice.hears(200, method, leg);
		}
	},
	/* 9.8: the token of another's dialog opens nothing */
	async 'a request inside the dialog of another is 403'(stage, alice) {
		const leg = await stage.standing(alice);
		const bob = await stage.enter('bob');
		bob.sends('BYE', leg, { cseq: 2 });
		await bob.hears(403, 'BYE', leg);
		bob.sends('ACK', leg);
		await bob.register(stage.world.mint.issue('bob')); /* what came before it has been read */
		assert.equal(stage.core.of('BYE', leg).length, 0);
		assert.equal(stage.core.of('ACK', leg).length, 1, 'hers alone');
		assert.equal(bob.heard(leg), '403 to 2 BYE', 'an ACK is never answered');
		await bob.close();
	},
	async 'an INVITE for who closes before it rings is answered at once'(stage, alice) {
		const leg = stage.core.legTo(alice.register_on_mw, 'alice');
		stage.core.sends('INVITE', leg);
		await alice.gets('INVITE', leg.id);
		await gone(stage, alice);
		await stage.core.hears(480, 'INVITE', leg);
	},
	/* 10.3: within the grace it may be tried again, afterwards it is over */
	async 'a request inside is 430 or 480 within the grace and then 481'(stage, alice) {
		const leg = await stage.taken(alice);
		await gone(stage, alice);
		stage.core.sends('INFO', leg, { cseq: 2 });
		const first = await waitFor('an answer', () => stage.core.core.responses.find((sip) =>
			sip.header('Call-ID') === leg.id && sip.header('CSeq') === '2 INFO'));
		assert.ok([430, 480].includes(first.status), `within: ${first.status}`);
		await pause(GRACE_S * 1000 + 1000);
		stage.core.sends('BYE', leg, { cseq: 3 });
		await stage.core.hears(481, 'BYE', leg);
	},
	/* 10.3, last row */
	async 'a call that rings for who has gone is cancelled after the grace'(stage, alice) {
		const leg = alice.invites('bob');
		const invite = await stage.core.gets('INVITE', leg);
		stage.core.replies(invite, 180, 'Ringing');
		await alice.hears(180, 'INVITE', leg);
		await gone(stage, alice);
		await pause(NOTHING_MS);
		assert.equal(stage.core.of('CANCEL', leg).length, 0, 'not within the grace');
		const cancel = await stage.core.gets('CANCEL', leg);
		stage.core.replies(cancel, 200, 'OK');
		stage.core.replies(invite, 487, 'Request Terminated');
		await stage.core.gets('ACK', leg);
	},
	/* 10.5: BYE crossing reconnect */
	async 'a BYE that crosses a reconnect finds who is back'(stage, alice) {
		const leg = await stage.taken(alice);
		await gone(stage, alice);
		const back = Object.assign(await LegWic.connect('alice', { ca: stage.world.files.ca_pem }),
			{ instance: alice.instance, host: alice.host, call_id: alice.call_id, cseq: alice.cseq });
		const registered = back.register(stage.world.mint.issue('alice'));
		stage.core.sends('BYE', leg, { cseq: 2 });
		assert.equal((await registered).status, 200);
		const early = stage.core.core.responses.find((sip) => sip.header('Call-ID') === leg.id
			&& sip.header('CSeq') === '2 BYE');
		if (early) /* it came first: it may be tried again */
			assert.ok([430, 480].includes(early.status), `${early.status}`);
		if (early)
			stage.core.sends('BYE', leg, { cseq: 3 });
		back.replies(await back.gets('BYE', leg.id), 200, 'OK');
		await stage.core.hears(200, 'BYE', leg);
		await back.close();
	},
};

await scenario(WORLDS, async (world) => {
	const stage = await Stage.open(world);
	await eachCase(CASES, async (play) => {
		const alice = await stage.enter('alice');
		await play(stage, alice);
		if (alice.isOpen)
			await alice.close();
	});
}, 90000);
