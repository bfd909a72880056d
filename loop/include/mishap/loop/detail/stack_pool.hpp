// Stacks for fibers: made in slabs, reused last in first out, with something below each that notices an
// overflow.
//
// One stack lies in memory like this, addresses growing to the right:
//
//     | guard, 3 pages | bottom ... usable ... top | Stack | colour |
//
// The descriptor lives on the stack's top page, which is touched anyway, so a suspended task costs one
// resident page. The colour shifts the top by a few cache lines from stack to stack: otherwise the hot ends
// of all stacks would compete for the same sets of the first-level cache (50 ns -> 37 ns a switch with 1 000
// tasks).
//
// Invariant: descriptor and colour together take at most 2.5 KiB of the top page.
// Invariant: a page that no task has used is never touched, neither to make a guard nor to make a canary.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <forward_list>

#include <mishap/loop/detail/sanitizers.hpp>

#if MISHAP_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace mishap::detail {

struct StackOptions {
    // Sanitizers make frames several times larger.
    std::size_t stack_size_bytes = MISHAP_ASAN || MISHAP_TSAN ? 256 * 1024 : 64 * 1024;  // 8 KiB to 1 GiB
    // Of the whole process: each such guard takes two of the 65 530 mappings that Linux allows by default.
    std::size_t mprotect_guards_max = 16'000;
    bool allow_guard_install = true;
    bool allow_mprotect = true;
};

/// Names what lies below a stack. Each is used when those before it are not to be had.
enum class Guard : std::uint8_t {
    guard_install,  // light guard of Linux 6.13 and later: no mapping of its own, so there is no limit
    mprotect,       // inaccessible pages, up to a budget
    canary,         // nothing stops an overflow; `canary_intact` notices it later
};

struct Stack {
    std::byte* bottom = nullptr;  // lowest usable byte, at the start of a page
    std::byte* top = nullptr;     // one past the highest usable byte
    Stack* next_free = nullptr;   // for the pool only
    Guard guard = Guard::canary;
};

/// Returns whether nothing was written just below the stack; always true if pages guard it.
bool canary_intact(const Stack& stack) noexcept;

struct StackStatistics {
    std::size_t made = 0;
    std::size_t in_use = 0;       // quarantined ones are not in use
    std::size_t quarantined = 0;  // never to be used again
    std::array<std::size_t, 3> made_by_guard{};

    std::size_t made_with(Guard guard) const { return made_by_guard[static_cast<std::size_t>(guard)]; }
    bool any_unguarded() const { return made_with(Guard::canary) > 0; }
};

/// Owns stacks. Everything is called on the thread that made the pool, which also destroys it.
class StackPool {
public:
    /// Throws UsageError for a size out of range. Maps nothing yet.
    explicit StackPool(const StackOptions& options = {});
    StackPool(const StackPool&) = delete;
    StackPool& operator=(const StackPool&) = delete;

    /// Gives the memory back, except slabs with a quarantined stack: what was abandoned there may still be
    /// pointed to.
    ~StackPool();

    /// Returns a stack, the one released last if there is any; throws std::system_error if no memory can be
    /// mapped.
    Stack* acquire();

    /// Takes back a stack on which nothing will run again.
    void release(Stack* stack) noexcept;

    /// Keeps a stack whose task was abandoned from ever being reused, and hides from the leak checker what it
    /// owns.
    void quarantine(Stack* stack) noexcept;

    StackStatistics statistics() const noexcept { return statistics_; }
    std::size_t stack_size_bytes() const noexcept { return stack_size_bytes_; }

    /// Finds the stack of this pool on which `address` lies, which is on one.
    Stack* find_by_content(const void* address) const noexcept;

    /// Finds the stack that has `address` in its guard among the pools of this thread; async-signal-safe.
    static const Stack* find_by_guard(const void* address) noexcept;

private:
    struct Slab {
        std::byte* begin = nullptr;
        std::size_t stacks_max = 0;
        std::size_t stacks_made = 0;
        std::size_t mprotect_guards = 0;
        bool has_quarantined = false;
    };

    Stack* make();
    void map_slab();
    Guard protect(std::byte* guard, Slab& slab);
    std::byte* descriptor_address(const Slab& slab, std::size_t index) const noexcept;

    Stack* free_ = nullptr;
    StackStatistics statistics_;
    std::forward_list<Slab>
        slabs_;  // newest first; a list because a signal handler may walk it at any moment
    StackOptions options_;
    std::size_t page_size_bytes_;
    std::size_t stack_size_bytes_;
    std::size_t guard_size_bytes_;
    std::size_t stride_bytes_;
    StackPool* next_of_thread_;
};

inline Stack* StackPool::acquire() {
    Stack* stack = free_;
    if (stack == nullptr) [[unlikely]] {
        return make();
    }
    free_ = stack->next_free;
    ++statistics_.in_use;
#if MISHAP_ASAN
    // The frames of a task that was left rather than unwound are still poisoned.
    ASAN_UNPOISON_MEMORY_REGION(stack->bottom, static_cast<std::size_t>(stack->top - stack->bottom));
#endif
    return stack;
}

inline void StackPool::release(Stack* stack) noexcept {
    stack->next_free = free_;
    free_ = stack;
    --statistics_.in_use;
}

}  // namespace mishap::detail
