"""Who holds a directory's `.fold`."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from mmstats.errors import PlaceRefused
from mmstats.fold import lock
from mmstats.fold.folder import Busy, Folder
from mmstats.host.directory import Directory

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: another user")


def in_child(work):
    """What `work` returns, in a forked child; as a number below 256."""
    pid = os.fork()
    if not pid:
        code = 255
        try:
            code = int(work())
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def is_free(place):
    """Whether another process could fold there now; it lets go at once."""

    def look():
        with Directory(str(place)) as directory:
            return lock.take(directory) is not None

    return bool(in_child(look))


def test_one_process_has_it_and_then_another(directory, place):
    held = lock.take(directory)
    assert not is_free(place)
    held.release()
    assert is_free(place)


def test_it_goes_with_the_process_that_is_killed(directory, place):
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        lock.take(directory)
        os.write(writing, b".")
        signal.pause()
    os.read(reading, 1)
    assert lock.take(directory) is None
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    lock.take(directory).release()
    os.close(reading)
    os.close(writing)


def test_a_forked_child_does_not_have_it(directory, place):
    """And so it does not keep it when the parent lets go, or is killed."""
    held = lock.take(directory)
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    held.release()
    assert is_free(place)
    os.close(writing)
    os.waitpid(pid, 0)
    os.close(reading)


def test_a_child_that_is_forked_in_the_middle_of_a_fold_may_fold_later(directory, place):
    """The second lock, of the process, is not inherited as taken."""
    held = lock.take(directory)
    reading, writing = os.pipe()

    def after_the_parent():
        os.read(reading, 1)
        with Directory(str(place)) as own:
            return lock.take(own) is not None

    pid = os.fork()
    if not pid:
        os._exit(int(after_the_parent()))
    held.release()
    os.write(writing, b".")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    os.close(reading)
    os.close(writing)


def test_two_threads_of_a_process(directory):
    """A lock of the process would be given to both."""
    held, others = lock.take(directory), []
    thread = threading.Thread(target=lambda: others.append(lock.take(directory)))
    thread.start()
    thread.join()
    assert others == [None]
    held.release()


def test_code_that_comes_in_between_does_not_wait(directory):
    """A signal handler, on the same thread."""
    held, found = lock.take(directory), []
    before = signal.signal(signal.SIGUSR1, lambda *_: found.append(lock.take(directory)))
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert found == [None]
    held.release()


def test_a_lock_file_that_was_replaced_is_not_the_lock(directory, place, monkeypatch):
    """Whoever locked the old one looks again, and takes the new one."""
    take, taken = lock._lock, []

    def replaced(fd):
        taken.append(fd)
        if len(taken) == 1:
            os.unlink(place / ".fold")
        return take(fd)

    monkeypatch.setattr(lock, "_lock", replaced)
    held = lock.take(directory)
    assert len(taken) == 2
    assert not is_free(place)
    held.release()


def test_a_lock_file_that_is_replaced_all_the_time_is_given_up(directory, place, monkeypatch):
    monkeypatch.setattr(lock, "_lock", lambda _: not os.unlink(place / ".fold"))
    assert lock.take(directory) is None
    monkeypatch.undo()
    lock.take(directory).release()


@pytest.mark.parametrize("error", [PermissionError(1, "no"), OSError(37, "No locks available")])
def test_a_lock_that_cannot_be_asked_for(directory, monkeypatch, error):
    def refused(*_):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(lock.fcntl, "lockf", refused)
        with pytest.raises(OSError, match=error.strerror):
            lock.take(directory)
    lock.take(directory).release()


def test_no_link_is_followed(directory, place):
    (place / "elsewhere").touch()
    (place / ".fold").symlink_to("elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        lock.take(directory)


@needs_root
def test_what_root_makes_is_the_users(place):
    os.chown(place, 65534, -1)
    with Directory(str(place)) as theirs:
        lock.take(theirs).release()
    assert (place / ".fold").stat().st_uid == 65534


# --- where nobody folds -----------------------------------------------------------------------------


def open_files():
    return len(os.listdir("/proc/self/fd"))


def test_a_directory_that_others_may_write_to(place):
    place.chmod(0o777)
    before = open_files()
    with pytest.raises(PlaceRefused, match="writable by others"):
        Folder(str(place))
    assert open_files() == before


@needs_root
def test_a_directory_of_somebody_else(place):
    place.chmod(0o755)

    def look():
        os.seteuid(65534)
        try:
            Folder(str(place))
        except PlaceRefused as refused:
            return "owned by" in str(refused)
        return 0

    assert in_child(look) == 1


def test_a_directory_where_somebody_folds(place):
    before = open_files()
    with Folder(str(place)), pytest.raises(Busy):
        Folder(str(place))
    assert open_files() == before


def test_a_directory_that_is_none(place):
    with pytest.raises(FileNotFoundError):
        Folder(str(place / "none"))
