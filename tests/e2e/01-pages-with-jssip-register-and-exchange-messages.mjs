// SPDX-License-Identifier: BSD-3-Clause
import { conversation } from './lib/conversation.mjs';
import { ALL_WORLDS, scenario } from './lib/scenario.mjs';

await scenario(ALL_WORLDS.map((world) => ({ ...world, site: true })), conversation('jssip'));
