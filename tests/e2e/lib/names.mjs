// SPDX-License-Identifier: BSD-3-Clause
// The names and addresses of the world every script plays in. Nothing here is routed outside a
// namespace.

export const SITE_ADDRESS = '198.18.0.5';    // the web site (WWSF)
export const GATEWAY_ADDRESS = '198.18.0.10'; // wicgate, W2 and Mw
export const CORE_ADDRESS = '198.18.0.20';   // Kamailio as S-CSCF
export const CLIENT_ADDRESS = '198.18.0.30'; // scripted WICs
export const OTHER_CORE_ADDRESS = '198.18.0.21'; // an Mw source nobody trusts

export const ADDRESSES = [SITE_ADDRESS, GATEWAY_ADDRESS, CORE_ADDRESS, CLIENT_ADDRESS,
	OTHER_CORE_ADDRESS];
export const ADDRESSES_V6 = ['fd00:18::5', 'fd00:18::10', 'fd00:18::20', 'fd00:18::30'];

/* Mw on a packet port: a link between the gateway's own stack and this kernel */
export const LINK_ADDRESSES = {
	4: { gateway: '198.18.1.10', core: '198.18.1.20', stranger: '198.18.1.21', router: '198.18.1.1' },
	6: { gateway: 'fd00:18:1::10', core: 'fd00:18:1::20', stranger: 'fd00:18:1::21',
		router: 'fd00:18:1::1' },
};
export const LINK_PREFIX = { 4: 24, 6: 64 };

export const SITE_HOST = 'shop.example';
export const GATEWAY_HOST = 'ep1.home1.net';
export const HOSTS = { [SITE_HOST]: SITE_ADDRESS, [GATEWAY_HOST]: GATEWAY_ADDRESS };

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
export const USERS = ['alice', 'bob', 'carol', 'dave'];

export const impu = (user) => `sip:${user}@${REALM}`;
export const impi = (user) => `${user}@${REALM}`;
