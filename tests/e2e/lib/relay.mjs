// SPDX-License-Identifier: BSD-3-Clause
// Carries TCP connections between the host's loopback and the namespace of the demo, through a Unix
// socket both see.

import { connect, createServer } from 'node:net';

const MAX_CONNECTIONS = 64;

/**
 * Listens on `listen` and connects each visitor to `target` (both as for net.listen / net.connect).
 */
export function relay(listen, target) {
	const server = createServer((near) => {
		const far = connect(target);
		near.on('error', () => far.destroy());
		far.on('error', () => near.destroy());
		near.on('close', () => far.destroy());
		far.on('close', () => near.destroy());
		near.pipe(far);
		far.pipe(near);
	});
	server.maxConnections = MAX_CONNECTIONS;
	return new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen(listen, () => resolve(server));
	});
}
