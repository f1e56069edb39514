// Trees of tasks with oneTBB's task_group: the algorithms of src/suite/trees.rs.
#include <array>
#include <cstddef>
#include <cstdint>

#include <tbb/task_group.h>

static std::uint64_t fib(unsigned n)
{
    if (n < 2)
        return n;
    std::uint64_t a, b;
    tbb::task_group group;
    group.run([&] { b = fib(n - 2); });
    a = fib(n - 1);
    group.wait();
    return a + b;
}

static std::uint64_t skynet(std::uint64_t first, std::uint64_t leaves)
{
    if (leaves == 1)
        return first;
    const std::uint64_t part = leaves / 10;
    std::array<std::uint64_t, 10> sums;
    tbb::task_group group;
    for (std::uint64_t child = 1; child < 10; child++)
        group.run([&, child] { sums[child] = skynet(first + child * part, part); });
    sums[0] = skynet(first, part);
    group.wait();
    std::uint64_t sum = 0;
    for (std::uint64_t part_sum : sums)
        sum += part_sum;
    return sum;
}

using Columns = std::array<std::uint8_t, 16>;

static std::uint64_t queens(std::size_t size, std::size_t row, const Columns &columns)
{
    if (row == size)
        return 1;
    std::array<std::uint64_t, 16> ways{};
    tbb::task_group group;
    for (std::size_t column = 0; column < size; column++) {
        bool is_attacked = false;
        for (std::size_t other = 0; other < row; other++) {
            const std::size_t above = columns[other];
            const std::size_t apart = above > column ? above - column : column - above;
            is_attacked |= apart == 0 || apart == row - other;
        }
        if (is_attacked)
            continue;
        Columns next = columns;
        next[row] = static_cast<std::uint8_t>(column);
        group.run([&ways, column, size, row, next] { ways[column] = queens(size, row + 1, next); });
    }
    group.wait();
    std::uint64_t sum = 0;
    for (std::uint64_t of_column : ways)
        sum += of_column;
    return sum;
}

static const std::size_t BLOCK = 32;

static void add_product(float *c, const float *a, const float *b, std::size_t entries)
{
    if (entries == BLOCK * BLOCK) {
        for (std::size_t row = 0; row < BLOCK; row++)
            for (std::size_t k = 0; k < BLOCK; k++)
                for (std::size_t column = 0; column < BLOCK; column++)
                    c[row * BLOCK + column] += a[row * BLOCK + k] * b[k * BLOCK + column];
        return;
    }
    const std::size_t quarter = entries / 4;
    for (std::size_t k = 0; k < 2; k++) {
        tbb::task_group group;
        for (std::size_t of = 1; of < 4; of++)
            group.run([=] {
                add_product(c + of * quarter, a + (of / 2 * 2 + k) * quarter, b + (2 * k + of % 2) * quarter, quarter);
            });
        add_product(c, a + k * quarter, b + 2 * k * quarter, quarter);
        group.wait();
    }
}

// Called inside of an arena.
extern "C" {

std::uint64_t onetbb_fib(unsigned n) { return fib(n); }

std::uint64_t onetbb_skynet(std::uint64_t leaves) { return skynet(0, leaves); }

std::uint64_t onetbb_queens(std::size_t size) { return queens(size, 0, Columns{}); }

void onetbb_product(float *c, const float *a, const float *b, std::size_t entries) { add_product(c, a, b, entries); }
}
