// SPDX-License-Identifier: BSD-3-Clause
import { SITE_ORIGIN } from './lib/names.mjs';
import { WORKER_COUNTS, assert, scenario } from './lib/scenario.mjs';
import { UpgradeRefused, Wic } from './lib/wic.mjs';

const WRONG = ['https://evil.example', 'http://shop.example', `${SITE_ORIGIN}:444`,
	`${SITE_ORIGIN}.evil.example`, 'https://www.shop.example', 'null'];

await scenario(WORKER_COUNTS, async (world) => {
	for (const origin of WRONG) {
		const refused = await Wic.connect('alice', { ca: world.files.ca_pem, origin })
			.catch((error) => error);
		assert.ok(refused instanceof UpgradeRefused, `${origin}: ${refused.message ?? 'accepted'}`);
		assert.equal(refused.status, 403, origin);
	}
	const wic = await Wic.connect('alice', { ca: world.files.ca_pem, origin: SITE_ORIGIN });
	assert.equal(wic.socket.protocol, 'sip');
	assert.equal(wic.socket.extensions, '', 'no extension is negotiated');
	await wic.close();
});
