// Files: lib/greeting.js
print(greeting("world"));
