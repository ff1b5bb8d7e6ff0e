"""Runs tests and probes on a folder, each request in a fork of its own. A script, not a module.

    python -s -P forks.py PID    one JSON request a line on stdin, one JSON answer a line on stdout

Ends with stdin, and with PID, who asks: killed, he closes no pipe that others inherited.

A request names `root`, `package`, `module`, `tests` (name → file), `probes` ([setup, expression])
and `limit_s`; the answer holds for every test file {test: passed} and for every probe its outcome,
or is null when the fork ran past its limit or died.
"""

import contextlib
import importlib.util
import json
import os
import re
import resource
import select
import signal
import sys
import time
import unittest

_ONE_S = 0.5  # of processor time: a busy machine must not fail a test
_ALL_S = 5
_MEMORY_BYTES = 2 << 30
_SHORT = 300
_ALIVE_EVERY_S = 2.0
# Where an object lies is chance; in an issue it must not be, nor tell two outcomes apart.
_ADDRESS = re.compile(r" at 0x[0-9a-f]{8,}")
_SOMEWHERE = " at 0x7f2c5e1d3a90"


class _Late(BaseException):
    pass


def _late(*_):
    raise _Late


def _name(test):
    method = getattr(test, "_testMethodName", None)
    return f"{type(test).__name__}.{method}" if method else str(test)


class _Result(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.passed = {}

    def startTest(self, test):
        super().startTest(test)
        self.passed[_name(test)] = True
        signal.setitimer(signal.ITIMER_PROF, _ONE_S)

    def stopTest(self, test):
        signal.setitimer(signal.ITIMER_PROF, 0)
        super().stopTest(test)

    def _failed(self, test):
        self.passed[_name(test)] = False

    def addFailure(self, test, err):
        self._failed(test)

    def addError(self, test, err):
        self._failed(test)

    def addSubTest(self, test, subtest, err):
        if err:
            self._failed(test)


def _run_tests(path):
    try:
        spec = importlib.util.spec_from_file_location("judged_tests", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except Exception:
        return {}
    result = _Result()
    for test in _each(unittest.defaultTestLoader.loadTestsFromModule(module)):
        try:
            test.run(result)
        except _Late:
            result._failed(test)
    return result.passed


def _each(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from _each(item)
        else:
            yield item


def _shown(text):
    return _ADDRESS.sub(_SOMEWHERE, text[: 2 * _SHORT])[:_SHORT]


def _probe(package, module, setup, expression):
    scope = {}
    signal.setitimer(signal.ITIMER_PROF, _ONE_S)
    try:
        exec(f"from {package}.{module} import *\n{setup}", scope)
        return _shown(repr(eval(expression, scope)))
    except _Late:
        return "Timeout"
    except Exception as problem:
        return _shown(f"{type(problem).__name__}: {problem}")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _child(request, out):
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    resource.setrlimit(resource.RLIMIT_CPU, (_ALL_S, _ALL_S))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    signal.signal(signal.SIGPROF, _late)
    os.chdir(request["root"])
    sys.path.insert(0, request["root"])
    package, module = request["package"], request["module"]
    answer = {
        "tests": {name: _run_tests(path) for name, path in request["tests"].items()},
        "probes": [_probe(package, module, *probe) for probe in request["probes"]],
    }
    data = json.dumps(answer).encode()
    while data:
        data = data[os.write(out, data) :]


def _answer(request):
    into, out = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(into)
            _child(request, out)
        finally:
            os._exit(0)
    os.close(out)
    parts, end = [], time.monotonic() + request["limit_s"]
    while (left := end - time.monotonic()) > 0 and select.select([into], [], [], left)[0]:
        part = os.read(into, 1 << 16)
        if not part:
            break
        parts.append(part)
    os.close(into)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    try:
        return json.loads(b"".join(parts))
    except ValueError:
        return None


def _lines(asking):
    while os.getppid() == asking:
        if select.select([sys.stdin], [], [], _ALIVE_EVERY_S)[0]:
            line = sys.stdin.readline()
            if not line:
                return
            yield line


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who asks says when to end
    for line in _lines(int(sys.argv[1])):
        sys.stdout.write(json.dumps(_answer(json.loads(line))) + "\n")
        sys.stdout.flush()
