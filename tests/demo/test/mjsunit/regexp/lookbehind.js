// Lookbehind matches backwards.

assertEquals(['42'], [...'$42 7'.match(/(?<=\$)\d+/)]);
assertEquals(['7'], [...'$42 7'.match(/(?<!\$|\d)\d+/)]);
assertEquals(['', 'ab', 'c'], [...'abc'.match(/(?<=(\w{2})(\w))$/)]);
