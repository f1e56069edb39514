/* Locks between processes that survive the death of their owner.
 *
 * A lock is a file with a value of one type, which each process opens. If a thread dies while it has the lock (kill -9, a crash, exit), the next one gets
 * the lock and is told SHM_LOCK_OWNER_DIED: it looks at the value, repairs it, and calls shm_lock_mark_consistent.
 *
 * The same files are ShmMutex<T> in Rust; the command shm-lock works with them, too. 64-bit Linux with glibc. All processes are of one user and in one PID namespace.
 * No function may be called in a signal handler.
 */
#ifndef SHM_LOCK_H
#define SHM_LOCK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What functions return. Those that take a lock have taken it if the result is not negative. */
enum {
    SHM_LOCK_OK = 0,
    /* Taken, and the last owner died: the value may be torn. One caller is told. */
    SHM_LOCK_OWNER_DIED = 1,
    /* Taken, and an owner that was told of a torn value did not repair it, or panicked. */
    SHM_LOCK_POISONED = 2,
    /* Another thread has it. */
    SHM_LOCK_WOULD_BLOCK = -1,
    SHM_LOCK_TIMED_OUT = -2,
    /* This thread has it. */
    SHM_LOCK_DEADLOCK = -3,
    /* The value was given up for good (shm_lock_abandon). */
    SHM_LOCK_NOT_RECOVERABLE = -4,
    /* This thread does not have it. */
    SHM_LOCK_NOT_HELD = -5,
    /* This process or system can use no such locks. */
    SHM_LOCK_UNSUPPORTED = -6,
    /* An argument makes no sense. */
    SHM_LOCK_INVALID = -7,
    /* The operating system refused: there is no such file, for instance. */
    SHM_LOCK_IO = -8,
    /* The file is no lock. */
    SHM_LOCK_DAMAGED = -9,
    /* The file's value has another type, or another version of this library made it. */
    SHM_LOCK_MISMATCH = -10,
    /* The file is of an earlier boot. */
    SHM_LOCK_STALE = -11,
    /* Others could change the file. */
    SHM_LOCK_UNTRUSTED = -12,
    SHM_LOCK_OTHER_PID_NAMESPACE = -13
};

/* An open lock. All threads of a process may use one. */
typedef struct shm_lock shm_lock;

/* Opening stores a lock in *lock and returns SHM_LOCK_OK, or stores NULL and returns why not.
 *
 * name: without a '/', a lock of this user in /dev/shm; otherwise a path.
 * type: describes the value, and must be the same for all who open it, such as "u64" or "Progress{done@0: u64, rate@8: f64}" (LAYOUT.md of shm-lock). The
 *   value must mean the same in every process, whatever its bytes are: no pointers.
 * size, align: sizeof and _Alignof of the value.
 *
 * A lock that is made has zeros for a value.
 */

/* Opens a lock that exists. */
int shm_lock_open(shm_lock **lock, const char *name, const char *type, size_t size, size_t align);
/* Makes a lock; fails if there is a file of that name. */
int shm_lock_create_new(shm_lock **lock, const char *name, const char *type, size_t size, size_t align);
/* Opens a lock, or makes it if there is none. */
int shm_lock_open_or_create(shm_lock **lock, const char *name, const char *type, size_t size, size_t align);
/* The same, and replaces a file that nobody uses and nobody can use: SHM_LOCK_STALE, _DAMAGED, _MISMATCH. */
int shm_lock_open_or_replace_stale(shm_lock **lock, const char *name, const char *type, size_t size, size_t align);

/* Closes a lock, which no thread of this process may have or use any more. NULL is nothing. The file stays. */
void shm_lock_close(shm_lock *lock);
/* Removes the name of a lock. Whoever has it open keeps it. */
int shm_lock_unlink(const char *name);
/* 1 if the name still leads to the lock, 0 if not. */
int shm_lock_is_linked(const shm_lock *lock);

/* Takes the lock, waiting for it as long as it takes. */
int shm_lock_lock(shm_lock *lock);
/* Takes the lock if it is free. */
int shm_lock_try_lock(shm_lock *lock);
/* Takes the lock, waiting for it no longer than so many nanoseconds of the monotonic clock. */
int shm_lock_timed_lock(shm_lock *lock, uint64_t nanoseconds);
/* Gives the lock back. A torn value stays marked: the next one is told SHM_LOCK_POISONED.
 * In a child that was forked by a thread which has the lock this does nothing: the parent has it. */
int shm_lock_unlock(shm_lock *lock);

/* The value is whole, or has been repaired. For the thread that has the lock, which it keeps. */
int shm_lock_mark_consistent(shm_lock *lock);
/* Gives the lock back with a value that cannot be repaired; from now on all are told SHM_LOCK_NOT_RECOVERABLE. For a thread that was told of a torn value. */
int shm_lock_abandon(shm_lock *lock);

/* The value. Access it only while this thread has the lock. */
void *shm_lock_value(const shm_lock *lock);

/* What was expected, what was found and what to do, about the last negative result in this thread; until the next one. */
const char *shm_lock_message(void);

#ifdef __cplusplus
}
#endif

#endif
