// SPDX-License-Identifier: BSD-3-Clause
// The phone made with SIP.js. Extra headers carry the token; SIP.js leaves them out when it
// un-registers.

import { Messager, Registerer, UserAgent } from 'sip.js';
import { startPage } from './page.mjs';
import { Calls } from './sipjs_calls.mjs';

const EXPIRES_S = 600;

/** A promise for the final status, and the delegate that keeps it. */
function finalStatus() {
	let requestDelegate;
	const status = new Promise((resolve) => {
		const settle = (response) => resolve(response.message.statusCode);
		requestDelegate = { onAccept: settle, onReject: settle, onRedirect: settle };
	});
	return { status, requestDelegate };
}

class Phone {
	constructor({ impu, url, credentials, onMessage }) {
		this.agent = new UserAgent({
			uri: UserAgent.makeURI(impu),
			transportOptions: { server: url },
			sessionDescriptionHandlerFactoryOptions: {
				peerConnectionConfiguration: { iceServers: [] } },
			authorizationUsername: credentials?.username ?? '',
			authorizationPassword: credentials?.password ?? '',
			logLevel: 'error',
			delegate: {
				onMessage: (message) => {
					onMessage(message.request.from.uri.toString(), message.request.body);
					message.accept();
				},
			},
		});
		this.registerer = null;
		this.calls = new Calls(this.agent);
	}

	connect() {
		return this.agent.start();
	}

	/** A new WebSocket in place of one that has been lost. */
	reconnect() {
		return this.agent.reconnect();
	}

	async register(token) {
		const extraHeaders = token === null ? [] : [`Authorization: Bearer ${token}`];
		const { status, requestDelegate } = finalStatus();
		this.registerer ??= new Registerer(this.agent, { expires: EXPIRES_S, regId: 1,
			logConfiguration: false });
		await this.registerer.register({ requestDelegate, requestOptions: { extraHeaders } });
		return status;
	}

	async unregister() {
		const { status, requestDelegate } = finalStatus();
		await this.registerer.unregister({ requestDelegate });
		return status;
	}

	async sendMessage(uri, text) {
		const { status, requestDelegate } = finalStatus();
		await new Messager(this.agent, UserAgent.makeURI(uri), text).message({ requestDelegate });
		return status;
	}

	close() {
		return this.agent.stop();
	}
}

startPage(Phone);
