// SPDX-License-Identifier: BSD-3-Clause
// Decisions that an operator may turn: {id, setting, observe(stage), is, others: [{name, is, changes of the configuration}]}.
// and: is written behind what the configuration of the row has already.

import { parameter } from './decisions.mjs';
import { uriOf } from './loose_sip.mjs';
import { REALM, SITE_ORIGIN, impu } from './names.mjs';
import { UpgradeRefused } from './wic.mjs';

const statusOf = (more) => async (stage) => (await stage.registers(more)).answer.status;
const access = (text) => ({ more_access: `  ${text}\n` });
const realm = (text) => ({ more_realm: `, ${text}` });
const site = (text) => ({ and: { site_limits: `\n    ${text}` } });
const issuer = (text) => ({ more_issuers: `    ${text}\n` });
const top = (text) => ({ and: { settings: `${text}\n` } });
const WITHOUT_IMPU = ({ names }) => (user) => ({ impu: undefined, [names]: impu(user) });

/** Whether a page of that origin gets in. */
const entry = (origin) => async (stage) => {
	try {
		await (await stage.connect(undefined, origin)).close();
		return 101;
	} catch (error) {
		if (error instanceof UpgradeRefused)
			return error.status;
		throw error;
	}
};

const inBody = async (stage) => {
	const wic = await stage.connect();
	const token = stage.world.mint.issue(wic.user);
	const { answer } = await stage.registers({ wic, token: null,
		lines: [['Content-Type', 'multipart/mixed;boundary=b']],
		body: '--b\r\nContent-Type: application/jwt\r\nContent-Disposition: by-reference;handling=optional\r\n\r\n'
			+ `${token}\r\n--b--\r\n` });
	return answer.status;
};

export const SETTINGS = [
	{ id: 'D-01', setting: 'wwsf[].mode',
		observe: async (stage) => [await statusOf({ claims: { scn: 'individual' } })(stage),
			await statusOf({ claims: { scn: 'pool' } })(stage), await statusOf({})(stage)],
		is: [200, 403, 200], others: [{ name: 'pool', pool: true, is: [403, 200, 200] }] },
	{ id: 'D-02', setting: 'wwsf[].origins', observe: async (stage) => [await entry(SITE_ORIGIN)(stage),
		await entry(`https://wwsf.${REALM}`)(stage)], is: [101, 403],
	others: [{ name: 'empty', origins: [], is: [403, 101] }] },
	{ id: 'D-03', setting: 'wwsf[].origins', observe: entry(`http://wwsf.${REALM}`), is: 403,
		base: { origins: [] }, others: [] },
	{ id: 'D-09', setting: 'access.token_in_body', observe: inBody, is: 400, /* a token must not go on in a body */
		others: [{ name: 'true', ...access('token_in_body: true'), is: 200 }] },
	{ id: 'D-10', setting: 'issuers[].claims', observe: async (stage) =>
		[await statusOf({})(stage), await statusOf({ claims: WITHOUT_IMPU({ names: 'ims_id' }) })(stage)],
	is: [200, 401], others: [{ name: 'another name', ...issuer('claims: {impu: ims_id}'), is: [401, 200] }] },
	{ id: 'D-12', setting: 'access.warn_reason', observe: async (stage) =>
		/^399 \S+ "([^"]*)"/.exec((await stage.registers({ lifetime_s: -600 })).answer.header('Warning') ?? '')?.[1] ?? null,
	is: null, others: [{ name: 'true', ...access('warn_reason: true'), is: 'F14' }] },
	{ id: 'D-13', setting: 'wwsf[].demand_token', base: { digest: 'MD5' }, observe: async (stage) => {
		const { answer, register } = await stage.registers({ token: null });
		return [Boolean(register), /^Bearer /.test(answer.header('WWW-Authenticate') ?? '')];
	}, is: [true, false], others: [{ name: 'true', ...site('demand_token: true\n    issuer: shop-waf'), is: [false, true] }] },
	{ id: 'D-15', setting: 'wwsf[].waf_identity', observe: async (stage) =>
		parameter((await stage.registers()).register.header('Authorization'), 'authorization-entity'), is: null,
	others: [{ name: 'a third party', ...site('waf_identity: waf.example'), is: 'waf.example' }] },
	{ id: 'D-15', setting: 'wwsf[].waf_parameter', base: {}, observe: async (stage) =>
		parameter((await stage.registers()).register.header('Authorization'), 'waf-id'), is: null,
	others: [{ name: 'another name', ...site('waf_identity: waf.example\n    waf_parameter: waf-id'), is: 'waf.example' }] },
	{ id: 'D-16', setting: 'realms[].tna_value', observe: async (stage) =>
		parameter((await stage.registers()).register.header('Authorization'), 'integrity-protected'), is: 'auth-done',
	others: [{ name: 'tls-yes', ...realm('tna_value: tls-yes'), is: 'tls-yes' }] },
	{ id: 'D-18', setting: 'access.placeholder_user', observe: async (stage) => {
		const { answer, register, user } = await stage.registers({ who: 'wic' });
		return [answer.status, register && uriOf(register.header('To')) === impu(user),
			uriOf(answer.header('To'))];
	}, is: [200, true, `sip:wic@${REALM}`],
	others: [{ name: 'another name', ...access('placeholder_user: guest'), is: [403, null, `sip:wic@${REALM}`] },
		{ name: 'none', ...access("placeholder_user: ''"), is: [403, null, `sip:wic@${REALM}`] }] },
	{ id: 'D-19', setting: 'wwsf[].clamp_lifetime', observe: async (stage) =>
		Number((await stage.registers({ lifetime_s: 100 })).register.header('Expires')) <= 100, is: true,
	others: [{ name: 'false', ...site('clamp_lifetime: false'), is: false }] },
	{ id: 'D-30', setting: 'wwsf[].mode', observe: async (stage) => {
		const second = (user) => `${user}-2`;
		const { arrived, user } = await stage.says('MESSAGE', { registered: { identities: [second] },
			of: (name) => ({ lines: [['P-Preferred-Identity', `<${impu(second(name))}>`]] }) });
		return uriOf(arrived.header('P-Asserted-Identity')).replace(user, 'USER');
	}, is: impu('USER-2'), others: [{ name: 'pool', pool: true, is: impu('USER') }] },
	{ id: 'D-32', setting: 'emergency.policy', observe: async (stage) => {
		const { final, arrived } = await stage.says('INVITE', { uri: 'urn:service:sos' });
		return [final.status, Boolean(arrived)];
	}, is: [380, false], others: [{ name: 'forbidden', ...top('emergency: {policy: forbidden}'), is: [403, false] },
		{ name: 'forward', ...top('emergency: {policy: forward}'), is: [486, true] }] },
	{ id: 'D-33', setting: 'access.from_check', observe: async (stage) => {
		const { final, arrived } = await stage.says('MESSAGE', { from: `<sip:king@${REALM}>;tag=f` });
		return [final.status, arrived && uriOf(arrived.header('From'))];
	}, is: [403, null], others: [{ name: 'false', ...access('from_check: false'), is: [200, `sip:king@${REALM}`] }] },
	{ id: 'D-35', setting: 'realms[].ioi_prefix', observe: async (stage) => (await stage.registers())
		.register.all('P-Charging-Vector').map((value) => value.replace(/icid-[a-z-]+=[^;]*;/g, '')),
	is: [`orig-ioi="${REALM}"`], others: [{ name: 'a type', ...realm("ioi_prefix: 'Type 1'"), is: [`orig-ioi="Type 1${REALM}"`] }] },
	{ id: 'D-46', setting: 'issuers[].typ', observe: async (stage) =>
		[await statusOf({})(stage), await statusOf({ header: { typ: 'JWT' } })(stage),
			await statusOf({ header: { typ: undefined } })(stage), await statusOf({ header: { typ: 'ims-wic+jwt' } })(stage)],
	is: [200, 200, 200, 401], others: [{ name: 'a strict one', ...issuer('typ: [ims-wic+jwt]'), is: [401, 401, 401, 200] }] },
];
