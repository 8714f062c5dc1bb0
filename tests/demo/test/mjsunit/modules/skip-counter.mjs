// Imported by the tests beside it. The status file skips it: alone it tests nothing.

export let count = 0;
export function increment() {
  return ++count;
}
export default class Counter {}
