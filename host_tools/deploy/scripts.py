"""Programs that deploy runs on the board, in its raw REPL; they use what every stock build has.

They share their globals. Each prints Python literals, one a line, or nothing.
"""

from __future__ import annotations

# Constructing a WDT again changes its time-out (ports/esp32/machine_wdt.c); one that never ran
# must not be started. The application's module is loaded only if it has run since the last reset.
CALM_WATCHDOG = """
import sys
if 'sandbox.board' in sys.modules:
    import machine
    machine.WDT(timeout={timeout_ms})
"""

# umqtt counts as frozen only if it comes from there, not from /umqtt of an earlier deploy.
FACTS = """
import os, sys
old = sys.path[:]
sys.path[:] = ['.frozen']
try:
    import umqtt.simple
    frozen = True
except ImportError:
    frozen = False
sys.path[:] = old
for name in [name for name in sys.modules if name.startswith('umqtt')]:
    del sys.modules[name]
i = sys.implementation
s = os.statvfs('/')
print((getattr(i, '_mpy', 0) & 255, '.'.join(str(n) for n in i[1][:3]), getattr(i, '_build', ''),
    frozen, s[0] * s[3]))
"""

HELPERS = """
import binascii, gc, hashlib, os
gc.collect()
buffer = bytearray(512)
view = memoryview(buffer)
def sha(path):
    h = hashlib.sha256()
    with open(path, 'rb') as f:
        while True:
            n = f.readinto(buffer)
            if not n:
                return binascii.hexlify(h.digest()).decode()
            h.update(view[:n])
def walk(folder):
    try:
        entries = sorted(os.ilistdir(folder))
    except OSError:
        return
    print((folder, ''))
    for e in entries:
        path = folder + '/' + e[0]
        if e[1] == 0x4000:
            walk(path)
        else:
            print((path, sha(path)))
def look(path):
    try:
        if os.stat(path)[0] & 0x4000 == 0:
            print((path, sha(path)))
    except OSError:
        pass
def begin(path):
    global out
    for i in range(1, len(path)):
        if path[i] == '/':
            try:
                os.mkdir(path[:i])
            except OSError:
                pass
    out = open(path, 'wb')
def add(text):
    out.write(binascii.a2b_base64(text))
def end(path, wanted):
    out.close()
    if sha(path) != wanted:
        raise OSError('hash of ' + path)
"""

LOOK = """
for folder in {folders!r}:
    walk(folder)
for path in {files!r}:
    look(path)
"""

# In pieces: after an application there may be no memory for a whole manifest. True = that is all.
READ = """
try:
    with open({path!r}) as f:
        piece = f.read(256)
        while piece:
            print(repr(piece))
            piece = f.read(256)
    print(True)
except (OSError, ValueError):
    print(False)
"""

# All files are there by now, checked, under temporary names. The list of what is left to do
# appears in one rename: before it the old application is whole, after it firmware/boot.py comes
# to the new one, now or, if the power fails, at the next start. So boot.py must be there before.
SWITCH = """
import os
with open({todo!r} + {staged!r}, 'w') as f:
    for line in {lines!r}:
        f.write(line + '\\n')
if {boot!r}:
    os.rename('/boot.py' + {staged!r}, '/boot.py')
os.rename({todo!r} + {staged!r}, {todo!r})
failed = None
def print(*words):
    global failed
    failed = words[-1]
{finish}
del print
if failed:
    raise failed
"""

SET_CLOCK = """
import machine
machine.RTC().datetime({datetime!r})
"""
