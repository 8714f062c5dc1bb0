// An uncaught error is reported with its place, the line and the stack. Tests in a directory "fail" must fail.

function check(value) {
  if (!value) throw new TypeError('no value');
}

check(0);
