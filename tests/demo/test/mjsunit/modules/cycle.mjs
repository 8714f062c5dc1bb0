// Modules may import each other: functions are there at once, constants when their module has run.

import {seen} from './skip-cycle-partner.mjs';

export function hoisted() {
  return 'hoisted';
}
export const early = 'early';

assertEquals(['hoisted', 'ReferenceError'], seen);
