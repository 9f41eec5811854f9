// SPDX-License-Identifier: BSD-3-Clause
import { passwords } from './lib/passwords.mjs';
import { IMS_WORLDS, KERNEL_WORLDS, WORKER_COUNTS, scenario } from './lib/scenario.mjs';

const WORLDS = [...WORKER_COUNTS, ...KERNEL_WORLDS, ...IMS_WORLDS];

await scenario(WORLDS.map((world) => ({ ...world, site: true, digest: 'MD5' })),
	passwords('jssip'));
