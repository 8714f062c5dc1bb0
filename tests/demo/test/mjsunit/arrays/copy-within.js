// copyWithin moves elements inside one array, also over themselves.

assertEquals([4, 5, 3, 4, 5], [1, 2, 3, 4, 5].copyWithin(0, 3));
assertEquals([1, 1, 2, 3, 4], [1, 2, 3, 4, 5].copyWithin(1, 0));
assertEquals([1, 2, 3, 4, 4], [1, 2, 3, 4, 5].copyWithin(-1, -2, -1));
