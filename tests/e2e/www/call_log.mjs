// SPDX-License-Identifier: BSD-3-Clause
// What a page knows of its call, the same for both libraries.

const ANSWER_MS = 12000;

/** Resolves when start(done) has called done; start returns false when it cannot be done at all. */
export function finish(what, start) {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => reject(new Error(`no end of ${what}`)), ANSWER_MS);
		const begun = start(() => {
			clearTimeout(timer);
			resolve(true);
		});
		if (!begun)
			reject(new Error(`${what} is not possible now`));
	});
}

export class CallLog {
	/** connection: returns the RTCPeerConnection of the call, when there is one. */
	constructor(connection) {
		this.connection = connection;
		this.begin('none');
	}

	begin(state) {
		Object.assign(this, { state, status: 0, by: '', cause: '', infos: [], messages: [] });
	}

	/** Forwards only: what is over stays over. */
	become(state) {
		if (this.state !== 'over')
			this.state = state;
	}

	/** by: 'local' or 'remote'; status: of the answer that ended it, or 0. */
	end(by, status, cause) {
		Object.assign(this, { state: 'over', by, status, cause });
	}

	/** All of it, with what media does: {..., held, ice, packets}. */
	async look() {
		const { state, status, by, cause, infos, messages } = this;
		return { state, status, by, cause, infos, messages, ...await this.#media() };
	}

	async #media() {
		const connection = this.connection();
		if (!connection || connection.signalingState === 'closed')
			return { held: false, ice: 'closed', packets: 0 };
		const stats = [...(await connection.getStats()).values()];
		return {
			held: /^a=(sendonly|inactive)\r?$/m.test(connection.remoteDescription?.sdp ?? ''),
			ice: connection.iceConnectionState,
			packets: stats.filter(({ type }) => type === 'inbound-rtp')
				.reduce((sum, { packetsReceived = 0 }) => sum + packetsReceived, 0),
		};
	}
}
