#include <mishap/primitives/staggered_race.hpp>

#include <mishap/loop/detail/await_scope.hpp>
#include <mishap/primitives/detail/wait_state.hpp>
#include <mishap/primitives/wait_for.hpp>

namespace mishap::detail {

void RaceBase::start(const Future<void>& previous_failed) {
    // Never at once, whatever the loop's task factory: the task must be known before it can win or fail (gh-124309).
    const auto task = loop_->create_task([race = Ref<RaceBase>(this), previous_failed] { race->take_turn(previous_failed); },
                                         {.eager_start = false});
    tasks_.emplace_back(&task.state());
}

void RaceBase::take_turn(const Future<void>& previous_failed) {
    if (previous_failed.is_valid()) {
        try {
            wait_for([&] { await(previous_failed, {}); }, delay_, {});
        } catch (const TimeoutError&) {
            // Its time is over: the next one begins beside it.
        }
    }
    if (begun_ == size_ || winner_.has_value()) {
        return;
    }
    const std::size_t index = begun_++;
    const Future<void> failed = loop_->create_future<void>();
    exceptions_.push_back(nullptr);
    start(failed);
    // The helper that runs a body: what an attempt throws is what the race tells of it.
    try {
        attempt(index);
        return;
    } catch (const TaskAbandoned&) {
        throw;
    } catch (...) {
        exceptions_[index] = std::current_exception();
    }
    if (!failed.done()) {
        failed.set_result();
    }
}

bool RaceBase::wins(std::size_t index) {
    if (winner_.has_value()) {
        return false;
    }
    winner_ = index;
    cancel_all_but(loop_->current_task());
    return true;
}

void RaceBase::cancel_all_but(const TaskBase* spared) {
    for (const Ref<FutureBase>& task : tasks_) {
        if (task.get() != spared) {
            task->cancel(nullptr);
        }
    }
}

/// Waits for the tasks that there are; they may have started others meanwhile.
void RaceBase::wait_for_all(Place place) {
    std::vector<FutureBase*> alive;
    for (;;) {
        alive.clear();
        for (const Ref<FutureBase>& task : tasks_) {
            if (!task->is_done()) {
                alive.push_back(task.get());
            }
        }
        if (alive.empty()) {
            return;
        }
        wait_for_some(alive, ReturnWhen::all_completed, std::nullopt, "staggered_race", place);
    }
}

void RaceBase::run(Place place) {
    const AwaitScope scope(*loop_->current_task(), "staggered_race", place);
    start({});
    std::exception_ptr cancellation;
    for (bool is_over = false; !is_over;) {
        // Who is cancelled stays until the attempts have ended (gh-128479): they are nobody else's.
        try {
            wait_for_all(place);
            is_over = true;
        } catch (const CancelledError&) {
            cancellation = std::current_exception();
            cancel_all_but(nullptr);
        }
    }
    if (cancellation != nullptr) {
        std::rethrow_exception(cancellation);
    }
    for (const Ref<FutureBase>& task : tasks_) {
        if (task->state() == Waitable::State::finished && task->exception() != nullptr) {
            std::rethrow_exception(task->exception());
        }
    }
}

}  // namespace mishap::detail
