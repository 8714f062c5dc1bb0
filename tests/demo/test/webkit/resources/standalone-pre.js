// Runs before each test of this suite: functions that print PASS or FAIL. The output is compared as a whole.

function description(text) {
  print(text);
  print();
}

function debug(text) {
  print(text);
}

function shown(value) {
  if (Object.is(value, -0)) return '-0';
  if (Array.isArray(value)) return '[' + value.map(shown).join(', ') + ']';
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function same(a, b) {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((element, index) => same(element, b[index]));
  }
  return Object.is(a, b);
}

// Both are texts of expressions.
function shouldBe(actual, expected) {
  let value;
  try {
    value = (0, eval)(actual);
  } catch (error) {
    print(`FAIL ${actual} should be ${expected}. Threw ${error}`);
    return;
  }
  if (same(value, (0, eval)(expected))) {
    print(`PASS ${actual} is ${expected}`);
  } else {
    print(`FAIL ${actual} should be ${expected}. Was ${shown(value)}.`);
  }
}

function shouldBeTrue(actual) {
  shouldBe(actual, 'true');
}

function shouldThrow(actual, type) {
  let value;
  try {
    value = (0, eval)(actual);
  } catch (error) {
    print(`${error.name === type ? 'PASS' : 'FAIL'} ${actual} threw ${error.name}.`);
    return;
  }
  print(`FAIL ${actual} should throw. Was ${shown(value)}.`);
}
