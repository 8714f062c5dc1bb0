// Groups can have names, in matches and in replacements.

const date = /(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)/;
const {groups: {year, month}} = date.exec('on 2021-05-17');
assertEquals(['2021', '05'], [year, month]);
assertSame('17.05.2021', '2021-05-17'.replace(date, '$<day>.$<month>.$<year>'));
assertTrue(/^(?<quote>['"]).*\k<quote>$/.test(`'it'`));
assertThrows(String.raw`/(?<a>.)(?<a>.)/`, SyntaxError);
