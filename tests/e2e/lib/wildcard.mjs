// SPDX-License-Identifier: BSD-3-Clause
// A web site whose users are never registered: its wildcard, and beside it one whose users are, for them to
// call. Names of the wildcard are those that the S-CSCF of peers/ serves in the un-registered state.

import { HostileWic } from './hostile_wic.mjs';
import { AUDIENCE, AUTHZ_SERVER, REALM, impu } from './names.mjs';
import { LegWic } from './legs.mjs';
import { KERNEL_WORLDS, WORKER_COUNTS } from './scenario.mjs';

export const WILDCARD = `sip:pool-![a-z0-9.-]*!@${REALM}`;
export const OFFICE_ORIGIN = 'https://office.example';
export const OFFICE_ISSUER = 'https://waf.office.example';

const OFFICE = {
	more_issuers: `  - name: office-waf
    iss: "${OFFICE_ISSUER}"
    audience: "${AUDIENCE}"
    jwks: "file:shop.jwks"
    authz_server: "${AUTHZ_SERVER}"
`,
	more_sites: `  - name: office
    issuer: office-waf
    origins: ["${OFFICE_ORIGIN}"]
    identities: {domains: [${REALM}]}
`,
};

const SETTINGS = { wildcard: WILDCARD, ...OFFICE };
export const wildcardWorlds = (more = {}, worlds = [...WORKER_COUNTS, KERNEL_WORLDS[1]]) =>
	worlds.map((world) => ({ ...world, ...SETTINGS, ...more }));

/** A token for a name of the wildcard. claims: in place of what it says. */
export const issueGuest = (world, user, { claims = {}, ...more } = {}) =>
	world.mint.issue(user, { claims: { impi: undefined, sub: `anon-${user}`, ...claims }, ...more });

/** As it stands in a request. */
export const bearer = (token) => ['Proxy-Authorization', `Bearer ${token}`];

/** A WIC of the site with the wildcard, in a script's hand. */
export const openGuest = (world, user, kind = HostileWic) =>
	kind.connect(user, { ca: world.files.ca_pem });

/** A user of the office, registered. */
export async function openOffice(world, user, kind = LegWic) {
	const wic = await kind.connect(user, { ca: world.files.ca_pem, origin: OFFICE_ORIGIN });
	const answer = await wic.register(world.mint.issue(user, { claims: { iss: OFFICE_ISSUER } }));
	if (answer.status !== 200)
		throw new Error(`REGISTER of ${user}: ${answer.start}`);
	return wic;
}

/** Every P-Asserted-Identity of requests that went to the core, by their From. */
export const asserted = (messages, user) => messages.filter((sip) => sip.method && sip.method !== 'REGISTER'
	&& sip.header('From').includes(`<${impu(user)}>`)).map((sip) => sip.header('P-Asserted-Identity'));
