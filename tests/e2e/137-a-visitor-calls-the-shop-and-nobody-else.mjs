// SPDX-License-Identifier: BSD-3-Clause
// Toll fraud: the visitors of a site may call its own people. Each way round that has a verdict of its own.

import { ways } from './lib/fraud_play.mjs';
import { fraudWorlds } from './lib/fraud.mjs';
import { scenario } from './lib/scenario.mjs';

const LIMIT_MS = 150000;

await scenario(fraudWorlds('allow'), ways('allow'), LIMIT_MS);
