// SPDX-License-Identifier: BSD-3-Clause
// Visitors of a web site whose identities the gateway registers as one block: guest-...

import assert from 'node:assert/strict';
import { LegWic } from './legs.mjs';
import { waitFor } from './process.mjs';
import { WORKER_COUNTS } from './scenario.mjs';
import { Wic } from './wic.mjs';

export const BLOCK = 'block-shop';

export const BLOCK_SETTINGS = { block: true, settings: 'limits: {min_grant: 1, flow_grace: 1}\n'
	+ 'block: {retry: 1, retry_max: 1}\n', site_limits: 'limits: {requests_per_second: 1000000}' };
export const BLOCK_WORLDS = WORKER_COUNTS.map((world) => ({ ...world, ...BLOCK_SETTINGS }));

/** Waits until the block is in that state; its row. */
export function blockIs(world, state) {
	return waitFor(`the block ${state}`, async () => {
		const [row] = await world.gateway.blocks();
		return row?.state === state && row;
	});
}

/** A token for a guest: it names no private identity. */
export const guestToken = (world, user, { lifetime_s = 600, ...claims } = {}) =>
	world.mint.issue(user, { lifetime_s, claims: { impi: undefined, scn: 'block', ...claims } });

export const ofBlock = (Base) => class extends Base {
	/** A connection of a guest. */
	static async open(world, user) {
		return Object.assign(await this.connect(user, { ca: world.files.ca_pem }), { world });
	}

	/** The same, registered. */
	static async enter(world, user, options = {}) {
		const wic = await this.open(world, user);
		const answer = await wic.registers(options);
		assert.equal(answer.status, 200, `REGISTER of ${user}: ${answer.start}`);
		return wic;
	}

	registers({ expires = 600, ...claims } = {}) {
		return this.register(guestToken(this.world, this.user, claims), { expires });
	}
};

export const Guest = ofBlock(Wic);
/** One that answers nothing by itself. */
export const GuestLeg = ofBlock(LegWic);
