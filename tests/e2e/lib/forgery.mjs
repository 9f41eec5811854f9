// SPDX-License-Identifier: BSD-3-Clause
// What a WIC may say and the core must never hear (PROTOCOL 9.1), each with a mark in it, in every
// spelling that a parser somewhere may read. A mark on Mw is the whole proof.

import assert from 'node:assert/strict';

const EVIL = 'evil.example';

/** The value of each header, with a mark in it. */
const MARKED = {
	'P-Asserted-Identity': (mark) => `<sip:${mark}@${EVIL}>`,
	'P-Asserted-Service': (mark) => `urn:urn-7:3gpp-service.ims.icsi.${mark}`,
	'P-Associated-URI': (mark) => `<sip:${mark}@${EVIL}>`,
	'P-Called-Party-ID': (mark) => `<sip:${mark}@${EVIL}>`,
	'P-Charging-Vector': (mark) => `icid-value="${mark}";orig-ioi=${EVIL}`,
	'P-Charging-Function-Addresses': (mark) => `ccf=${mark}`,
	'P-Visited-Network-ID': (mark) => `"${mark}"`,
	'P-Served-User': (mark) => `<sip:${mark}@${EVIL}>;sescase=orig;regstate=reg`,
	'P-Profile-Key': (mark) => `<sip:${mark}@${EVIL}>`,
	'P-User-Database': (mark) => `<aaa://${mark}.example>`,
	'P-Private-Network-Indication': (mark) => `${mark}.example`,
	'Path': (mark) => `<sip:${mark}@${EVIL};lr;ob>`,
	'Service-Route': (mark) => `<sip:${mark}@${EVIL};lr>`,
	'Feature-Caps': (mark) => `*;+g.3gpp.${mark}`,
	'Restoration-Info': (mark) => `"${mark}"`,
	'Relayed-Charge': (mark) => `scscf;x=${mark}`,
	'Service-Interact-Info': (mark) => `DSI=${mark}`,
	'Cellular-Network-Info': (mark) => `3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=${mark}`,
	'Response-Source': (mark) => `fe=<urn:3gpp:fe:${mark}>`,
	'Attestation-Info': (mark) => mark,
	'Origination-Id': (mark) => mark,
	'Additional-Identity': (mark) => `<sip:${mark}@${EVIL}>`,
	'Resource-Priority': (mark) => `wps.${mark}`,
	'Security-Client': (mark) => `ipsec-3gpp;alg=${mark}`,
	'Security-Verify': (mark) => `ipsec-3gpp;q=0.1;alg=${mark}`,
	'History-Info': (mark) => `<sip:${mark}@${EVIL}>;index=1`,
	'P-Access-Network-Info': (mark) =>
		`3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=${mark};network-provided`,
};

const markOf = (name) => `forged${name.replaceAll('-', '').toLowerCase()}`;

/** Headers that are removed by what they say: the value is its own mark. */
const BY_VALUE = [['Priority', 'psap-callback'], ['Require', 'sec-agree'],
	['Proxy-Require', 'sec-agree']];

/** Only where a route of the sender's is never used: outside dialogs. */
const ROUTES = ['Route', 'Record-Route'].map((name) =>
	({ name, value: `<sip:${markOf(name)}@${EVIL};lr;orig>`, mark: markOf(name) }));

/** [{name, value, mark}] */
export const FORGED = [
	...Object.entries(MARKED).map(([name, value]) =>
		({ name, value: value(markOf(name)), mark: markOf(name) })),
	...BY_VALUE.map(([name, value]) => ({ name, value, mark: value })),
	{ name: 'P-Access-Network-Info', value: 'IEEE-802.11;i-wlan-node-id=forgednp;np',
		mark: 'forgednp' },
	{ name: 'P-Access-Network-Info', value: 'IEEE-802.11;i-wlan-node-id=forgednpspaced ; \tNP',
		mark: 'forgednpspaced' },
	{ name: 'P-Access-Network-Info', mark: 'forgednpcapitals',
		value: 'IEEE-802.11;Network-Provided;i-wlan-node-id=forgednpcapitals' },
	{ name: 'Priority', value: 'PSAP-CallBack', mark: 'psap-callback' },
	{ name: 'Require', value: 'SEC-Agree', mark: 'sec-agree' },
	{ name: 'Proxy-Require', value: 'Sec-agree', mark: 'sec-agree' },
];
export const FORGED_OUTSIDE = [...FORGED, ...ROUTES];

const mixed = (name) => [...name].map((char, at) => at % 2 ? char.toUpperCase()
	: char.toLowerCase()).join('');
const line = (write) => ({ name, value }) => write(name, value);

/** Spellings that RFC 3261 section 7.3.1 allows: the request is good, and goes on without them. */
export const SPELLINGS = {
	'as it is written': line((n, v) => `${n}: ${v}`),
	'in small letters': line((n, v) => `${n.toLowerCase()}: ${v}`),
	'in capitals': line((n, v) => `${n.toUpperCase()}: ${v}`),
	'in mixed case': line((n, v) => `${mixed(n)}: ${v}`),
	'with spaces before the colon': line((n, v) => `${n}   : ${v}`),
	'with a tab before the colon': line((n, v) => `${n}\t:${v}`),
	'with no space': line((n, v) => `${n}:${v}`),
	'folded behind the colon': line((n, v) => `${n}:\r\n ${v}`),
	'folded by a tab': line((n, v) => `${n} :\r\n\t${v}`),
	'folded before its parameters': line((n, v) => `${n}: ${v.replace(';', '\r\n ;')}`),
	'twice': line((n, v) => `${n}: ${v}\r\n${n}: ${v}`),
	'twice, one in small letters': line((n, v) => `${n}: ${v}\r\n${n.toLowerCase()}: ${v}`),
	'twice, with something between': line((n, v) => `${n}: ${v}\r\nX-Between: y\r\n${n}: ${v}`),
	'with white space at its end': line((n, v) => `${n}: ${v}  \t `),
	'several values in one line': line((n, v) => n === 'Priority' ? `${n}: ${v}`
		: `${n}: ${v}, ${v}`),
	'several values, folded between': line((n, v) => n === 'Priority' ? `${n}: ${v}`
		: `${n}: ${v},\r\n ${v}`),
};

/** What no grammar allows and some parser reads: refused, or gone. */
export const SLY_SPELLINGS = {
	'behind a bare LF': line((n, v) => `X-Sly: a\n${n}: ${v}`),
	'behind a bare CR': line((n, v) => `X-Sly: a\r${n}: ${v}`),
	'behind LF CR': line((n, v) => `X-Sly: a\n\r${n}: ${v}`),
	'behind an empty header of its name': line((n, v) => `${n}:\r\n${n}: ${v}`),
	'with a fold before the colon': line((n, v) => `${n}\r\n : ${v}`),
	'with a NUL behind the name': line((n, v) => `${n}\0: ${v}`),
	'with a form feed before the colon': line((n, v) => `${n}\f: ${v}`),
	'with a no-break space before the colon': line((n, v) => `${n}\u00a0: ${v}`),
	'with two colons': line((n, v) => v.includes('forged') ? `${n}:: ${v}` : 'X-Sly:: a'),
	'with a fold of white space only': line((n, v) => `${n}: \r\n \r\n ${v}`),
};

/** {"name, spelling": {text, marks}} of each header in each of these spellings. */
export function eachForgery(forged, spellings) {
	return Object.fromEntries(Object.entries(spellings).flatMap(([how, spell]) =>
		forged.map((one) => [`${one.name} (${one.mark}) ${how}`,
			{ text: spell(one), marks: [one.mark] }])));
}

/** {spelling: {text, marks}}, all headers together. */
export function allForgeries(forged, spellings) {
	return Object.fromEntries(Object.entries(spellings).map(([how, spell]) =>
		[`all ${how}`, { text: forged.map(spell).join('\r\n'),
			marks: forged.map(({ mark }) => mark) }]));
}

/** A multipart body with a token in it, as an attachment (PROTOCOL 3.2). */
export const tokenBody = (token) => ({ lines: [['Content-Type', 'multipart/mixed;boundary=cut'],
	['MIME-Version', '1.0']],
body: '--cut\r\nContent-Type: application/jwt\r\nContent-Disposition: by-reference;handling=optional'
	+ `\r\n\r\n${token}\r\n--cut\r\nContent-Type: text/plain\r\n\r\nhello\r\n--cut--\r\n` });

/** None of the marks is in a text that reached the core. */
export function assertClean(text, marks, what) {
	const found = marks.filter((mark) => text.toLowerCase().includes(mark));
	assert.deepEqual(found, [], `${what}: forged on Mw`);
}

/** Nothing marked was ever heard by a core. */
export function assertNothingForged(peer) {
	const found = /forged[a-z]*|psap-callback(?!s)|sec-agree(?!ment)/i.exec(peer.everything());
	assert.equal(found?.[0] ?? null, null, `on Mw: ${peer.everything().slice(
		Math.max(0, (found?.index ?? 0) - 80), (found?.index ?? 0) + 80)}`);
}
