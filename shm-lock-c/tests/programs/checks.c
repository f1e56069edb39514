/* What each function returns. */
#include "shm_lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                                          \
    do {                                                                                          \
        if (!(condition)) {                                                                       \
            fprintf(stderr, "line %d: %s; last message: %s\n", __LINE__, #condition, shm_lock_message()); \
            exit(1);                                                                              \
        }                                                                                         \
    } while (0)

static shm_lock *lock;

static void *of_another_thread(void *unused) {
    (void)unused;
    CHECK(shm_lock_try_lock(lock) == SHM_LOCK_WOULD_BLOCK);
    CHECK(shm_lock_timed_lock(lock, 1000000) == SHM_LOCK_TIMED_OUT);
    CHECK(shm_lock_unlock(lock) == SHM_LOCK_NOT_HELD);
    CHECK(shm_lock_mark_consistent(lock) == SHM_LOCK_NOT_HELD);
    CHECK(shm_lock_abandon(lock) == SHM_LOCK_NOT_HELD);
    return NULL;
}

static void *ends_with_the_lock(void *unused) {
    CHECK(shm_lock_lock(lock) >= 0);
    return unused;
}

static void in_a_thread(void *(*body)(void *)) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, body, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void opening(const char *name) {
    shm_lock *other = (shm_lock *)1;
    CHECK(shm_lock_open(&other, name, "u64", 8, 8) == SHM_LOCK_IO);
    CHECK(other == NULL && strstr(shm_lock_message(), "cannot open"));
    CHECK(shm_lock_create_new(&lock, name, "u64", 8, 8) == SHM_LOCK_OK);
    CHECK(shm_lock_create_new(&other, name, "u64", 8, 8) == SHM_LOCK_IO);
    CHECK(shm_lock_open(&other, name, "f64", 8, 8) == SHM_LOCK_MISMATCH);
    CHECK(strstr(shm_lock_message(), "RegionMutex<f64>@40"));
    CHECK(shm_lock_open(&other, name, "u64", 8, 3) == SHM_LOCK_INVALID);
    CHECK(shm_lock_open(&other, name, "\xff", 8, 8) == SHM_LOCK_INVALID);
    CHECK(shm_lock_open(&other, "\xff", "u64", 8, 8) == SHM_LOCK_INVALID);
    CHECK(shm_lock_open(NULL, name, "u64", 8, 8) == SHM_LOCK_INVALID);
    CHECK(shm_lock_open(&other, NULL, "u64", 8, 8) == SHM_LOCK_INVALID);
    CHECK(shm_lock_open(&other, name, NULL, 8, 8) == SHM_LOCK_INVALID);
    CHECK(shm_lock_open(&other, "/", "u64", 8, 8) == SHM_LOCK_UNTRUSTED);
    CHECK(shm_lock_open_or_create(&other, name, "u64", 8, 8) == SHM_LOCK_OK);
    shm_lock_close(other);
    CHECK(shm_lock_open_or_replace_stale(&other, name, "u64", 8, 8) == SHM_LOCK_OK);
    CHECK(shm_lock_value(other) == shm_lock_value(lock));
    shm_lock_close(other);
    shm_lock_close(NULL);
    CHECK(shm_lock_lock(NULL) == SHM_LOCK_INVALID && shm_lock_value(NULL) == NULL);
    CHECK(shm_lock_unlink(NULL) == SHM_LOCK_INVALID);
}

static void locking(void) {
    CHECK(shm_lock_unlock(lock) == SHM_LOCK_NOT_HELD);
    CHECK(strstr(shm_lock_message(), "expected a lock that this thread has"));
    CHECK(shm_lock_lock(lock) == SHM_LOCK_OK);
    CHECK(shm_lock_lock(lock) == SHM_LOCK_DEADLOCK);
    CHECK(shm_lock_timed_lock(lock, 0) == SHM_LOCK_DEADLOCK);
    CHECK(shm_lock_mark_consistent(lock) == SHM_LOCK_OK);
    CHECK(shm_lock_abandon(lock) == SHM_LOCK_INVALID);
    in_a_thread(of_another_thread);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        /* The parent has it. */
        CHECK(shm_lock_unlock(lock) == SHM_LOCK_OK);
        CHECK(shm_lock_try_lock(lock) == SHM_LOCK_WOULD_BLOCK);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(shm_lock_try_lock(lock) == SHM_LOCK_WOULD_BLOCK);
    CHECK(shm_lock_unlock(lock) == SHM_LOCK_OK);
    CHECK(shm_lock_timed_lock(lock, 0) == SHM_LOCK_OK);
    CHECK(shm_lock_unlock(lock) == SHM_LOCK_OK);
}

static void dying(void) {
    for (int i = 0; i < 100; i++) {
        in_a_thread(ends_with_the_lock);
        CHECK(shm_lock_lock(lock) == SHM_LOCK_OWNER_DIED);
        CHECK(shm_lock_unlock(lock) == SHM_LOCK_OK);
        CHECK(shm_lock_try_lock(lock) == SHM_LOCK_POISONED);
        CHECK(shm_lock_mark_consistent(lock) == SHM_LOCK_OK);
        CHECK(shm_lock_unlock(lock) == SHM_LOCK_OK);
    }
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(shm_lock_lock(lock) == SHM_LOCK_OK);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(shm_lock_timed_lock(lock, 1000000000) == SHM_LOCK_OWNER_DIED);
    CHECK(shm_lock_abandon(lock) == SHM_LOCK_OK);
    CHECK(shm_lock_lock(lock) == SHM_LOCK_NOT_RECOVERABLE);
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    opening(argv[1]);
    locking();
    dying();
    CHECK(shm_lock_is_linked(lock) == 1);
    CHECK(shm_lock_unlink(argv[1]) == SHM_LOCK_OK);
    CHECK(shm_lock_is_linked(lock) == 0);
    CHECK(shm_lock_unlink(argv[1]) == SHM_LOCK_IO);
    shm_lock_close(lock);
    return 0;
}
