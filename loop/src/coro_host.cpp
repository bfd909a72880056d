#include <mishap/loop/detail/coro_host.hpp>

#include <utility>

#include <mishap/loop/event_loop.hpp>

namespace mishap::detail {

void CoroHost::run(std::coroutine_handle<> outermost) {
    innermost_ = outermost;
    while (!outermost.done()) {
        invariant(innermost_ != nullptr, "a hosted coroutine that suspends says who goes on");
        std::exchange(innermost_, nullptr).resume();
        if (request_.perform == nullptr) {
            continue;
        }
        const HostRequest request = std::exchange(request_, {});
        // What the wait throws (a cancellation, say) is thrown where the coroutine waits: not handled here.
        try {
            request.perform(request.argument);
        } catch (...) {
            failure_ = std::current_exception();
        }
    }
}

void CoroHost::rethrow_if_failed() {
    if (failure_ != nullptr) {
        std::rethrow_exception(std::exchange(failure_, nullptr));
    }
}

void* allocate_frame(std::size_t size) {
    const RunSerial run = current_loop != nullptr ? current_loop->run_serial() : no_run;
    return block_pool().allocate(size, run, SlotHeader::Content::raw);
}

void release_frame(void* frame) { block_pool().release(frame); }

unsigned run_of_frame(void* frame) { return header_of(frame).run; }

bool is_frame_alive(void* frame, unsigned run) {
    const SlotHeader& header = header_of(frame);
    return header.run == run && header.content == SlotHeader::Content::raw;
}

void never_awaited() {
    if (current_loop != nullptr) {
        current_loop->warn(FindingKind::never_awaited, "a coroutine was never awaited: nothing of it ran");
    }
}

void empty_coro() {
    throw UsageError("a Coro was awaited that is empty: it was moved from, awaited already, or belongs to a run that is over");
}

}  // namespace mishap::detail
