"""Takes part in a lock: worker.py LIBRARY LOCK count TIMES, or worker.py LIBRARY LOCK hold. The same as worker.c."""
import ctypes
import signal
import sys


class Pair(ctypes.Structure):
    _fields_ = [("left", ctypes.c_uint64), ("right", ctypes.c_uint64)]


library = ctypes.CDLL(sys.argv[1])
library.shm_lock_message.restype = ctypes.c_char_p
library.shm_lock_value.restype = ctypes.POINTER(Pair)
library.shm_lock_value.argtypes = [ctypes.c_void_p]
library.shm_lock_open_or_create.argtypes = [
    ctypes.POINTER(ctypes.c_void_p), ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t]
for function in (library.shm_lock_lock, library.shm_lock_unlock, library.shm_lock_mark_consistent,
                 library.shm_lock_close):
    function.argtypes = [ctypes.c_void_p]


def check(code):
    if code < 0:
        raise OSError(library.shm_lock_message().decode())
    return code


lock = ctypes.c_void_p()
check(library.shm_lock_open_or_create(
    ctypes.byref(lock), sys.argv[2].encode(), b"Pair{left@0: u64, right@8: u64}",
    ctypes.sizeof(Pair), ctypes.alignment(Pair)))
pair = library.shm_lock_value(lock).contents


def take():
    told = check(library.shm_lock_lock(lock))
    if told:
        pair.left = pair.right
        check(library.shm_lock_mark_consistent(lock))
    return told


if sys.argv[3] == "hold":
    told = take()
    pair.left += 1
    print(told, pair.right, flush=True)
    signal.pause()
for _ in range(int(sys.argv[4])):
    take()
    pair.left += 1
    pair.right += 1
    check(library.shm_lock_unlock(lock))
library.shm_lock_close(lock)
