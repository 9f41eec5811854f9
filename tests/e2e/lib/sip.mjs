// SPDX-License-Identifier: BSD-3-Clause
// Enough SIP to look at messages and to write them. Strict on purpose: what does not look like SIP
// throws.

const HEAD_END = '\r\n\r\n';

/** Reads one message. Header names are compared without regard to case; folded lines are joined. */
export function parseSip(text) {
	const end = text.indexOf(HEAD_END);
	if (end < 0)
		throw new Error(`no end of headers in ${JSON.stringify(text.slice(0, 80))}`);
	const [start, ...lines] = text.slice(0, end).replace(/\r\n[ \t]+/g, ' ').split('\r\n');
	const headers = lines.map((line) => {
		const colon = line.indexOf(':');
		if (colon < 1)
			throw new Error(`no header line: ${JSON.stringify(line)}`);
		const name = line.slice(0, colon).trim().toLowerCase();
		return { name, value: line.slice(colon + 1).trim() };
	});
	const response = /^SIP\/2\.0 (\d{3}) /.exec(`${start} `);
	const request = /^([A-Z]+) (\S+) SIP\/2\.0$/.exec(start);
	if (!response && !request)
		throw new Error(`no SIP start line: ${JSON.stringify(start)}`);
	const all = (name) => headers.filter((h) => h.name === name.toLowerCase()).map((h) => h.value);
	return {
		text, start, headers, all,
		status: response ? Number(response[1]) : null,
		method: request ? request[1] : null,
		uri: request ? request[2] : null,
		body: text.slice(end + HEAD_END.length),
		header: (name) => all(name)[0] ?? null,
	};
}

/** Writes a message: start line, [name, value] pairs, body. Content-Length is counted here. */
export function writeSip(start, headers, body = '') {
	const lines = headers.filter(([, value]) => value !== null && value !== undefined)
		.map(([name, value]) => `${name}: ${value}`);
	return [start, ...lines, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
}

/** The response to a request: what must be copied is (RFC 3261 section 8.2.6.2). */
export function answerSip(request, status, reason, tag) {
	const to = request.header('To');
	return writeSip(`SIP/2.0 ${status} ${reason}`, [
		...request.all('Via').map((value) => ['Via', value]),
		...request.all('Record-Route').map((value) => ['Record-Route', value]),
		['From', request.header('From')],
		['To', /;\s*tag=/.test(to) ? to : `${to};tag=${tag}`],
		['Call-ID', request.header('Call-ID')],
		['CSeq', request.header('CSeq')],
	]);
}

/**
 * Cuts the complete messages off the front of a byte stream (RFC 3261 section 18.3). Returns them
 * as text together with the bytes that are left.
 */
export function cutSipStream(bytes) {
	const texts = [];
	let rest = bytes;
	for (;;) {
		let skip = 0; /* keep-alives between messages */
		while (rest[skip] === 13 || rest[skip] === 10)
			skip += 1;
		rest = rest.subarray(skip);
		const end = rest.indexOf(HEAD_END);
		if (end < 0)
			return { texts, rest };
		const head = rest.subarray(0, end).toString('latin1');
		const length = /^(?:content-length|l)[ \t]*:[ \t]*(\d+)/im.exec(head);
		const total = end + HEAD_END.length + (length ? Number(length[1]) : 0);
		if (rest.length < total)
			return { texts, rest };
		texts.push(rest.subarray(0, total).toString());
		rest = rest.subarray(total);
	}
}

/** The number behind `;expires=` of a Contact, or null. */
export function contactExpires(contact) {
	const found = /;\s*expires=(\d+)/i.exec(contact ?? '');
	return found ? Number(found[1]) : null;
}
