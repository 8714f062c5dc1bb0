#!/usr/bin/env python3
"""Compares a listing with one that V8's own classes made, test by test.

usage: compare_listing.py OURS REFERENCE

OURS is what `runner --list --list-format json` writes, REFERENCE the JSON lines of V8's runner; both may be `-`.
Everything must be equal, in order, except what V8 leaves to the order of a Python 2 dictionary:
the order of one test's variants (and the index of the variant at the end of the id), and the order in which
test262's feature flags come. Exits with 1 if anything differs.
"""
import json
import re
import sys
from itertools import zip_longest

INDEX = re.compile(r'\.VariantProc-(.*?)-(strict-)?\d+(-fail-phase-reverse)?$')
SHOWN = 20


def id_without_index(id):
    return INDEX.sub(r'.VariantProc-\1-\2N\3', id)


def argv(suite, words):
    if suite == 'debugging':
        # V8 has the interpreter that runs its own runner.
        return ['python'] + words[1:]
    if suite != 'test262' or '--ignore-unhandled-promises' not in words:
        return words
    start = words.index('--ignore-unhandled-promises')
    end = len(words) - words[::-1].index('--no-arguments')
    return words[:start] + sorted(words[start:end]) + words[end:]


def ours(line):
    test = json.loads(line)
    common = {
        'suite': test['suite'], 'name': test['name'], 'variant': test['variant'] or None,
        'id': id_without_index(test['id']), 'argv': argv(test['suite'], test['argv']), 'env': test['env'],
        'timeout': float(test['timeout']), 'expected': test['expected'], 'slow': test['slow'],
        'skipped': bool(test['skipped']),
    }
    more = {}
    if 'judge' in test:
        # V8 has a reason for contradictions only.
        reason = test['reason'] or ''
        more['reason'] = reason if 'INCOMPATIBLE' in reason else None
        more['expected_file'] = test['expected_file']
        more['fails'] = test['judge_detail'][0] if test['judge'] == 'template' else None
        more['exception'] = test['judge_detail'][0] if test['judge'] == 'exception' else None
        more['negative'] = test['judge'] == 'exception' and test['judge_detail'][1]
    # An option that skips is no rule.
    if test['skipped'] and not test['skipped']['rule'].startswith('--'):
        more['rule'] = test['skipped']['rule']
    return common, more


def theirs(line):
    test = json.loads(line)
    common = {
        'suite': test['suite'], 'name': test['name'], 'variant': test['variant'],
        'id': id_without_index(test['procid']), 'argv': argv(test['suite'], test['argv']), 'env': test['env'],
        'timeout': float(test['timeout']), 'expected': test['expected'], 'slow': test['slow'],
        'skipped': test['skipped'],
    }
    more = {
        'reason': test.get('expected_failure_reason'),
        # V8's listing shows the file with its absolute path.
        'expected_file': test.get('expected_file'),
        'fails': test.get('expected_fail'),
        'exception': test.get('expected_exception'),
        'negative': test.get('negative', False),
        'rules': [rule['rule'] for rule in test.get('rules', [])],
    }
    return common, more


# V8 has a few tests under way at once, whose variants alternate, and passes over skipped tests meanwhile. None is
# this many tests behind the newest.
UNDER_WAY = 10000


def tests(name, read):
    """Each test's subtests, tests in order of first mention, subtests in an order that both sides agree on."""
    def ready(group):
        return sorted(group, key=lambda test: (test[0]['variant'] or '', test[0]['id']))

    file = sys.stdin if name == '-' else open(name)
    groups = {}
    for line in file:
        test = read(line)
        groups.setdefault((test[0]['suite'], test[0]['name']), []).append(test)
        if len(groups) > UNDER_WAY:
            key = next(iter(groups))
            yield key, ready(groups.pop(key))
    # The order of templates is that of a Python 2 dictionary as well.
    whole = list(groups)
    if whole and whole[0][0] == 'preparser':
        whole.sort()
    for key in whole:
        yield key, ready(groups[key])


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    compared = different = 0
    for mine, other in zip_longest(tests(sys.argv[1], ours), tests(sys.argv[2], theirs)):
        if mine is None or other is None or mine[0] != other[0] or len(mine[1]) != len(other[1]):
            show = lambda side: side and '%s/%s with %d subtests' % (side[0] + (len(side[1]),))
            print('here the listings part: ours has %s, the reference %s' % (show(mine), show(other)))
            different += 1
            break
        for (a, more_a), (b, more_b) in zip(mine[1], other[1]):
            compared += 1
            keys = [key for key in b if a[key] != b[key]]
            for key in more_a:
                if key == 'rule':
                    if more_a['rule'] not in more_b['rules']:
                        keys.append(key)
                elif key != 'expected_file' or more_b[key] is not None:
                    if more_a[key] != more_b[key]:
                        keys.append(key)
            if keys:
                different += 1
                if different <= SHOWN:
                    print('%s (%s)' % (b['id'], b['variant']))
                    for key in keys:
                        x, y = a.get(key, more_a.get(key)), b.get(key, more_b.get(key, more_b.get('rules')))
                        print('  %s\n    ours:      %s\n    reference: %s' % (key, x, y))
    print('%d tests compared, %d different' % (compared, different))
    sys.exit(1 if different else 0)


if __name__ == '__main__':
    main()
