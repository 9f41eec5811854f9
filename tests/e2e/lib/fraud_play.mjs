// SPDX-License-Identifier: BSD-3-Clause
// Plays all ways of a policy: those that may not pass, and those that must.

import { FraudStage, assertPassed, assertRefused, leadsTo, routing, say } from './fraud.mjs';
import { ALLOWED, DOMAINS, NUMBERS } from './fraud_uris.mjs';
import { calls, headers, messages, methods, passes, refers, registers } from './fraud_ways.mjs';
import { assert } from './scenario.mjs';

/** Rows of a table of URIs that are for this policy, as ways. */
const rows = (policy, table, play) => Object.fromEntries(Object.entries(table)
	.filter(([, row]) => {
		const of = row({ digits: '', local: '', dashed: '', tail: '' })[1];
		return [undefined, policy].includes(of?.of ?? (typeof of === 'string' ? of : undefined));
	}).map(([name, row]) => [name, play(row)]));

const forbidden = (row) => async (way) => {
	const [uri, more = {}] = row(way.n);
	for (const method of ['INVITE', 'MESSAGE'])
		assertRefused(await say(way, method, uri), more);
};

/** It passes as it was written; what looks for forbidden numbers would have found it. */
const allowed = (row) => async (way) => {
	const [uri] = row(way.n);
	for (const method of ['INVITE', 'MESSAGE']) {
		const said = await say(way, method, uri, { to: `<${uri}>` });
		assertPassed(said, uri);
		assert.equal(leadsTo(routing(said.arrived[0]), way.n.tail),
			uri.replaceAll('-', '').includes(way.n.tail), 'what looks for numbers sees');
	}
};

export const ways = (policy) => async (world) => {
	const stage = await FraudStage.open(world, policy);
	await stage.each('number', rows(policy, NUMBERS, forbidden));
	await stage.each('domain', rows(policy, DOMAINS, forbidden));
	await stage.each('method', methods);
	await stage.each('header', headers);
	await stage.each('refer', refers);
	await stage.each('call', calls);
	await stage.each('message', messages);
	await stage.each('register', registers);
	await stage.each('may call', rows(policy, ALLOWED, allowed), true);
	await stage.each('may', passes, true);
	stage.assertAll();
};
