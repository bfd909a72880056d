// asyncio.Task.cancel, bpo-30048 (pull request 1097), repaired in CPython 3.6.2.
//
// A request for cancellation that finds a task running or ready to run sets a flag, which the task looks at before its
// next wait. When the function returns without another wait, nobody looks: `cancel` said yes, and the task succeeds.

#include <functional>
#include <utility>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-29",
                                    .upstream = "bpo-30048",
                                    .title = "Task: a cancellation before its last step is ignored",
                                    .invariant = Invariant::cancel_honoured,
                                    .pattern = Pattern::cancellation_swallowed});

enum class LooksAtFlag { before_waits, also_at_the_end };

/// A task as a user might write it: a function that waits through `wait`.
template <LooksAtFlag looks>
class Job {
public:
    explicit Job(std::function<void(Job&)> function)
        : host_(create_task([this, function = std::move(function)] { run(function); }, {.name = "job"})) {}

    /// Returns whether the job will end as cancelled.
    bool cancel() {
        if (host_.done() || has_ended_) {
            return false;
        }
        if (waits_for_.is_valid() && waits_for_.cancel()) {
            return true;
        }
        must_cancel_ = true;
        return true;
    }
    bool cancelled() const { return is_cancelled_; }
    const Task<void>& host() const { return host_; }

    void wait(const Future<void>& future) {
        look();
        waits_for_ = future;
        await(future);
        waits_for_ = {};
    }

private:
    void look() {
        if (must_cancel_) {
            throw CancelledError();
        }
    }

    void run(const std::function<void(Job&)>& function) {
        try {
            function(*this);
            if (looks == LooksAtFlag::also_at_the_end) {
                look();
            }
        } catch (const CancelledError&) {
            is_cancelled_ = true;
        }
        has_ended_ = true;
    }

    bool must_cancel_ = false;
    bool has_ended_ = false;
    bool is_cancelled_ = false;
    Future<void> waits_for_;
    Task<void> host_;
};

template <LooksAtFlag looks>
void stop_job() {
    const auto answer = get_running_loop().create_future<void>();
    Job<looks> job([&](Job<looks>& self) { self.wait(answer); });
    const auto server = create_task(
        [&] {
            sleep(0s);
            if (!answer.done()) {
                answer.set_result();
            }
        },
        {.name = "server"});
    sleep(0s);
    const bool is_accepted = job.cancel();
    join(job.host(), server);
    claim(job.cancelled() == is_accepted, Invariant::cancel_honoured);
}

}  // namespace

MISHAP_SCENARIO("CPY-29/buggy") { stop_job<LooksAtFlag::before_waits>(); }
MISHAP_SCENARIO("CPY-29/fixed") { stop_job<LooksAtFlag::also_at_the_end>(); }
