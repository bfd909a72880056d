// The one place where the stack is switched, on Boost.Context's fcontext.
//
// fcontext is entered by `call` and left by `jmp`. That leaves the processor's prediction of return addresses
// off by one, and every return up the resumed task's call chain is mispredicted: 8.5 ns a level. So on x86-64
// the routine is entered by pushing the address to resume at and jumping to it, which leaves nothing on the
// predictor's stack (0.1 ns a level). Elsewhere, and under sanitizers, it is called.
//
// Every switch goes between the loop's own context, the hub, and that of a fiber; never from fiber to fiber.
// A fiber stays on the thread that made it. Sanitizers learn of each switch: AddressSanitizer which stack is
// now in use, ThreadSanitizer which fiber runs.

#pragma once

#include <boost/context/detail/fcontext.hpp>

#include <cstddef>

#include <mishap/loop/detail/sanitizers.hpp>
#include <mishap/loop/detail/stack_pool.hpp>

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

    void* stack_pointer = nullptr;  // valid while switched away from
    Context* target = nullptr;      // whom this one switched to last; this is how a new fiber finds itself
    ContextEntry entry = nullptr;
    void* argument = nullptr;
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

// What every side does first when it is switched to.
[[gnu::always_inline]] inline void finish_switch(boost::context::detail::transfer_t arrival,
                                                 [[maybe_unused]] void* own_fake_stack) noexcept {
    auto& previous = *static_cast<Context*>(arrival.data);
#if MISHAP_ASAN
    __sanitizer_finish_switch_fiber(own_fake_stack, &previous.stack_bottom, &previous.stack_size_bytes);
#endif
    previous.stack_pointer = arrival.fctx;
}

[[gnu::always_inline]] inline boost::context::detail::transfer_t jump_stack(void* to, void* data) noexcept {
#if defined(__x86_64__) && !defined(__ILP32__) && defined(__ELF__) && !MISHAP_ASAN && !MISHAP_TSAN
    boost::context::detail::transfer_t arrival;
    // clang-format off
    // The 128 bytes below the stack pointer are the red zone: the compiler may keep variables there. Everything that
    // a call need not preserve is lost, including the x87 stack, on which a long double may wait.
    asm volatile(
        "leaq -128(%%rsp), %%rsp\n\t"
        "leaq 1f(%%rip), %%rax\n\t"
        "pushq %%rax\n\t"
        "jmp jump_fcontext@PLT\n"
        "1:\n\t"
        "leaq 128(%%rsp), %%rsp\n\t"
        : "=&a"(arrival.fctx), "=&d"(arrival.data), "+D"(to), "+S"(data)
        :
        : "rcx", "r8", "r9", "r10", "r11", "memory", "cc",
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
    return arrival;
#else
    return boost::context::detail::jump_fcontext(to, data);
#endif
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
    finish_switch(jump_stack(to.stack_pointer, &from), fake_stack);
}

inline void switch_context_finally(Context& from, Context& to) noexcept {
    from.target = &to;
#if MISHAP_ASAN
    __sanitizer_start_switch_fiber(nullptr, to.stack_bottom, to.stack_size_bytes);
#endif
#if MISHAP_TSAN
    __tsan_switch_to_fiber(to.fiber, 0);
#endif
    jump_stack(to.stack_pointer, &from);
    __builtin_unreachable();
}

}  // namespace mishap::detail
