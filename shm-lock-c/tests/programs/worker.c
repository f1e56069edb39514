/* Takes part in a lock: worker LOCK count TIMES, or worker LOCK hold. The same is worker.py, and `work` in languages.rs. */
#include "shm_lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pair {
    uint64_t left;
    uint64_t right;
};

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, shm_lock_message());
    exit(1);
}

/* Takes the lock, and undoes what a dead owner has begun. */
static int take(shm_lock *lock, volatile struct pair *pair) {
    int told = shm_lock_lock(lock);
    if (told < 0)
        fail("lock");
    if (told != SHM_LOCK_OK) {
        pair->left = pair->right;
        if (shm_lock_mark_consistent(lock) != SHM_LOCK_OK)
            fail("mark_consistent");
    }
    return told;
}

int main(int argc, char **argv) {
    shm_lock *lock;
    volatile struct pair *pair;
    if (argc < 3)
        return 2;
    if (shm_lock_open_or_create(&lock, argv[1], "Pair{left@0: u64, right@8: u64}", sizeof *pair, 8) != SHM_LOCK_OK)
        fail("open");
    pair = shm_lock_value(lock);
    if (strcmp(argv[2], "hold") == 0) {
        int told = take(lock, pair);
        pair->left += 1;
        printf("%d %llu\n", told, (unsigned long long)pair->right);
        fflush(stdout);
        pause();
    }
    for (long i = atol(argv[3]); i > 0; i--) {
        take(lock, pair);
        pair->left += 1;
        pair->right += 1;
        if (shm_lock_unlock(lock) != SHM_LOCK_OK)
            fail("unlock");
    }
    shm_lock_close(lock);
    return 0;
}
