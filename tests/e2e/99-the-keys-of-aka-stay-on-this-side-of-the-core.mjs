// SPDX-License-Identifier: BSD-3-Clause
// IMS AKA over TLS (AKAv2-SHA-256): the core sends the keys with its challenge, the WIC gets the
// challenge and not the keys; Mw says tls-connected, and the answer keeps its Authentication-Info.

import { randomBytes } from 'node:crypto';
import { answerChallenge, parameters } from './lib/digest.mjs';
import { REALM, impi } from './lib/names.mjs';
import { DEVICE_WORLDS, assert, scenario } from './lib/scenario.mjs';
import { accept } from './lib/scripted_core.mjs';
import { writeSip } from './lib/sip.mjs';
import { Wic } from './lib/wic.mjs';

const WORLDS = [{ ...DEVICE_WORLDS[0], w2: 'port' }, { workers: 2, mw: 'udp', core: 'script' }]
	.map((world) => ({ ...world, digest: 'AKAv2-SHA-256', aka: true }));
const CK = randomBytes(16).toString('hex');
const IK = randomBytes(16).toString('hex');
const NONCE = randomBytes(32).toString('base64');
const RES = 'what the card says';
const CHALLENGE = `Digest realm="${REALM}",nonce="${NONCE}",algorithm=AKAv2-SHA-256,qop="auth"`;
const WITH_KEYS = CHALLENGE.replace(',algorithm', `, ck="${CK}" , IK = "${IK}",algorithm`);

function challenge(request) {
	return writeSip('SIP/2.0 401 Unauthorized', [
		...request.all('Via').map((value) => ['Via', value]),
		['From', request.header('From')],
		['To', `${request.header('To')};tag=scscf`],
		['Call-ID', request.header('Call-ID')],
		['CSeq', request.header('CSeq')],
		['WWW-Authenticate', WITH_KEYS],
		['WWW-Authenticate', `Digest ck="${CK}", ik="${IK}"`]]);
}

/** The S-CSCF: who has shown a response is welcome. */
const core = (address) => (request) => {
	if (request.method !== 'REGISTER')
		return accept(request, address);
	const { response } = parameters(request.header('Authorization') ?? 'Digest ');
	return response ? accept(request, address)
		.replace('\r\nContact:', '\r\nAuthentication-Info: rspauth="1f",qop=auth\r\nContact:')
		: challenge(request);
};

await scenario(WORLDS, async (world) => {
	const played = await world.playCore(core(world.link.core));
	const wic = await Wic.connect('alice', { ca: world.files.ca_pem });
	const first = `Digest username="${impi('alice')}",realm="${REALM}",nonce="",`
		+ `uri="sip:${REALM}",response=""`;
	const asked = await wic.register(null, { credential: first });
	assert.equal(asked.status, 401);
	assert.deepEqual(asked.all('WWW-Authenticate'), [CHALLENGE], 'the challenge, and no keys');
	assert.ok(!asked.text.includes(CK) && !asked.text.includes(IK), 'not a byte of them');

	const credential = answerChallenge(CHALLENGE, 'alice', RES);
	const answer = await wic.register(null, { credential });
	assert.equal(answer.status, 200);
	assert.equal(answer.header('Authentication-Info'), 'rspauth="1f",qop=auth');
	assert.equal((await world.gateway.bindings()).length, 1);
	const registers = played.requests.filter(({ method }) => method === 'REGISTER')
		.map((sip) => sip.header('Authorization'));
	assert.deepEqual([...new Set(registers)], [first, credential]
		.map((text) => `${text},integrity-protected="tls-connected"`));
	assert.equal((await wic.message('bob', 'registered')).status, 200);
	await wic.close();
});
