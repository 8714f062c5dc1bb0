# What V8's classic runner (2012-2017) would run, as JSON lines: runs the tree's own run-tests.py, observed from outside.
# It starts no test.
# usage: python2.7 list_classic.py ROOT OUT.jsonl -- run-tests.py options
import imp
import json
import os
import sys

tree, out = os.path.abspath(sys.argv[1]), sys.argv[2]
args = sys.argv[4:]
sys.path.insert(0, os.path.join(tree, 'tools'))
sys.dont_write_bytecode = True
os.chdir(tree)
sys.argv = [os.path.join(tree, 'tools', 'run-tests.py')] + args
run_tests = imp.load_source('run_tests', sys.argv[0])
if not hasattr(run_tests, 'Main'):
  # V8 6.4 to 6.6.
  from testrunner import standard_runner
  run_tests.Main = standard_runner.StandardTestRunner().execute
from testrunner.local import execution
f = open(out, 'w')


def instructions(runner, t):
  """The command of a test without empty words, as in commands.Execute, and its time limit in seconds."""
  if hasattr(t, 'get_command'):
    command = t.get_command(runner.context)
    return [command.shell] + [c for c in command.args if c != ''], command.timeout
  if hasattr(execution, '_GetInstructions'):
    found = execution._GetInstructions(t, runner.context)
    return [c for c in found.command if c != ''], found.timeout
  if hasattr(runner, '_GetJob'):
    job = runner._GetJob(t)
    return [c for c in job.command if c != ''], job.timeout
  # 2012 and 2013: in the middle of a method.
  timeout = runner.context.timeout
  if '--stress-opt' in t.flags or '--stress-opt' in runner.context.mode_flags or \
     '--stress-opt' in runner.context.extra_flags:
    timeout *= 4
  return [c for c in runner.GetCommand(t) if c != ''], timeout


def run(self, jobs):
  for t in self.tests:
    command, timeout = instructions(self, t)
    if hasattr(t, '_statusfile_outcomes'):
      outcomes = t._statusfile_outcomes
    elif hasattr(t, 'outcomes'):
      outcomes = t.outcomes or []
    else:
      outcomes = t.suite.GetStatusFileOutcomes(t)
    f.write(json.dumps({
        'suite': t.suite.name, 'path': t.path, 'variant': getattr(t, 'variant', None), 'command': command,
        'timeout': timeout, 'slow': 'SLOW' in outcomes, 'expected': sorted(outcomes)}, sort_keys=True) + '\n')
  return 0


execution.Runner.Run = run
code = run_tests.Main()
f.close()
sys.exit(code)
