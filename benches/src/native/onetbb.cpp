// Loops with oneTBB: parallel_reduce with the default (auto) partitioner, in an arena of as many threads.
#include <cstddef>
#include <cstdint>
#include <functional>

#include <tbb/blocked_range.h>
#include <tbb/parallel_reduce.h>
#include <tbb/task_arena.h>

using Range = tbb::blocked_range<std::size_t>;

extern "C" {

void *onetbb_arena(int threads) { return new tbb::task_arena(threads); }

void onetbb_arena_free(void *arena) { delete static_cast<tbb::task_arena *>(arena); }

// Runs `body(context)` inside of the arena, from which calls are cheaper.
void onetbb_execute(void *arena, void (*body)(void *), void *context)
{
    static_cast<tbb::task_arena *>(arena)->execute([=] { body(context); });
}

std::uint64_t onetbb_sum_work(const std::uint32_t *weights, std::size_t len, std::uint64_t (*work)(std::uint32_t))
{
    return tbb::parallel_reduce(
        Range(0, len), std::uint64_t{0},
        [=](const Range &range, std::uint64_t sum) {
            for (std::size_t i = range.begin(); i != range.end(); ++i)
                sum += work(weights[i]);
            return sum;
        },
        std::plus<std::uint64_t>());
}

float onetbb_sum_floats(const float *floats, std::size_t len, std::size_t block)
{
    return tbb::parallel_reduce(
        Range(0, len, block), 0.0f,
        [=](const Range &range, float sum) {
#pragma omp simd reduction(+ : sum)
            for (std::size_t i = range.begin(); i < range.end(); ++i)
                sum += floats[i];
            return sum;
        },
        std::plus<float>());
}
}
