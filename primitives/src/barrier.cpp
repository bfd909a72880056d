#include <mishap/primitives/barrier.hpp>

#include <algorithm>
#include <functional>

#include <fmt/format.h>

namespace mishap {

namespace {

constexpr detail::ObjectKind kind{"Barrier", "barrier"};

const char* text_of(Barrier::State state) {
    switch (state) {
        case Barrier::State::filling: return "filling";
        case Barrier::State::draining: return "draining";
        case Barrier::State::resetting: return "resetting";
        case Barrier::State::broken: return "broken";
    }
    return "";
}

}  // namespace

/// One task's stay, from coming to leaving.
class Barrier::Party {
public:
    explicit Party(Barrier& barrier) : barrier_(&barrier), place_(barrier.take_place()) {}
    ~Party() {
        if (barrier_ != nullptr) {
            barrier_->leave(place_);
        }
    }
    Party(const Party&) = delete;
    Party& operator=(const Party&) = delete;

    std::size_t place() const { return place_; }
    void forget_barrier() { barrier_ = nullptr; }

private:
    Barrier* barrier_;
    std::size_t place_;
};

Barrier::Barrier(std::ptrdiff_t parties, std::string_view name)
    : Primitive(kind, name), parties_(static_cast<std::size_t>(parties)) {
    if (parties < 1) {
        throw UsageError(fmt::format("a Barrier was made for {} parties; give 1 or more", parties));
    }
}

std::string Barrier::Statistics::text() const {
    return state == State::broken ? "broken" : fmt::format("{}, waiters:{}/{}", text_of(state),
                                                           state == State::filling ? inside : 0, parties);
}

std::size_t Barrier::wait(Place place) {
    EventLoop& loop = enter("Barrier.wait()");
    if (!would_wait()) {
        maybe_yield(loop, "Barrier.wait", place);
    }
    touch_in(loop, Access::write, "Barrier.wait", place);
    while (is_closed()) {
        wait_for_change(loop, place, nullptr);
    }
    if (state_ == State::broken) {
        throw BrokenBarrierError("the barrier was aborted; reset() makes it as new");
    }
    Party party(*this);
    if (count_ == parties_) {
        state_ = State::draining;
        waiters_.wake_all();
        return party.place();
    }
    while (state_ == State::filling) {
        wait_for_change(loop, place, &party);
    }
    if (state_ != State::draining) {
        throw BrokenBarrierError("the barrier was aborted or reset while a task waited at it");
    }
    return party.place();
}

/// Parks until something has changed, which need not be what the task waits for.
void Barrier::wait_for_change(EventLoop& loop, Place place, Party* party) {
    detail::WaitEntry entry(loop);
    const auto forget_if_gone = [&] {
        if (party != nullptr && entry.is_orphaned()) {
            party->forget_barrier();
        }
    };
    try {
        waiters_.wait(entry, "Barrier.wait", place, detail::Failing::by_caller);
    } catch (const CancelledError&) {
        forget_if_gone();
        if (!entry.is_orphaned()) {
            touch_in(loop, Access::write, "Barrier.wait is cancelled", place);
            // Nobody needs this: who waits looks at the state and waits again, at the tail. But in asyncio a barrier is a
            // Condition, where a cancelled wait notifies the next, and so it is seen in the order of those who leave.
            waiters_.wake_next();
        }
        loop.throw_if_swept();
        throw;
    } catch (const UsageError&) {
        forget_if_gone();
        throw;
    }
    touch_in(loop, Access::write, "Barrier.wait", place);
}

std::size_t Barrier::take_place() {
    std::size_t place = count_;
    if (!free_places_.empty()) {
        place = free_places_.back();
        free_places_.pop_back();
    }
    ++count_;
    return place;
}

void Barrier::leave(std::size_t place) {
    --count_;
    if (count_ != 0) {
        if (state_ == State::filling) {
            free_places_.insert(
                std::lower_bound(free_places_.begin(), free_places_.end(), place, std::greater<std::size_t>()), place);
        }
        return;
    }
    if (is_closed()) {
        state_ = State::filling;
    }
    free_places_.clear();
    waiters_.wake_all();
}

void Barrier::reset(Place place) {
    touch(Access::write, "Barrier.reset", place);
    state_ = count_ != 0 ? State::resetting : State::filling;
    waiters_.wake_all();
}

void Barrier::abort(Place place) {
    touch(Access::write, "Barrier.abort", place);
    state_ = State::broken;
    waiters_.wake_all();
}

std::size_t Barrier::n_waiting() const {
    touch(Access::read, "Barrier.n_waiting");
    return state_ == State::filling ? count_ : 0;
}

bool Barrier::broken() const {
    touch(Access::read, "Barrier.broken");
    return state_ == State::broken;
}

Barrier::Statistics Barrier::statistics() const {
    touch(Access::read, "Barrier.statistics");
    return count();
}

void Barrier::explain(const detail::WaitQueue&, detail::WaitExplanation& explanation) const {
    explanation.what = describe();
    explanation.state = count().text();
    explanation.is_signal = true;
}

}  // namespace mishap
