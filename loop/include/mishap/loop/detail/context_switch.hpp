// The one place where the stack is switched.
//
// On x86-64 that is a handful of instructions of our own, put in line where a switch is wanted. The address to
// resume at goes into the context and not onto the stack, and nothing is called: a switch routine that is
// entered by `call` and left by `jmp` or `ret` leaves the processor's prediction of return addresses off by
// one, and every return up the resumed task's call chain is mispredicted, 8.5 ns a level. The registers that a
// call preserves are not saved here: to the compiler the switch changes them, so it saves those that it uses,
// where it can foresee it. So a suspended task's context is 32 bytes, and no line of its stack is touched for
// it. The floating-point control words are each fiber's own; they are loaded only where they differ, as that
// takes longer than all the rest.
//
// Elsewhere, and under sanitizers, it is fcontext of Boost.Context, which is called.
//
// Every switch goes between the loop's own context, the hub, and that of a fiber; never from fiber to fiber.
// A fiber stays on the thread that made it. Sanitizers learn of each switch: AddressSanitizer which stack is
// now in use, ThreadSanitizer which fiber runs.

#pragma once

#include <cstddef>
#include <utility>
#include <cstdint>

#include <mishap/loop/detail/sanitizers.hpp>
#include <mishap/loop/detail/stack_pool.hpp>

#if defined(__x86_64__) && !defined(__ILP32__) && defined(__ELF__) && !MISHAP_ASAN && !MISHAP_TSAN
#define MISHAP_OWN_SWITCH 1
#else
#define MISHAP_OWN_SWITCH 0
#include <boost/context/detail/fcontext.hpp>
#endif

#if MISHAP_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#if MISHAP_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace mishap::detail {

/// What a fiber runs. It never returns or throws; it ends with `switch_context_finally`.
using ContextEntry = void (*)(void* argument);

/// A stack that can be switched to. Default constructed it is the hub's; `make_context` makes it a fiber's.
struct Context {
    Context() = default;
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

#if MISHAP_OWN_SWITCH
    // What the switch saves and loads, valid while switched away from. It knows the offsets.
    void* stack_pointer;
    void* frame_pointer;
    void* resume_at;
    std::uint32_t sse_control;
    std::uint16_t x87_control;
#else
    void* stack_pointer = nullptr;  // valid while switched away from
    Context* target = nullptr;      // whom this one switched to last; this is how a new fiber finds itself
    ContextEntry entry = nullptr;
    void* argument = nullptr;
#endif
#if MISHAP_ASAN
    // Of the hub they are learnt when it is first left.
    const void* stack_bottom = nullptr;
    std::size_t stack_size_bytes = 0;
    void* fake_stack = nullptr;
#endif
#if MISHAP_TSAN
    ~Context();
    void* fiber = nullptr;
    bool owns_fiber = false;
#endif

    /// Lets another context stand in the place of this one.
    void swap(Context& other) {
        std::swap(stack_pointer, other.stack_pointer);
#if MISHAP_OWN_SWITCH
        std::swap(frame_pointer, other.frame_pointer);
        std::swap(resume_at, other.resume_at);
        std::swap(sse_control, other.sse_control);
        std::swap(x87_control, other.x87_control);
#else
        std::swap(target, other.target);
        std::swap(entry, other.entry);
        std::swap(argument, other.argument);
#endif
#if MISHAP_ASAN
        std::swap(stack_bottom, other.stack_bottom);
        std::swap(stack_size_bytes, other.stack_size_bytes);
        std::swap(fake_stack, other.fake_stack);
#endif
#if MISHAP_TSAN
        std::swap(fiber, other.fiber);
        std::swap(owns_fiber, other.owns_fiber);
#endif
    }
};

/// Prepares `context` to run `entry(argument)` on `stack` when first switched to; also one that was used
/// before.
///
/// The fiber inherits the floating-point control words (rounding, masks) of the caller: call it from the hub.
void make_context(Context& context, const Stack& stack, ContextEntry entry, void* argument) noexcept;

/// Runs `to` until it switches back to `from`.
[[gnu::always_inline]] inline void switch_context(Context& from, Context& to) noexcept;

/// Runs `to` and never comes back. The stack of `from` may be reused as soon as `to` runs.
[[noreturn, gnu::always_inline]] inline void switch_context_finally(Context& from, Context& to) noexcept;

#if MISHAP_OWN_SWITCH

static_assert(offsetof(Context, stack_pointer) == 0 && offsetof(Context, frame_pointer) == 8 &&
                  offsetof(Context, resume_at) == 16 && offsetof(Context, sse_control) == 24 &&
                  offsetof(Context, x87_control) == 28,
              "the switch below knows where these are");

inline void switch_context(Context& from, Context& to) noexcept {
    Context* leaving = &from;
    Context* arriving = &to;  // a new fiber finds itself in rdi
    // clang-format off
    // Everything that is not saved is declared lost, including the x87 stack, on which a long double may wait.
    asm volatile(
        "leaq 2f(%%rip), %%rax\n\t"
        "movq %%rsp, (%%rsi)\n\t"
        "movq %%rbp, 8(%%rsi)\n\t"
        "movq %%rax, 16(%%rsi)\n\t"
        "stmxcsr 24(%%rsi)\n\t"
        "fnstcw 28(%%rsi)\n\t"
        "movl 24(%%rdi), %%eax\n\t"
        "movzwl 28(%%rdi), %%edx\n\t"
        "cmpl %%eax, 24(%%rsi)\n\t"
        "jne 3f\n\t"
        "cmpw %%dx, 28(%%rsi)\n\t"
        "jne 3f\n"
        "1:\n\t"
        "movq (%%rdi), %%rsp\n\t"
        "movq 8(%%rdi), %%rbp\n\t"
        "jmpq *16(%%rdi)\n"
        "3:\n\t"
        "ldmxcsr 24(%%rdi)\n\t"
        "fldcw 28(%%rdi)\n\t"
        "jmp 1b\n"
        "2:\n\t"
        : "+D"(arriving), "+S"(leaving)
        :
        : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc",
          "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)",
          "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
          "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
#ifdef __AVX512F__
          , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",
          "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31",
          "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#endif
    );
    // clang-format on
}

inline void switch_context_finally(Context& from, Context& to) noexcept {
    switch_context(from, to);
    __builtin_unreachable();
}

#else

// What every side does first when it is switched to.
[[gnu::always_inline]] inline void finish_switch(boost::context::detail::transfer_t arrival,
                                                 [[maybe_unused]] void* own_fake_stack) noexcept {
    auto& previous = *static_cast<Context*>(arrival.data);
#if MISHAP_ASAN
    __sanitizer_finish_switch_fiber(own_fake_stack, &previous.stack_bottom, &previous.stack_size_bytes);
#endif
    previous.stack_pointer = arrival.fctx;
}

inline void switch_context(Context& from, Context& to) noexcept {
    from.target = &to;
    void* fake_stack = nullptr;
#if MISHAP_ASAN
    __sanitizer_start_switch_fiber(&from.fake_stack, to.stack_bottom, to.stack_size_bytes);
    fake_stack = from.fake_stack;
#endif
#if MISHAP_TSAN
    if (from.fiber == nullptr) {
        from.fiber = __tsan_get_current_fiber();
    }
    __tsan_switch_to_fiber(to.fiber, 0);
#endif
    finish_switch(boost::context::detail::jump_fcontext(to.stack_pointer, &from), fake_stack);
}

inline void switch_context_finally(Context& from, Context& to) noexcept {
    from.target = &to;
#if MISHAP_ASAN
    __sanitizer_start_switch_fiber(nullptr, to.stack_bottom, to.stack_size_bytes);
#endif
#if MISHAP_TSAN
    __tsan_switch_to_fiber(to.fiber, 0);
#endif
    boost::context::detail::jump_fcontext(to.stack_pointer, &from);
    __builtin_unreachable();
}

#endif

}  // namespace mishap::detail
