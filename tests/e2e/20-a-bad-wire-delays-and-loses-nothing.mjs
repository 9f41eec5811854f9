// SPDX-License-Identifier: BSD-3-Clause
import { run } from './lib/process.mjs';
import { ALL_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { Wic } from './lib/wic.mjs';

const DELAY_MS = 5; /* at least, each way */
const PINGS = 20;
const MESSAGES = 10;
const WIREBOX = ['--seed', '20', '--delay', `${DELAY_MS}-15`, '--loss', '0.05',
	'--duplicate', '0.1', '--reorder', '0.1'];

/** Pings that came back at all, and the time of the fastest. */
async function ping(address) {
	const { stdout } = await run('ping', ['-c', PINGS, '-i', '0.02', '-W', '1', address].map(String));
	return {
		received: Number(/(\d+) received/.exec(stdout)[1]),
		fastest_ms: Number(/= ([\d.]+)\//.exec(stdout)[1]),
	};
}

/* TCP with browsers and TCP or UDP with the core, over the same wire */
const WORLDS = ALL_WORLDS.slice(0, 2).map((world) => ({ ...world, wirebox: WIREBOX }));

await scenario(WORLDS, async (world) => {
	const { fastest_ms, received } = await ping(world.link.gateway);
	assert.ok(received > PINGS / 2, `${received} of ${PINGS} pings`);
	assert.ok(fastest_ms >= 2 * DELAY_MS, `a ping of ${fastest_ms} ms`);

	const wics = [];
	for (const user of ['alice', 'bob']) {
		const wic = await Wic.connect(user, { ca: world.files.ca_pem });
		assert.equal((await wic.register(world.mint.issue(user))).status, 200, user);
		wics.push(wic);
	}
	const [alice, bob] = wics;
	for (let i = 1; i <= MESSAGES; i += 1)
		assert.equal((await alice.message('bob', `message ${i}`)).status, 200, `message ${i}`);
	/* each once, whatever was repeated on the way */
	assert.deepEqual(bob.requests.map(({ body }) => body),
		Array.from({ length: MESSAGES }, (_, i) => `message ${i + 1}`));
	for (const wic of wics)
		await wic.close();
	const { a_to_b, b_to_a } = await world.link.unbox();
	assert.ok(a_to_b.lost + b_to_a.lost > 0 && a_to_b.duplicated > 0 && b_to_a.reordered > 0,
		'the wire was bad');
});
