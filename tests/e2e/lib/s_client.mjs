// SPDX-License-Identifier: BSD-3-Clause
// `openssl s_client` against W2: what a handshake comes to.

import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { GATEWAY_HOST } from './names.mjs';
import { waitFor, within } from './process.mjs';

const field = (text, pattern) => pattern.exec(text)?.[1] ?? null;

/**
 * One handshake. args: more of s_client's; ticket: wait for one, with the session in that file.
 * keys: what to type when the handshake is done, until: for which answer. Returns what was agreed, `alert` when it was
 * refused, and all of the text.
 */
export function sClient({ files, args = [], name = GATEWAY_HOST, host = GATEWAY_HOST,
	ticket = null, keys = '', until = null }) {
	const child = spawn('openssl', ['s_client', '-connect', `${host}:443`, '-CAfile', files.ca,
		...(name ? ['-servername', name] : ['-noservername']),
		...(ticket ? ['-sess_out', ticket] : []), ...args]);
	const done = /Verify return code|no peer certificate available/;
	let text = '', asked = false;
	child.stdin.on('error', () => {}); /* it has ended */
	const finish = () => child.stdin.end();
	const take = (data) => {
		text += data;
		if (!asked && done.test(text)) {
			asked = true;
			if (keys)
				child.stdin.write(keys);
			else if (ticket) /* that one has come it says when its output is full */
				waitFor('a ticket', () => statSync(ticket, { throwIfNoEntry: false })?.size)
					.then(finish, finish);
			else
				finish();
		} else if (keys && until.test(text)) {
			finish();
		}
	};
	child.stdout.on('data', take);
	child.stderr.on('data', take);
	const ended = new Promise((resolve) => child.once('close', (code) => resolve({
		code, text,
		resumed: /^Reused, /m.test(text),
		version: field(text, /^(?:New|Reused), (TLSv1\.\d)/m),
		cipher: field(text, /^(?:New|Reused), TLSv1\.\d, Cipher is (\S+)/m),
		group: field(text, /^Server Temp Key: (?:ECDH, )?([^,]+)/m),
		key_bits: field(text, /^Server public key is (\d+) bit/m),
		subject: field(text, /^subject=CN ?= ?(\S+)/m),
		verified: /Verify return code: 0 /.test(text),
		alert: field(text, /SSL alert number (\d+)/),
	})));
	return within('openssl s_client', ended).catch((error) => {
		throw new Error(`${error.message}: ${args.join(' ')}: ${text}`);
	}).finally(() => child.kill('SIGKILL'));
}
