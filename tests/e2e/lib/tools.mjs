// SPDX-License-Identifier: BSD-3-Clause
// What must be there before anything starts: programs, npm packages, the products, the bundled
// pages. Needs no npm package itself.

import { execFileSync } from 'node:child_process';
import { accessSync, constants, cpSync, existsSync, mkdirSync, mkdtempSync, statSync,
	writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GATEWAY_URL, HOLD_GATEWAY_URL, HOLD_ORIGIN, REALM, SITE_ORIGIN } from './names.mjs';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const PROGRAMS = {
	unshare: 'util-linux', mount: 'mount', ip: 'iproute2', ss: 'iproute2', tcpdump: 'tcpdump', openssl: 'openssl',
	ethtool: 'ethtool', ping: 'iputils-ping', python3: 'python3', setpriv: 'util-linux',
	npm: 'npm', testssl: 'testssl.sh', kamailio: 'kamailio', kamcmd: 'kamailio', chromium: 'chromium',
	sipp: 'sip-tester',
};
const MODULES = '/usr/lib/x86_64-linux-gnu/kamailio/modules';
const FILES = {
	[`${MODULES}/outbound.so`]: 'kamailio-outbound-modules',
	[`${MODULES}/ims_registrar_scscf.so`]: 'kamailio-ims-modules',
	[`${MODULES}/presence.so`]: 'kamailio-presence-modules',
};
const PRODUCTS = ['wicgate', 'wicctl', 'wicgate-wwsf'];
const PAGES = ['jssip', 'sipjs'];

const BUILD = process.env.WICGATE_BUILD ?? join(HERE, '..', '..', 'build');

function isProgram(path) {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

/** Returns what is missing, each with what to do about it. */
function missing(products) {
	const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
	return [
		...Object.entries(PROGRAMS)
			.filter(([name]) => !folders.some((folder) => isProgram(join(folder, name))))
			.map(([name, from]) => `${name} is missing: install the Debian package ${from}`),
		...Object.entries(FILES).filter(([path]) => !existsSync(path))
			.map(([path, from]) => `${path} is missing: install the Debian package ${from}`),
		...products.filter((name) => !isProgram(join(BUILD, name)))
			.map((name) => `${join(BUILD, name)} is missing: build it first (make)`),
	];
}

/** Installs what the lock file names, when that is not what is installed. */
function installPackages() {
	const installed = join(HERE, 'node_modules', '.package-lock.json');
	const wanted = join(HERE, 'package-lock.json');
	if (existsSync(installed) && statSync(installed).mtimeMs > statSync(wanted).mtimeMs)
		return;
	/* none of the packages needs its install script */
	execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
		{ cwd: HERE, stdio: ['ignore', 2, 2] });
}

/** Bundles the pages into folder, a root for the web site. */
async function makePages(folder) {
	const { build } = await import('esbuild');
	mkdirSync(folder, { recursive: true });
	for (const file of ['index.html', 'page.css', ...PAGES.map((page) => `${page}.html`)])
		cpSync(join(HERE, 'www', file), join(folder, file));
	writeFileSync(join(folder, 'settings.json'), JSON.stringify({ realm: REALM, gateways: {
		[SITE_ORIGIN]: GATEWAY_URL, [HOLD_ORIGIN]: HOLD_GATEWAY_URL } }));
	await build({
		entryPoints: PAGES.map((page) => join(HERE, 'www', `${page}.mjs`)),
		outdir: folder, bundle: true, format: 'iife', logLevel: 'warning',
	});
}

/**
 * Makes a folder for this run, with the pages in it. Throws, with everything that is missing in the
 * text. programs: of the build folder, needed besides the products. Returns the folder and the
 * environment the scripts inside need.
 */
export async function prepare(prefix, programs = []) {
	if (process.getuid() !== 0)
		throw new Error('needs root: it makes network namespaces');
	const wanted = missing([...PRODUCTS, ...programs]);
	if (wanted.length > 0)
		throw new Error(wanted.join('\n'));
	installPackages();
	const run_folder = mkdtempSync(join(tmpdir(), prefix));
	const pages = join(run_folder, 'www');
	await makePages(pages);
	return { run_folder, env: {
		WICGATE_BUILD: BUILD, WICGATE_E2E_PAGES: pages, WICGATE_E2E_RUN: run_folder,
		PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
	} };
}
