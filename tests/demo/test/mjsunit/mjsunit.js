// The assert harness of this suite: the runner puts it in front of every test, unless the test says NO HARNESS.

// Its stack leaves out the frames of this file, so that reports point at the test.
function AssertionError(message) {
  this.message = message;
  const frames = new Error().stack.split('\n').slice(1).filter(frame => !frame.includes('/mjsunit.js:'));
  this.stack = [String(this), ...frames].join('\n');
}
AssertionError.prototype.toString = function() {
  return 'AssertionError: ' + this.message;
};

var assertEquals, assertNotEquals, assertSame, assertTrue, assertFalse, assertNull, assertUndefined;
var assertThrows, assertThrowsAsync, assertDoesNotThrow, assertInstanceof, assertUnreachable, fail;

(function() {
  function shown(value) {
    if (typeof value === 'string') return JSON.stringify(value);
    if (typeof value === 'bigint') return value + 'n';
    if (Object.is(value, -0)) return '-0';
    if (Array.isArray(value)) return '[' + value.map(shown).join(', ') + ']';
    if (value instanceof Map || value instanceof Set) {
      return value.constructor.name + ' ' + shown(Array.from(value));
    }
    if (value !== null && typeof value === 'object' && !(value instanceof Error)) {
      return '{' + Object.keys(value).map(key => key + ': ' + shown(value[key])).join(', ') + '}';
    }
    return String(value);
  }

  // Deep equality; -0 is not 0, NaN is NaN.
  function equal(a, b) {
    if (Object.is(a, b)) return true;
    if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return false;
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
    if (a instanceof Date) return Object.is(a.getTime(), b.getTime());
    if (a instanceof RegExp || a instanceof Error) return String(a) === String(b);
    if (a instanceof Map || a instanceof Set) return equal(Array.from(a), Array.from(b));
    var keys = Object.keys(a);
    return keys.length === Object.keys(b).length &&
        a.length === b.length &&
        keys.every(key => Object.hasOwn(b, key) && equal(a[key], b[key]));
  }

  function different(expected, found, name) {
    throw new AssertionError(
        (name ? name + ': ' : '') + 'expected ' + shown(expected) + ', found ' + shown(found));
  }

  fail = function(message) {
    throw new AssertionError(message);
  };
  assertEquals = function(expected, found, name) {
    if (!equal(expected, found)) different(expected, found, name);
  };
  assertNotEquals = function(expected, found, name) {
    if (equal(expected, found)) fail((name ? name + ': ' : '') + 'did not expect ' + shown(found));
  };
  assertSame = function(expected, found, name) {
    if (!Object.is(expected, found)) different(expected, found, name);
  };
  assertTrue = function(found, name) {
    assertSame(true, found, name);
  };
  assertFalse = function(found, name) {
    assertSame(false, found, name);
  };
  assertNull = function(found, name) {
    assertSame(null, found, name);
  };
  assertUndefined = function(found, name) {
    assertSame(undefined, found, name);
  };
  assertInstanceof = function(value, type) {
    if (!(value instanceof type)) fail(shown(value) + ' is no ' + type.name);
  };
  assertUnreachable = function(message) {
    fail('unreachable' + (message ? ': ' + message : ''));
  };
  assertDoesNotThrow = function(code, name) {
    try {
      return typeof code === 'function' ? code() : (0, eval)(code);
    } catch (error) {
      fail((name || shown(code)) + ' threw ' + error);
    }
  };

  function checkError(error, type, message) {
    if (type !== undefined && !(error instanceof type)) fail('expected ' + type.name + ', caught ' + error);
    if (message !== undefined) assertEquals(message, error.message, 'message');
  }

  // Code is a function or a text for a global eval.
  assertThrows = function(code, type, message) {
    try {
      if (typeof code === 'function') code();
      else (0, eval)(code);
    } catch (error) {
      checkError(error, type, message);
      return;
    }
    fail('expected ' + (type ? type.name : 'an exception') + ', nothing was thrown');
  };
  assertThrowsAsync = async function(promise, type, message) {
    try {
      await promise;
    } catch (error) {
      checkError(error, type, message);
      return;
    }
    fail('expected ' + (type ? type.name : 'an exception') + ', the promise was fulfilled');
  };
})();
