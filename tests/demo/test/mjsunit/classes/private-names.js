// Private names belong to the class body, not to the object's keys.

class Account {
  #balance = 0;
  static #opened = 0;
  constructor() {
    Account.#opened++;
  }
  deposit(amount) {
    this.#check(amount);
    this.#balance += amount;
    return this.#balance;
  }
  #check(amount) {
    if (!(amount > 0)) throw new RangeError('not positive');
  }
  static isAccount(value) {
    return #balance in value;
  }
  static get opened() {
    return Account.#opened;
  }
}
const account = new Account();
assertSame(5, account.deposit(5));
assertThrows(() => account.deposit(-1), RangeError, 'not positive');
assertThrows(() => account.deposit.call({}, 1), TypeError);
assertTrue(Account.isAccount(account));
assertFalse(Account.isAccount({}));
assertSame(1, Account.opened);
assertEquals([], Object.keys(account));
assertThrows('account.#balance', SyntaxError);
