// SPDX-License-Identifier: BSD-3-Clause
// WICs over the IMS core (`core: 'ims'` of a world): who registers, and what the script reads of the HSS.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { LegWic } from './legs.mjs';
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
		return this.world.kamailio.saidToHss('cmd=301');
	}
}
