#include <mishap/loop/detail/stack_pool.hpp>

#include <mishap/sim/errors.hpp>

#include "child_process.hpp"
#include "support/catch.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#if MISHAP_ASAN
#include <sanitizer/lsan_interface.h>
#endif

namespace mishap::detail {
namespace {

std::uintptr_t address_of(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

StackOptions small() {
    StackOptions options;
    options.stack_size_bytes = 8 * 1024;
    return options;
}

StackOptions without_guard_install() {
    StackOptions options = small();
    options.allow_guard_install = false;
    return options;
}

StackOptions without_guards() {
    StackOptions options = without_guard_install();
    options.allow_mprotect = false;
    return options;
}

}  // namespace

TEST_CASE("the stack released last is acquired first") {
    StackPool pool(small());
    Stack* first = pool.acquire();
    Stack* second = pool.acquire();
    REQUIRE(first != second);
    pool.release(first);
    pool.release(second);
    CHECK(pool.acquire() == second);
    CHECK(pool.acquire() == first);
}

TEST_CASE("every byte between bottom and top is usable and belongs to one stack") {
    StackPool pool(small());
    std::vector<Stack*> stacks;
    for (int i = 0; i < 100; ++i) {
        stacks.push_back(pool.acquire());
        std::fill(stacks.back()->bottom, stacks.back()->top, static_cast<std::byte>(i));
    }
    for (int i = 0; i < 100; ++i) {
        const Stack& stack = *stacks[static_cast<std::size_t>(i)];
        const auto is_own = [i](std::byte byte) { return byte == static_cast<std::byte>(i); };
        REQUIRE(std::all_of(stack.bottom, stack.top, is_own));
        REQUIRE(canary_intact(stack));
    }
}

TEST_CASE("at least 1.5 KiB of a stack lie on its top page, and tops differ in their place on it") {
    StackPool pool(small());
    std::set<std::uintptr_t> places;
    for (int i = 0; i < 100; ++i) {
        const std::uintptr_t place = address_of(pool.acquire()->top) % 4096;
        REQUIRE(place >= 1536);
        REQUIRE(place % 64 == 0);
        places.insert(place);
    }
    CHECK(places.size() >= 16);
}

TEST_CASE("a size out of range is refused, others are rounded up to pages") {
    StackOptions options;
    options.stack_size_bytes = 8 * 1024 - 1;
    CHECK_THROWS_AS(StackPool(options), UsageError);
    options.stack_size_bytes = (std::size_t{1} << 30) + 1;
    CHECK_THROWS_AS(StackPool(options), UsageError);
    options.stack_size_bytes = 8 * 1024 + 1;
    CHECK(StackPool(options).stack_size_bytes() % 4096 == 0);
    CHECK(StackPool(options).stack_size_bytes() > 8 * 1024);
}

TEST_CASE("a quarantined stack is never acquired again and is counted") {
    StackPool pool(small());
    Stack* abandoned = pool.acquire();
    pool.quarantine(abandoned);
    for (int i = 0; i < 100; ++i) {
        REQUIRE(pool.acquire() != abandoned);
    }
    CHECK(pool.statistics().quarantined == 1);
    CHECK(pool.statistics().in_use == 100);
    CHECK(pool.statistics().made == 101);
}

TEST_CASE("the memory of a quarantined stack outlives its pool") {
    std::byte* place = nullptr;
    {
        StackPool pool(small());
        Stack* abandoned = pool.acquire();
        place = abandoned->bottom;
        *place = std::byte{7};
        pool.quarantine(abandoned);
    }
    CHECK(*place == std::byte{7});
}

#if MISHAP_ASAN
TEST_CASE("what only a quarantined stack points to is no leak") {
    // A number of blocks, since a stale copy of the last pointer may lie in a register.
    const auto leaks_with = [](bool is_quarantined) {
        return run_in_child([is_quarantined] {
            StackPool pool(small());
            Stack* stack = pool.acquire();
            for (int i = 0; i < 100; ++i) {
                new (stack->bottom + static_cast<std::ptrdiff_t>(sizeof(int*)) * i) int*(new int(i));
            }
            if (is_quarantined) {
                pool.quarantine(stack);
            }
            _exit(__lsan_do_recoverable_leak_check() == 0 ? 0 : 1);
        });
    };
    CHECK(leaks_with(true).exit_code == 0);
    CHECK(leaks_with(false).exit_code == 1);
}
#endif

TEST_CASE("stacks are counted by what guards them") {
    StackOptions options = without_guard_install();
    options.mprotect_guards_max = 10;
    StackPool pool(options);
    for (int i = 0; i < 10; ++i) {
        CHECK(pool.acquire()->guard == Guard::mprotect);
    }
    CHECK_FALSE(pool.statistics().any_unguarded());
    CHECK(pool.acquire()->guard == Guard::canary);
    CHECK(pool.statistics().made_with(Guard::mprotect) == 10);
    CHECK(pool.statistics().made_with(Guard::canary) == 1);
    CHECK(pool.statistics().any_unguarded());
}

TEST_CASE("the budget of mprotect guards is shared by all pools and given back") {
    StackOptions options = without_guard_install();
    options.mprotect_guards_max = 10;
    {
        StackPool first(options);
        StackPool second(options);
        for (int i = 0; i < 6; ++i) {
            first.acquire();
            second.acquire();
        }
        CHECK(first.statistics().made_with(Guard::mprotect) +
                  second.statistics().made_with(Guard::mprotect) ==
              10);
    }
    StackPool third(options);
    CHECK(third.acquire()->guard == Guard::mprotect);
}

TEST_CASE("a write just below an unguarded stack breaks its canary and no neighbour") {
    StackPool pool(without_guards());
    Stack* neighbour = pool.acquire();
    Stack* stack = pool.acquire();
    std::fill(neighbour->bottom, neighbour->top, std::byte{1});
    CHECK(canary_intact(*stack));
    std::fill(stack->bottom - 8 * 1024, stack->bottom, std::byte{2});
    CHECK_FALSE(canary_intact(*stack));
    CHECK(canary_intact(*neighbour));
    CHECK(*(neighbour->top - 1) == std::byte{1});
}

TEST_CASE("an address in a guard finds its stack, any other finds none") {
    StackPool pool(small());
    std::vector<const Stack*> stacks;
    for (int i = 0; i < 50; ++i) {
        stacks.push_back(pool.acquire());
    }
    for (const Stack* stack : stacks) {
        REQUIRE(StackPool::find_by_guard(stack->bottom - 1) == stack);
        REQUIRE(StackPool::find_by_guard(stack->bottom - 8 * 1024) == stack);
        REQUIRE(StackPool::find_by_guard(stack->bottom) == nullptr);
        REQUIRE(StackPool::find_by_guard(stack->top - 1) == nullptr);
    }
    CHECK(StackPool::find_by_guard(nullptr) == nullptr);
    CHECK(StackPool::find_by_guard(&pool) == nullptr);
}

TEST_CASE("a guard finds nothing once its pool is gone") {
    const std::byte* bottom = nullptr;
    {
        StackPool pool(small());
        bottom = pool.acquire()->bottom;
    }
    CHECK(StackPool::find_by_guard(bottom - 1) == nullptr);
}

#if !MISHAP_TSAN  // it needs mappings itself
// The kernel allows 65 530 mappings, that is 32 765 such guards.
TEST_CASE("more guards than the kernel has mappings for leave stacks unguarded instead of failing") {
    const ChildResult result = run_in_child([] {
        StackOptions options = without_guard_install();
        options.mprotect_guards_max = 1'000'000;
        StackPool pool(options);
        for (int i = 0; i < 33'000; ++i) {
            pool.acquire();
        }
        const bool as_expected =
            pool.statistics().made_with(Guard::mprotect) > 30'000 && pool.statistics().any_unguarded();
        _exit(as_expected ? 0 : 1);
    });
    CHECK(result.exit_code == 0);
}
#endif

#if !MISHAP_ASAN && !MISHAP_TSAN  // their shadows need the address space
TEST_CASE("memory that cannot be mapped is an error that says what to do") {
    const ChildResult result = run_in_child([] {
        const rlimit limit{std::size_t{64} << 20, std::size_t{64} << 20};
        setrlimit(RLIMIT_AS, &limit);
        StackOptions options;
        options.stack_size_bytes = std::size_t{256} << 20;
        StackPool pool(options);
        try {
            pool.acquire();
        } catch (const std::system_error& error) {
            const std::string text = error.what();
            _exit(text.find("lower stack_size_bytes") != std::string::npos ? 3 : 4);
        }
    });
    CHECK(result.exit_code == 3);
}
#endif

}  // namespace mishap::detail
