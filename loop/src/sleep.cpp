#include <mishap/loop/sleep.hpp>

#include <mishap/loop/detail/waiter.hpp>

namespace mishap {

namespace {

/// The timer of a sleeping task: it ends the wait, and the task is scheduled then (two steps, as in asyncio).
class SleepTimer final : public detail::HandleBase {
public:
    explicit SleepTimer(detail::Waiter& waiter) : waiter_(waiter) {}
    void invoke() override {
        if (!waiter_.look()) {
            waiter_.finish();
        }
    }

private:
    detail::Waiter& waiter_;
};

/// Takes the timer back however the wait ends.
class Armed {
public:
    Armed(EventLoop& loop, detail::Waiter& waiter) : loop_(loop), timer_(loop.make_block<SleepTimer>(waiter)) {}
    ~Armed() {
        if (timer_.is_alive()) {
            loop_.unschedule(*timer_.get());
        }
    }
    Armed(const Armed&) = delete;
    Armed& operator=(const Armed&) = delete;
    SleepTimer& timer() { return *timer_; }

private:
    EventLoop& loop_;
    detail::Ref<SleepTimer> timer_;
};

}  // namespace

void Sleep::until_timer() {
    EventLoop& loop = detail::running_task_loop("sleep()");
    detail::Waiter waiter(loop);
    Armed armed(loop, waiter);
    loop.arm(armed.timer(), loop.deadline_in(delay_).time_since_epoch().count());
    waiter.wait("sleep", place_, detail::Failing::here);
}

}  // namespace mishap
