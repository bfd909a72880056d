// Asio's thread_pool, commit 7781d2cad.
//
// `join` waits until all work is done. A pool without threads of its own relies on others to do the work, and
// the only one there is has just called `join`.

#include <deque>
#include <functional>

#include "invariants.hpp"
#include "waiters.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "ASI-08",
                                    .upstream = "Asio 7781d2cad",
                                    .title = "thread_pool: join of a pool without threads waits for ever",
                                    .invariant = Invariant::progress,
                                    .pattern = Pattern::close_forgets,
                                    .finding = FindingKind::stuck,
                                    .is_calm = true});

enum class Join { waits, takes_part };

template <Join join_does>
class WorkerPool {
public:
    explicit WorkerPool(int threads) {
        for (int i = 0; i < threads; ++i) {
            workers_.push_back(create_task([this] { run(); }, {.name = "thread"}));
        }
    }
    void post(std::function<void()> job) {
        jobs_.push_back(std::move(job));
        changed_.wake_one();
    }
    void join() {
        is_joining_ = true;
        changed_.wake_all();
        if (join_does == Join::takes_part && workers_.empty()) {
            run();
        }
        while (!jobs_.empty()) {
            done_.wait();
        }
        bugs::join(workers_);
    }

private:
    void run() {
        while (!jobs_.empty() || !is_joining_) {
            if (jobs_.empty()) {
                changed_.wait();
                continue;
            }
            const std::function<void()> job = std::move(jobs_.front());
            jobs_.pop_front();
            job();
        }
        done_.wake_all();
    }

    std::deque<std::function<void()>> jobs_;
    std::vector<Task<void>> workers_;
    bool is_joining_ = false;
    Waiters changed_;
    Waiters done_;
};

template <class P>
void join_pools() {
    for (const int threads : {1, 0}) {
        P pool(threads);
        int jobs_done = 0;
        pool.post([&] { ++jobs_done; });
        pool.join();
        claim(jobs_done == 1, Invariant::progress);
    }
}

}  // namespace

MISHAP_SCENARIO("ASI-08/buggy") { join_pools<WorkerPool<Join::waits>>(); }
MISHAP_SCENARIO("ASI-08/fixed") { join_pools<WorkerPool<Join::takes_part>>(); }
