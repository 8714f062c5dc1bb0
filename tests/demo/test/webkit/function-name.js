// Functions are named after what they are assigned to.

description('Names of functions');

function named() {}
var arrow = () => {};
var symbol = Symbol('mark');
var object = {method() {}, get value() { return 1; }, [symbol]: function() {}};

shouldBe('named.name', '"named"');
shouldBe('arrow.name', '"arrow"');
shouldBe('object.method.name', '"method"');
shouldBe('Object.getOwnPropertyDescriptor(object, "value").get.name', '"get value"');
shouldBe('object[symbol].name', '"[mark]"');
shouldBe('named.bind().name', '"bound named"');
shouldBe('(() => {}).name', '""');
