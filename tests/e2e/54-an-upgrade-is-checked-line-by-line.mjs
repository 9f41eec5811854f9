// SPDX-License-Identifier: BSD-3-Clause
// RFC 6455 section 4.2, RFC 7118 section 4: every row of the table of checks, and what 101 says.

import { eachCase } from './lib/cases.mjs';
import { GATEWAY_HOST, SITE_ORIGIN } from './lib/names.mjs';
import { RawWs, SAMPLE_KEY, acceptOf, upgradeText } from './lib/raw_ws.mjs';
import { RAW_WORLDS, assert, scenario } from './lib/scenario.mjs';

const WORLDS = RAW_WORLDS.map((world) => ({ ...world, served: [GATEWAY_HOST] }));
const key = (bytes) => Buffer.alloc(bytes, 7).toString('base64');

/** What may differ in an upgrade that is accepted. */
const GOOD = {
	'as the RFC has it': {},
	'tokens in other case': { headers: { Upgrade: 'WebSocket', Connection: 'uPgRaDe' } },
	'Connection with more tokens': { headers: { Connection: 'keep-alive, Upgrade' } },
	'Connection on two lines': { headers: { Connection: ['keep-alive', 'Upgrade'] } },
	'header names in other case': { headers: { 'Origin': null, 'oRiGiN': SITE_ORIGIN } },
	'no space after the colon': { text: upgradeText().replaceAll(': ', ':') },
	'white space around values': { text: upgradeText().replace(/: (.+)\r\n/g, ':\t  $1  \r\n') },
	'sip among other subprotocols': { headers: { 'Sec-WebSocket-Protocol': 'xmpp, sip' } },
	'subprotocols on two lines': { headers: { 'Sec-WebSocket-Protocol': ['xmpp', 'sip'] } },
	'compression offered': { headers: {
		'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' } },
	'cookies': { headers: { Cookie: 'a=b; c=d' } },
	'Origin with the default port': { headers: { Origin: `${SITE_ORIGIN}:443` } },
	'Origin in capitals': { headers: { Origin: SITE_ORIGIN.toUpperCase() } },
	'Host with the default port': { headers: { Host: `${GATEWAY_HOST}:443` } },
	'Host in capitals': { headers: { Host: GATEWAY_HOST.toUpperCase() } },
	'another key': { key: key(16), headers: { 'Sec-WebSocket-Key': key(16) } },
	'an absolute URI (RFC 6455 4.1)': { start: `GET https://${GATEWAY_HOST}/ HTTP/1.1` },
};

/** What is wrong -> [status, the upgrade, {header: value} the answer must have] */
const BAD = {
	'POST': [405, { start: 'POST / HTTP/1.1' }, { allow: 'GET' }],
	'HEAD': [405, { start: 'HEAD / HTTP/1.1' }, { allow: 'GET' }],
	'OPTIONS': [405, { start: 'OPTIONS / HTTP/1.1' }, { allow: 'GET' }],
	'HTTP/1.0': [400, { start: 'GET / HTTP/1.0' }],
	'no request line': [400, { start: 'nonsense' }],
	'no version': [400, { start: 'GET /' }],
	'SIP': [400, { start: 'REGISTER sip:ims.example.test SIP/2.0' }],
	'two spaces': [400, { start: 'GET  / HTTP/1.1' }],
	'no Host': [400, { headers: { Host: null } }],
	'two Hosts': [400, { headers: { Host: [GATEWAY_HOST, GATEWAY_HOST] } }],
	'a Host that is not served': [421, { headers: { Host: 'ep9.home9.net' } }],
	'a Host that ends like ours': [421, { headers: { Host: `x${GATEWAY_HOST}` } }],
	'a Host that begins like ours': [421, { headers: { Host: `${GATEWAY_HOST}.evil.example` } }],
	'a plain GET': [426, { headers: { Upgrade: null, Connection: null } },
		{ upgrade: 'websocket' }],
	'Upgrade: h2c': [400, { headers: { Upgrade: 'h2c' } }],
	'Upgrade: websocket2': [400, { headers: { Upgrade: 'websocket2' } }],
	'no Connection': [400, { headers: { Connection: null } }],
	'Connection without Upgrade': [400, { headers: { Connection: 'keep-alive' } }],
	'Connection: Upgrade2': [400, { headers: { Connection: 'Upgrade2' } }],
	'version 8': [426, { headers: { 'Sec-WebSocket-Version': '8' } },
		{ 'sec-websocket-version': '13' }],
	'version 14': [426, { headers: { 'Sec-WebSocket-Version': '14' } },
		{ 'sec-websocket-version': '13' }],
	'version 130': [426, { headers: { 'Sec-WebSocket-Version': '130' } },
		{ 'sec-websocket-version': '13' }],
	'no version of WebSocket': [426, { headers: { 'Sec-WebSocket-Version': null } },
		{ 'sec-websocket-version': '13' }],
	'no key': [400, { headers: { 'Sec-WebSocket-Key': null } }],
	'an empty key': [400, { headers: { 'Sec-WebSocket-Key': '' } }],
	'two keys': [400, { headers: { 'Sec-WebSocket-Key': [SAMPLE_KEY, key(16)] } }],
	'a key of 15 bytes': [400, { headers: { 'Sec-WebSocket-Key': key(15) } }],
	'a key of 17 bytes': [400, { headers: { 'Sec-WebSocket-Key': key(17) } }],
	'a key without padding': [400, { headers: { 'Sec-WebSocket-Key': key(16).slice(0, 22) } }],
	'a key that is not base64': [400,
		{ headers: { 'Sec-WebSocket-Key': '****************------==' } }],
	'a path that is not configured': [404, { start: 'GET /sip HTTP/1.1' }],
	'a path below': [404, { start: 'GET /x/ HTTP/1.1' }],
	'no subprotocol': [400, { headers: { 'Sec-WebSocket-Protocol': null } }],
	'another subprotocol': [400, { headers: { 'Sec-WebSocket-Protocol': 'xmpp, sip2, xsip' } }],
	'no Origin': [403, { headers: { Origin: null } }],
	'Origin null': [403, { headers: { Origin: 'null' } }],
	'an empty Origin': [403, { headers: { Origin: '' } }],
	'two Origins': [403, { headers: { Origin: [SITE_ORIGIN, SITE_ORIGIN] } }],
	'two Origins on one line': [403, { headers: { Origin: `${SITE_ORIGIN} ${SITE_ORIGIN}` } }],
	'Origin with a path': [403, { headers: { Origin: `${SITE_ORIGIN}/` } }],
	'Origin with another port': [403, { headers: { Origin: `${SITE_ORIGIN}:4443` } }],
	'Origin with http': [403, { headers: { Origin: SITE_ORIGIN.replace('https', 'http') } }],
	'Origin of a subdomain': [403, { headers: { Origin: 'https://a.shop.example' } }],
	'Origin that begins like ours': [403, { headers: { Origin: `${SITE_ORIGIN}.evil.example` } }],
	'Origin that ends like ours': [403, { headers: { Origin: 'https://evilshop.example' } }],
	'Origin with a user': [403, { headers: { Origin: 'https://x@shop.example' } }],
	'a folded line': [400, { headers: { 'X-Folded': 'a\r\n b' } }],
	'a space before a colon': [400, { headers: { 'X-Space ': 'a' } }],
	'a line without a colon': [400, { text: upgradeText().replace('\r\n', '\r\nnonsense\r\n') }],
	'a NUL in a value': [400, { headers: { 'X-Nul': 'a\0b' } }],
	'a header line of 70,000 bytes': [431, { headers: { 'X-Long': 'x'.repeat(70000) } }],
	'5,000 headers': [431, { headers: { 'X-Many': Array(5000).fill('x') } }],
};

const tokens = (values) => values.join(',').toLowerCase().split(/[ \t]*,[ \t]*/).sort();
const textOf = (upgrade) => upgrade.text ?? upgradeText(upgrade);

async function accepted({ ca_pem }, upgrade) {
	const ws = await RawWs.connect(ca_pem);
	try {
		await ws.send(textOf(upgrade));
		const answer = await ws.head();
		assert.equal(answer.start, 'HTTP/1.1 101 Switching Protocols');
		assert.deepEqual(answer.all('upgrade').map((value) => value.toLowerCase()), ['websocket']);
		assert.deepEqual(answer.all('connection').map((value) => value.toLowerCase()), ['upgrade']);
		assert.deepEqual(answer.all('sec-websocket-accept'), [acceptOf(upgrade.key ?? SAMPLE_KEY)]);
		assert.deepEqual(answer.all('sec-websocket-protocol'), ['sip']);
		for (const name of ['sec-websocket-extensions', 'set-cookie', 'content-length'])
			assert.deepEqual(answer.all(name), [], name);
		await ws.caughtUp();
	} finally {
		ws.destroy();
	}
}

async function refused({ ca_pem }, [status, upgrade, headers = {}]) {
	const ws = await RawWs.connect(ca_pem);
	try {
		await ws.send(textOf(upgrade));
		const answer = await ws.head();
		assert.equal(answer.status, status);
		/* RFC 9110 section 7.8: who sends Upgrade names it in Connection */
		assert.deepEqual(tokens(answer.all('connection')), answer.all('upgrade').length === 0
			? ['close'] : ['close', 'upgrade'], 'Connection');
		assert.deepEqual(answer.all('content-length'), ['0'], 'Content-Length: 0');
		for (const [name, value] of Object.entries(headers))
			assert.deepEqual(answer.all(name), [value], name);
		for (const name of ['sec-websocket-accept', 'sec-websocket-protocol'])
			assert.deepEqual(answer.all(name), [], `${name} in a refusal`);
		await ws.end();
	} finally {
		ws.destroy();
	}
}

async function byteByByte({ ca_pem }) {
	const ws = await RawWs.connect(ca_pem);
	await ws.sendSlowly(upgradeText());
	assert.equal((await ws.head()).status, 101);
	await ws.caughtUp();
	ws.destroy();
}

await scenario(WORLDS, async ({ files }) => {
	assert.equal(acceptOf(SAMPLE_KEY), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=', 'as in RFC 6455 1.3');
	await eachCase({ 'GOOD': GOOD, 'BAD': BAD, 'a byte a record': null }, async (cases) => {
		if (!cases)
			return byteByByte(files);
		return eachCase(cases, (one) => (cases === GOOD ? accepted : refused)(files, one));
	});
});
