// SPDX-License-Identifier: BSD-3-Clause
// Puts IP packets together again that were captured in fragments.

/** Takes packets of readPacket(); gives back whole ones, unfragmented ones at once. */
export class Defragmenter {
	constructor() {
		this.waiting = new Map(); /* who, to whom, which -> {parts, total} */
	}

	/** Returns the packet that is whole now, or null. */
	take(packet) {
		const { fragment } = packet;
		if (!fragment)
			return packet;
		const name = [packet.source, packet.destination, packet.protocol, fragment.id].join(' ');
		if (!this.waiting.has(name))
			this.waiting.set(name, { parts: new Map(), total: null });
		const known = this.waiting.get(name);
		known.parts.set(fragment.offset, packet.payload);
		if (!fragment.more)
			known.total = fragment.offset + packet.payload.length;
		const payload = whole(known);
		if (payload === null)
			return null;
		this.waiting.delete(name);
		return { ...packet, payload, fragment: null };
	}
}

function whole({ parts, total }) {
	const pieces = [];
	let length = 0;
	for (const offset of [...parts.keys()].sort((a, b) => a - b)) {
		if (offset !== length)
			return null;
		pieces.push(parts.get(offset));
		length += parts.get(offset).length;
	}
	return length === total ? Buffer.concat(pieces) : null;
}
