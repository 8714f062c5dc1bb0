// SKIP in the status file: there is no expected output. Run anyway (--run-skipped), the test fails and says so.

description('No expected output');
