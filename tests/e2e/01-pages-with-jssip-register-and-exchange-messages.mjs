// SPDX-License-Identifier: BSD-3-Clause
import { conversation } from './lib/conversation.mjs';
import { ALL_WORLDS, KERNEL_WORLDS, scenario } from './lib/scenario.mjs';

const WORLDS = [...ALL_WORLDS, ...KERNEL_WORLDS];

await scenario(WORLDS.map((world) => ({ ...world, site: true })), conversation('jssip'));
