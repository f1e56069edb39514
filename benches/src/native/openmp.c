// Loops with OpenMP, one for each schedule; what is not said is left to its defaults.
#include <stddef.h>
#include <stdint.h>

#include <omp.h>

typedef uint64_t (*work_fn)(uint32_t);

// How often one function in Rust would be three here: the schedule is part of the program's text.
#define SUM_WORK(SCHEDULE)                                                                     \
    uint64_t openmp_sum_work_##SCHEDULE(const uint32_t *weights, size_t len, int threads, work_fn work) \
    {                                                                                          \
        uint64_t sum = 0;                                                                      \
        PRAGMA(omp parallel for reduction(+ : sum) schedule(SCHEDULE) num_threads(threads))    \
        for (size_t i = 0; i < len; i++)                                                       \
            sum += work(weights[i]);                                                           \
        return sum;                                                                            \
    }
#define PRAGMA(TEXT) _Pragma(#TEXT)

SUM_WORK(static)
SUM_WORK(dynamic)
SUM_WORK(guided)

static float block_sum(const float *floats, size_t len)
{
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < len; i++)
        sum += floats[i];
    return sum;
}

float openmp_sum_floats_static(const float *floats, size_t len, size_t block, int threads)
{
    (void)block;
    float sum = 0;
#pragma omp parallel for simd reduction(+ : sum) schedule(static) num_threads(threads)
    for (size_t i = 0; i < len; i++)
        sum += floats[i];
    return sum;
}

// These two hand out what the loop counts: blocks, so that it is not single floats.
#define SUM_FLOATS(SCHEDULE)                                                                    \
    float openmp_sum_floats_##SCHEDULE(const float *floats, size_t len, size_t block, int threads) \
    {                                                                                           \
        float sum = 0;                                                                          \
        PRAGMA(omp parallel for reduction(+ : sum) schedule(SCHEDULE) num_threads(threads))     \
        for (size_t start = 0; start < len; start += block)                                     \
            sum += block_sum(floats + start, len - start < block ? len - start : block);        \
        return sum;                                                                             \
    }

SUM_FLOATS(dynamic)
SUM_FLOATS(guided)
