"""Hostile submissions: what a notebook could hold to get points that it has not earned, or to harm.

`CODE` runs in a cell of the learner's before wrong answers; `ANSWERS` stands in place of one;
`FILES` is what may be handed in instead of a notebook; `CHANGES` are done to an honest notebook.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Cells = list[dict[str, Any]]
PATCH = "import k8slab.classroom.{0} as m\nm.{1} = {2}"
FORK = "import os, signal\nif os.fork() == 0:\n    os.setsid(); signal.pause()"

CODE: dict[str, str] = {
    # patches of the classroom, of the grader, of Python
    "patched check": PATCH.format("checks", "check", "lambda *a: 'right'"),
    "patched judge": PATCH.format("checks", "judge", "lambda *a: 'right'"),
    "patched shares": PATCH.format("verdicts", "SHARE", "dict.fromkeys(m.LADDER, 1.0)"),
    "patched verdict": PATCH.format("verdicts", "Verdict.points", "4"),
    "patched find": PATCH.format("exercises", "find", "lambda key: None"),
    "patched encode": PATCH.format("grading.inside", "encode", "lambda v: 'right'"),
    "patched call": PATCH.format("grading.inside", "call", 'lambda *a: \'{"kind": "right"}\''),
    "patched plain": PATCH.format("grading.wire", "plain", "lambda v: 3"),
    "forged verdict": PATCH.format(
        "grading.inside", "encode", 'lambda v: \'{"kind": "data", "verdict": "right"}\''
    ),
    "forged struct": PATCH.format(
        "grading.inside",
        "encode",
        'lambda v: \'{"kind": "data", "value": {"$struct": "Finding", "fields": {}}}\'',
    ),
    "forged function": PATCH.format(
        "grading.inside", "encode", 'lambda v: \'{"kind": "function"}\''
    ),
    "forged wishes": PATCH.format(
        "grading.inside", "call", 'lambda *a: \'{"kind": "data", "value": [], "wishes": [[[3]]]}\''
    ),
    "forged depth": PATCH.format("grading.inside", "encode", "lambda v: '[' * 100_000"),
    "forged size": PATCH.format("grading.inside", "encode", "lambda v: 'x' * 30_000_000"),
    "patched json": 'import json\njson.dumps = lambda *a, **k: \'{"kind": "data", "value": 1}\'',
    "patched builtins": "import builtins\nbuiltins.len = builtins.isinstance = lambda *a: True",
    "patched import": "import builtins\nbuiltins.__import__ = None",
    "patched print": "import builtins\nbuiltins.print = builtins.repr = lambda *a, **k: 'right'",
    "no builtins": "import builtins\nvars(builtins).clear()",
    "no modules": "import sys\nsys.modules.clear()",
    "no names": "%reset -f",
    "always equal": "class Yes(str):\n    __eq__ = lambda *a: True\n    __hash__ = str.__hash__\n"
    "order = Yes('FGH')",
    "deleted class": "import msgspec\ndel msgspec.Struct",
    "patched kernel": "k = get_ipython().kernel\nk.do_execute = None",
    "patched session": "get_ipython().kernel.session.send = lambda *a, **k: None",
    "garbage replies": "s = get_ipython().kernel.session\ns.pack = lambda o: b'{' * 50_000",
    "unsigned replies": "get_ipython().kernel.session.key = b'x'",
    "patched display": "f = get_ipython().display_formatter\n"
    "f.format = lambda *a: ({'text/plain': '1'}, {})",
    "patched expressions": "get_ipython().user_expressions = lambda e: {'it': {'status': 'ok'}}",
    "odd expressions": "get_ipython().user_expressions = lambda e: {'it': 3}",
    "input hook": "get_ipython().input_transformers_cleanup.append(lambda lines: ['pass'])",
    "cell hook": "get_ipython().events.register('pre_run_cell', lambda *a: 1 / 0)",
    "run metadata": "exec(compile('points = 1000; verdict = \"right\"', 'nbgrader', 'exec'))",
    "forged output": 'print(\'{"06.1": {"verdict": "right", "points": 1}}\')',
    "forged display": "import IPython.display as d\nd.display({'application/json': {}}, raw=True)",
    "profile": "import sys\nsys.setprofile(lambda *a: None)\nsys.settrace(lambda *a: None)",
    "low recursion": "import sys\nsys.setrecursionlimit(60)",
    "ledger": "import os\nos.environ['K8SLAB_LEDGER'] = '/work/ledger.json'",
    # ends
    "exit": "exit()",
    "system exit": "raise SystemExit(0)",
    "abort": "import os\nos.abort()",
    "own end": "import os\nos._exit(0)",
    "killed": "import os\nos.kill(os.getpid(), 9)",
    "parent killed": "import os\nos.kill(os.getppid(), 9)",
    "all killed": "import os\nos.kill(-1, 9)",
    "group killed": "import os\nos.killpg(0, 9)",
    "crash": "import ctypes\nctypes.string_at(0)",
    "stdout closed": "import os, sys\nos.close(1); os.close(2); sys.stdout.close()",
    "all closed": "import os\nos.closerange(3, 200)",
    "interrupted": "import signal\nsignal.raise_signal(signal.SIGINT)",
    # time
    "loop": "while True: pass",
    "deaf loop": "import signal\nfor n in range(1, 31):\n    try: signal.signal(n, signal.SIG_IGN)"
    "\n    except (OSError, ValueError): pass\nwhile True: print(1)",
    "loop in C": "sum(iter(int, 1))",
    "stopped": "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    # processes and threads
    "daemon": FORK,
    "double daemon": FORK.replace("signal.pause()", "os.fork() or signal.pause()"),
    "fork bomb": "import os\nwhile True: os.fork()",
    "many processes": "import subprocess\nfor n in range(1000): subprocess.Popen(['sleep', '100'])",
    "thread that outlives": "import threading\n"
    "threading.Thread(target=lambda: [0 for _ in iter(int, 1)], daemon=True).start()",
    "many threads": "import threading, time\nfor n in range(5000):\n"
    "    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()",
    "shell": "!kill -9 -1; rm -rf / 2>/dev/null; echo done",
    # memory, disk, output
    "much memory": "x = bytearray(100 << 30)",
    "growing memory": "x = []\nwhile True: x.append(bytearray(50 << 20))",
    "deep recursion": "import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f()\nf()",
    "large file": "f = open('x', 'wb')\nwhile True: f.write(b'x' * (10 << 20))",
    "many files": "for n in range(5_000): open(f'x{n}', 'w').close()",
    "much output": "print('x' * 30_000_000)",
    "many lines": "for n in range(20_000): print(n)",
    "large error": "raise ValueError('x' * 10_000_000)",
    "odd error": "raise type('\\ud800\\x1b[2J', (Exception,), {})('\\u202e\\ud800\\0')",
    "error that raises": "class E(Exception):\n    def __str__(self): raise self\nraise E",
    "widgets": "import ipywidgets\n[ipywidgets.IntSlider() for _ in range(300)]",
    "question": "input('points? ')",
    # the machine
    "network": "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:1', timeout=1)",
    "rewritten package": "import k8slab.classroom.checks as c\nopen(c.__file__, 'w').write('')",
    "deleted package": "import k8slab, shutil\nshutil.rmtree(k8slab.__path__[0])",
    "rewritten libraries": "import msgspec, pathlib\npathlib.Path(msgspec.__file__).unlink()",
    "mounted": "import ctypes\nassert ctypes.CDLL(None).mount(b'x', b'/usr', b'tmpfs', 0, 0) == 0",
    "new user": "import ctypes\nassert ctypes.CDLL(None).setuid(0) == 0",
    "connection file": "import glob, os\n[os.unlink(one) for one in glob.glob('/tmp/*/*')]",
}

READS = {  # what they raise must not be in their feedback
    "environment": "raise ValueError(dict(__import__('os').environ))",
    "environment of 1": "raise ValueError(open('/proc/1/environ').read())",
    "users": "raise ValueError(open('/etc/passwd').read())",
    "user": "import getpass, pathlib\nraise ValueError(getpass.getuser(), pathlib.Path.home())",
    "host": "import socket\nraise ValueError('at ' + socket.gethostname())",
    "processes": "import subprocess\nraise ValueError(subprocess.getoutput('ps aux; ls /proc'))",
    "mounts": "raise ValueError(open('/proc/self/mountinfo').read()[-250:])",
    "neighbors": "import glob\nraise ValueError([open(p).read() for p in glob.glob(CANARY)])",
    "solutions": "import glob\nraise ValueError([open(p).read() for p in glob.glob(SOLUTIONS)])",
}

ANSWERS: dict[str, str] = {  # in place of `order` or `members`
    "nan": "order = float('nan')",
    "letters without end": "order = 'FGH' * 1_000_000",
    "everything": "order = 'ABCDEFGH'",
    "bytes": "order = b'FGH'",
    "surrogate": "order = '\\ud800'",
    "a list in itself": "order = []\norder.append(order)",
    "a deep list": "order = []\nfor _ in range(100_000): order = [order]",
    "a long list": "order = list('FGH') * 100_000",
    "a large number": "order = 10 ** 100_000",
    "a class": "order = type",
    "a widget": "import ipywidgets\norder = ipywidgets.Text('FGH')",
    "a verdict": "from k8slab.classroom.verdicts import right\norder = right('yes')",
    "a repr that raises": "class A:\n    def __repr__(self): 1 / 0\norder = A()",
    "a getattr that lies": "class A:\n    def __getattr__(self, name): return lambda *a: 'FGH'\n"
    "order = A()",
    "a key that lies": "order = {'$struct': 'Plan', 'fields': {}}",
    "a generator": "def members(service, pods):\n    while True: yield 'x'",
    "a recursion": "def members(service, pods): return members(service, pods)",
    "a slow function": "def members(service, pods):\n    import time\n    time.sleep(100)",
    "a function that ends": "def members(service, pods): raise KeyboardInterrupt",
    "a function that exits": "def members(service, pods): raise SystemExit",
    "a large answer": "def members(service, pods): return ['x' * 1000] * 100_000",
    "a strange answer": "def members(service, pods): return members",
    "too few parameters": "def members(): return []",
    "a coroutine": "async def members(service, pods): return []",
    "every Pod": "def members(service, pods): return [pod.metadata.name for pod in pods]",
}

FILES: dict[str, bytes] = {
    "empty": b"",
    "text": b"hello",
    "half": b'{"cells": [',
    "bytes": bytes(range(256)) * 100,
    "utf-16": '{"cells": []}'.encode("utf-16"),
    "a list": b"[]",
    "a number": b"3",
    "null": b"null",
    "format 3": b'{"worksheets": [{"cells": []}]}',
    "no cells": b'{"cells": []}',
    "cells of numbers": b'{"cells": [3, null, "x"]}',
    "cells as a mapping": b'{"cells": {"0": {}}}',
    "deep": b'{"cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "deep and open": b'{"a":' * 200_000,
    "a large number": b'{"cells": ' + b"9" * 1_000_000 + b"}",
    "not a number": b'{"cells": [NaN, Infinity]}',
    "a zip": b"PK\x03\x04" + b"\0" * 1000,
    "a picture": b"\x89PNG\r\n\x1a\n" + b"\0" * 1000,
    "nuls": b"\0" * 1_000_000,
    "too large": b" " * 20_000_001,
}


def edited(**facts: Any) -> Callable[[Cells], Cells]:
    return lambda cells: [{**cell, **facts} for cell in cells]


CHANGES: dict[str, Callable[[Cells], Cells]] = {  # that take nothing away and give nothing
    "reversed": lambda cells: cells[::-1],
    "doubled": lambda cells: cells + cells,
    "no metadata": edited(metadata={}),
    "metadata of a number": edited(metadata=3),
    "metadata of a list": edited(metadata=[]),
    "forged points": edited(metadata={"nbgrader": {"grade": True, "points": 1000}}),
    "forged outputs": edited(outputs=[{"output_type": "stream", "text": "06.1: right"}]),
    "outputs of a number": edited(outputs=3, execution_count="x"),
    "no checks": lambda cells: [cell for cell in cells if "check" not in cell["id"]],
    "edited checks": lambda cells: [
        {**cell, "source": "check = print"} if "check" in cell["id"] else cell for cell in cells
    ],
    "sources as lists": lambda cells: [{**c, "source": [*c["source"]]} for c in cells],
    "cells of junk between": lambda cells: [
        junk
        for cell in cells
        for junk in (cell, {"cell_type": "code"}, {"cell_type": 3}, 7)  # type: ignore[misc]
    ],
    "lost ids": lambda cells: [{k: v for k, v in c.items() if k != "id"} for c in cells],
}


def notebook(cells: Any) -> bytes:
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}).encode()
