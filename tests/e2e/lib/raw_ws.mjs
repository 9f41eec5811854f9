// SPDX-License-Identifier: BSD-3-Clause
// A WebSocket client that can say anything: TLS and every byte above it are the script's. Written
// from RFC 6455 alone, without a WebSocket library, so that what no library would send can be sent.

import { createHash, randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { connect } from 'node:tls';
import { CLIENT_ADDRESSES, GATEWAY_HOST, SITE_ORIGIN } from './names.mjs';
import { waitFor, within } from './process.mjs';

/* RFC 6455 section 1.3 */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const HEAD_END = '\r\n\r\n';
const CONTROL_MAX = 125;
export const SAMPLE_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

export const CONTINUATION = 0;
export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

export const acceptOf = (key) => createHash('sha1').update(key + ACCEPT_SUFFIX).digest('base64');

/** The header lines of a good upgrade, to be changed by name: {name: value or list of values}. */
export const GOOD_UPGRADE = {
	'Host': GATEWAY_HOST,
	'Upgrade': 'websocket',
	'Connection': 'Upgrade',
	'Sec-WebSocket-Key': SAMPLE_KEY,
	'Sec-WebSocket-Version': '13',
	'Sec-WebSocket-Protocol': 'sip',
	'Origin': SITE_ORIGIN,
};

/** The text of an upgrade. headers: changes to GOOD_UPGRADE; null takes a line out. */
export function upgradeText({ start = 'GET / HTTP/1.1', headers = {} } = {}) {
	const lines = Object.entries({ ...GOOD_UPGRADE, ...headers }).flatMap(([name, values]) =>
		[values].flat().filter((value) => value !== null).map((value) => `${name}: ${value}`));
	return [start, ...lines, '', ''].join('\r\n');
}

const FORMS = { 7: [1, 0], 16: [3, 126], 64: [9, 127] };
const shortestForm = (length) => length <= CONTROL_MAX ? 7 : length <= 0xffff ? 16 : 64;

/**
 * The bytes of one frame. length: what its header says, when that is not the payload's; form: 7, 16
 * or 64 bits of it; mask null: none.
 */
export function frame({ opcode = TEXT, payload = '', fin = true, rsv = 0, mask = randomBytes(4),
	length, form } = {}) {
	const plain = Buffer.from(payload);
	const said = length ?? plain.length;
	const [bytes, mark] = FORMS[form ?? shortestForm(Number(said))];
	const head = Buffer.alloc(1 + bytes);
	head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
	head[1] = (mask ? 0x80 : 0) | (bytes === 1 ? Number(said) : mark);
	if (bytes === 3)
		head.writeUInt16BE(Number(said), 2);
	else if (bytes === 9)
		head.writeBigUInt64BE(BigInt(said), 2);
	return mask ? Buffer.concat([head, mask, plain.map((byte, at) => byte ^ mask[at % 4])])
		: Buffer.concat([head, plain]);
}

/** The frames of one message, cut into `pieces`; between(n): bytes sent in front of piece n. */
export function fragments(pieces, { opcode = TEXT, between = () => Buffer.alloc(0) } = {}) {
	return Buffer.concat(pieces.flatMap((payload, at) => [between(at), frame({
		opcode: at === 0 ? opcode : CONTINUATION, fin: at === pieces.length - 1, payload })]));
}

/** text as a list of pieces of `size` bytes. */
export function cut(text, size) {
	const bytes = Buffer.from(text);
	return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
		bytes.subarray(at * size, (at + 1) * size));
}

/** A Close with this code, or none, and this reason. */
export function closeFrame(code, reason = '', options = {}) {
	const number = Buffer.alloc(code === undefined ? 0 : 2);
	if (code !== undefined)
		number.writeUInt16BE(code);
	return frame({ opcode: CLOSE, payload: Buffer.concat([number, Buffer.from(reason)]),
		...options });
}

/** Reads a frame of the server off the front: {frame, rest}, or null when it is not whole. */
function readFrame(bytes) {
	if (bytes.length < 2)
		return null;
	const mark = bytes[1] & 0x7f;
	const start = mark === 126 ? 4 : mark === 127 ? 10 : 2;
	if (bytes.length < start)
		return null;
	const length = mark === 126 ? bytes.readUInt16BE(2)
		: mark === 127 ? Number(bytes.readBigUInt64BE(2)) : mark;
	if (bytes.length < start + length)
		return null;
	return { rest: bytes.subarray(start + length), frame: {
		fin: Boolean(bytes[0] & 0x80), rsv: (bytes[0] >> 4) & 7, opcode: bytes[0] & 15,
		masked: Boolean(bytes[1] & 0x80), form: mark === 126 ? 16 : mark === 127 ? 64 : 7,
		payload: Buffer.from(bytes.subarray(start, start + length)) } };
}

/** What is wrong with a frame of a server that keeps RFC 6455, or null. */
function breach({ fin, rsv, opcode, masked, form, payload }) {
	if (masked)
		return 'a masked frame of the server (5.1)';
	if (rsv !== 0)
		return 'a reserved bit without an extension (5.2)';
	if (form !== shortestForm(payload.length))
		return 'a length that is not the shortest (5.2)';
	if (opcode >= CLOSE && (!fin || payload.length > CONTROL_MAX))
		return 'a control frame in fragments, or too long (5.5)';
	return null;
}

/** How an HTTP answer begins: {status, headers: [{name, value}], rest}, or null. */
function readHead(bytes) {
	const end = bytes.indexOf(HEAD_END);
	if (end < 0)
		return null;
	const [start, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
	const headers = lines.map((line) => {
		const colon = line.indexOf(':');
		return { name: line.slice(0, colon).toLowerCase(), value: line.slice(colon + 1).trim() };
	});
	const all = (name) => headers.filter((line) => line.name === name).map(({ value }) => value);
	return { start, status: Number(/^HTTP\/1\.1 (\d{3})( |$)/.exec(start)?.[1]), headers, all,
		rest: bytes.subarray(end + HEAD_END.length) };
}

export class RawWs {
	/** TLS, and nothing said yet. */
	static async connect(ca) {
		const { address, family } = await lookup(GATEWAY_HOST);
		const socket = connect({ host: address, port: 443, servername: GATEWAY_HOST, ca,
			localAddress: CLIENT_ADDRESSES[family], ALPNProtocols: ['http/1.1'] });
		socket.setNoDelay(true);
		await within('TLS handshake', new Promise((resolve, reject) => {
			socket.once('secureConnect', resolve);
			socket.once('error', reject);
		}));
		return new RawWs(socket);
	}

	/** An open WebSocket. */
	static async open(ca, upgrade) {
		const ws = await RawWs.connect(ca);
		ws.send(upgradeText(upgrade));
		const answer = await ws.head();
		if (answer.status !== 101)
			throw new Error(`upgrade answered ${answer.start}`);
		return ws;
	}

	constructor(socket) {
		this.socket = socket;
		this.unread = Buffer.alloc(0);
		this.answer = null;      /* the head of the HTTP answer */
		this.frames = [];        /* received, and kept to RFC 6455 */
		this.breaches = [];
		this.ended = false;      /* the other side has closed */
		socket.on('data', (bytes) => this.#take(bytes));
		socket.on('error', () => {}); /* the end follows */
		for (const event of ['end', 'close'])
			socket.on(event, () => this.ended = true);
	}

	#take(bytes) {
		this.unread = Buffer.concat([this.unread, bytes]);
		if (!this.answer) {
			this.answer = readHead(this.unread);
			this.unread = this.answer?.rest ?? this.unread;
		}
		if (this.answer?.status !== 101)
			return;
		for (let read; (read = readFrame(this.unread)) !== null; this.unread = read.rest) {
			this.frames.push(read.frame);
			const wrong = breach(read.frame);
			if (wrong)
				this.breaches.push(wrong);
		}
	}

	/** Sends bytes, in one TLS record when they fit in one. Resolves when they have left. */
	send(bytes) {
		return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
	}

	/** Sends every byte in a TLS record of its own. */
	async sendSlowly(bytes) {
		const all = Buffer.from(bytes);
		for (let at = 0; at < all.length && !this.ended; at += 1)
			await this.send(all.subarray(at, at + 1));
	}

	/** The head of the HTTP answer. */
	head() {
		return waitFor('an HTTP answer', () => this.answer ?? this.#lost('an HTTP answer'));
	}

	#lost(what) {
		if (this.ended)
			throw new Error(`the gateway closed without ${what}`);
		return null;
	}

	/** Waits for frame number n of those with this opcode. */
	nth(opcode, n = 0) {
		const what = `frame ${n} with opcode ${opcode}`;
		return waitFor(what, () => this.frames.filter((one) => one.opcode === opcode)[n]
			?? this.#lost(`${what}: ${this.#seen()}`));
	}

	#seen() {
		return `seen ${this.frames.map(({ opcode, payload }) => opcode === CLOSE
			? `close ${payload.length >= 2 ? payload.readUInt16BE(0) : '-'}` : `opcode ${opcode}`)
			.join(', ') || 'nothing'}`;
	}

	/** Messages with SIP or keep-alive in them: data frames, which servers here do not fragment. */
	get messages() {
		return this.frames.filter(({ opcode }) => opcode === TEXT || opcode === BINARY);
	}

	message(n = 0) {
		return waitFor(`message ${n}`, () => this.messages[n]
			?? this.#lost(`message ${n}: ${this.#seen()}`));
	}

	/** Waits for the Close and returns its code, null when it has none. */
	async closeCode() {
		const { payload } = await this.nth(CLOSE);
		return payload.length >= 2 ? payload.readUInt16BE(0) : null;
	}

	/** Waits until the other side has closed the connection. */
	end() {
		return waitFor('the gateway closes the connection', () => this.ended);
	}

	/** Waits until the gateway has answered a ping: it has read all that was sent before. */
	async caughtUp() {
		const mark = randomBytes(8);
		await this.send(frame({ opcode: PING, payload: mark }));
		await waitFor('the answer to a ping', () => this.frames.some(({ opcode, payload }) =>
			opcode === PONG && payload.equals(mark)) || this.#lost(`a pong: ${this.#seen()}`));
	}

	destroy() {
		this.socket.destroy();
	}
}
