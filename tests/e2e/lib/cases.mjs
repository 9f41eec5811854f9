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
