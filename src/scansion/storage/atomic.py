"""A whole folder put in place in one step, on Linux and macOS.

The files go into a sibling, ``.NAME.partial-XXXXXXXX``; every file and then the sibling is fsynced; the sibling is
renamed to NAME; the parent is fsynced. A folder that is there already changes places with the sibling in one system
call (Linux renameat2, RENAME_EXCHANGE), so NAME is never missing. Where that call is missing, the old folder first
steps aside as ``.NAME.old-XXXXXXXX``; a crash between the two renames leaves it there, and :func:`mend` moves it
back.

A writer holds its own sibling locked, and a lock ends with its owner: a sibling that can be locked was abandoned, and
the next writer removes it.  Nothing that is not the writer's own is ever locked or waited for.
"""

import ctypes
import errno
import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from scansion.errors import StorageError
from scansion.spill import ROOM_TO_SPARE

RENAME_EXCHANGE = 2
AT_FDCWD = -100
TOKEN_DIGITS = 8
LOOKS, SECONDS_BETWEEN_LOOKS = 40, 0.05


def put_folder(folder: str | Path, contents: Mapping[str, bytes], check_replaceable: Callable[[Path], None]) -> None:
    """Make ``folder`` hold exactly ``contents``; on failure it is as it was, or, if the message says so, new.

    ``check_replaceable`` gets a path where something stands already, and raises if that must be kept.
    StorageError names the path, and for a full disk the bytes needed and free.
    """
    target = Path(os.path.realpath(folder))
    try:
        os.makedirs(target.parent, exist_ok=True)
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


def only_over(names: Iterable[str]) -> Callable[[Path], None]:
    """A check of :func:`put_folder` that lets replace only a folder that holds these files and nothing else."""

    def check(folder: Path) -> None:
        foreign = sorted(set(os.listdir(folder)) - set(names)) if folder.is_dir() else [folder.name]
        if foreign:
            raise StorageError(f"{folder} is taken and is not replaced: it holds {', '.join(foreign[:3])}.")

    return check


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
        _mend(target)
        for _ in range(LOOKS):
            if os.path.lexists(target):
                return target.is_dir()
            time.sleep(SECONDS_BETWEEN_LOOKS)  # a living writer is between its two renames
        raise OSError(errno.ENOLCK, "another process has it, or this file system has no locks")
    except OSError as error:
        raise StorageError(
            f"{target} stands aside as .{target.name}.old-… since a save was cut off, and could not be moved back: "
            f"{error.strerror}. Rename it yourself."
        ) from error


def _mend(target: Path) -> None:
    """Remove what dead writers have left; a folder that one of them has moved aside comes back."""
    for aside in _siblings(target, "old"):
        with _abandoned(_sibling(target, "partial", aside.name[-TOKEN_DIGITS:])) as abandoned:
            if abandoned and not os.path.lexists(target):
                os.rename(aside, target)
            elif abandoned:
                shutil.rmtree(aside, ignore_errors=True)
    for partial in _siblings(target, "partial"):
        with _abandoned(partial) as abandoned:
            if abandoned:
                shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _abandoned(partial: Path) -> Iterator[bool]:
    """Whether no living writer has this sibling; where the file system has no locks, nobody can know."""
    try:
        descriptor = os.open(partial, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        yield error.errno == errno.ENOENT
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        abandoned = True
    except OSError:
        abandoned = False
    try:
        yield abandoned
    finally:
        _let_go(descriptor)


def _sibling(target: Path, kind: str, token: str) -> Path:
    return target.with_name(f".{target.name}.{kind}-{token}")


def _siblings(target: Path, kind: str) -> list[Path]:
    pattern = re.compile(rf"\.{re.escape(target.name)}\.{kind}-[0-9a-f]{{{TOKEN_DIGITS}}}")
    return sorted(target.with_name(name) for name in os.listdir(target.parent) if pattern.fullmatch(name))


def _written_and_swapped(target: Path, contents: Mapping[str, bytes]) -> Path | None:
    """Where the folder that stood at ``target`` is now, if one did."""
    partial, descriptor = _own_sibling(target)
    try:
        for name, data in contents.items():
            _write(partial / name, data)
        os.fsync(descriptor)
        return _swapped(partial, target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    finally:
        _let_go(descriptor)


def _own_sibling(target: Path) -> tuple[Path, int]:
    """A fresh sibling, and the descriptor that holds it locked."""
    while True:
        partial = _sibling(target, "partial", secrets.token_hex(TOKEN_DIGITS // 2))
        os.mkdir(partial)
        try:
            descriptor = os.open(partial, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue  # in between, another writer took it for abandoned
        with suppress(OSError):  # without locks, nobody takes it for abandoned
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.path.lexists(partial):
            return partial, descriptor
        _let_go(descriptor)


def _let_go(descriptor: int) -> None:
    with suppress(OSError):  # nothing was written through it
        os.close(descriptor)


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
    aside = _sibling(target, "old", partial.name[-TOKEN_DIGITS:])
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
