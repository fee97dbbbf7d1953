"""Starts the shim without the environment that holds the secrets.

What a process finds in its environment when it begins stays readable in /proc for as long as it
runs. So this program reads the environment, writes it with the shim into memory that has no name,
and becomes the shim: a process that begins without. Its arguments are the packed shim, the
configuration and the command.
"""

import binascii
import os
import sys
import zlib

KEPT_FOR_PYTHON = ("LD_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE")

LOADER = r"""
import os, sys
with os.fdopen(int(sys.argv[1]), "rb") as file:
    program, config, environment = file.read().split(b"\0", 2)
exec(compile(program, "nopeek", "exec"))
main(config, environment, sys.argv[2:])
"""


def environment_block():
    """As it was given; Python may have added a locale to its own copy."""
    try:
        with open("/proc/self/environ", "rb") as file:
            block = file.read()
    except OSError:
        block = b""
    return block or b"\0".join(name + b"=" + value for name, value in os.environb.items())


def unnamed_file():
    """Memory, or where there is no such call a file that is removed already."""
    try:
        return os.memfd_create("nopeek")
    except (AttributeError, OSError):
        import tempfile  # pylint: disable=import-outside-toplevel

        with tempfile.TemporaryFile(prefix="nopeek-") as file:
            return os.dup(file.fileno())


def begin(packed, config, *command):
    """Becomes the shim."""
    fd = unnamed_file()
    program = zlib.decompress(binascii.a2b_base64(packed))
    rest = memoryview(b"\0".join([program, os.fsencode(config), environment_block()]))
    while rest:
        rest = rest[os.write(fd, rest) :]
    os.lseek(fd, 0, os.SEEK_SET)
    os.set_inheritable(fd, True)
    python = sys.executable or "/proc/self/exe"
    environment = {name: os.environ[name] for name in KEPT_FOR_PYTHON if name in os.environ}
    os.execve(python, [python, "-I", "-S", "-c", LOADER, str(fd), *command], environment)


try:
    begin(*sys.argv[1:])
except Exception as error:  # pylint: disable=broad-except
    # Nothing of an error is shown: it might hold a value.
    sys.exit("nopeek: the shim cannot start (%s)" % type(error).__name__)
