#include <mishap/primitives/async_with.hpp>

namespace mishap {

namespace detail {

void guard_took_exception() {
    throw UsageError("the guard of async_with() took the exception of a body that has a result: there is none to return");
}

void generator_without_item() {
    throw UsageError("the generator of an async_context_manager() ended without a co_yield: it must yield once");
}

void generator_goes_on() {
    throw UsageError("the generator of an async_context_manager() yielded a second time: it must yield once");
}

}  // namespace detail

bool AsyncExitStack::aexit(std::exception_ptr failure) {
    const std::exception_ptr given = failure;
    while (!exits_.empty()) {
        const auto leave = std::move(exits_.back());
        exits_.pop_back();
        // The helper that runs bodies: whatever one throws, the others are left.
        try {
            if (leave(failure)) {
                failure = nullptr;
            }
        } catch (const detail::TaskAbandoned&) {
            throw;
        } catch (...) {
            failure = std::current_exception();
        }
    }
    if (failure != nullptr && failure != given) {
        std::rethrow_exception(failure);
    }
    return given != nullptr && failure == nullptr;
}

}  // namespace mishap
