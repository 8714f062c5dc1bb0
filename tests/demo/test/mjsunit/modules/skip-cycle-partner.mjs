// Imports the module that imports it.

import {early, hoisted} from './cycle.mjs';

export const seen = [];
seen.push(hoisted());
try {
  early;
} catch (error) {
  seen.push(error.name);
}
