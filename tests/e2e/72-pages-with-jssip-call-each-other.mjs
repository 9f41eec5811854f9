// SPDX-License-Identifier: BSD-3-Clause
import { CALLS_MS, calls } from './lib/calls.mjs';
import { KERNEL_WORLDS, WORKER_COUNTS, scenario } from './lib/scenario.mjs';

await scenario([...WORKER_COUNTS, ...KERNEL_WORLDS].map((world) => ({ ...world, site: true })),
	calls('jssip'), CALLS_MS);
