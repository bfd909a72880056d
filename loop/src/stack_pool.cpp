#include <mishap/loop/detail/stack_pool.hpp>

#include <mishap/sim/errors.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <new>
#include <string>
#include <system_error>

#if MISHAP_ASAN
#include <sanitizer/lsan_interface.h>
#endif

namespace mishap::detail {
namespace {

// Linux 6.13; older headers lack the name and older kernels answer EINVAL.
constexpr int madv_guard_install = 102;

constexpr std::size_t stack_size_bytes_min = 8 * 1024;
constexpr std::size_t stack_size_bytes_max = std::size_t{1} << 30;

// One page would be stepped over by a frame with an 8 KiB buffer. Three also make the distance between stacks
// an odd number of pages (their size usually being a power of two), which spreads their tops over the sets of
// the TLB.
constexpr std::size_t guard_pages = 3;

constexpr std::size_t colour_bytes = 64;
constexpr std::size_t colours = 40;
constexpr std::size_t canary_bytes = 256;

constexpr std::size_t slab_stacks_min = 16;
constexpr std::size_t slab_stacks_max = 8192;
constexpr std::size_t slab_size_bytes_max = std::size_t{1} << 30;

constexpr std::size_t descriptor_bytes = 64;
static_assert(sizeof(Stack) <= descriptor_bytes);
static_assert(descriptor_bytes + (colours - 1) * colour_bytes <= 2560);

// The limit on mappings is the process's, therefore so is the count.
std::atomic<std::size_t> mprotect_guards{0};

// Read by the signal handler that reports overflows, which gets nothing but an address.
constinit thread_local StackPool* pools_of_thread = nullptr;

std::size_t round_up(std::size_t size, std::size_t unit) { return (size + unit - 1) / unit * unit; }

std::size_t checked_size(const StackOptions& options) {
    if (options.stack_size_bytes < stack_size_bytes_min || options.stack_size_bytes > stack_size_bytes_max) {
        throw UsageError(
            "a task's stack cannot have " + std::to_string(options.stack_size_bytes) +
            " bytes: set stack_size_bytes to at least 8 KiB (8192) and at most 1 GiB; 64 KiB is usual");
    }
    return options.stack_size_bytes;
}

[[noreturn]] void throw_no_memory(int error, std::size_t stacks, std::size_t stack_size_bytes) {
    throw std::system_error(
        error, std::generic_category(),
        "no memory can be mapped for another task's stack (" + std::to_string(stacks) + " of " +
            std::to_string(stack_size_bytes / 1024) +
            " KiB exist): keep fewer tasks alive at a time, lower stack_size_bytes, or raise the "
            "limits (ulimit -v, vm.max_map_count, vm.overcommit_memory)");
}

}  // namespace

// A fresh page reads as zeros without becoming resident, so the canary is made of zeros and costs nothing.
// Whoever overflows into it leaves at least a return address.
bool canary_intact(const Stack& stack) noexcept {
    if (stack.guard != Guard::canary) {
        return true;
    }
    return std::all_of(stack.bottom - canary_bytes, stack.bottom,
                       [](std::byte byte) { return byte == std::byte{0}; });
}

StackPool::StackPool(const StackOptions& options)
    : options_(options),
      page_size_bytes_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))),
      stack_size_bytes_(round_up(checked_size(options), page_size_bytes_)),
      guard_size_bytes_(guard_pages * page_size_bytes_),
      stride_bytes_(guard_size_bytes_ + stack_size_bytes_),
      next_of_thread_(pools_of_thread) {
    pools_of_thread = this;
}

StackPool::~StackPool() {
    StackPool** link = &pools_of_thread;
    while (*link != this) {
        link = &(*link)->next_of_thread_;
    }
    *link = next_of_thread_;
    for (const Slab& slab : slabs_) {
        if (!slab.has_quarantined) {
#if MISHAP_ASAN
            ASAN_UNPOISON_MEMORY_REGION(slab.begin, slab.stacks_max * stride_bytes_);
#endif
            munmap(slab.begin, slab.stacks_max * stride_bytes_);
            mprotect_guards.fetch_sub(slab.mprotect_guards, std::memory_order_relaxed);
        }
    }
}

void StackPool::quarantine(Stack* stack) noexcept {
    for (Slab& slab : slabs_) {
        if (stack->bottom >= slab.begin && stack->bottom < slab.begin + slab.stacks_max * stride_bytes_) {
            slab.has_quarantined = true;
        }
    }
#if MISHAP_ASAN
    __lsan_register_root_region(stack->bottom, static_cast<std::size_t>(stack->top - stack->bottom));
#endif
    --statistics_.in_use;
    ++statistics_.quarantined;
}

Stack* StackPool::find_by_content(const void* address) const noexcept {
    const auto wanted = reinterpret_cast<std::uintptr_t>(address);
    for (const Slab& slab : slabs_) {
        const auto begin = reinterpret_cast<std::uintptr_t>(slab.begin);
        if (wanted >= begin && (wanted - begin) / stride_bytes_ < slab.stacks_made) {
            return std::launder(
                reinterpret_cast<Stack*>(descriptor_address(slab, (wanted - begin) / stride_bytes_)));
        }
    }
    invariant(false, "what a task was suspended with lies on a stack of its loop's pool");
    return nullptr;
}

const Stack* StackPool::find_by_guard(const void* address) noexcept {
    const auto wanted = reinterpret_cast<std::uintptr_t>(address);
    for (const StackPool* pool = pools_of_thread; pool != nullptr; pool = pool->next_of_thread_) {
        for (const Slab& slab : pool->slabs_) {
            const auto begin = reinterpret_cast<std::uintptr_t>(slab.begin);
            const std::size_t index = (wanted - begin) / pool->stride_bytes_;
            if (wanted >= begin && index < slab.stacks_made &&
                (wanted - begin) % pool->stride_bytes_ < pool->guard_size_bytes_) {
                return std::launder(reinterpret_cast<const Stack*>(pool->descriptor_address(slab, index)));
            }
        }
    }
    return nullptr;
}

std::byte* StackPool::descriptor_address(const Slab& slab, std::size_t index) const noexcept {
    std::byte* end = slab.begin + (index + 1) * stride_bytes_;
    return end - (index % colours) * colour_bytes - descriptor_bytes;
}

// Makes the next stack of the newest slab. Slabs are filled lazily: only a stack that is used costs memory
// and a guard.
[[gnu::noinline]] Stack* StackPool::make() {
    if (slabs_.empty() || slabs_.front().stacks_made == slabs_.front().stacks_max) {
        map_slab();
    }
    Slab& slab = slabs_.front();
    const std::size_t index = slab.stacks_made;
    std::byte* guard = slab.begin + index * stride_bytes_;
    std::byte* descriptor = descriptor_address(slab, index);
    const Guard kind = protect(guard, slab);
    Stack* stack = new (descriptor) Stack{guard + guard_size_bytes_, descriptor, nullptr, kind};
    // Last, since the signal handler takes what is counted for complete.
    ++slab.stacks_made;
    ++statistics_.made;
    ++statistics_.made_by_guard[static_cast<std::size_t>(kind)];
    ++statistics_.in_use;
    return stack;
}

void StackPool::map_slab() {
    const std::size_t stacks_fitting = std::max<std::size_t>(slab_size_bytes_max / stride_bytes_, 1);
    std::size_t stacks =
        std::min(std::clamp(statistics_.made, slab_stacks_min, slab_stacks_max), stacks_fitting);
    // Before the mapping, which would leak if there were no memory for the node.
    slabs_.emplace_front();
    void* memory = MAP_FAILED;
    // Near a limit on address space a smaller slab may still fit.
    for (; stacks > 0; stacks /= 2) {
        memory = mmap(nullptr, stacks * stride_bytes_, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (memory != MAP_FAILED) {
            break;
        }
    }
    if (memory == MAP_FAILED) {
        const int error = errno;
        slabs_.pop_front();
        throw_no_memory(error, statistics_.made, stack_size_bytes_);
    }
    // A huge page would make whole stacks resident. A kernel without huge pages refuses, which is as good.
    madvise(memory, stacks * stride_bytes_, MADV_NOHUGEPAGE);
    slabs_.front().begin = static_cast<std::byte*>(memory);
    slabs_.front().stacks_max = stacks;
}

// What fails once is not tried again: old kernels, and locked memory, refuse light guards for good.
Guard StackPool::protect(std::byte* guard, Slab& slab) {
    if (options_.allow_guard_install) {
        if (madvise(guard, guard_size_bytes_, madv_guard_install) == 0) {
            return Guard::guard_install;
        }
        options_.allow_guard_install = false;
    }
    if (options_.allow_mprotect) {
        if (mprotect_guards.fetch_add(1, std::memory_order_relaxed) < options_.mprotect_guards_max &&
            mprotect(guard, guard_size_bytes_, PROT_NONE) == 0) {
            ++slab.mprotect_guards;
            return Guard::mprotect;
        }
        mprotect_guards.fetch_sub(1, std::memory_order_relaxed);
        options_.allow_mprotect = false;
    }
    return Guard::canary;
}

}  // namespace mishap::detail
