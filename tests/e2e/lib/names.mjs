// SPDX-License-Identifier: BSD-3-Clause
// The names and addresses of the world every script plays in. Nothing here is routed outside a
// namespace.

export const SITE_ADDRESSES = { 4: '198.18.0.5', 6: 'fd00:18::5' }; // the web site (WWSF)
export const GATEWAY_ADDRESS = '198.18.0.10'; // wicgate on kernel sockets, W2 and Mw
export const CORE_ADDRESS = '198.18.0.20';   // Kamailio as S-CSCF
export const CLIENT_ADDRESSES = { 4: '198.18.0.30', 6: 'fd00:18::30' }; // browsers, scripted WICs
export const RELAY_ADDRESSES = { 4: '198.18.0.31', 6: 'fd00:18::31' }; // a network that can be cut
export const OTHER_CORE_ADDRESS = '198.18.0.21'; // an Mw source nobody trusts
export const HSS_ADDRESS = '198.18.0.22'; // of the IMS core: Diameter, and SIP of the script's

export const ADDRESSES = [SITE_ADDRESSES[4], GATEWAY_ADDRESS, CORE_ADDRESS, CLIENT_ADDRESSES[4],
	OTHER_CORE_ADDRESS, RELAY_ADDRESSES[4], HSS_ADDRESS];
export const ADDRESSES_V6 = [SITE_ADDRESSES[6], 'fd00:18::10', 'fd00:18::20', CLIENT_ADDRESSES[6],
	RELAY_ADDRESSES[6]];

/* a packet port: a link between the gateway's own stack and this kernel */
export const LINK_ADDRESSES = {
	4: { gateway: '198.18.1.10', core: '198.18.1.20', stranger: '198.18.1.21', router: '198.18.1.1' },
	6: { gateway: 'fd00:18:1::10', core: 'fd00:18:1::20', stranger: 'fd00:18:1::21',
		router: 'fd00:18:1::1' },
};
export const LINK_PREFIX = { 4: 24, 6: 64 };

export const SITE_HOST = 'shop.example';
export const GATEWAY_HOST = 'ep1.home1.net';
/**
 * Who is where; access: the gateway's address on W2. The site is of the same family: Chromium lets
 * no page of 198.18.0.0/15, public to it, speak to fd00::/8, private to it.
 */
export const hosts = (access = GATEWAY_ADDRESS) => ({
	[SITE_HOST]: SITE_ADDRESSES[access.includes(':') ? 6 : 4], [GATEWAY_HOST]: access });

/** As it stands in a URI and in front of a port. */
export const bracketed = (address) => address.includes(':') ? `[${address}]` : address;

export const SITE_ORIGIN = `https://${SITE_HOST}`;
export const GATEWAY_URL = `wss://${GATEWAY_HOST}/`;

/* `make demo-hold`: where a browser of the host finds the page and the gateway */
export const HOLD_PAGE_PORT = 8443;
export const HOLD_GATEWAY_PORT = 8444;
export const HOLD_ORIGIN = `https://localhost:${HOLD_PAGE_PORT}`;
export const HOLD_GATEWAY_URL = `wss://localhost:${HOLD_GATEWAY_PORT}/`;

export const REALM = 'ims.example.test'; // the peer's configuration knows this domain
export const ISSUER = 'https://waf.shop.example';
export const AUTHZ_SERVER = 'https://waf.shop.example';
export const AUDIENCE = 'sip:ep1.home1.net';
export const KEY_ID = 'waf-1';

export const MW_PORT = 5060;
export const MW_TLS_PORT = 5061;
export const CORE_HOST = 'scscf.ims.example.test';
export const HSS_HOST = 'hss.ims.example.test';
export const HSS_PORT = 5099;
export const USERS = ['alice', 'bob', 'carol', 'dave'];

export const impu = (user) => `sip:${user}@${REALM}`;
export const impi = (user) => `${user}@${REALM}`;
