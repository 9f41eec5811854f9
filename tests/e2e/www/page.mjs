// SPDX-License-Identifier: BSD-3-Clause
// What both pages share: the token from the site, the controls, the log, and window.wic for
// scripts. A Phone class (one per library) does the SIP.

/* of the token's life: before either library would refresh with a token about to end */
const REFRESH_AT = 0.4;
const VISITOR = 'visitor'; /* its name in the storage of the tab */

class Wic {
	constructor(Phone) {
		this.Phone = Phone;
		this.phone = null;
		this.anonymous = false;
		this.lent = null;   /* a token that waits to be used */
		this.tokens = [];   /* all that were fetched: a test proves where they did not go */
		this.messages = []; /* received: {from, text} */
		this.onMessage = () => {};
		this.refresh = 0;
	}

	/** Of the user, or of a visitor without a name, whom the site knows again by what it said. */
	async #token() {
		const { user, anonymous } = this;
		const visitor = sessionStorage.getItem(VISITOR);
		const who = anonymous ? { ...(visitor && { visitor }) } : { user };
		const answer = await fetch(`/token?${new URLSearchParams(who)}`, { cache: 'no-store' });
		if (!answer.ok)
			throw new Error(`no token for ${user ?? 'a visitor'}: HTTP ${answer.status}`);
		const token = await answer.json();
		this.tokens.push(token.access_token);
		if (token.visitor)
			sessionStorage.setItem(VISITOR, token.visitor);
		return token;
	}

	/**
	 * Opens the WebSocket with an identity that the site lends: the same one again after a reload of
	 * the page. Returns its user part.
	 */
	async visit(url = null) {
		this.anonymous = true;
		this.lent = await this.#token();
		await this.connect(/^sip:([^@]+)@/.exec(this.lent.impu)[1], null, url);
		return this.user;
	}

	/**
	 * Opens the WebSocket as user. credentials: {username, password} where the core asks for them;
	 * url: of another gateway than that of this page.
	 */
	async connect(user, credentials = null, url = null) {
		this.user = user;
		this.credentials = credentials;
		const settings = await (await fetch('/settings.json')).json();
		this.realm = settings.realm;
		this.phone = new this.Phone({
			impu: `sip:${user}@${settings.realm}`,
			url: url ?? settings.gateways[location.origin],
			credentials,
			onMessage: (from, text) => {
				this.messages.push({ from, text });
				this.onMessage(from, text);
			},
		});
		await this.phone.connect();
	}

	/**
	 * Fetches a token and registers with it; again with a fresh one when called again. With
	 * credentials there is none: the core asks for them.
	 */
	async register() {
		if (this.credentials)
			return this.phone.register(null);
		const token = this.lent ?? await this.#token();
		this.lent = null;
		const status = await this.phone.register(token.access_token);
		clearTimeout(this.refresh);
		this.refresh = setTimeout(() => this.register(), token.expires_in * 1000 * REFRESH_AT);
		return status;
	}

	reregister() {
		return this.register();
	}

	/** Fetches a token and shows it with what comes, without a registration. */
	async introduce() {
		this.phone.show((await this.#token()).access_token);
	}

	/** Returns the final status. */
	sendMessage(user, text) {
		return this.phone.sendMessage(`sip:${user}@${this.realm}`, text);
	}

	unregister() {
		clearTimeout(this.refresh);
		return this.phone.unregister();
	}

	/** Once more on a WebSocket that is new. */
	async reconnect() {
		await this.phone.reconnect();
		return this.register();
	}

	/** Calls another user. */
	dial(user, ...options) {
		return this.phone.calls.dial(`sip:${user}@${this.realm}`, ...options);
	}

	/** Does something with the call there is: a method of Calls. */
	inCall(what, ...values) {
		return this.phone.calls[what](...values);
	}

	/** How the call stands: see CallLog. */
	lookAtCall() {
		return this.phone.calls.log.look();
	}

	/** Closes the WebSocket. */
	async close() {
		clearTimeout(this.refresh);
		await this.phone?.close();
		this.phone = null;
	}
}

const element = (id) => document.getElementById(id);

function say(line) {
	element('log').textContent += `${new Date().toLocaleTimeString()}  ${line}\n`;
}

/** Runs what a button stands for, and tells the human how it went. */
async function act(what, work, state) {
	try {
		const status = await work();
		say(`${what}: ${status}`);
		if (state)
			element('state').textContent = state;
	} catch (error) {
		say(`${what}: failed, ${error.message}`);
	}
}

export function startPage(Phone) {
	const wic = window.wic = new Wic(Phone);

	wic.onMessage = (from, text) => say(`<- ${from}: ${text}`);
	element('registration').addEventListener('submit', (event) => {
		event.preventDefault();
		act('register', async () => {
			if (wic.phone && wic.user !== element('user').value)
				await wic.close();
			if (!wic.phone && element('user').value === '')
				element('user').value = await wic.visit();
			else if (!wic.phone)
				await wic.connect(element('user').value);
			return wic.register();
		}, 'registered');
	});
	element('reregister').addEventListener('click', () =>
		act('register again', () => wic.reregister()));
	element('unregister').addEventListener('click', () =>
		act('un-register', () => wic.unregister(), 'not registered'));
	element('message').addEventListener('submit', (event) => {
		event.preventDefault();
		const [to, text] = [element('to').value, element('text').value];
		act(`-> ${to}: ${text}`, () => wic.sendMessage(to, text));
	});
}
