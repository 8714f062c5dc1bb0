// FAIL in the status file: this test must fail, and the run is green because it does.

assertSame('1.01', (1.005).toFixed(2), 'what a pocket calculator says');
