// SPDX-License-Identifier: BSD-3-Clause
// RFC 6455 section 8.1, RFC 7118 sections 4.2 and 5: text is UTF-8, however it is cut; what is not
// goes in binary frames, in both directions.

import { eachCase } from './lib/cases.mjs';
import { answeredCseq, plainRegister } from './lib/plain_register.mjs';
import { BINARY, CLOSE, CONTINUATION, PING, RawWs, TEXT, closeFrame, cut, fragments,
	frame } from './lib/raw_ws.mjs';
import { RAW_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { parseSip } from './lib/sip.mjs';


const GOOD = {
	'two bytes': [0xc2, 0x80], 'the last of two': [0xdf, 0xbf],
	'three bytes': [0xe0, 0xa0, 0x80], 'below the surrogates': [0xed, 0x9f, 0xbf],
	'above the surrogates': [0xee, 0x80, 0x80], 'a non-character': [0xef, 0xbf, 0xbf],
	'a byte order mark': [0xef, 0xbb, 0xbf], 'the replacement character': [0xef, 0xbf, 0xbd],
	'four bytes': [0xf0, 0x90, 0x80, 0x80], 'the last of all': [0xf4, 0x8f, 0xbf, 0xbf],
	'some of each': [...Buffer.from('\u03ba\u1f79\u03c3\u03bc\u03b5 \u{1f600} z')],
};

const BAD = {
	'a continuation alone': [0x80],
	'another one': [0xbf],
	'two of them': [0x80, 0xbf],
	'half of two': [0xc3, 0x20],
	'two thirds': [0xe2, 0x82, 0x20],
	'three quarters': [0xf0, 0x9f, 0x98],
	'one quarter': [0xf0, 0x20],
	'overlong in two': [0xc0, 0xaf],
	'overlong in two, the last': [0xc1, 0xbf],
	'overlong in three': [0xe0, 0x80, 0xaf],
	'overlong in three, the last': [0xe0, 0x9f, 0xbf],
	'overlong in four': [0xf0, 0x80, 0x80, 0xaf],
	'overlong in four, the last': [0xf0, 0x8f, 0xbf, 0xbf],
	'an overlong NUL': [0xc0, 0x80],
	'the first surrogate': [0xed, 0xa0, 0x80],
	'the last surrogate': [0xed, 0xbf, 0xbf],
	'a pair of surrogates': [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80],
	'above the last': [0xf4, 0x90, 0x80, 0x80],
	'far above': [0xf7, 0xbf, 0xbf, 0xbf],
	'five bytes': [0xf8, 0x88, 0x80, 0x80, 0x80],
	'six bytes': [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80],
	'FE': [0xfe],
	'FF': [0xff],
	'a character in two encodings': [0xce, 0xba, 0xe1, 0xbd, 0xb9, 0xed, 0xa0, 0x80],
	'Latin-1': [...Buffer.from('gr\xfc\xdfe', 'latin1')],
};

async function withOpen(ca, play) {
	const ws = await RawWs.open(ca);
	try {
		await play(ws);
		assert.deepEqual(ws.breaches, []);
	} finally {
		ws.destroy();
	}
}

/* whole, in fragments of a byte, and with pings inside the characters */
const waysOf = (body) => {
	const message = plainRegister({ body });
	return [frame({ payload: message }), fragments(cut(message, 1)),
		fragments(cut(message, 1), { between: () => frame({ opcode: PING }) })];
};

const good = (ca) => (bytes) => withOpen(ca, async (ws) => {
	for (const [n, way] of waysOf(Buffer.from([...bytes, 0x20])).entries()) {
		await ws.send(way);
		assert.equal(answeredCseq(await ws.message(n)), 1);
	}
});

const bad = (ca) => async (bytes) => {
	for (const [n, body] of [Buffer.from([0x78, ...bytes, 0x78]), Buffer.from(bytes)].entries())
		for (const way of waysOf(body))
			await withOpen(ca, async (ws) => {
				await ws.send(way);
				assert.equal(await ws.closeCode(), 1007, n === 0 ? 'in the middle' : 'at the end');
				await ws.end();
				assert.equal(ws.messages.length, 0, 'it was not read as a message');
			});
	/* in binary it is nobody's business: a body may be anything */
	await withOpen(ca, async (ws) => {
		await ws.send(frame({ opcode: BINARY,
			payload: plainRegister({ body: Buffer.from(bytes) }) }));
		assert.equal(answeredCseq(await ws.message()), 1);
	});
};

const COURSES = {
	/* PROTOCOL 2.2 speaks of the frame: it does not wait for the end of the message */
	'a bad frame ends it before the message is whole': async (ws) => {
		await ws.send(frame({ payload: Buffer.from([0x61, 0xff, 0x62]), fin: false }));
		assert.equal(await ws.closeCode(), 1007);
	},
	'a bad continuation does too': async (ws) => {
		await ws.send(Buffer.concat([frame({ payload: Buffer.from([0x61, 0xce]), fin: false }),
			frame({ opcode: CONTINUATION, payload: Buffer.from([0x61]), fin: false })]));
		assert.equal(await ws.closeCode(), 1007);
	},
	'half a character at the end of a frame is no mistake yet': async (ws) => {
		await ws.send(frame({ payload: Buffer.from([0x61, 0xce]), fin: false }));
		await ws.caughtUp();
		assert.ok(!ws.frames.some(({ opcode }) => opcode === CLOSE));
		await ws.send(closeFrame(1000));
		assert.equal(await ws.closeCode(), 1000);
	},
	'half a character at the end of a message is one': async (ws) => {
		await ws.send(Buffer.concat([frame({ payload: Buffer.from([0x61, 0xce]), fin: false }),
			frame({ opcode: CONTINUATION })]));
		assert.equal(await ws.closeCode(), 1007);
	},
	'an answer in UTF-8 is text, byte for byte': async (ws) => {
		const display = '"\u03ba\u1f79\u03c3\u03bc\u03b5 \u{10ffff}" ';
		await ws.send(frame({ payload: plainRegister({ display }) }));
		const answer = await ws.message();
		assert.equal(answer.opcode, TEXT);
		assert.ok(parseSip(String(answer.payload)).header('From').startsWith(display.trim()));
	},
	'an answer that is not UTF-8 is binary': async (ws) => {
		const plain = String(plainRegister({ display: '"#" ' }));
		const bytes = Buffer.from(plain.replaceAll('#', '\xff'), 'latin1');
		await ws.send(frame({ opcode: BINARY, payload: bytes }));
		const answer = await ws.message();
		assert.match(String(answer.payload), /^SIP\/2\.0 4\d\d /);
		const isText = answer.payload.equals(Buffer.from(String(answer.payload)));
		assert.equal(answer.opcode, isText ? TEXT : BINARY);
	},
	'a text in a binary message may be anything to a WebSocket': async (ws) => {
		await ws.send(fragments(cut(plainRegister({ body: Buffer.from([0xff, 0xfe]) }), 7),
			{ opcode: BINARY }));
		assert.equal(answeredCseq(await ws.message()), 1);
	},
};

await scenario(RAW_WORLDS, async ({ files: { ca_pem } }) => {
	const kinds = { GOOD: [GOOD, good(ca_pem)], BAD: [BAD, bad(ca_pem)],
		COURSES: [COURSES, (play) => withOpen(ca_pem, play)] };
	await eachCase(kinds, ([cases, play]) => eachCase(cases, play));
});
