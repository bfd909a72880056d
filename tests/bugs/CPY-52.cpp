// concurrent.futures, gh-87893.
//
// A job that is cancelled before it began is told to those who wait for it by the worker that finds it in the queue.
// `shutdown(cancel_futures=True)` cancels jobs and takes them out of the queue: no worker finds them, and whoever goes
// through the results as they come waits for ever.

#include <deque>
#include <memory>

#include "invariants.hpp"
#include "waiters.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-52",
                                    .upstream = "gh-87893",
                                    .title = "Executor: shutdown cancels jobs and tells nobody who waits for them",
                                    .invariant = Invariant::progress,
                                    .pattern = Pattern::close_forgets,
                                    .finding = FindingKind::stuck});

enum class Shutdown { cancels, cancels_and_tells };

class Job {
public:
    void cancel() { is_cancelled_ = true; }
    bool is_cancelled() const { return is_cancelled_; }
    /// Tells that it has ended, in whichever way.
    void tell() {
        is_told_ = true;
        waiters_.wake_all();
    }
    void wait() {
        while (!is_told_) {
            waiters_.wait();
        }
    }

private:
    bool is_cancelled_ = false;
    bool is_told_ = false;
    Waiters waiters_;
};

template <Shutdown shutdown_does>
class HandmadeExecutor {
public:
    std::shared_ptr<Job> submit() {
        queue_.push_back(std::make_shared<Job>());
        changed_.wake_one();
        return queue_.back();
    }
    void work() {
        while (!is_shut_down_ || !queue_.empty()) {
            if (queue_.empty()) {
                changed_.wait();
                continue;
            }
            const std::shared_ptr<Job> job = queue_.front();
            queue_.pop_front();
            if (!job->is_cancelled()) {
                sleep(0s);  // does it
            }
            job->tell();
        }
    }
    void shutdown_and_cancel() {
        is_shut_down_ = true;
        for (const std::shared_ptr<Job>& job : queue_) {
            job->cancel();
            if (shutdown_does == Shutdown::cancels_and_tells) {
                job->tell();
            }
        }
        queue_.clear();
        changed_.wake_all();
    }

private:
    bool is_shut_down_ = false;
    std::deque<std::shared_ptr<Job>> queue_;
    Waiters changed_;
};

template <class E>
void submit_and_shut_down() {
    E executor;
    const std::shared_ptr<Job> jobs[] = {executor.submit(), executor.submit()};
    const auto worker = create_task([&] { executor.work(); }, {.name = "worker"});
    const auto user = create_task(
        [&] {
            for (const std::shared_ptr<Job>& job : jobs) {
                job->wait();
            }
        },
        {.name = "user"});
    for (int i = 0; i < 4; ++i) {
        sleep(0s);
    }
    executor.shutdown_and_cancel();
    join(worker, user);
}

}  // namespace

MISHAP_SCENARIO("CPY-52/buggy") { submit_and_shut_down<HandmadeExecutor<Shutdown::cancels>>(); }
MISHAP_SCENARIO("CPY-52/fixed") { submit_and_shut_down<HandmadeExecutor<Shutdown::cancels_and_tells>>(); }
