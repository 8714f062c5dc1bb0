// NO HARNESS

// This test runs alone: mjsunit.js was not loaded.

if (typeof assertEquals !== 'undefined') throw new Error('the harness is here');
