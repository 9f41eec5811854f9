// SPDX-License-Identifier: BSD-3-Clause
// Draws SIP messages as arrows between columns, as they happen. Tokens never get into the picture.

import { contactExpires } from './sip.mjs';

const COLUMN = 24; /* characters between two life lines */
const LEFT = 8;    /* before the first one */
const MAX_DETAIL = 88;

/*
 * The two sides are watched by two programs whose news arrive in any order: wait this long before
 * drawing.
 */
const SETTLE_S = 0.3;
const LOOK_MS = 100;

const TOKEN = /eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+/g;

/** Anything that looks like a token is replaced, wherever it stands. */
export function redact(text) {
	return text.replace(TOKEN, '<token>').replace(/(Ft1|Bt1)\.[A-Za-z0-9_-]{8,}/g, '$1.<flow>');
}

export class Ladder {
	/** columns: names from left to right. */
	constructor(columns, print = console.log) {
		this.columns = columns;
		this.print = print;
		this.waiting = []; /* {time_s, arrow: arguments of #arrow} */
		setInterval(() => this.#drawBefore(Date.now() / 1000 - SETTLE_S), LOOK_MS).unref();
	}

	/** Takes an arrow that happened at time_s; it is drawn shortly after, in its place. */
	arrow(time_s, from, to, label, details = []) {
		this.waiting.push({ time_s, arrow: [from, to, label, details] });
	}

	#drawBefore(time_s) {
		const due = this.waiting.filter((event) => event.time_s <= time_s)
			.sort((a, b) => a.time_s - b.time_s);
		this.waiting = this.waiting.filter((event) => event.time_s > time_s);
		for (const { arrow } of due)
			this.#draw(...arrow);
	}

	#at(column) {
		return LEFT + this.columns.indexOf(column) * COLUMN;
	}

	/** Life lines, with text written over them. */
	#line(pieces = []) {
		const width = this.#at(this.columns.at(-1)) + 1;
		const cells = Array.from({ length: width }, () => ' ');
		for (const column of this.columns)
			cells[this.#at(column)] = '|';
		for (const { at, text } of pieces)
			[...text].forEach((letter, i) => cells[at + i] = letter);
		return cells.map((cell) => cell ?? ' ').join('').trimEnd();
	}

	head() {
		const pieces = this.columns.map((name) =>
			({ at: Math.max(0, this.#at(name) - (name.length >> 1)), text: name }));
		const cells = [];
		for (const { at, text } of pieces)
			[...text].forEach((letter, i) => cells[at + i] = letter);
		this.print(`\n${Array.from(cells, (cell) => cell ?? ' ').join('')}`);
		this.print(this.#line());
	}

	/** Draws all there is, then a line of text. */
	note(text) {
		this.#drawBefore(Infinity);
		this.print(`${this.#line()}\n-- ${redact(text)}\n${this.#line()}`);
	}

	/** An arrow with a label, and the lines worth reading under it, at the end it points to. */
	#draw(from, to, label, details) {
		const [left, right] = [this.#at(from), this.#at(to)].sort((a, b) => a - b);
		const room = right - left - 1;
		const text = ` ${redact(label).slice(0, room - 6)} `;
		const before = (room - text.length) >> 1;
		const shaft = '-'.repeat(before) + text + '-'.repeat(room - before - text.length);
		const drawn = this.#at(from) === left ? `${shaft.slice(0, -1)}>` : `<${shaft.slice(1)}`;
		this.print(this.#line([{ at: left + 1, text: drawn }]));
		for (const detail of details)
			this.print(this.#line([{ at: left + 3, text: redact(detail) }]));
	}
}

const SHOWN = {
	REGISTER: ['Authorization', 'Path', 'Expires', 'P-Visited-Network-ID'],
	MESSAGE: ['P-Asserted-Identity', 'P-Called-Party-ID', 'Route'],
};

/** What to write on the arrow of a message, and under it. */
export function describe(sip) {
	const cseq = sip.header('CSeq').split(' ')[1];
	if (sip.status !== null)
		return { label: `${sip.start.slice('SIP/2.0 '.length)} (${cseq})`, details: [] };
	const leaving = contactExpires(sip.header('Contact')) === 0 || sip.header('Expires') === '0';
	const details = (SHOWN[cseq] ?? []).filter((name) => sip.header(name) !== null)
		.map((name) => `${name}: ${shorten(sip.header(name))}`);
	if (cseq === 'MESSAGE')
		details.push(`"${sip.body}"`);
	return { label: leaving ? 'REGISTER, leaving' : cseq, details };
}

function shorten(value) {
	const text = redact(value).replace(/,\s*(nonce|response|realm|uri)="[^"]*"/g, '');
	return text.length > MAX_DETAIL ? `${text.slice(0, MAX_DETAIL - 3)}...` : text;
}
