// SPDX-License-Identifier: BSD-3-Clause
// PROTOCOL 6.3 to 6.6 against a core that keeps its connections and says nothing through timer F (32 s):
// the core is told that a registration has ended again and again, with longer waits, until it says 200; and
// meanwhile the pair is its holder's until his token has ended, and the next visitor's from then on.

import { setTimeout as pause } from 'node:timers/promises';
import { eachCaseAbreast } from './lib/cases.mjs';
import { sendTerminating } from './lib/core_peer.mjs';
import { uriOf } from './lib/loose_sip.mjs';
import { MwPeer } from './lib/mw_peer.mjs';
import { impu } from './lib/names.mjs';
import { CORE_S, GRACE_S, POOL_WORLDS, PoolIssuer, PoolWic, assertInUse, behind } from './lib/pool.mjs';
import { waitFor } from './lib/process.mjs';
import { assert, scenario } from './lib/scenario.mjs';
import { wayTo } from './lib/scripted_core.mjs';

const LIMIT_MS = 120000;
const TIMER_F_S = 32;
/** What the core says to each try for a pair, after its silence; the last one ends it. */
const ANSWERS = [[503, 'Service Unavailable'], [480, 'Temporarily Unavailable'], [200, 'OK']];
/** At least so long, in s, from one try to the next: timer F and the first wait; then doubled. */
const WAITS_S = [TIMER_F_S + 1, 2, 4];
const LATE_S = 0.4; /* that an earlier one may have been read by the script */
const NOTHING_MS = 300;

/** A core that grants more than it is asked for, and holds what it has granted until it is told. */
class SlowCore {
	static async start(world) {
		const core = Object.assign(new SlowCore(), { peer: await MwPeer.start(world),
			held: new Set(), answered: new Map() });
		core.peer.standard = (request) => core.#serve(request);
		return core;
	}

	#serve(request) {
		if (request.method !== 'REGISTER')
			request.reply(200, 'OK');
		else if (request.header('Expires') === '0')
			this.#hears(request);
		else
			this.#grants(request);
	}

	#grants(request) {
		this.held.add(uriOf(request.header('Contact')));
		request.reply(200, 'OK', { lines: this.peer.registered(request).map(([name, value]) =>
			[name, value.replace(/;expires=\d+/, `;expires=${CORE_S}`)]) });
	}

	#hears(request) {
		const user = request.header('To');
		const nth = this.answered.get(user) ?? 0;
		const [status, reason] = ANSWERS[Math.min(nth, ANSWERS.length - 1)];
		this.answered.set(user, nth + 1);
		if (status === 200)
			this.held.delete(uriOf(request.header('Contact')));
		request.reply(status, reason);
	}

	/** From now on it says nothing, on the connections that it has, until timer F is over. */
	async fallsSilent() {
		const before = [...this.peer.sockets];
		this.peer.silent = true;
		await pause((TIMER_F_S + GRACE_S) * 1000);
		this.peer.silent = false;
		this.kept = before.length > 0 && before.every((socket) => this.peer.sockets.has(socket));
	}

	/** REGISTERs of a pair, oldest first: those of WICs, and the gateway's own. */
	registers(user, own) {
		return this.peer.requests.filter((sip) => sip.method === 'REGISTER'
			&& sip.header('From').includes(`<${impu(user)}>`)
			&& (sip.header('Expires') === '0') === own);
	}

	/** The nth try to tell it about a pair. */
	told(user, nth, timeout_s) {
		return waitFor(`try ${nth} for ${user}`, () => this.registers(user, true)[nth], timeout_s * 1000);
	}

	holds(register) {
		return this.held.has(uriOf(register.header('Contact')));
	}
}

/** Each try is a REGISTER of its own about the Contact of before, and comes later and later. */
function assertTries(core, user, register) {
	const tries = core.registers(user, true);
	assert.equal(tries.length, 1 + ANSWERS.length, `tries for ${user}`);
	assert.equal(new Set(tries.map((sip) => sip.call_id)).size, tries.length, 'Call-IDs');
	for (const sip of tries) {
		assert.equal(sip.header('CSeq'), '1 REGISTER');
		assert.equal(sip.all('Via').length, 1, 'by the gateway');
		assert.equal(uriOf(sip.header('Contact')), uriOf(register.header('Contact')));
		assert.match(sip.header('Authorization'), /integrity-protected="auth-done"/);
	}
	for (const [at, wait_s] of WAITS_S.entries()) {
		const gap_s = (tries[at + 1].at_ms - tries[at].at_ms) / 1000;
		assert.ok(gap_s > wait_s - LATE_S, `${gap_s} s from try ${at} to the next`);
	}
}

/** The next visitor asks for the pair on a connection of his own; his answer, and he has gone. */
async function asksFor(stage, visitor) {
	const wic = await PoolWic.connectAs(stage, stage.issuer.next(visitor));
	const answer = await wic.registers();
	await wic.close();
	return answer;
}

const CASES = {
	/* his token lives: nobody else gets the pair, whether the core has been told or not */
	async 'a connection that is lost'(stage) {
		const { core, issuer } = stage;
		const wic = await PoolWic.enter(stage, issuer.visitor(), { lifetime_s: 58 });
		const { user } = wic;
		const end_s = issuer.end(wic.visitor);
		const isInUse = async (when) => {
			const answer = await asksFor(stage, wic.visitor);
			assert.equal(answer.status, 403, when);
			assertInUse(answer, end_s);
		};
		const [register] = core.registers(user, false);
		await waitFor('the other case is registered too', () => stage.other);
		core.fallsSilent();
		wic.socket.terminate();
		await core.told(user, 0, GRACE_S + 5);
		await isInUse('the core has not answered');
		await pause(TIMER_F_S / 2 * 1000);
		await isInUse('it is silent');
		await core.told(user, 1, TIMER_F_S);
		await isInUse('it has said 503');
		await core.told(user, 3, 20);
		await isInUse('it has been told');
		assert.ok(!core.holds(register), 'it holds nothing');
		await behind(end_s);
		const next = await PoolWic.enter(stage, issuer.next(wic.visitor));
		assert.ok(core.holds(core.registers(user, false).at(-1)), 'it holds the next one');
		assertTries(core, user, register);
		await next.close();
	},
	/* his token has ended: the pair is free, also while the core has not been told */
	async 'a token that has ended'(stage) {
		const { core, issuer, world: { link, mw } } = stage;
		const old = await PoolWic.enter(stage, issuer.visitor(), { lifetime_s: 4 });
		const { user } = old;
		const [register] = core.registers(user, false);
		stage.other = true;
		const isNotReached = async (when) => {
			const { status } = await sendTerminating({ mw, link, ...wayTo(register) });
			assert.ok([430, 480].includes(status), `${when}: ${status}`);
		};
		await core.told(user, 0, 10);
		assert.ok(core.peer.silent, 'it is silent by then');
		await behind(issuer.end(old.visitor));
		await isNotReached('the core is silent');
		const next = await PoolWic.connectAs(stage, issuer.next(old.visitor));
		next.registers().catch(() => {}); /* its answer comes later than the script waits there */
		await waitFor('his REGISTER', () => core.registers(user, false)[1]);
		await waitFor('its answer', () => next.responses.find(({ status }) => status === 504),
			(TIMER_F_S + 10) * 1000);
		assert.equal((await next.registers()).status, 200, 'the core is there again');
		assert.ok(core.registers(user, true).length < 4, 'it has not been told yet');
		assert.ok(core.holds(register), 'it holds both');
		await isNotReached('the next one has it');
		await core.told(user, 3, 20);
		await waitFor('it holds the next one only', () => !core.holds(register));
		assert.ok(core.holds(core.registers(user, false).at(-1)));
		await pause(NOTHING_MS);
		assert.ok(next.isOpen && old.isOpen, 'of the old one only the registration has ended');
		assert.deepEqual([old.heard, next.heard], [[], []], 'nobody hears of what was for the old one');
		const way = wayTo(core.registers(user, false).at(-1));
		assert.equal((await sendTerminating({ mw, link, ...way })).status, 200, 'the next one is reached');
		assert.equal(next.heard.length, 1);
		assertTries(core, user, register);
		await Promise.all([old.close(), next.close()]);
	},
};

/* over TCP: the core's connection stays as it is */
const WORLD = { ...POOL_WORLDS[0], workers: 2, core: 'script' };

await scenario([WORLD], async (world) => {
	const core = await SlowCore.start(world);
	const stage = { world, core, issuer: new PoolIssuer(world.mint) };
	await eachCaseAbreast(CASES, (play) => play(stage));
	assert.ok(core.kept, 'its connections were kept');
	assert.equal(await world.gateway.counter('deregister_failed'), 0);
}, LIMIT_MS);
