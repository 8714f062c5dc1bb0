// import() gives a promise of the namespace, the same each time, or a rejection; a module can await it.

const first = await import('./skip-counter.mjs');
const second = await import('../modules/skip-counter.mjs');
assertSame(first, second);
await assertThrowsAsync(import('./skip-missing.mjs'));
assertTrue(import.meta.url.endsWith('/dynamic-import.mjs'));
