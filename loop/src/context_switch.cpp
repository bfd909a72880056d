#include <mishap/loop/detail/context_switch.hpp>

#include <cstdlib>
#include <new>

namespace mishap::detail {
namespace {

#if MISHAP_OWN_SWITCH

/// What lies on top of a new fiber's stack.
struct Beginning {
    void* return_address = nullptr;  // unwinding ends here
    ContextEntry entry = nullptr;
    void* argument = nullptr;
};

/// What a new fiber begins with, as if called: its own context is the argument.
[[noreturn]] void start(Context* self) noexcept {
    const auto& beginning = *static_cast<const Beginning*>(self->stack_pointer);
    beginning.entry(beginning.argument);
    std::abort();
}

#else

// Unwinding ends below this frame: what Boost put there has no unwind information.
void start(boost::context::detail::transfer_t arrival) noexcept {
    finish_switch(arrival, nullptr);
    const Context& self = *static_cast<const Context*>(arrival.data)->target;
    self.entry(self.argument);
    std::abort();
}

#endif

}  // namespace

#if MISHAP_TSAN
Context::~Context() {
    if (owns_fiber) {
        __tsan_destroy_fiber(fiber);
    }
}
#endif

void make_context(Context& context, const Stack& stack, ContextEntry entry, void* argument) noexcept {
#if MISHAP_OWN_SWITCH
    // As a call leaves the stack: the return address lies where the pointer points, and what is above is aligned to 16
    // bytes.
    static_assert(sizeof(Beginning) == 24);
    auto* const aligned = stack.top - reinterpret_cast<std::uintptr_t>(stack.top) % 16;
    context.stack_pointer = new (aligned - sizeof(Beginning)) Beginning{nullptr, entry, argument};
    context.frame_pointer = nullptr;
    context.resume_at = reinterpret_cast<void*>(start);
    asm volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(context.sse_control), "=m"(context.x87_control));
#else
    const auto size_bytes = static_cast<std::size_t>(stack.top - stack.bottom);
    context.stack_pointer = boost::context::detail::make_fcontext(stack.top, size_bytes, start);
    context.entry = entry;
    context.argument = argument;
#endif
#if MISHAP_ASAN
    context.stack_bottom = stack.bottom;
    context.stack_size_bytes = size_bytes;
    context.fake_stack = nullptr;
#endif
#if MISHAP_TSAN
    if (context.owns_fiber) {
        __tsan_destroy_fiber(context.fiber);
    }
    context.fiber = __tsan_create_fiber(0);
    context.owns_fiber = true;
#endif
}

}  // namespace mishap::detail
