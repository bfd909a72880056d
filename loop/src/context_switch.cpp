#include <mishap/loop/detail/context_switch.hpp>

#include <cstdlib>

namespace mishap::detail {
namespace {

// Unwinding ends below this frame: what Boost put there has no unwind information.
void start(boost::context::detail::transfer_t arrival) noexcept {
    finish_switch(arrival, nullptr);
    const Context& self = *static_cast<const Context*>(arrival.data)->target;
    self.entry(self.argument);
    std::abort();
}

}  // namespace

#if MISHAP_TSAN
Context::~Context() {
    if (owns_fiber) {
        __tsan_destroy_fiber(fiber);
    }
}
#endif

void make_context(Context& context, const Stack& stack, ContextEntry entry, void* argument) noexcept {
    const auto size_bytes = static_cast<std::size_t>(stack.top - stack.bottom);
    context.stack_pointer = boost::context::detail::make_fcontext(stack.top, size_bytes, start);
    context.entry = entry;
    context.argument = argument;
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
