// Sorting keeps the order of what compares equal.

const people = [];
for (let i = 0; i < 500; i++) people.push({age: i % 7, number: i});
people.sort((a, b) => a.age - b.age);
for (let i = 1; i < people.length; i++) {
  const [a, b] = [people[i - 1], people[i]];
  assertTrue(a.age < b.age || (a.age === b.age && a.number < b.number), `position ${i}`);
}
assertEquals([1, 10, 2, undefined], [undefined, 10, 2, 1].sort());
