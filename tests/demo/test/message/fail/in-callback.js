// Frames of built-in functions are shown, but the report names the script.

[1, 2, 3].forEach(number => {
  print(number);
  if (number === 2) null.property;
});
