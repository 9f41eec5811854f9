// SPDX-License-Identifier: BSD-3-Clause
// What a page does when it is left alone with an answer it does not like: how often it asks again,
// and how often it comes back.

import { setTimeout as pause } from 'node:timers/promises';
import { Browser } from './browser.mjs';
import { waitFor } from './process.mjs';
import { answerSip } from './sip.mjs';

export const LIBRARIES = ['jssip', 'sipjs'];
/** JsSIP comes back two seconds after a loss: long enough to see it do so a few times. */
export const WATCH_MS = 7000;

/** Runs in the page: tells of each WebSocket whether it opened, and how it closed. */
function watchSockets() {
	const Native = window.WebSocket;
	window.sockets = [];
	window.WebSocket = class extends Native {
		constructor(...args) {
			super(...args);
			const row = { opened: false, code: null };
			window.sockets.push(row);
			this.addEventListener('open', () => { row.opened = true; });
			this.addEventListener('close', ({ code }) => { row.code = code; });
		}
	};
}

/** One page with one library, whose WebSockets and SIP are counted. */
export class WatchedPhone {
	/** Plays play(phone) and closes the browser. */
	static async with(world, library, play) {
		const browser = await Browser.start(world.folder, world.hosts);
		try {
			await browser.context.addInitScript(watchSockets);
			await play(new WatchedPhone(await browser.open(library)));
		} finally {
			await browser.close();
		}
	}

	constructor(phone) {
		this.phone = phone;
	}

	/** All WebSockets since the page was loaded: [{opened, code}]. */
	sockets() {
		return this.phone.page.evaluate(() => window.sockets);
	}

	/** REGISTERs that it has sent. */
	get registers() {
		return this.phone.sent('REGISTER').length;
	}

	/** The final statuses of its REGISTERs, as they came. */
	get statuses() {
		return this.phone.frames.filter(({ sent, sip }) => !sent && sip.status >= 200
			&& /REGISTER$/.test(sip.header('CSeq'))).map(({ sip }) => sip.status);
	}

	connect(user) {
		return this.phone.call('connect', user);
	}

	/**
	 * Asks for a registration. What the page makes of it is told by its frames: a library may keep
	 * the promise open while it tries again.
	 */
	startRegister() {
		this.phone.call('register').catch(() => {});
	}

	/** Registers and waits for one final answer more. Returns its status. */
	async register() {
		const before = this.statuses.length;
		this.startRegister();
		await waitFor('a final answer to a REGISTER', () => this.statuses.length > before);
		return this.statuses[before];
	}

	/** The token that the site gives from now on. */
	giveToken(token) {
		return this.phone.page.route('**/token?*', (route) => route.fulfill({
			contentType: 'application/json',
			body: JSON.stringify({ access_token: token, expires_in: 600 }) }));
	}

	/** Looks for a while, and returns what was sent and opened meanwhile. */
	async watch(time_ms = WATCH_MS) {
		const sockets = (await this.sockets()).length;
		const registers = this.registers;
		await pause(time_ms);
		return { sockets: (await this.sockets()).length - sockets,
			registers: this.registers - registers };
	}
}

/** 423 to every REGISTER. */
export const tooBrief = (min_expires_s) => (request) => answerSip(request, 423,
	'Interval Too Brief',
	'brief').replace('\r\n\r\n', `\r\nMin-Expires: ${min_expires_s}\r\n\r\n`);
