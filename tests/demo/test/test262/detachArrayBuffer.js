// Takes the memory away from a buffer.

function $DETACHBUFFER(buffer) {
  buffer.transfer();
}
