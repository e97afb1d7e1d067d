"""A whole folder put in place in one step, on Linux and macOS.

The files go into a sibling, ``.NAME.partial-XXXXXXXX``; every file and then the sibling is fsynced; the sibling is
renamed to NAME; the parent is fsynced. A folder that is there already changes places with the sibling in one system
call (Linux renameat2, RENAME_EXCHANGE), so NAME is never missing. Where that call is missing, the old folder first
steps aside as ``.NAME.old-XXXXXXXX``; a crash between the two renames leaves it there, and :func:`mend` moves it
back. One writer at a time per parent folder, by a lock that ends with its owner, so whatever sibling the next writer
finds was abandoned and is removed.
"""

import ctypes
import errno
import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from scansion.errors import StorageError
from scansion.storage.limits import ROOM_TO_SPARE

RENAME_EXCHANGE = 2
AT_FDCWD = -100


def put_folder(folder: str | Path, contents: Mapping[str, bytes], check_replaceable: Callable[[Path], None]) -> None:
    """Make ``folder`` hold exactly ``contents``; on failure it is as it was, or, if the message says so, new.

    ``check_replaceable`` gets a path where something stands already, and raises if that must be kept.
    StorageError names the path, and for a full disk the bytes needed and free.
    """
    target = Path(os.path.realpath(folder))
    try:
        os.makedirs(target.parent, exist_ok=True)
        with _only_writer(target.parent) as alone:
            if alone:
                _mend(target)
            if os.path.lexists(target):
                check_replaceable(target)
            check_room(target, sum(map(len, contents.values())))
            replaced = _written_and_swapped(target, contents)
            _confirm(target)
            if replaced is not None:
                shutil.rmtree(replaced, ignore_errors=True)
    except StorageError:
        raise
    except OSError as error:
        raise _explained(error, target, sum(map(len, contents.values()))) from error


def check_room(folder: str | Path, needed: int) -> None:
    """StorageError unless the disk of ``folder``, which need not exist yet, has ``needed`` bytes free."""
    parent = Path(os.path.realpath(folder))
    while not parent.is_dir():
        parent = parent.parent
    free = shutil.disk_usage(parent).free
    if free < needed + ROOM_TO_SPARE:
        raise StorageError(
            f"{folder} needs {needed:,} bytes and the disk has {free:,} free. Make room, or choose another place."
        )


def mend(folder: str | Path) -> bool:
    """Move back a folder that stepped aside for a writer that then died; True if there was one."""
    target = Path(os.path.realpath(folder))
    try:
        if not target.parent.is_dir() or not _siblings(target, "old"):
            return False
        with _only_writer(target.parent) as alone:
            if not alone:
                raise OSError(errno.ENOLCK, "this file system has no locks")
            _mend(target)
    except OSError as error:
        raise StorageError(
            f"{target} stands aside as .{target.name}.old-… since a save was cut off, and could not be moved back: "
            f"{error.strerror}. Rename it yourself."
        ) from error
    return target.is_dir()


def _mend(target: Path) -> None:
    for aside in _siblings(target, "old"):
        if not os.path.lexists(target):
            os.rename(aside, target)
    for abandoned in _siblings(target, "old") + _siblings(target, "partial"):
        shutil.rmtree(abandoned, ignore_errors=True)


def _sibling(target: Path, kind: str) -> Path:
    return target.with_name(f".{target.name}.{kind}-{secrets.token_hex(4)}")


def _siblings(target: Path, kind: str) -> list[Path]:
    pattern = re.compile(rf"\.{re.escape(target.name)}\.{kind}-[0-9a-f]{{8}}")
    return sorted(target.with_name(name) for name in os.listdir(target.parent) if pattern.fullmatch(name))


@contextmanager
def _only_writer(parent: Path) -> Iterator[bool]:
    """True while this writer is alone in ``parent``; False where the file system has no locks for folders."""
    descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            alone = True
        except OSError:
            alone = False
        yield alone
    finally:
        with suppress(OSError):  # nothing was written through it
            os.close(descriptor)


def _written_and_swapped(target: Path, contents: Mapping[str, bytes]) -> Path | None:
    """Where the folder that stood at ``target`` is now, if one did."""
    partial = _sibling(target, "partial")
    try:
        os.mkdir(partial)
        for name, data in contents.items():
            _write(partial / name, data)
        _sync(partial)
        return _swapped(partial, target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _confirm(target: Path) -> None:
    """The new name, and with it the new folder, is on the disk."""
    try:
        _sync(target.parent)
    except OSError as error:
        raise StorageError(
            f"{target} is written and can be used, but the disk did not confirm it: {error.strerror}. Save it again, "
            "or to another place."
        ) from error


def _swapped(partial: Path, target: Path) -> Path | None:
    try:
        os.rename(partial, target)  # takes the place of nothing, or of an empty folder
        return None
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    if _exchanged(partial, target):
        return partial
    aside = _sibling(target, "old")
    os.rename(target, aside)
    try:
        os.rename(partial, target)
    except BaseException:
        os.rename(aside, target)
        raise
    return aside


def _exchanged(one: Path, other: Path) -> bool:
    """Whether the two changed places in one step; False where system or file system cannot."""
    try:
        exchange = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    if exchange(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(other))


def _explained(error: OSError, target: Path, needed: int) -> StorageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            f"The disk is full: {target} needs {needed:,} bytes, {_free_bytes(target)} free. Nothing "
            "was replaced; make room, or choose another place."
        )
    reason = error.strerror or str(error)
    return StorageError(f"{target} could not be written: {reason}. Check the path, its permissions and the disk.")


def _free_bytes(target: Path) -> str:
    try:
        return f"{shutil.disk_usage(target.parent).free:,} are"
    except OSError:
        return "an unknown number is"
