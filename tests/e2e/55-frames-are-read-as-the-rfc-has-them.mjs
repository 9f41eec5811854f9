// SPDX-License-Identifier: BSD-3-Clause
// RFC 6455 sections 5.1 to 5.6: lengths, masks, reserved bits and opcodes, fragments, pings, and
// what a record may hold.

import { randomBytes } from 'node:crypto';
import { eachCase } from './lib/cases.mjs';
import { answeredCseq, plainRegister } from './lib/plain_register.mjs';
import { BINARY, CLOSE, CONTINUATION, PING, PONG, RawWs, TEXT, closeFrame, cut, fragments,
	frame } from './lib/raw_ws.mjs';
import { RAW_WORLDS, assert, scenario } from './lib/scenario.mjs';

const MAX_MESSAGE = 65536;
const NORMAL = [1, 2, 3];
const R1 = plainRegister();
const R2 = plainRegister({ cseq: 2 });
const text = (payload, options) => frame({ payload, ...options });
const ping = (payload, options) => frame({ opcode: PING, payload, ...options });
const pong = (payload, options) => frame({ opcode: PONG, payload, ...options });
const rest = (payload, options) => frame({ opcode: CONTINUATION, payload, ...options });
const begin = (payload, options) => frame({ payload, fin: false, ...options });
const all = (...pieces) => Buffer.concat(pieces);
const sizes = (...lengths) => {
	let at = 0;
	const pieces = lengths.map((length) => R1.subarray(at, at += length));
	return [...pieces, R1.subarray(at)];
};
const times = (count, make) => Buffer.concat(Array.from({ length: count }, (_, n) => make(n)));

/** What is sent, and which REGISTERs are answered, in this order: the connection goes on. */
const ANSWERED = {
	'a text frame': [text(R1), [1]],
	'a binary frame': [frame({ opcode: BINARY, payload: R1 }), [1]],
	'a mask of zeroes': [text(R1, { mask: Buffer.alloc(4) }), [1]],
	'a mask of ones': [text(R1, { mask: Buffer.alloc(4, 0xff) }), [1]],
	'a mask for each of four frames': [fragments(cut(R1, Math.ceil(R1.length / 4))), [1]],
	'fragments of 125, 126 and 127 bytes': [fragments(sizes(125, 126, 127)), [1]],
	'fragments of a byte': [fragments(cut(R1, 1)), [1]],
	'fragments of two bytes': [fragments(cut(R1, 2)), [1]],
	'an empty first fragment': [fragments([Buffer.alloc(0), R1]), [1]],
	'an empty last fragment': [fragments([R1, Buffer.alloc(0)]), [1]],
	'a thousand empty fragments': [fragments([...Array(1000).fill(''), R1]), [1]],
	'a thousand empty fragments at the end': [fragments([R1, ...Array(1000).fill('')]), [1]],
	'binary fragments': [fragments(cut(R1, 100), { opcode: BINARY }), [1]],
	'pings between fragments': [fragments(cut(R1, 50), { between: (n) => ping(`ping ${n}`) }), [1]],
	'pongs between fragments': [fragments(cut(R1, 50), { between: (n) => pong(`pong ${n}`) }), [1]],
	'a ping between each two bytes': [fragments(cut(R1, 1), { between: () => ping('') }), [1]],
	'two messages in a record': [all(text(R1), text(R2)), [1, 2]],
	'twenty messages in a record': [times(20, (n) => text(plainRegister({ cseq: n + 1 }))),
		Array.from({ length: 20 }, (_, n) => n + 1)],
	'a fragmented one behind a whole one': [all(text(R1), fragments(cut(R2, 30))), [1, 2]],
	'a whole one behind a fragmented one': [all(fragments(cut(R1, 30)), text(R2)), [1, 2]],
	'a message of 65535 bytes': [text(plainRegister({ size: 65535 })), [1]],
	'a message of 65536 bytes': [text(plainRegister({ size: MAX_MESSAGE })), [1]],
	'65536 bytes in fragments': [fragments(cut(plainRegister({ size: MAX_MESSAGE }), 1000)), [1]],
	'an empty message': [all(text(''), text(R1)), [1]],
	'an empty message in fragments': [all(fragments(['', '', '']), text(R1)), [1]],
	'an empty binary message': [all(frame({ opcode: BINARY }), text(R1)), [1]],
	'CRLF alone': [all(text('\r\n'), text(R1)), [1]],
	'an unsolicited pong': [all(pong('nobody asked'), text(R1)), [1]],
	'an empty pong': [all(pong(''), text(R1)), [1]],
	'a pong of 125 bytes': [all(pong(randomBytes(125)), text(R1)), [1]],
	'two requests in one message': [text(all(R1, R2)), [1]],
	'two that are not SIP': [all(text('hello'), text('world'), text(R1)), [1]],
};

const refusedLength = (length, form = 64) => frame({ length, form });
const reserved = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];
const named = (list, name, make) => Object.fromEntries(list.map((one) => [name(one), make(one)]));

/** What is sent, and the code of the Close that ends the connection. */
const CLOSED = {
	'a frame without a mask': [text(R1, { mask: null }), 1002],
	'an empty frame without a mask': [text('', { mask: null }), 1002],
	'a ping without a mask': [ping('x', { mask: null }), 1002],
	'a pong without a mask': [pong('x', { mask: null }), 1002],
	'a Close without a mask': [closeFrame(1000, '', { mask: null }), 1002],
	'a continuation without a mask': [all(begin(R1), rest('', { mask: null })), 1002],
	...named([1, 2, 4, 3, 5, 6, 7], (rsv) => `reserved bits ${rsv} in text`,
		(rsv) => [text(R1, { rsv }), 1002]),
	...named([1, 2, 4], (rsv) => `reserved bit ${rsv} in a ping`,
		(rsv) => [ping('', { rsv }), 1002]),
	...named([1, 2, 4], (rsv) => `reserved bit ${rsv} in a Close`,
		(rsv) => [closeFrame(1000, '', { rsv }), 1002]),
	...named([1, 2, 4], (rsv) => `reserved bit ${rsv} in a continuation`,
		(rsv) => [all(begin(R1), rest('', { rsv })), 1002]),
	...named(reserved, (opcode) => `opcode ${opcode}`,
		(opcode) => [frame({ opcode, payload: R1 }), 1002]),
	...named(reserved, (opcode) => `opcode ${opcode}, empty`,
		(opcode) => [frame({ opcode }), 1002]),
	...named(reserved, (opcode) => `opcode ${opcode} in a message`,
		(opcode) => [all(begin(R1), frame({ opcode })), 1002]),
	'a ping of 126 bytes': [ping(Buffer.alloc(126)), 1002],
	'a pong of 126 bytes': [pong(Buffer.alloc(126)), 1002],
	'a Close of 126 bytes': [closeFrame(1000, 'x'.repeat(124)), 1002],
	'a ping of 65536 bytes': [ping(Buffer.alloc(65536)), 1002],
	'a ping of 125 bytes with a 16-bit length': [ping(Buffer.alloc(125), { form: 16 }), 1002],
	'a ping in fragments': [all(ping('a', { fin: false }), rest('b')), 1002],
	'a pong in fragments': [pong('a', { fin: false }), 1002],
	'a Close in fragments': [closeFrame(1000, '', { fin: false }), 1002],
	'16 bits for 0': [text('', { form: 16 }), 1002],
	'16 bits for 125': [text(R1.subarray(0, 125), { form: 16 }), 1002],
	'64 bits for 0': [text('', { form: 64 }), 1002],
	'64 bits for 126': [text(R1.subarray(0, 126), { form: 64 }), 1002],
	'64 bits for 65535': [refusedLength(65535), 1002],
	'64 bits with the highest set': [refusedLength(1n << 63n), 1002],
	'64 bits all set': [refusedLength((1n << 64n) - 1n), 1002],
	'63 bits': [refusedLength((1n << 63n) - 1n), 1009],
	'2^32 bytes': [refusedLength(1n << 32n), 1009],
	'2^32 and as many as a REGISTER has': [all(refusedLength((1n << 32n) + BigInt(R1.length)), R1),
		1009],
	'a message of 65537 bytes': [text(plainRegister({ size: MAX_MESSAGE + 1 })), 1009],
	'65537 bytes announced': [refusedLength(MAX_MESSAGE + 1), 1009],
	'65537 bytes in two fragments': [fragments(cut(plainRegister({ size: MAX_MESSAGE + 1 }),
		40000)), 1009],
	'65537 bytes in many fragments': [fragments(cut(plainRegister({ size: MAX_MESSAGE + 1 }),
		1000)),
		1009],
	'a continuation of nothing': [rest(R1), 1002],
	'an unfinished continuation of nothing': [rest(R1, { fin: false }), 1002],
	'a continuation behind a whole message': [all(text(R1), rest('x')), 1002, [1]],
	'a message inside a message': [all(begin(R1.subarray(0, 100)), text(R2)), 1002],
	'a binary one inside a text': [all(begin(R1.subarray(0, 100)), frame({ opcode: BINARY })),
		1002],
	'three that are not SIP': [all(text('hello'), text('world'), text('again')), 1002],
};

async function checkAnswers(ws, expected) {
	const cseqs = [];
	for (const at of expected.keys())
		cseqs.push(answeredCseq(await ws.message(at)));
	assert.deepEqual(cseqs, expected, 'in order');
}

async function answered(ca, [bytes, expected]) {
	const ws = await RawWs.open(ca);
	try {
		await ws.send(bytes);
		await checkAnswers(ws, expected);
		await ws.caughtUp();
		assert.equal(ws.messages.length, expected.length, 'and nothing more');
		assert.deepEqual(ws.breaches, []);
	} finally {
		ws.destroy();
	}
}

/** What follows in the same record is not read any more. */
async function closed(ca, [bytes, code, expected = []]) {
	const ws = await RawWs.open(ca);
	try {
		await ws.send(all(bytes, text(plainRegister({ cseq: 99 }))));
		assert.equal(await ws.closeCode(), code);
		await ws.send(closeFrame(code));
		await ws.end();
		await checkAnswers(ws, expected);
		assert.equal(ws.messages.length, expected.length, 'nothing read behind it');
		assert.deepEqual(ws.frames.at(-1).opcode, CLOSE, 'nothing said after the Close');
		assert.equal(ws.frames.filter(({ opcode }) => opcode === CLOSE).length, 1, 'one Close');
		assert.deepEqual(ws.breaches, []);
	} finally {
		ws.destroy();
	}
}

/** Cases with a course of their own. */
const COURSES = {
	'pings of 0, 1, 124 and 125 bytes come back': async (ws) => {
		for (const [n, length] of [0, 1, 124, 125].entries()) {
			const payload = randomBytes(length);
			await ws.send(ping(payload));
			assert.deepEqual((await ws.nth(PONG, n)).payload, payload);
		}
	},
	'a ping is answered before the message around it is whole': async (ws) => {
		await ws.send(all(begin(R1.subarray(0, 100)), ping('now')));
		assert.equal(String((await ws.nth(PONG)).payload), 'now');
		assert.equal(ws.messages.length, 0);
		await ws.send(rest(R1.subarray(100)));
		assert.equal(answeredCseq(await ws.message()), 1);
	},
	'of many pings the last is answered, and in order': async (ws) => {
		await ws.send(times(100, (n) => ping(`ping ${n}`)));
		await waitForPong(ws, 'ping 99');
		const seen = ws.frames.map(({ payload }) => Number(String(payload).slice(5)));
		/* 5.5.3: some may be left out */
		assert.deepEqual(seen, [...new Set(seen)].sort((a, b) => a - b));
	},
	'CRLFCRLF is answered by CRLF': async (ws) => {
		await ws.send(text('\r\n\r\n'));
		assert.deepEqual((await ws.message()).payload, Buffer.from('\r\n'));
		await ws.send(fragments(['\r', '\n', '\r', '\n'], { between: () => ping('') }));
		assert.deepEqual((await ws.message(1)).payload, Buffer.from('\r\n'));
		await ws.send(frame({ opcode: BINARY, payload: '\r\n\r\n' }));
		assert.deepEqual((await ws.message(2)).payload, Buffer.from('\r\n'));
		await ws.caughtUp();
		assert.equal(ws.messages.length, 3);
	},
	'a byte a record': async (ws) => {
		await ws.sendSlowly(all(text(R1), ping('slow'), text('\r\n\r\n')));
		assert.equal(answeredCseq(await ws.message()), 1);
		assert.equal(String((await ws.nth(PONG)).payload), 'slow');
		assert.deepEqual((await ws.message(1)).payload, Buffer.from('\r\n'));
	},
	'a head with a long length, a byte a record': async (ws) => {
		const message = text(plainRegister({ size: MAX_MESSAGE }));
		await ws.sendSlowly(message.subarray(0, 20));
		await ws.send(message.subarray(20));
		assert.equal(answeredCseq(await ws.message()), 1);
	},
	'a frame that is cut anywhere': async (ws) => {
		for (const cseq of NORMAL) {
			const bytes = text(plainRegister({ cseq }));
			const at = cseq * 3; /* in the length, in the mask, in the payload */
			await ws.send(bytes.subarray(0, at));
			await ws.send(bytes.subarray(at));
			assert.equal(answeredCseq(await ws.message(cseq - 1)), cseq);
		}
	},
	'answers are not masked and are text': async (ws) => {
		await ws.send(text(R1));
		const answer = await ws.message();
		assert.equal(answer.opcode, TEXT);
		assert.equal(answer.masked, false);
		assert.match(String(answer.payload), /^SIP\/2\.0 401 /);
	},
};

async function waitForPong(ws, last) {
	for (let n = 0; ; n += 1)
		if (String((await ws.nth(PONG, n)).payload) === last)
			return;
}

async function course(ca, play) {
	const ws = await RawWs.open(ca);
	try {
		await play(ws);
		assert.deepEqual(ws.breaches, []);
	} finally {
		ws.destroy();
	}
}

await scenario(RAW_WORLDS, async ({ files }) => {
	const kinds = { ANSWERED: [ANSWERED, answered], CLOSED: [CLOSED, closed],
		COURSES: [COURSES, course] };
	await eachCase(kinds, ([cases, play]) => eachCase(cases, (one) => play(files.ca_pem, one)));
});
