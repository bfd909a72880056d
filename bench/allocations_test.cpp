// Demands that nothing is allocated once a search is warm: neither by a step, nor by a run.
//
// Counts every call of malloc and its relatives, which operator new and the C++ runtime use too. The interposition is
// glibc's; elsewhere the test is skipped.

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#if !defined(__GLIBC__)

int main() {
    std::puts("SKIPPED: calls of malloc can be counted with glibc only");
    return 77;
}

#else

#include "mishap_workloads.hpp"

namespace {
std::uint64_t allocations = 0;
}

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
    ++allocations;
    return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
    ++allocations;
    return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
    ++allocations;
    return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
    ++allocations;
    return __libc_memalign(alignment, size);
}
}

namespace {

/// Returns how often warm runs of `body` allocate. The runs before are the same as those that count, so that what grows
/// with the longest run has grown.
std::uint64_t allocations_of(void (*body)()) {
    constexpr std::uint64_t runs = 10;
    bench::Search search(body);
    search.make_single_runs(runs);
    const std::uint64_t before = allocations;
    search.make_single_runs(runs);
    return allocations - before;
}

/// Runs of `body` allocate as often as ones of `longer_body`: what a run allocates once, such as a vector of the
/// program's own, is not the steps' doing.
bool is_steady(const char* name, void (*body)(), void (*longer_body)()) {
    const std::uint64_t few = allocations_of(body);
    const std::uint64_t many = allocations_of(longer_body);
    std::printf("%-21s %" PRIu64 " allocations, %" PRIu64 " with twice as many steps\n", name, few, many);
    return few == many;
}

bool is_free(const char* name, void (*body)()) {
    const std::uint64_t count = allocations_of(body);
    std::printf("%-21s %" PRIu64 " allocations\n", name, count);
    return count == 0;
}

}  // namespace

int main() {
    using namespace bench;
    bool is_good = is_steady("W1, 2 tasks", yields_between<2, 10'000>, yields_between<2, 20'000>);
    is_good &= is_steady("W1, 100 tasks", yields_between<100, 10'000>, yields_between<100, 20'000>);
    is_good &= is_steady("W2", spawn_and_join<false, 10>, spawn_and_join<false, 20>);
    is_good &= is_steady("W2, each task yields", spawn_and_join<true, 10>, spawn_and_join<true, 20>);
    is_good &= is_steady("W3, bound 1", through_queue<1, 1'000>, through_queue<1, 2'000>);
    is_good &= is_steady("W3, bound 64", through_queue<64, 1'000>, through_queue<64, 2'000>);
    is_good &= is_steady("W4", critical_sections<1'000>, critical_sections<2'000>);
    is_good &= is_free("W6", yield_four_times);
    is_good &= is_free("W6 with a lock", lock_twice);
    return is_good ? 0 : 1;
}

#endif
