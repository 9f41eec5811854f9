// SPDX-License-Identifier: BSD-3-Clause
// A core with registration events (RFC 3680) in the script's hand: it accepts the gateway's SUBSCRIBEs and says in each of
// these dialogs what the script wants said.

import { randomBytes } from 'node:crypto';
import { tagOf, uriOf, writeLoose } from './loose_sip.mjs';
import { MwPeer } from './mw_peer.mjs';
import { MW_PORT, bracketed, impu } from './names.mjs';
import { waitFor } from './process.mjs';

const hex = (bytes = 6) => randomBytes(bytes).toString('hex');
const escaped = (text) => text.replace(/[<>&"]/g, (char) => `&#${char.charCodeAt(0)};`);
const attributes = (all) => Object.entries(all).map(([name, value]) =>
	` ${name}="${escaped(String(value))}"`).join('');

/** One contact element: its URI, and attributes. */
export const contact = (uri, all) =>
	`<contact id="${hex(3)}"${attributes(all)}><uri>${escaped(uri)}</uri></contact>`;

/** One registration element. */
export const registration = (aor, state, contacts = '') =>
	`<registration aor="${escaped(aor)}" id="${hex(3)}" state="${state}">${contacts}</registration>`;

export const reginfo = (version, state, registrations) => '<?xml version="1.0"?>\n'
	+ `<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="${version}" state="${state}">`
	+ `${registrations}</reginfo>`;

export class Notifier extends MwPeer {
	dialogs = new Map(); /* IMPU -> the dialogs about it, the youngest last */
	refuse = null;       /* [status, reason]: of the next SUBSCRIBEs */
	quiet = false;       /* a SUBSCRIBE is not followed by a NOTIFY */

	events(sip) {
		if (sip.method !== 'SUBSCRIBE' || sip.header('Event') !== 'reg' || sip.list('Via').length !== 1)
			return false;
		const user = uriOf(sip.header('To'));
		const known = (this.dialogs.get(user) ?? []).find(({ call_id }) => call_id === sip.call_id);
		const dialog = known ?? { user, call_id: sip.call_id, tag: hex(4), version: -1, cseq: 0,
			from: sip.header('From'), target: uriOf(sip.header('Contact')), asked: [] };
		dialog.asked.push(sip);
		if (!known)
			this.dialogs.set(user, [...this.dialogs.get(user) ?? [], dialog]);
		this.#answer(sip, dialog);
		return true;
	}

	#answer(sip, dialog) {
		if (this.refuse) {
			sip.reply(...this.refuse);
			return;
		}
		const at = bracketed(this.address);
		sip.reply(200, 'OK', { to_tag: dialog.tag, lines: [
			['Contact', `<sip:${at}:${MW_PORT}${this.mw === 'udp' ? '' : ';transport=tcp'}>`],
			['Expires', sip.header('Expires')]] });
		if (!this.quiet)
			void this.tell(dialog, this.current(dialog.user), { state: 'full' }).catch(() => {});
	}

	/** The last REGISTER for a user as the core has granted it. */
	registerOf(user) {
		return this.requests.filter((sip) => sip.method === 'REGISTER'
			&& uriOf(sip.header('To')) === impu(user)).at(-1);
	}

	/** What contacts and REGISTERs are called there: {uri, callid, cseq}. */
	named(user, register = this.registerOf(user)) {
		return { uri: uriOf(register.header('Contact')), callid: register.call_id,
			cseq: Number(register.header('CSeq').split(' ')[0]) };
	}

	/** A contact element of the user's, as his last REGISTER, or another one, left it. */
	contactOf(user, all, register) {
		const { uri, callid, cseq } = this.named(user, register);
		return contact(uri, { ...all, callid, cseq });
	}

	/** All that there is about an IMPU. */
	current(user) {
		const register = this.requests.filter((sip) => sip.method === 'REGISTER'
			&& uriOf(sip.header('To')) === user).at(-1);
		return registration(user, 'active', contact(uriOf(register.header('Contact')), {
			state: 'active', event: 'registered', expires: 600, callid: register.call_id,
			cseq: register.header('CSeq').split(' ')[0] }));
	}

	/** The youngest dialog about a user, when it has been asked for so often. */
	async dialog(user, { nth = 1, asked = 1 } = {}) {
		return waitFor(`a SUBSCRIBE for ${user} at the core`, () => {
			const found = this.dialogs.get(impu(user)) ?? [];
			return found.length >= nth && found.at(-1).asked.length >= asked ? found.at(-1) : null;
		});
	}

	/** Sends a NOTIFY and returns the status of its answer. to: another port of the gateway's. */
	async tell(dialog, registrations, { state = 'partial', subscription = 'active;expires=600',
		version = dialog.version + 1, cseq = dialog.cseq + 1, document, to } = {}) {
		dialog.version = Math.max(dialog.version, version);
		dialog.cseq = Math.max(dialog.cseq, cseq);
		const body = document ?? (registrations === null ? '' : reginfo(version, state, registrations));
		const text = writeLoose(`NOTIFY ${dialog.target} SIP/2.0`, [['Via', this.via()],
			['Max-Forwards', '70'], ['From', `<${dialog.user}>;tag=${dialog.tag}`], ['To', dialog.from],
			['Call-ID', dialog.call_id], ['CSeq', `${cseq} NOTIFY`], ['Event', 'reg'],
			['Subscription-State', subscription],
			['Contact', `<sip:${bracketed(this.address)}:${MW_PORT}>`],
			...(body ? [['Content-Type', 'application/reginfo+xml']] : [])], body);
		await this.say(text, to ?? Number(/:(\d+)(?=[;>]|$)/.exec(dialog.target)?.[1] ?? MW_PORT));
		const { status } = await waitFor(`the answer to NOTIFY ${cseq} of ${dialog.user}`, () =>
			this.responses.find((sip) => sip.call_id === dialog.call_id
				&& sip.header('CSeq') === `${cseq} NOTIFY` && tagOf(sip.header('From')) === dialog.tag));
		return status;
	}
}
