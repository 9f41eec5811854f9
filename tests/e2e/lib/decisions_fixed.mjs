// SPDX-License-Identifier: BSD-3-Clause
// Decisions without a setting: {id, what, observe(stage), is}.

import { createHmac } from 'node:crypto';
import WebSocket from 'ws';
import { GATEWAY_URL, SITE_ORIGIN, impu } from './names.mjs';
import { waitFor } from './process.mjs';

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const onMw = (name) => async (stage) => (await stage.registers()).register.all(name);

/** What the gateway agrees to of what a browser offers. */
async function extensions(stage) {
	const socket = new WebSocket(GATEWAY_URL, 'sip', { origin: SITE_ORIGIN, ca: stage.world.files.ca_pem,
		perMessageDeflate: true });
	await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
	const agreed = socket.extensions;
	socket.close();
	return agreed;
}

/** A token by the algorithm that needs a secret, with the public key as one. */
function symmetric(stage, user) {
	const [header, payload] = stage.world.mint.issue(user, { header: { alg: 'HS256' } }).split('.');
	const mac = createHmac('sha256', stage.world.mint.jwks()).update(`${header}.${payload}`).digest('base64url');
	return `${header}.${payload}.${mac}`;
}

/** How the core is answered for a WIC that has gone. */
const gone = (contact) => async (stage) => {
	const { wic } = await stage.registers({ contact });
	const way = await stage.peer.learn(wic);
	await wic.close();
	await waitFor('its connection has gone', async () =>
		!(await stage.world.gateway.sessions()).some(({ impu: one }) => one === impu(wic.user)));
	const { call_id } = await stage.peer.ask('MESSAGE', way);
	const answer = await stage.peer.response(call_id, 'MESSAGE');
	return [answer.status, answer.header('Reason')];
};

export const FIXED = [
	{ id: 'D-04', what: 'a token of an issuer whose site is another one\'s', observe: async (stage) => {
		const { answer } = await stage.registers({ claims: { wwsf: 'another' } });
		return answer.status;
	}, is: 403 },
	{ id: 'D-05', what: 'no extension of WebSocket', observe: extensions, is: '' },
	{ id: 'D-06', what: 'no received, and rport as it came', observe: async (stage) => {
		const { wic, answer } = await stage.registers({ via: 'SIP/2.0/WSS x.invalid;rport;branch=z9hG4bKd06' });
		await wic.close();
		return answer.all('Via');
	}, is: ['SIP/2.0/WSS x.invalid;rport;branch=z9hG4bKd06'] },
	{ id: 'D-07', what: 'two Vias', observe: async (stage) => (await stage.registers({ lines:
		[['Via', 'SIP/2.0/WSS y.invalid;branch=z9hG4bKsecond']] })).answer.status, is: 400 },
	{ id: 'D-08', what: 'an encrypted token', observe: async (stage) => {
		const { answer } = await stage.registers({ token:
			`${encode({ alg: 'RSA-OAEP', enc: 'A256GCM' })}.AAAA.AAAA.AAAA.AAAA` });
		return [answer.status, /error="invalid_token"/.test(answer.header('WWW-Authenticate'))];
	}, is: [401, true] },
	{ id: 'D-11', what: 'a token by HMAC', observe: async (stage) => {
		const wic = await stage.connect();
		return (await stage.registers({ wic, token: symmetric(stage, wic.user) })).answer.status;
	}, is: 401 },
	{ id: 'D-14', what: 'quotes', observe: async (stage) =>
		/integrity-protected="auth-done"/.test((await stage.registers()).register.header('Authorization')), is: true },
	{ id: 'D-17', what: 'header fields in a Contact', observe: async (stage) => (await stage.registers({ contact: (wic) =>
		`<sip:${wic.user}@${wic.host};transport=ws?Route=%3Csip:x%3E>` })).answer.status, is: 400 },
	{ id: 'D-27', what: 'History-Info of a WIC', observe: async (stage) => (await stage.says('MESSAGE', {
		lines: [['History-Info', '<sip:x@y>;index=1'], ['X-Kept', '1']] })).arrived.headers
		.filter(({ name }) => ['history-info', 'x-kept'].includes(name)).map(({ name }) => name), is: ['x-kept'] },
	{ id: 'D-28', what: 'path is supported and required', observe: async (stage) => {
		const { register } = await stage.registers({ lines: [['Supported', 'gruu']] });
		return [register.list('Supported').includes('path'), register.list('Require')];
	}, is: [true, ['path']] },
	{ id: 'D-29', what: 'no Path for a WIC', observe: async (stage) => {
		const { answer, register } = await stage.registers();
		return [register.all('Path').length, answer.all('Path').length];
	}, is: [1, 0] },
	{ id: 'D-31', what: '305 is not followed', observe: async (stage) => {
		const { answer, wic } = await stage.registers({ rule: (request) => request.reply(305, 'Use Proxy',
			{ lines: [['Contact', '<sip:198.18.0.66>']] }) });
		return [answer.status, stage.peer.of(wic.call_id).length];
	}, is: [504, 1] },
	{ id: 'D-34', what: 'a bad token on a registered flow', observe: async (stage) => {
		const { final, arrived } = await stage.says('MESSAGE', { lines: [['Authorization', 'Bearer a.b.c']] });
		return [final.status, arrived.all('Authorization')];
	}, is: [200, []] },
	{ id: 'D-39', what: 'flow tokens', observe: async (stage) =>
		/^<sip:Ft1\.[A-Za-z0-9_-]{43}@/.test((await onMw('Path')(stage))[0]), is: true },
	{ id: 'D-40', what: 'Path names the flow, Record-Route the registration', observe: async (stage) => {
		const { arrived } = await stage.says('INVITE');
		return [/^<sip:(.)t1/.exec((await onMw('Path')(stage))[0])[1],
			/^<sip:(.)t1/.exec(arrived.header('Record-Route'))[1]];
	}, is: ['F', 'B'] },
	{ id: 'D-41', what: 'a dead flow, without outbound and with', observe: async (stage) =>
		[await gone((wic) => wic.address)(stage), await gone((wic) => wic.contact)(stage)],
	is: [[480, 'Q.850;cause=20;text="Subscriber absent"'], [430, null]] },
];
