// SPDX-License-Identifier: BSD-3-Clause
import { LINK_ADDRESSES } from './lib/names.mjs';
import { run, waitFor } from './lib/process.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';

const PINGS = 3;
const SIZES = { 4: [56, 1400, 1472], 6: [56, 1400, 1452] }; /* the last fills an Ethernet frame */
const TOO_LONG = 3000;

/** How many of `count` pings were answered: one after another, as ping waits for the last of several no longer than two of
 * the round trips before it. */
async function answered(from, to, size, count, patience_s = 5) {
	let received = 0;
	for (let i = 0; i < count; i++) {
		const { stdout } = await run('ping', ['-c', 1, '-W', patience_s, '-s', size, '-I', from, to].map(String))
			.catch((error) => error); /* it fails when none is */
		received += Number(/(\d+) received/.exec(stdout)?.[1]);
	}
	return received;
}

await scenario(DEVICE_WORLDS, async ({ gateway, link }) => {
	const icmp_before = await gateway.counter('net_icmp_in');
	for (const [family, { core, gateway: ours }] of Object.entries(LINK_ADDRESSES))
		for (const size of SIZES[family])
			assert.equal(await answered(core, ours, size, PINGS), PINGS, `${size} bytes to ${ours}`);
	assert.ok(await gateway.counter('net_icmp_in') >= icmp_before + 6 * PINGS, 'each was counted');

	/* of the core too: only its datagrams are put together again */
	const before = await gateway.errors('GW_IP_FRAGMENT');
	const families = Object.values(LINK_ADDRESSES).slice(link.gathers4 ? 1 : 0);
	const pings = families.flatMap(({ core, stranger, gateway: ours }) =>
		[core, stranger].map((from) => answered(from, ours, TOO_LONG, 1, 1)));
	assert.deepEqual(await Promise.all(pings), pings.map(() => 0), `${TOO_LONG} bytes`);
	await waitFor('three fragments of each counted', async () =>
		await gateway.errors('GW_IP_FRAGMENT') >= before + 3 * pings.length);
	assert.equal(await gateway.counter('net_reassembled'), 0);
});
