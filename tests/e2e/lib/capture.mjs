// SPDX-License-Identifier: BSD-3-Clause
// Everything that passes on the Mw side (or on W2 too), seen from outside the gateway by tcpdump.

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { EventEmitter } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Defragmenter } from './fragments.mjs';
import { address } from './packet.mjs';
import { PROTOCOL_UDP, PcapReader, TcpStream, readPacket, readTransport } from './pcap.mjs';
import { waitFor } from './process.mjs';
import { cutSipStream, parseSip } from './sip.mjs';

const MARKER_PORT = 9; /* discard: nobody listens, the capture sees it all the same */
const LOOKS_LIKE_SIP = /^(SIP\/2\.0 \d{3}[ \r]|[A-Z]+ \S+ SIP\/2\.0\r\n)/;

/**
 * Emits 'message' ({time_s, from, to, transport, sip}) for each SIP message to or from the S-CSCF's
 * address.
 */
export class Capture extends EventEmitter {
	/**
	 * Returns once tcpdump is looking at the core's side of the link, for packets of one host. They
	 * also go to folder/name.pcap.
	 */
	static async start(folder, link, { host = link.core, name = 'mw' } = {}) {
		const capture = new Capture(folder, link, host, name);
		await waitFor('tcpdump looks', () => {
			if (capture.failure)
				throw new Error(`tcpdump: ${capture.failure}`);
			return capture.said.includes('listening on');
		});
		return capture;
	}

	constructor(folder, link, host, name) {
		super();
		this.link = link;
		/* as readTransport() writes it */
		this.core = link.ip === 6 ? `[${address(link.core).toString('hex')}]` : link.core;
		this.messages = [];
		this.frames = [];
		this.datagrams = [];   /* those that came in fragments, whole */
		this.streams = [];     /* every TCP stream there was */
		this.live = new Map(); /* "from>to" -> {stream, unread} */
		this.reader = new PcapReader();
		this.defragmenter = new Defragmenter();
		this.file = createWriteStream(join(folder, `${name}.pcap`));
		this.said = '';
		this.failure = null;
		/*
		 * -s, -B: immediate mode keeps a place of the longest packet for each; with -s 0 there are eight,
		 * and more at once are lost. -Z root: the pipe is ours, there is no privilege to drop that the
		 * namespace did not drop
		 */
		this.child = spawn('tcpdump', ['-i', link.peer, '-n', '-s', '66000', '-B', '32768', '-U',
			'--immediate-mode', '-Z', 'root', '-w', '-', `host ${host}`],
			{ stdio: ['ignore', 'pipe', 'pipe'] });
		this.child.stdout.on('data', (bytes) => this.#take(bytes));
		this.child.stderr.on('data', (bytes) => this.said += bytes);
		this.child.once('error', (error) => this.failure = error.message);
		this.child.once('exit', () => this.failure ??= `ended: ${this.said}`);
	}

	#take(bytes) {
		this.file.write(bytes);
		for (const { time_s, frame } of this.reader.take(bytes)) {
			this.frames.push(frame);
			this.#packet(readPacket(frame), time_s);
		}
	}

	#packet(packet, time_s) {
		const whole = packet && this.defragmenter.take(packet);
		if (whole && packet.fragment)
			this.datagrams.push(whole.payload);
		const carried = whole && readTransport(whole);
		if (carried?.transport === 'udp')
			this.#message(carried, time_s, carried.payload.toString());
		else if (carried)
			this.#segment(carried, time_s);
	}

	#segment(packet, time_s) {
		const known = this.#stream(packet);
		const { texts, rest } = cutSipStream(
			Buffer.concat([known.unread, known.stream.take(packet)]));
		known.unread = rest;
		for (const text of texts)
			this.#message(packet, time_s, text);
	}

	/*
	 * a SYN starts anew: the same pair of ports may come back, and what the first had carried stays
	 * searchable
	 */
	#stream({ from, to, syn }) {
		const name = `${from}>${to}`;
		if (syn && this.live.has(name) && this.live.get(name).stream.bytes.length > 0)
			this.live.delete(name);
		if (!this.live.has(name)) {
			this.live.set(name, { stream: new TcpStream(), unread: Buffer.alloc(0) });
			this.streams.push(this.live.get(name).stream);
		}
		return this.live.get(name);
	}

	#message({ from, to, transport }, time_s, text) {
		if (!LOOKS_LIKE_SIP.test(text))
			return;
		const message = { time_s, from, to, transport, sip: parseSip(text) };
		this.messages.push(message);
		this.emit('message', message);
	}

	/** Returns when all that was sent before the call has been seen. */
	async settle() {
		const marker = Buffer.from(randomUUID());
		const socket = createSocket(this.link.ip === 6 ? 'udp6' : 'udp4');
		try {
			await new Promise((resolve) => socket.bind(0, this.link.core, resolve));
			socket.send(marker, MARKER_PORT, this.link.gateway);
			await waitFor('the capture caught up', () => {
				if (this.failure)
					throw new Error(`tcpdump: ${this.failure}`);
				return this.frames.some((frame) => frame.includes(marker));
			});
		} finally {
			socket.close();
		}
	}

	/** Requests of a method that went to the core, oldest first. */
	requestsToCore(method, user) {
		return this.messages.filter(({ to, sip }) => to.startsWith(`${this.core}:`)
			&& sip.method === method && (!user || sip.header('From').includes(`sip:${user}@`)))
			.map(({ sip }) => sip);
	}

	/** The IP packets of the gateway's with datagrams, or another protocol, from frame `since` on. */
	fromGateway(since = 0, protocol = PROTOCOL_UDP) {
		const source = address(this.link.gateway);
		return this.frames.slice(since).map(readPacket).filter((packet) => packet
			&& packet.protocol === protocol && source.equals(packet.source_bytes));
	}

	/** True when the bytes are in a packet, or across fragments, or in a TCP stream across packets. */
	contains(text) {
		const bytes = Buffer.from(text);
		return [...this.frames, ...this.datagrams].some((packet) => packet.includes(bytes))
			|| this.streams.some((stream) => stream.bytes.includes(bytes));
	}

	/** Lets go of all that was kept in memory, for a capture that goes on and on. */
	forget() {
		this.messages = [];
		this.frames = [];
		this.datagrams = [];
		this.streams = [];
		for (const { stream } of this.live.values())
			stream.bytes = Buffer.alloc(0);
	}

	async stop() {
		if (this.file.writableEnded)
			return;
		this.child.stdout.removeAllListeners('data');
		this.child.kill('SIGKILL'); /* its output is all here already, or of no interest */
		await new Promise((resolve) => this.file.end(resolve));
	}
}
