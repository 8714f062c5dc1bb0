// $DONE ends an asynchronous test: only what says so at its end has passed.

function $DONE(error) {
  if (error) {
    print('Test262:AsyncTestFailure: ' + error);
    quit(1);
  }
  print('Test262:AsyncTestComplete');
  quit(0);
}
