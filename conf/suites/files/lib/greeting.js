function greeting(whom) {
  return "hello, " + whom;
}
