// SPDX-License-Identifier: BSD-3-Clause
// Headless Chromium with the two pages, and the SIP its WebSockets carry.

import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { SITE_ORIGIN, bracketed } from './names.mjs';
import { waitFor } from './process.mjs';
import { parseSip } from './sip.mjs';

const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
	'--disable-background-networking', '--disable-component-update', '--disable-sync',
	'--ignore-certificate-errors',
	/* calls: a microphone that beeps, nobody to be asked, and no network but this one */
	'--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
	'--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required'];
const ACTION_MS = 15000;

export class Browser {
	/** hosts: {name: address}, all that it can reach. */
	static async start(folder, hosts) {
		const browser = new Browser();
		const profile = mkdtempSync(join(folder, 'chromium-'));
		browser.context = await chromium.launchPersistentContext(profile, {
			executablePath: process.env.WICGATE_CHROMIUM ?? '/usr/bin/chromium',
			headless: true, ignoreHTTPSErrors: true,
			args: [...ARGUMENTS, `--host-resolver-rules=${Object.entries(hosts)
				.map(([name, to]) => `MAP ${name} ${bracketed(to)}`)}`],
		});
		browser.context.setDefaultTimeout(ACTION_MS);
		return browser;
	}

	/**
	 * Opens jssip.html or sipjs.html. on_frame is called with each element of `frames` as it comes.
	 */
	async open(library, on_frame = () => {}) {
		const page = await this.context.newPage();
		const phone = new BrowserPhone(page, on_frame);
		await phone.watch(await this.context.newCDPSession(page));
		await phone.page.goto(`${SITE_ORIGIN}/${library}.html`);
		return phone;
	}

	async close() {
		await this.context.close();
	}
}

/**
 * Seconds to add to Chromium's time stamps (CLOCK_MONOTONIC, as Node's hrtime) to get those of a
 * packet capture.
 */
function wallClockOffset() {
	const wall_s = (performance.timeOrigin + performance.now()) / 1000;
	return wall_s - Number(process.hrtime.bigint()) / 1e9;
}

/**
 * One page. Its `wic` object is called by name; `frames` is all SIP that passed, `{time_s, sent,
 * sip}`.
 */
class BrowserPhone {
	constructor(page, on_frame) {
		this.page = page;
		this.on_frame = on_frame;
		this.frames = [];
		this.errors = [];
		page.on('pageerror', (error) => this.errors.push(error.message));
	}

	/** DevTools' own events rather than Playwright's: they say when a frame passed. */
	async watch(devtools) {
		const offset_s = wallClockOffset();
		const take = (sent) => ({ timestamp, response }) =>
			this.#take(timestamp + offset_s, sent, response.payloadData);
		devtools.on('Network.webSocketFrameSent', take(true));
		devtools.on('Network.webSocketFrameReceived', take(false));
		await devtools.send('Network.enable');
	}

	#take(time_s, sent, text) {
		if (text.trim() === '')
			return; /* keep-alive */
		const frame = { time_s, sent, sip: parseSip(text) };
		this.frames.push(frame);
		this.on_frame(frame);
	}

	/** Calls wic[name](...args) in the page and returns what it resolves to. */
	call(name, ...args) {
		return this.page.evaluate(([method, values]) => window.wic[method](...values),
			[name, args]);
	}

	tokens() {
		return this.page.evaluate(() => window.wic.tokens);
	}

	waitForMessage(from, text) {
		return waitFor(`message ${JSON.stringify(text)} from ${from}`, async () =>
			(await this.page.evaluate(() => window.wic.messages))
				.some((message) => message.from === from && message.text === text));
	}

	sent(method) {
		return this.frames.filter(({ sent, sip }) => sent && sip.method === method)
			.map(({ sip }) => sip);
	}

	received(method) {
		return this.frames.filter(({ sent, sip }) => !sent && sip.method === method)
			.map(({ sip }) => sip);
	}

	/** The responses to a method that came, by CSeq. */
	responses(method) {
		return this.frames.filter(({ sent, sip }) => !sent && sip.status !== null
			&& sip.header('CSeq').endsWith(` ${method}`)).map(({ sip }) => sip);
	}

	/** Waits until the call of the page is what look() wants; look(call) gets it all (www/call_log.mjs). */
	async waitForCall(what, look, timeout_ms = 10000) {
		let call;
		try {
			return await waitFor(what, async () => {
				call = await this.call('lookAtCall');
				return look(call) ? call : null;
			}, timeout_ms);
		} catch (error) {
			throw new Error(`${error.message}, but ${JSON.stringify(call)}`, { cause: error });
		}
	}
}
