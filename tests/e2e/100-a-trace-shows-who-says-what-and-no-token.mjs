// SPDX-License-Identifier: BSD-3-Clause
// `wicctl trace`: a ladder of what an identity says and hears on both sides of the gateway, while it
// happens, and no byte of a token in it.

import { impu } from './lib/names.mjs';
import { Program, waitFor } from './lib/process.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { accept, terminating, wayTo } from './lib/scripted_core.mjs';
import { Wic } from './lib/wic.mjs';

/* the order is that of what the WIC does */
const NO_EVENTS = { more_mw: '  reg_event: false\n' };
const WORLDS = [{ workers: 2, mw: 'udp', core: 'script', ...NO_EVENTS }, { ...DEVICE_WORLDS[0], w2: 'port', ...NO_EVENTS }];

/** A trace under way; words: of wicctl. */
async function trace(world, name, ...words) {
	const { gateway, folder } = world;
	const line = gateway.cli(...words).filter((word) => word !== '--json' || words.includes(word));
	const program = new Program(name, line, folder);
	return program.ready(() => /^UTC +WIC +wicgate +core$|"running"/m.test(program.log()));
}

/** Ctrl-C. */
async function interrupt(program) {
	program.signal('SIGINT');
	const { code } = await program.ended;
	assert.equal(code, 0);
	return program.log();
}

function assertNoToken(text, token) {
	assert.ok(!text.includes('eyJ'), 'something like a token');
	for (const part of token.split('.'))
		for (let at = 0; at + 12 <= part.length; at += 4)
			assert.ok(!text.includes(part.slice(at, at + 12)), 'a piece of the token');
}

/** The arrows of a ladder: "WIC>REGISTER", "core<200 OK". */
function arrows(ladder) {
	return ladder.split('\n').filter((line) => line.includes('|')).map((line) => {
		const [, left, right] = line.split('|');
		const [lane, side] = left.trim() ? [left, 'WIC'] : [right, 'core'];
		const what = /^(<?)-+ (\S+(?: OK)?)/.exec(lane);
		return `${side}${what[1] ? '<' : '>'}${what[2]}`;
	});
}

await scenario(WORLDS, async (world) => {
	const { files, gateway, link, mint } = world;
	let register;
	const core = await world.playCore((request) => {
		if (request.method === 'REGISTER')
			register = request;
		return accept(request, link.core);
	});
	const token = mint.issue('alice');
	const ladder = await trace(world, 'ladder', 'trace', '--full', impu('alice').toUpperCase()
		.replace('SIP:', 'sip:').replace('ALICE', 'alice'));
	const others = await trace(world, 'others', 'trace', impu('carla'));

	const wic = await Wic.connect('alice', { ca: files.ca_pem });
	const other = await Wic.connect('bob', { ca: files.ca_pem });
	assert.equal((await other.register(mint.issue('bob'))).status, 200);
	assert.equal((await wic.register(token)).status, 200);
	assert.equal((await wic.message('bob', 'is it there?')).status, 200);
	/* what two workers tell is in the order in which control hears it */
	await waitFor('eight messages', () => arrows(ladder.log()).length >= 8);
	const { route, contact, port } = wayTo(register);
	core.send(terminating(link.core, { route, contact }), port, link.gateway);
	await waitFor('the MESSAGE', () => wic.requests.length > 0);

	/* while it goes on */
	await waitFor('twelve messages', () => arrows(ladder.log()).length >= 12);
	const text = await interrupt(ladder);
	assert.deepEqual(arrows(text), [
		'WIC>REGISTER', 'core>REGISTER', 'core<200 OK', 'WIC<200 OK',
		'WIC>MESSAGE', 'core>MESSAGE', 'core<200 OK', 'WIC<200 OK',
		'core<MESSAGE', 'WIC<MESSAGE', 'WIC>200 OK', 'core>200 OK']);
	assert.match(text, /^ {4}Authorization: Bearer \[redacted \d+ bytes\]$/m);
	assert.match(text, /^ {4}is it there\?$/m);
	assert.match(text, /^12 messages, 0 lost: stopped$/m);
	assertNoToken(text, token);
	assert.match(await interrupt(others), /^0 messages, 0 lost: stopped$/m);

	/* by Call-ID, for programs, and no longer than asked for */
	const json = await trace(world, 'json', '--json', 'trace', '--count', '2', wic.call_id);
	const again = mint.issue('alice');
	assert.equal((await wic.register(again)).status, 200);
	assert.equal((await json.ended).code, 0);
	const lines = json.log().trim().split('\n').map((line) => JSON.parse(line));
	assert.deepEqual(lines.map((line) => Object.keys(line)[0]), ['trace', 'message', 'message',
		'trace']);
	const [, { message }, , { trace: ended }] = lines;
	assert.deepEqual([message.from, message.to, message.transport], ['wic', 'wicgate', 'WSS']);
	assert.ok(message.text.includes(wic.call_id) && Math.abs(Date.parse(message.ts) - Date.now()) < 20000);
	assert.deepEqual([ended.state, ended.messages], ['ended', 2]);
	assertNoToken(json.log(), again);

	const log = gateway.program.log();
	assert.match(log, /event=trace .*by=impu impu=h:[0-9a-f]{16}/);
	assert.match(log, /event=trace_end .*messages=12 lost=0/);
	await wic.close();
	await other.close();
});
