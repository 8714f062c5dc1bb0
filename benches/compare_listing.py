#!/usr/bin/env python3
"""Compares a listing with one that V8's own classes made, test by test.

usage: compare_listing.py OURS REFERENCE [--python2] [--outdir DIR]

OURS is the output of `runner --list --list-format json`, REFERENCE the JSON lines of list_modern.py (or a file of
listings.py's cache, .gz); OURS may be `-`. Everything must be equal, in order, except
- with --python2, what depends on the order of a Python 2 dictionary in V8: the order of one test's variants, the index
  of the variant at the end of the id, and the order of test262's feature flags;
- the position of heavy tests among the others, which depends on scheduling;
- the path of a symbolizer in the sanitizers' options, which V8 names even if it does not exist.
--outdir is the build directory as named in OURS; in REFERENCE it is out/build. Exits with 1 if anything differs.
"""
import argparse
import collections
import gzip
import json
import re
import sys

INDEX = re.compile(r'\.VariantProc-(.*?)-(strict-)?\d+(-fail-phase-reverse)?(?=$|\.)')
SYMBOLIZER = re.compile(r'(?:^|[: ])external_symbolizer_path=[^: ]*')
SHOWN = 20
# Keys that `runner --list-format json` may omit; compared if present.
OPTIONAL = {'heavy', 'reason', 'expected_file', 'fails', 'exception', 'negative', 'async'}
# Those of them that predictable builds ignore: V8 lists the judge of the suite there, but uses only its wrapper.
JUDGED = OPTIONAL - {'heavy', 'reason'}


class Reading:
    """Normalizes the tests of both sides."""

    def __init__(self, python2=False, outdir=None):
        self.python2 = python2
        self.outdir = outdir

    def id(self, id):
        return INDEX.sub(r'.VariantProc-\1-\2N\3', id) if self.python2 else id

    def argv(self, suite, words):
        if self.outdir:
            words = [word.replace(self.outdir, 'out/build') for word in words]
        if suite == 'debugging':
            # V8 lists the interpreter that runs its own runner.
            return ['python'] + words[1:]
        if not self.python2 or suite != 'test262' or '--ignore-unhandled-promises' not in words:
            return words
        start = words.index('--ignore-unhandled-promises')
        end = len(words) - words[::-1].index('--no-arguments')
        return words[:start] + sorted(words[start:end]) + words[end:]

    def common(self, test, id):
        env = {name: SYMBOLIZER.sub('', value).strip(': ') for name, value in test['env'].items()}
        return {
            'suite': test['suite'], 'name': test['name'], 'variant': test['variant'] or None, 'id': self.id(id),
            'argv': self.argv(test['suite'], test['argv']), 'env': env, 'timeout': float(test['timeout']),
            'expected': test['expected'], 'slow': test['slow'], 'skipped': bool(test['skipped']),
        }

    def ours(self, line):
        test = json.loads(line)
        found = self.common(test, test['id'])
        for key in OPTIONAL & test.keys():
            found[key] = test[key]
        judge = test.get('judge')
        if isinstance(judge, dict):
            found.update((key, judge[key]) for key in OPTIONAL & judge.keys())
            found['predictable'] = judge.get('kind') == 'allocations'
        elif judge:
            # The format of suites/examples/list.rs.
            detail = test['judge_detail']
            found['fails'] = detail[0] if judge == 'template' else None
            found['exception'] = detail[0] if judge == 'exception' else None
            found['negative'] = judge == 'exception' and detail[1]
        if 'reason' in found:
            # V8 gives a reason only for contradictions.
            reason = found['reason'] or ''
            contradiction = 'INCOMPATIBLE' in reason or reason.startswith('Rule Flag negations')
            found['reason'] = reason if contradiction else None
        if test['skipped']:
            found['rule'] = test['skipped']['rule']
        return found

    def theirs(self, line):
        test = json.loads(line)
        if 'listing' in test:
            # The first line of a cached listing.
            return None
        found = self.common(test, test['procid'])
        found.update({
            'heavy': test.get('heavy', False), 'reason': test.get('expected_failure_reason'),
            'expected_file': test.get('expected_file'), 'fails': test.get('expected_fail'),
            'exception': test.get('expected_exception'), 'negative': test.get('negative', False),
            'async': test.get('async', False), 'rules': [rule['rule'] for rule in test.get('rules', [])],
        })
        return found


def differing(ours, theirs):
    """The keys in which one test differs, with both values."""
    found = {}
    for key, value in theirs.items():
        if key == 'rules':
            # A test skipped by an option has no rule.
            if ours.get('rule') and not ours['rule'].startswith('--') and ours['rule'] not in value:
                found['rule'] = ours['rule'], value
        elif key in OPTIONAL and key not in ours or key in JUDGED and ours.get('predictable'):
            continue
        elif key == 'expected_file' and value is None:
            # V8 names the expected file of a test only if the class of its judge reads it.
            continue
        elif (ours[key] or None) != (value or None):
            found[key] = ours[key], value
    return found


class Comparison:
    """The counts of a comparison, and its first differences as text."""

    def __init__(self):
        self.ours = self.theirs = self.compared = self.different = 0
        self.only_ours = self.only_theirs = 0
        # Tests that would run on both sides.
        self.would = self.would_ours = 0
        self.first = []
        self.order = None
        self.keys = collections.Counter()
        self.missing_keys = set()
        # The exit code of a runner that wrote no listing.
        self.failed = 0

    def equal(self):
        return not self.failed and not self.total() and self.order is None

    def total(self):
        return self.different + self.only_ours + self.only_theirs

    def say(self, text):
        if len(self.first) < SHOWN:
            self.first.append(text)

    def pair(self, ours, theirs):
        self.compared += 1
        self.missing_keys |= OPTIONAL - ours.keys()
        found = differing(ours, theirs)
        if not found:
            return
        self.different += 1
        self.keys.update(found.keys())
        lines = [f"{theirs['id']} ({theirs['variant']})"]
        for key, (a, b) in found.items():
            lines.append(f'  {key}\n    ours:      {a}\n    reference: {b}')
        self.say('\n'.join(lines))


def compare(ours, theirs, reading):
    """Compares the lines of both, matching tests by id as they are read, so neither listing has to fit into memory."""
    result = Comparison()
    waiting = {}, {}
    order = [], []
    heavy = set()
    sources = [iter(ours), iter(theirs)]
    reads = [reading.ours, reading.theirs]
    last = [None, None]

    def take(side):
        for line in sources[side]:
            test = reads[side](line)
            if test is not None:
                break
        else:
            return False
        if side:
            result.theirs += 1
            result.would += not test['skipped']
            if test['heavy']:
                heavy.add((test['suite'], test['name']))
        else:
            result.ours += 1
            result.would_ours += not test['skipped']
        name = test['suite'], test['name']
        if name != last[side]:
            last[side] = name
            order[side].append(name)
        key = test['suite'], test['id']
        other = waiting[1 - side].get(key)
        if other:
            pair = [test, other.popleft()]
            if not other:
                del waiting[1 - side][key]
            result.pair(*(pair[::-1] if side else pair))
        else:
            waiting[side].setdefault(key, collections.deque()).append(test)
        return True

    more = [True, True]
    while any(more):
        for side in 0, 1:
            more[side] = more[side] and take(side)
    for side, what in (0, 'only ours'), (1, 'only in the reference'):
        for tests in waiting[side].values():
            for test in tests:
                result.say(f"{what}: {test['id']} ({test['variant']}){', skipped' if test['skipped'] else ''}")
                if side:
                    result.only_theirs += 1
                else:
                    result.only_ours += 1
    if not result.only_ours and not result.only_theirs:
        names = [list(dict.fromkeys(name for name in side if name not in heavy)) for side in order]
        if names[0] and names[0][0][0] == 'preparser':
            # The order of templates depends on a dictionary as well.
            names = [sorted(side) for side in names]
        at = next((at for at, (a, b) in enumerate(zip(*names)) if a != b), None)
        if at is not None:
            result.order = f"test {at + 1} is {'/'.join(names[0][at])}, in the reference {'/'.join(names[1][at])}"
            result.say('the order differs: ' + result.order)
    return result


def opened(name):
    if str(name).endswith('.gz'):
        return gzip.open(name, 'rt')
    return sys.stdin if name == '-' else open(name)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('ours')
    parser.add_argument('reference')
    parser.add_argument('--python2', action='store_true')
    parser.add_argument('--outdir')
    options = parser.parse_args()
    result = compare(opened(options.ours), opened(options.reference), Reading(options.python2, options.outdir))
    print('\n'.join(result.first))
    if result.missing_keys:
        print('not compared, since OURS lacks them: ' + ' '.join(sorted(result.missing_keys)))
    print(f'{result.compared} tests compared, {result.total()} different')
    sys.exit(not result.equal())


if __name__ == '__main__':
    main()
