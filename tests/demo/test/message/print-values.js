// What print makes of values of all kinds. Blank lines of the output do not count.

print(1, -0, 1e21, 0.1 + 0.2, 10n, NaN);
print();
print('text', true, null, undefined);
print([1, [2, 3]], {}, Symbol('name'), () => 1);
