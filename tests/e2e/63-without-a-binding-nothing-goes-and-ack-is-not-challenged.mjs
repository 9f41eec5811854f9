// SPDX-License-Identifier: BSD-3-Clause
// F27, F28: what nobody could prove who he is for, and what is never challenged.

import { randomBytes } from 'node:crypto';
import { eachCase } from './lib/cases.mjs';
import { impu } from './lib/names.mjs';
import { Refusals, assertRefused } from './lib/refusals.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { writeSip } from './lib/sip.mjs';
import { strangerKey } from './lib/token.mjs';

const WORLDS = [{ ...DEVICE_WORLDS[0], w2: 'port' }, { workers: 2, mw: 'udp', core: 'script' }];
const METHODS = ['MESSAGE', 'INVITE', 'OPTIONS', 'SUBSCRIBE', 'PUBLISH', 'REFER', 'INFO'];

const notRegistered = (refusals) => async (method) => {
	const wic = await refusals.connect('alice');
	assertRefused(await refusals.counted(['F27'], 1, () => wic.request(method, impu('bob'), {
		headers: [['Contact', `<sip:alice@${wic.host};transport=ws>`]] })), 403);
	await refusals.serves(wic, refusals.forge.token('alice'));
	await wic.close();
};

/** ACK gets no answer, and CANCEL none of 401, 403 and 407, whatever they carry (RFC 3261 22.1). */
const never = (refusals) => async (credential) => {
	const wic = await refusals.connect('alice');
	const send = (method, id) => wic.socket.send(writeSip(`${method} ${impu('bob')} SIP/2.0`, [
		['Via', `SIP/2.0/WSS ${wic.host};branch=z9hG4bK${id}`], ['Max-Forwards', '70'],
		['From', `<${impu('alice')}>;tag=${id}`], ['To', `<${impu('bob')}>`],
		['Call-ID', id], ['CSeq', `1 ${method}`], ['Authorization', credential]]));
	const heard = refusals.heard().length;
	send('ACK', randomBytes(6).toString('hex'));
	const id = randomBytes(6).toString('hex');
	send('CANCEL', id);
	/* when this one is answered, what came before it has been read */
	await refusals.serves(wic, refusals.forge.token('alice'));
	assert.equal(refusals.heard().length, heard + 1, 'neither reached the core');
	const answers = wic.responses.filter((sip) =>
		!/REGISTER/.test(sip.header('CSeq')));
	assert.deepEqual(answers.filter((sip) => /ACK/.test(sip.header('CSeq'))), [],
		'ACK is not answered');
	assert.deepEqual(answers.map(({ status }) => status), [481],
		'CANCEL of nothing (RFC 3261 9.2)');
	await wic.close();
};

/** JsSIP puts its token on every request: with a binding it goes no further than here. */
const stripped = (refusals) => async (carrier) => {
	const wic = await refusals.connect('alice');
	const token = refusals.forge.token('alice');
	await refusals.serves(wic, token);
	assert.equal((await wic.request('MESSAGE', impu('bob'), { body: 'hello', headers: [
		['Content-Type', 'text/plain'], [carrier, `Bearer ${token}`]] })).status, 200);
	const message = refusals.heard().at(-1);
	assert.equal(message.method, 'MESSAGE');
	assert.doesNotMatch(message.text, /Bearer/i);
	assert.ok(!token.split('.').some((part) => message.text.includes(part)), 'nothing of it on Mw');
	await wic.close();
};

await scenario(WORLDS, async (world) => {
	const refusals = await Refusals.open(world);
	const { forge } = refusals;
	await eachCase({
		'F27': [Object.fromEntries(METHODS.map((method) => [method, method])),
			notRegistered(refusals)],
		'bound': [{ 'Authorization': 'Authorization',
			'Proxy-Authorization': 'Proxy-Authorization' },
			stripped(refusals)],
		'F28': [{ 'no token': null, 'another scheme': 'NoOneKnows x="y"',
			'a bad token': `Bearer ${world.mint.issue('alice', { key: strangerKey() })}`,
			'a good token': `Bearer ${forge.token('alice')}` }, never(refusals)],
	}, ([cases, play]) => eachCase(cases, play));
});
