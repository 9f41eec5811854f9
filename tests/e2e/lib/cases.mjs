// SPDX-License-Identifier: BSD-3-Clause
// Many small cases in one scenario: all are played, and the verdict names each that failed.

/** Plays play(case, name) for each of {name: case}. Throws with every failure in the text. */
export async function eachCase(cases, play) {
	const failed = [];
	for (const [name, one] of Object.entries(cases))
		try {
			await play(one, name);
		} catch (error) {
			failed.push(`"${name}": ${String(error.message).split('\n').map((line) => line.trim())
				.filter(Boolean).join(' ')}`);
		}
	if (failed.length > 0)
		throw new Error(`${failed.length} of ${Object.keys(cases).length} cases failed: `
			+ failed.join('; '));
}

/**
 * Which cases failed, those with the same reason together; numbers and words of chance left out.
 */
function grouped(failed) {
	const reasons = new Map();
	for (const [name, error] of failed) {
		const reason = String(error.message).split('\n').map((line) => line.trim()).filter(Boolean)
			.join(' ').replace(/\b[0-9a-z]+@[0-9a-z.]+/g, 'CALL-ID').replaceAll(name, 'CASE');
		reasons.set(reason, [...reasons.get(reason) ?? [], name]);
	}
	return [...reasons].map(([reason, names]) => `${names.slice(0, 4).map((name) => `"${name}"`)
		.join(', ')}${names.length > 4 ? ` and ${names.length - 4} more`
			: ''}: ${reason}`).join('; ');
}

/** The same, `abreast` of them at a time: for cases that do not see each other. */
export async function eachCaseAbreast(cases, play, abreast = 16) {
	const failed = [];
	const todo = Object.entries(cases);
	const player = async () => {
		for (let next; (next = todo.shift());)
			await Promise.resolve(next).then(([name, one]) => play(one, name))
				.catch((error) => failed.push([next[0], error]));
	};
	await Promise.all(Array.from({ length: abreast }, player));
	if (failed.length > 0)
		throw new Error(`${failed.length} of ${Object.keys(cases).length} cases failed: `
			+ grouped(failed));
}
