#include "floor_loop.hpp"

#include <algorithm>

#include <cxxabi.h>
#include <sys/mman.h>

#include "measure.hpp"

namespace bench {

namespace {

namespace context = boost::context::detail;

constexpr std::uint64_t golden = 0x9e37'79b9'7f4a'7c15U;

/// The head of what `__cxa_get_globals` returns (Itanium C++ ABI, Exception Handling, 2.2.2).
struct ExceptionGlobals {
    void* caught;
    unsigned int uncaught;
};

ExceptionGlobals& exception_globals() { return *reinterpret_cast<ExceptionGlobals*>(abi::__cxa_get_globals()); }

/// Switches to the context `to` and leaves in `*from` where to come back to.
[[gnu::always_inline]] inline void jump(void** from, void* to) {
#if defined(__x86_64__) && defined(__ELF__)
    void* arrived_from = nullptr;
    void* left_at = nullptr;
    // clang-format off
    // Entered by push and jump, so that the processor's prediction of returns stays right; 128 bytes are the red zone.
    asm volatile(
        "leaq -128(%%rsp), %%rsp\n\t"
        "leaq 1f(%%rip), %%rax\n\t"
        "pushq %%rax\n\t"
        "jmp jump_fcontext@PLT\n"
        "1:\n\t"
        "leaq 128(%%rsp), %%rsp\n\t"
        : "=&a"(arrived_from), "=&d"(left_at), "+D"(to), "+S"(from)
        :
        : "rcx", "r8", "r9", "r10", "r11", "memory", "cc",
          "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
          "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    // clang-format on
    *static_cast<void**>(left_at) = arrived_from;
#else
    const context::transfer_t arrival = context::jump_fcontext(to, from);
    *static_cast<void**>(arrival.data) = arrival.fctx;
#endif
}

FloorLoop* entering_loop = nullptr;  // read at the first instruction of a fresh stack only

}  // namespace

FloorStacks::~FloorStacks() {
    for (const Slab& slab : slabs_) {
        munmap(slab.begin, slab.size_bytes);
    }
}

void FloorStacks::map_slab() {
    const std::size_t stacks = std::clamp<std::size_t>(made_, 64, 4096);
    const std::size_t size_bytes = stacks * stack_size_bytes;
    void* const memory = mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    require(memory != MAP_FAILED, "stacks can be mapped");
    madvise(memory, size_bytes, MADV_NOHUGEPAGE);
    auto* const begin = static_cast<std::byte*>(memory);
    slabs_.push_back({begin, size_bytes});
    for (std::size_t i = stacks; i-- > 0;) {
        free_.push_back(begin + (i + 1) * stack_size_bytes - (made_ + i) % 15 * 192);
    }
    made_ += stacks;
}

FloorLoop::FloorLoop(FloorStacks& stacks, std::uint64_t seed) : stacks_(stacks), random_(seed * golden | 1U), ready_(64) {}

FloorLoop::~FloorLoop() {
    for (Task* const slab : task_slabs_) {
        delete[] slab;
    }
}

inline void FloorLoop::push(Task* task) {
    if (ready_count_ == ready_.size()) [[unlikely]] {
        ready_.resize(ready_.size() * 2);
    }
    ready_[ready_count_++] = task;
}

void FloorLoop::wake(Task* task) { push(task); }

inline std::uint32_t FloorLoop::draw(std::uint32_t bound) {
    random_ ^= random_ >> 12U;
    random_ ^= random_ << 25U;
    random_ ^= random_ >> 27U;
    return static_cast<std::uint32_t>((((random_ * 0x2545'f491'4f6c'dd1dU) >> 32U) * bound) >> 32U);
}

inline FloorLoop::Task* FloorLoop::pick() {
    const std::size_t count = ready_count_;
    const std::size_t taken = count > 1 ? draw(static_cast<std::uint32_t>(count)) : 0;
    Task* const task = ready_[taken];
    ready_[taken] = ready_[count - 1];
    ready_count_ = count - 1;
    hash_ = (hash_ ^ task->id) * golden;
    hash_ ^= hash_ >> 32U;
    return task;
}

FloorLoop::Task* FloorLoop::spawn(void (*function)(FloorLoop&, void*), void* argument) {
    constexpr std::size_t slab_tasks = 64;
    if (free_tasks_.empty()) {
        Task* const slab = new Task[slab_tasks];
        task_slabs_.push_back(slab);
        for (std::size_t i = slab_tasks; i-- > 0;) {
            free_tasks_.push_back(slab + i);
        }
    }
    Task* const task = free_tasks_.back();
    free_tasks_.pop_back();
    task->function = function;
    task->argument = argument;
    task->id = next_id_++;
    task->is_done = false;
    task->is_fresh = true;
    task->joiner = nullptr;
    push(task);
    return task;
}

void FloorLoop::enter(context::transfer_t arrival) {
    *static_cast<void**>(arrival.data) = arrival.fctx;
    entering_loop->run_current();
}

void FloorLoop::run_current() {
    Task* const task = current_;
    task->function(*this, task->argument);
    task->is_done = true;
    if (task->joiner != nullptr) {
        push(task->joiner);
        task->joiner = nullptr;
    }
    // The stack goes back at once: the next fresh task begins on it.
    stacks_.release(task->stack);
    void* ended = nullptr;
    jump(&ended, hub_);
    __builtin_unreachable();
}

inline void FloorLoop::resume(Task* task) {
    current_ = task;
    if (task->is_fresh) [[unlikely]] {
        task->is_fresh = false;
        task->stack = stacks_.acquire();
        task->stack_pointer = context::make_fcontext(task->stack, FloorStacks::stack_size_bytes - 4096, enter);
        entering_loop = this;
    }
    jump(&hub_, task->stack_pointer);
}

[[gnu::noinline]] void FloorLoop::suspend() {
    Task* const task = current_;
    const ExceptionGlobals saved = exception_globals();
    jump(&task->stack_pointer, hub_);
    exception_globals() = saved;
}

[[gnu::noinline]] void FloorLoop::yield() {
    push(current_);
    suspend();
}

[[gnu::noinline]] void FloorLoop::join(Task* task) {
    if (!task->is_done) {
        task->joiner = current_;
        suspend();
    }
    free_tasks_.push_back(task);
}

[[gnu::noinline]] void FloorLoop::sleep(std::uint64_t delay_ns) {
    timers_.push_back({now_ns_ + delay_ns, timer_serial_++, current_});
    std::push_heap(timers_.begin(), timers_.end(), Later{});
    suspend();
}

void FloorLoop::run() {
    for (;;) {
        while (ready_count_ != 0) {
            resume(pick());
        }
        if (timers_.empty()) {
            return;
        }
        now_ns_ = timers_.front().when_ns;
        while (!timers_.empty() && timers_.front().when_ns <= now_ns_) {
            push(timers_.front().task);
            std::pop_heap(timers_.begin(), timers_.end(), Later{});
            timers_.pop_back();
        }
    }
}

[[gnu::noinline]] void FloorLock::acquire(FloorLoop& loop) {
    if (!is_held_) {
        is_held_ = true;
        return;
    }
    waiters_.add(loop.current());
    loop.suspend();
}

[[gnu::noinline]] void FloorLock::release(FloorLoop& loop) {
    if (waiters_.is_empty()) {
        is_held_ = false;
    } else {
        loop.wake(waiters_.take());
    }
}

[[gnu::noinline]] void FloorQueue::put(FloorLoop& loop, std::uint64_t item) {
    while (count_ == items_.size()) {
        putters_.add(loop.current());
        loop.suspend();
    }
    std::size_t place = first_ + count_;
    if (place >= items_.size()) {
        place -= items_.size();
    }
    items_[place] = item;
    ++count_;
    if (!getters_.is_empty()) {
        loop.wake(getters_.take());
    }
}

[[gnu::noinline]] std::uint64_t FloorQueue::get(FloorLoop& loop) {
    while (count_ == 0) {
        getters_.add(loop.current());
        loop.suspend();
    }
    const std::uint64_t item = items_[first_];
    if (++first_ == items_.size()) {
        first_ = 0;
    }
    --count_;
    if (!putters_.is_empty()) {
        loop.wake(putters_.take());
    }
    return item;
}

}  // namespace bench
