// SPDX-License-Identifier: BSD-3-Clause
// SIP as a core might read it that forgives everything: names in any spelling, compact forms,
// folds.
// What a hostile client may have smuggled in is found here, and bytes stay bytes (latin1).

const COMPACT = { a: 'accept-contact', b: 'referred-by', c: 'content-type',
	d: 'request-disposition',
	e: 'content-encoding', f: 'from', i: 'call-id', j: 'reject-contact', k: 'supported',
	l: 'content-length', m: 'contact', o: 'event', r: 'refer-to', s: 'subject', t: 'to',
	u: 'allow-events', v: 'via', x: 'session-expires', y: 'identity' };
const HEAD_END = '\r\n\r\n';

const longName = (name) => COMPACT[name.trim().toLowerCase()] ?? name.trim().toLowerCase();

/** The values of one line that has several, cut at the commas outside quotes and angle brackets. */
export function splitValues(value) {
	const found = [''];
	let quoted = false;
	let depth = 0;
	for (let at = 0; at < value.length; at += 1) {
		const char = value[at];
		if (quoted && char === '\\') {
			found[found.length - 1] += char + (value[++at] ?? '');
			continue;
		}
		quoted = quoted !== (char === '"');
		depth += quoted ? 0 : Number(char === '<') - Number(char === '>');
		if (char === ',' && !quoted && depth <= 0)
			found.push('');
		else
			found[found.length - 1] += char;
	}
	return found.map((one) => one.trim());
}

/** The URI in a name-addr or addr-spec. */
export const uriOf = (value) => /<([^>]*)>/.exec(value)?.[1] ?? value.split(';')[0].trim();
export const tagOf = (value) => /;\s*tag\s*=\s*([^;\s]+)/i.exec(value.replace(/^.*>/s,
	''))?.[1] ?? null;

/** Reads one message; bytes: a Buffer or its latin1 text. Never throws. */
export function readLoose(bytes) {
	const text = typeof bytes === 'string' ? bytes : bytes.toString('latin1');
	const end = text.includes(HEAD_END) ? text.indexOf(HEAD_END) : text.length;
	const [start, ...lines] = text.slice(0, end).replace(/\r\n[ \t]+/g, ' ').split('\r\n');
	const headers = lines.map((line) => {
		const colon = line.includes(':') ? line.indexOf(':') : line.length;
		return { name: longName(line.slice(0, colon)), raw: line.slice(0, colon),
			value: line.slice(colon + 1).trim() };
	});
	const status = /^SIP\/2\.0 +(\d{3})(?!\d)/.exec(start)?.[1];
	const all = (name) => headers.filter((one) => one.name === longName(name))
		.map(({ value }) => value);
	const cseq = /^(\d+)\s+(\S+)/.exec(all('cseq')[0] ?? '') ?? [];
	return {
		text, start, headers, all,
		status: status ? Number(status) : null,
		method: start.startsWith('SIP/') ? null : start.split(' ')[0],
		uri: start.startsWith('SIP/') ? null : start.split(' ')[1] ?? null,
		body: text.slice(end + HEAD_END.length),
		header: (name) => all(name)[0] ?? null,
		list: (name) => all(name).flatMap(splitValues),
		call_id: all('call-id')[0] ?? null,
		cseq: Number(cseq[1]), cseq_method: cseq[2] ?? null,
		at_ms: Date.now(),
	};
}

/** A message of lines, each a text as it shall stand there or [name, value]; null is left out. */
export function writeLoose(start, lines, body = '', length = Buffer.byteLength(body)) {
	const texts = lines.filter((line) => line !== null && line?.[1] !== null)
		.map((line) => Array.isArray(line) ? `${line[0]}: ${line[1]}` : line);
	return [start, ...texts, ...(length === null ? [] : [`Content-Length: ${length}`]), '', body]
		.join('\r\n');
}
