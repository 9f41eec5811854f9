// SPDX-License-Identifier: BSD-3-Clause
// RFC 4475 over WSS, as PROTOCOL 12.3 lists it: what is good arrives unchanged, what is bad is
// refused
// with its status, and the connection stays.

import { eachCase, eachCaseAbreast } from './lib/cases.mjs';
import { HostileWic } from './lib/hostile_wic.mjs';
import { MwPeer } from './lib/mw_peer.mjs';
import { HOSTILE_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { badRequests, goodRequests, orderedRequests } from './lib/torture.mjs';

let count = 0;

/** The text of a case for a method, and what to look for. */
function write(wic, { method, uri, parts, drop, start, cseq_text, ...more }, given) {
	const name = method ?? given;
	count += 1;
	const call_id = `torture${count}@${wic.host}`;
	const text = (value) => value?.replaceAll('METHOD', name);
	if (parts)
		return { call_id, method: name, text: [`${name} ${uri} SIP/2.0`,
			...parts(call_id).map(text),
			'Content-Length   : 4', '', 'body'].join('\r\n') };
	const lines = (more.lines ?? []).map(text);
	const contact = name === 'INVITE' ? {} : { contact: null };
	const sent = wic.write(name, uri, { ...contact, body: 'body', ...more, lines, call_id,
		start: text(start), cseq_text: text(cseq_text) });
	if (drop)
		sent.text = sent.text.replace(new RegExp(`\\r\\n${drop}: [^\\r]*`), '');
	return { ...sent, text: sent.text };
}

/** Sends it; the core gives INVITE a refusal and everything else a 200. */
async function play(wic, peer, one, method) {
	const sent = write(wic, one, method);
	peer.rules.set(sent.call_id, (request) => request.method !== 'ACK'
		&& request.reply(request.method === 'INVITE' ? 486 : 200, 'X'));
	const heard = peer.requests.length;
	wic.say(sent.text);
	return { sent, heard };
}

/** The first final answer with this Call-ID, whatever its CSeq is. */
async function finalOf(wic, { call_id }) {
	const found = () => wic.responses.find((sip) => sip.call_id === call_id && sip.status >= 200);
	for (let turn = 0; turn < 100 && !found(); turn += 1)
		await wic.settle(20);
	return found() ?? null;
}

const arrives = (wic, peer, given) => async (one) => {
	const { sent } = await play(wic, peer, one, given);
	const final = await finalOf(wic, sent);
	assert.equal(final?.status, sent.method === 'INVITE' ? 486 : 200, final?.start ?? 'no answer');
	const [got] = peer.of(sent.call_id);
	assert.equal(got.method, sent.method, 'the method is as it came');
	assert.equal(got.uri, one.uri, 'the Request-URI is as it came');
	assert.equal(got.body, sent.text.split('\r\n\r\n').slice(1).join('\r\n\r\n'), 'the body too');
	assert.equal(got.header('Max-Forwards'), one.max_forwards === null ? '70'
		: one.max_forwards ?? '69');
	assert.equal(got.header('Content-Length'), String(got.body.length));
	for (const name of ['from', 'to', 'contact'])
		if (one[name])
			assert.equal(got.header(name), Buffer.from(one[name]).toString('latin1'), name);
	for (const [name, value] of Object.entries(one.kept ?? {}))
		assert.equal(got.header(name), value, name);
	if (one.cseq)
		assert.deepEqual([got.cseq, final.cseq], [one.cseq, one.cseq], 'CSeq');
	if (one.via)
		assert.equal(got.list('Via')[1], one.via, 'the Via of the WIC');
};

const isRefused = (wic, peer, given) => async (one) => {
	const { sent } = await play(wic, peer, one, given);
	const final = await finalOf(wic, sent);
	const passed = peer.of(sent.call_id).filter(({ method }) => method !== 'ACK');
	if (one.wanted === 'clean' && passed.length > 0) {
		const [{ start, uri, text }] = passed;
		assert.match(start, /^\S+ \S+ SIP\/2\.0$/, 'a clean start line');
		assert.doesNotMatch(uri, /\?/);
		assert.doesNotMatch(text, /forged/);
		assert.ok(Number(passed[0].header('Max-Forwards')) <= 255, 'Max-Forwards');
		return;
	}
	assert.deepEqual(passed.map(({ start }) => start), [], 'nothing reached the core');
	if (one.silent && final === null)
		return; /* what an answer would need is what is missing */
	assert.ok([one.status].flat().includes(final?.status), `${final?.start ?? 'no answer'}`);
	for (const [name, value] of Object.entries(one.answer ?? {}))
		assert.equal(final.list(name).join(','), value, name);
};

/** Each on a connection of its own: three that are no SIP cost it (PROTOCOL 2.2), one does not. */
const aloneIsRefused = (world, peer, given) => async (one, name) => {
	const wic = await HostileWic.registered(world);
	try {
		const named = badRequests(wic.host)[name] ?? one;
		await isRefused(wic, peer, given)(named);
		const good = wic.ask('MESSAGE', 'sip:bob@ims.example.test', { contact: null });
		assert.equal((await wic.final(good)).status, 200, 'the connection serves on');
	} finally {
		await wic.close();
	}
};

/** 3.1.1.11, and bodies that are bytes (PROTOCOL 2.3): in a binary message, and unchanged. */
const bodyArrives = (wic, peer) => async (body, name) => {
	const sent = wic.write('MESSAGE', 'sip:bob@ims.example.test', { contact: null,
		length: body.length,
		lines: ['Content-Type: multipart/mixed;boundary=7a9cbec02ceef655', 'MIME-Version: 1.0'] });
	wic.say(Buffer.concat([Buffer.from(sent.text), body]));
	assert.equal((await wic.final(sent)).status, 200);
	const [got] = peer.of(sent.call_id);
	assert.equal(got.body, body.toString('latin1'), name);
	assert.equal(got.header('Content-Length'), String(body.length));
};

const bytes = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
const multipart = Buffer.concat([Buffer.from(
	'--7a9cbec02ceef655\r\nContent-Type: text/plain\r\n\r\nHello'
	+ '\r\n--7a9cbec02ceef655\r\nContent-Type: application/octet-stream\r\n\r\n'), bytes,
Buffer.from('\r\n--7a9cbec02ceef655--\r\n')]);

/**
 * PROTOCOL 2.2, 2.3: one message each; what is behind its body is dropped, what is missing counted.
 */
const lengthCases = {
	'a second message behind the body (3.1.1.8)': { body: 'helloINVITE sip:forged@evil.example '
		+ 'SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKx\r\n\r\n', length: 5, wanted: 'hello' },
	'a second message behind no body': { body: 'BYE sip:forged@evil.example SIP/2.0\r\n\r\n',
		length: 0,
		wanted: '' },
	'no Content-Length': { body: 'hello', length: null, wanted: 'hello' },
	'no Content-Length and no body': { body: '', length: null, wanted: '' },
	'zeroes in front': { body: 'hello', length: '0000000005', wanted: 'hello' },
	'compact': { body: 'helloforged', length: null, lines: ['l:5'], wanted: 'hello' },
	'folded': { body: 'helloforged', length: null, lines: ['CONTENT-LENGTH :\r\n 5'],
		wanted: 'hello' },
	'UTF-8 counts in bytes': { body: '\u0440\u0430', length: null, wanted: '\xd1\x80\xd0\xb0' },
};

const lengthIsKept = (wic, peer) => async ({ wanted, ...more }) => {
	const sent = wic.ask('MESSAGE', 'sip:bob@ims.example.test', { contact: null, ...more });
	assert.equal((await wic.final(sent)).status, 200);
	const [got] = peer.of(sent.call_id);
	assert.equal(got.body, wanted);
	assert.deepEqual(got.all('Content-Length'), [String(wanted.length)]);
};

await scenario(HOSTILE_WORLDS, async (world) => {
	const peer = await MwPeer.start(world);
	const wic = await HostileWic.registered(world);
	const good = goodRequests(wic.host);
	const { 'an unknown method': _, ...calls } = Object.fromEntries(Object.entries(good)
		.filter(([, { method }]) => !method));
	await eachCase({
		'good': [good, arrives(wic, peer, 'MESSAGE')],
		'good, for a call': [calls, arrives(wic, peer, 'INVITE')],
		'bodies': [{ 'every byte': bytes, 'many parts (3.1.1.11)': multipart,
			'a blank line in front': Buffer.from('\r\n\r\nx'), 'a NUL': Buffer.from('\0') },
		bodyArrives(wic, peer)],
		'lengths': [lengthCases, lengthIsKept(wic, peer)],
		'bad': [badRequests(wic.host), aloneIsRefused(world, peer, 'MESSAGE')],
		'bad, for a call': [badRequests(wic.host), aloneIsRefused(world, peer, 'INVITE')],
		'in order': [orderedRequests, aloneIsRefused(world, peer, 'MESSAGE')],
	}, ([cases, one]) => eachCaseAbreast(cases, one));
	assert.doesNotMatch(peer.everything(), /forged/, 'nothing of what was behind a body');
	await wic.close();
});
