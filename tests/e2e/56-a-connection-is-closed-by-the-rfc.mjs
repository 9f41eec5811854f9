// SPDX-License-Identifier: BSD-3-Clause
// RFC 6455 sections 5.5.1 and 7: codes, reasons and their echo, and what a closed connection does
// not do any more.

import { eachCase } from './lib/cases.mjs';
import { answeredCseq, plainRegister } from './lib/plain_register.mjs';
import { CLOSE, PING, PONG, RawWs, closeFrame, frame } from './lib/raw_ws.mjs';
import { RAW_WORLDS, assert, scenario } from './lib/scenario.mjs';

const BEHIND = frame({ payload: plainRegister({ cseq: 99 }) });
const utf8 = (...bytes) => Buffer.from(bytes);
const named = (list, make) => Object.fromEntries(list.map((one) => [`code ${one}`, make(one)]));

/** The Close that is sent, and the code that comes back. */
const ECHOED = {
	'no code': [closeFrame(), [null, 1000]],
	...named([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4401, 4999],
		(code) => [closeFrame(code), [code]]),
	'a reason': [closeFrame(1000, 'good bye'), [1000]],
	'a reason of 123 bytes': [closeFrame(1000, 'x'.repeat(123)), [1000]],
	'a reason in UTF-8': [closeFrame(1000, 'gr\u00fc\u00dfe \u{1f44b}'), [1000]],
};

const REFUSED = {
	'half a code': [frame({ opcode: CLOSE, payload: utf8(3) }), [1002]],
	...named([0, 1, 999, 1004, 1005, 1006, 1015, 5000, 9999, 65535],
		(code) => [closeFrame(code), [1002]]),
	/* RFC 6455 7.4.2 keeps these for itself: neither a refusal nor an echo breaks it */
	...named([1016, 1100, 2000, 2999], (code) => [closeFrame(code), [1002, code]]),
	'an overlong reason': [closeFrame(1000, 'x'.repeat(124)), [1002]],
	'a reason that is not UTF-8': [closeFrame(1000, utf8(0x61, 0xff, 0x62)), [1002, 1007]],
	'a reason with half a character': [closeFrame(1000, utf8(0xc3)), [1002, 1007]],
	'a reason with a surrogate': [closeFrame(1000, utf8(0xed, 0xa0, 0x80)), [1002, 1007]],
};

const NEVER_SENT = [1005, 1006, 1015]; /* 7.4.1 */

async function closing(ca, [bytes, codes]) {
	const ws = await RawWs.open(ca);
	try {
		await ws.send(Buffer.concat([bytes, BEHIND, frame({ opcode: PING, payload: 'late' })]));
		const code = await ws.closeCode();
		assert.ok(codes.includes(code), `Close ${code}, not ${codes.join(' or ')}`);
		assert.ok(!NEVER_SENT.includes(code), `${code} is never sent`);
		await ws.end();
		assert.deepEqual(ws.frames.map(({ opcode }) => opcode), [CLOSE],
			'the Close, and nothing else');
		assert.deepEqual(ws.breaches, []);
	} finally {
		ws.destroy();
	}
}

const COURSES = {
	'a Close inside a message': async (ws) => {
		await ws.send(Buffer.concat([frame({ payload: plainRegister(), fin: false }),
			closeFrame(1000)]));
		assert.equal(await ws.closeCode(), 1000);
		await ws.end();
		assert.equal(ws.messages.length, 0);
	},
	'what came before the Close is answered': async (ws) => {
		await ws.send(Buffer.concat([frame({ payload: plainRegister({ cseq: 7 }) }),
			frame({ opcode: PING, payload: 'before' }), closeFrame(1000)]));
		assert.equal(await ws.closeCode(), 1000);
		assert.equal(answeredCseq(await ws.message()), 7);
		assert.equal(String((await ws.nth(PONG)).payload), 'before');
		await ws.end();
		assert.equal(ws.frames.at(-1).opcode, CLOSE, 'the Close is last');
	},
	'a Close a byte a record': async (ws) => {
		await ws.sendSlowly(closeFrame(4000, 'slowly'));
		assert.equal(await ws.closeCode(), 4000);
		await ws.end();
	},
	'two Closes': async (ws) => {
		await ws.send(Buffer.concat([closeFrame(1000), closeFrame(1001)]));
		assert.equal(await ws.closeCode(), 1000);
		await ws.end();
		assert.equal(ws.frames.length, 1, 'one Close back');
	},
	'a refusal whose Close is not answered': async (ws) => {
		await ws.send(frame({ rsv: 1 }));
		assert.equal(await ws.closeCode(), 1002);
		await ws.end(); /* 7.1.1: the server closes, it does not wait for ever */
	},
	'TLS ends without a Close': async (ws) => {
		await ws.send(frame({ payload: plainRegister() }));
		await ws.message();
		ws.socket.end();
		await ws.end();
		assert.equal(ws.messages.length, 1);
	},
};

async function course(ca, play) {
	const ws = await RawWs.open(ca);
	try {
		await play(ws);
		assert.deepEqual(ws.breaches, []);
	} finally {
		ws.destroy();
	}
}

await scenario(RAW_WORLDS, async ({ files, gateway }) => {
	const kinds = { ECHOED: [ECHOED, closing], REFUSED: [REFUSED, closing],
		COURSES: [COURSES, course] };
	await eachCase(kinds, ([cases, play]) => eachCase(cases, (one) => play(files.ca_pem, one)));
	assert.deepEqual(await gateway.sessions(), [], 'nothing is left of them');
});
