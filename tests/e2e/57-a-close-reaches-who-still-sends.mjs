// SPDX-License-Identifier: BSD-3-Clause
// RFC 6455 section 7.1.1: the server half-closes and reads on until the peer has closed. A socket
// that is closed with bytes unread is reset, and the reset takes the Close with it: the page then
// sees 1006 and not why.

import { eachCase } from './lib/cases.mjs';
import { plainRegister } from './lib/plain_register.mjs';
import { RawWs, closeFrame, cut, fragments, frame } from './lib/raw_ws.mjs';
import { RAW_WORLDS, assert, scenario } from './lib/scenario.mjs';

const MORE = Buffer.concat(Array(40).fill(frame({ payload: plainRegister({ size: 5000 }) })));
const CASES = {
	'a reserved bit': [frame({ rsv: 4 }), 1002],
	'a length above the limit': [frame({ length: 1 << 20 }), 1009],
	'65537 bytes in two fragments': [fragments(cut(plainRegister({ size: 65537 }), 65536)), 1009],
	'a Close': [closeFrame(1000), 1000],
};

await scenario(RAW_WORLDS, ({ files }) => eachCase(CASES, async ([bytes, code]) => {
	const ws = await RawWs.open(files.ca_pem);
	try {
		ws.send(Buffer.concat([bytes, MORE])); /* not all of it may be taken */
		assert.equal(await ws.closeCode(), code);
		assert.equal(ws.messages.length, 0, 'nothing behind it was read as a message');
	} finally {
		ws.destroy();
	}
}));
