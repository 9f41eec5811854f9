// SPDX-License-Identifier: BSD-3-Clause
// Calls of the phone made with SIP.js: one at a time. It has no UPDATE, and no session timers.

import { Invitation, Inviter, SessionState, UserAgent } from 'sip.js';
import { CallLog, finish } from './call_log.mjs';

const OPTIONS = { constraints: { audio: true, video: false } };
const AGAIN_MS = 100;
const STATES = { [SessionState.Established]: 'confirmed' };

export class Calls {
	constructor(agent) {
		this.agent = agent;
		this.log = new CallLog(() => this.session?.sessionDescriptionHandler?.peerConnection);
		agent.delegate.onInvite = (invitation) => this.#take(invitation, 'offered');
	}

	#take(session, state) {
		const log = this.log;
		this.session = session;
		this.ended_by = 'remote';
		log.begin(state);
		session.stateChange.addListener((now) => {
			if (now === SessionState.Terminated)
				log.end(this.ended_by, log.status, now);
			else if (STATES[now])
				log.become(STATES[now]);
		});
		session.delegate = { onInfo: (info) => {
			log.infos.push(info.request.body);
			info.accept();
		}, onMessage: (message) => {
			log.messages.push(message.request.body);
			message.accept();
		} };
	}

	async dial(uri) {
		const inviter = new Inviter(this.agent, UserAgent.makeURI(uri),
			{ sessionDescriptionHandlerOptions: OPTIONS });
		this.#take(inviter, 'calling');
		await inviter.invite({ requestDelegate: {
			onProgress: ({ message }) => message.statusCode > 100 && this.log.become('ringing'),
			onReject: ({ message }) => this.log.status = message.statusCode,
			onRedirect: ({ message }) => this.log.status = message.statusCode,
		} });
	}

	answer() {
		return this.session.accept({ sessionDescriptionHandlerOptions: OPTIONS });
	}

	reject(status) {
		this.ended_by = 'local';
		return this.session.reject({ statusCode: status });
	}

	/** CANCEL, refusal or BYE, by how far it has come. */
	async hangUp() {
		this.ended_by = 'local';
		if (this.session.state === SessionState.Established)
			await this.session.bye();
		else if (this.session instanceof Invitation)
			await this.session.reject();
		else
			await this.session.cancel();
	}

	hold() {
		return this.#reinvite('hold', true);
	}

	unhold() {
		return this.#reinvite('unhold', false);
	}

	/** A re-INVITE that changes nothing. */
	renew() {
		return this.#reinvite('renewal', false);
	}

	/** One offer at a time: SIP.js is lost when it begins one before the ACK of the last has come. */
	#reinvite(what, hold) {
		return finish(what, (done) => {
			this.session.sessionDescriptionHandlerOptionsReInvite = { ...OPTIONS, hold };
			const again = () => setTimeout(attempt, AGAIN_MS);
			const attempt = () => this.#quiet() ? this.session.invite({
				requestDelegate: { onAccept: () => done(), onReject: again } }).catch(again) : again();
			attempt();
			return true;
		});
	}

	/**
	 * Until the ACK of the other's offer has come: it may go by another transport than the next INVITE,
	 * and be overtaken, and SIP.js is lost then as well.
	 */
	settle() {
		return finish('the last offer', (done) => {
			const look = () => this.#quiet() ? done() : setTimeout(look, AGAIN_MS);
			setTimeout(look);
			return true;
		});
	}

	#quiet() {
		const { dialog, pendingReinvite, pendingReinviteAck } = this.session;
		return dialog.signalingState === 'Stable' && !pendingReinvite && !pendingReinviteAck;
	}

	info(text) {
		return this.#ask((options) => this.session.info(options), text);
	}

	message(text) {
		return this.#ask((options) => this.session.message(options), text);
	}

	/** A request inside the dialog; its final status. */
	#ask(send, content) {
		return new Promise((resolve) => {
			const settle = ({ message }) => resolve(message.statusCode);
			send({ requestDelegate: { onAccept: settle, onReject: settle }, requestOptions: {
				body: { contentDisposition: 'render', contentType: 'text/plain', content } } });
		});
	}
}
