// SPDX-License-Identifier: BSD-3-Clause
// Calls of the phone made with JsSIP: one at a time.

import { CallLog, finish } from './call_log.mjs';

const OPTIONS = { mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] } };

export class Calls {
	constructor(ua) {
		this.ua = ua;
		this.log = new CallLog(() => this.session?.connection);
		ua.on('newRTCSession', ({ originator, session }) => this.#take(originator, session));
	}

	#take(originator, session) {
		const log = this.log;
		this.session = session;
		log.begin(originator === 'remote' ? 'offered' : 'calling');
		session.on('progress', ({ originator: by }) => by === 'remote' && log.become('ringing'));
		session.on('accepted', () => log.become('accepted'));
		session.on('confirmed', () => log.become('confirmed'));
		session.on('newInfo', ({ originator: by, info }) => by === 'remote'
			&& log.infos.push(info.body));
		for (const end of ['ended', 'failed'])
			session.on(end, ({ originator: by, message, cause }) =>
				log.end(by, message?.status_code ?? 0, cause));
	}

	dial(uri, expires_s) {
		this.ua.call(uri, { ...OPTIONS, ...(expires_s && { sessionTimersExpires: expires_s }) });
	}

	answer() {
		this.session.answer(OPTIONS);
	}

	reject(status) {
		this.session.terminate({ status_code: status });
	}

	/** CANCEL or BYE, by how far it has come. */
	hangUp() {
		this.session.terminate();
	}

	hold(useUpdate = false) {
		return finish('hold', (done) => this.session.hold({ useUpdate }, done));
	}

	unhold(useUpdate = false) {
		return finish('unhold', (done) => this.session.unhold({ useUpdate }, done));
	}

	/** A re-INVITE, or with useUpdate an UPDATE, that changes nothing. */
	renew(useUpdate = false) {
		return finish('renewal', (done) => this.session.renegotiate({ useUpdate }, done));
	}

	/** It takes an offer at any time. */
	settle() {
		return true;
	}

	info(text) {
		return this.#ask('INFO', text);
	}

	message(text) {
		return this.#ask('MESSAGE', text);
	}

	/** A request inside the dialog; its final status. */
	#ask(method, body) {
		return new Promise((resolve) => this.session.sendRequest(method, {
			body, extraHeaders: ['Content-Type: text/plain'], eventHandlers: {
				onSuccessResponse: ({ status_code }) => resolve(status_code),
				onErrorResponse: ({ status_code }) => resolve(status_code),
				onRequestTimeout: () => resolve(0),
				onTransportError: () => resolve(0),
				onDialogError: () => resolve(0),
			} }));
	}
}
