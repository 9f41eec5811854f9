// SPDX-License-Identifier: BSD-3-Clause
// WICs over the IMS core (`core: 'ims'` of a world): who registers, what they do with each other, and what the script reads
// of the HSS.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { LegWic } from './legs.mjs';
import { impu } from './names.mjs';
import { answerSip } from './sip.mjs';

/** Both ends of calls in the script's hand; a MESSAGE that comes is answered at once. */
export class ImsWic extends LegWic {
	take(text) {
		super.take(text);
		const last = this.requests.at(-1);
		if (last?.method === 'MESSAGE' && last.text === text)
			this.socket.send(answerSip(last, 200, 'OK', randomBytes(4).toString('hex')));
	}
}

export class Stage {
	static async open(world) {
		return Object.assign(new Stage(), { world, tokens: [] });
	}

	connect(user) {
		return ImsWic.connect(user, { ca: this.world.files.ca_pem });
	}

	token(user, more) {
		this.tokens.push(this.world.mint.issue(user, more));
		return this.tokens.at(-1);
	}

	/** Registers a user: {wic, answer}. */
	async enter(user, { expires = 600, ...more } = {}) {
		const wic = await this.connect(user);
		const answer = await wic.register(this.token(user, more), { expires });
		assert.equal(answer.status, 200, `REGISTER of ${user}: ${answer.start}`);
		return { wic, answer };
	}

	/** How many SARs the HSS has had. */
	sars() {
		return this.world.kamailio.saidToHss(/cmd=301 /);
	}
}

/** A MESSAGE that comes, with who is called and who calls. */
export async function messages(from, to) {
	const text = `from ${from.user}`;
	assert.equal((await from.message(to.user, text)).status, 200, `MESSAGE of ${from.user}`);
	const message = to.requests.find(({ method, body }) => method === 'MESSAGE' && body === text);
	assert.ok(message, `it reached ${to.user}`);
	assert.equal(message.header('P-Called-Party-ID'), `<${impu(to.user)}>`);
	assert.equal(message.header('P-Asserted-Identity'), `<${impu(from.user)}>`);
}

/** From INVITE to BYE, through the S-CSCF twice. */
export async function callsAndEnds(world, from, to) {
	const leg = from.invites(to.user);
	const invite = await to.gets('INVITE', leg.id);
	to.replies(invite, 180, 'Ringing');
	await from.hears(180, 'INVITE', leg);
	to.replies(invite, 200, 'OK');
	const inner = from.answered(leg, await from.hears(200, 'INVITE', leg));
	from.sends('ACK', inner);
	await to.gets('ACK', leg.id);
	from.sends('BYE', inner, { cseq: 2 });
	to.replies(await to.gets('BYE', leg.id), 200, 'OK');
	await from.hears(200, 'BYE', leg);
	await world.capture.settle();
	const [first] = world.capture.requestsToCore('INVITE', from.user)
		.filter((sip) => sip.header('Call-ID') === leg.id);
	assert.match(first.header('Route'), /^<sip:orig@/, 'its Service-Route');
	assert.equal(first.header('P-Asserted-Identity'), `<${impu(from.user)}>`);
}
