// SPDX-License-Identifier: BSD-3-Clause
// The phone made with JsSIP. Its authorization_jwt setting goes, as written, onto every request.

import JsSIP from 'jssip';
import { Calls } from './jssip_calls.mjs';
import { startPage } from './page.mjs';

const EXPIRES_S = 600;
const ANSWER_MS = 10000;

class Phone {
	constructor({ impu, url, credentials, onMessage }) {
		this.challenges = credentials ? 1 : 0; /* of one REGISTER that it answers by itself */
		this.socket = new JsSIP.WebSocketInterface(url);
		this.ua = new JsSIP.UA({ sockets: [this.socket], uri: impu, register: false,
			register_expires: EXPIRES_S, ...(credentials && {
				authorization_user: credentials.username, password: credentials.password }) });
		this.ua.on('newMessage', ({ originator, request }) => {
			if (originator === 'remote')
				onMessage(request.from.uri.toString(), request.body);
		});
		this.calls = new Calls(this.ua);
	}

	connect() {
		const connected = new Promise((resolve, reject) => {
			this.ua.once('connected', () => resolve());
			this.ua.once('disconnected', () => reject(new Error('WebSocket not opened')));
		});
		this.ua.start();
		return connected;
	}

	/**
	 * The network has changed: a new WebSocket, at once. What JsSIP does by itself when it loses one
	 * takes longer and longer.
	 */
	reconnect() {
		const connected = new Promise((resolve) => this.ua.once('connected', () => resolve()));
		this.ua.transport.disconnect();
		this.ua.transport.connect();
		return connected;
	}

	/** JsSIP tells of the first 200 only, so the status is read off the socket. */
	register(token) {
		if (token !== null)
			this.ua.set('authorization_jwt', `Bearer ${token}`);
		return this.#finalStatus('REGISTER', () => this.ua.register());
	}

	/** Every request from now on shows the token, of who is not registered. */
	show(token) {
		this.ua.set('authorization_jwt', `Bearer ${token}`);
	}

	unregister() {
		return this.#finalStatus('REGISTER', () => this.ua.unregister());
	}

	#finalStatus(method, send) {
		return new Promise((resolve, reject) => {
			const socket = this.socket;
			const forward = socket.ondata;
			let challenges = this.challenges;
			const end = () => {
				clearTimeout(timer);
				socket.ondata = forward;
			};
			const timer = setTimeout(() => {
				end();
				reject(new Error(`no answer to ${method}`));
			}, ANSWER_MS);
			socket.ondata = (data) => {
				forward(data);
				const status = Number(/^SIP\/2\.0 (\d{3})/.exec(data)?.[1] ?? 0);
				if (status < 200 || !new RegExp(`^CSeq: \\d+ ${method}\r$`, 'im').test(data))
					return;
				if (status === 401 && challenges-- > 0)
					return;
				end();
				resolve(status);
			};
			send();
		});
	}

	sendMessage(uri, text) {
		return new Promise((resolve) => this.ua.sendMessage(uri, text, { eventHandlers: {
			succeeded: ({ response }) => resolve(response.status_code),
			failed: ({ response, cause }) => resolve(response?.status_code ?? cause),
		} }));
	}

	close() {
		const closed = new Promise((resolve) => this.ua.once('disconnected', () => resolve()));
		this.ua.stop();
		return closed;
	}
}

startPage(Phone);
