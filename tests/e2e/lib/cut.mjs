// SPDX-License-Identifier: BSD-3-Clause
// A network between pages and the gateway that can be cut and mended.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export class CutNetwork {
	/** Who connects to `address` is connected to `gateway`, both port 443. */
	static async start(address, gateway, from) {
		const network = new CutNetwork();
		Object.assign(network, { pairs: new Set(), isCut: false, gateway, from });
		network.server = createServer((near) => network.#carry(near));
		network.server.listen(443, address);
		await once(network.server, 'listening');
		return network;
	}

	#carry(near) {
		near.on('error', () => {});
		if (this.isCut) {
			near.destroy();
			return;
		}
		const far = connect({ host: this.gateway, port: 443, localAddress: this.from });
		const pair = { near, far };
		far.on('error', () => {});
		near.on('close', () => this.isCut || far.end());
		far.on('close', () => {
			this.pairs.delete(pair);
			near.destroy();
		});
		this.pairs.add(pair);
		near.pipe(far);
		far.pipe(near);
	}

	/**
	 * Pages lose what they have, and get no other. silent: the gateway hears nothing of it, as when a
	 * mobile has left; else its connections are reset.
	 */
	cut({ silent }) {
		this.isCut = true;
		for (const { near, far } of this.pairs) {
			near.unpipe(far);
			near.destroy();
			if (!silent)
				far.resetAndDestroy();
		}
	}

	mend() {
		this.isCut = false;
	}

	close() {
		this.server.close();
		for (const { near, far } of this.pairs) {
			near.destroy();
			far.destroy();
		}
	}
}
