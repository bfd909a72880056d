// Bugs that a cancellation between wake-up and resumption brings out, and waits with a timeout.

#include <algorithm>
#include <deque>

#include "edits.hpp"

namespace mishap::edits {

namespace {

using namespace std::chrono_literals;

/// A lock of futures. A cancelled waiter forgets its wake-up (bpo-27585), or passes it on to one too many (bpo-32734).
class HandmadeLock {
public:
    explicit HandmadeLock(bool passes_on) : passes_on_(passes_on) {}

    void acquire() {
        if (!is_locked_ && waiters_.empty()) {
            is_locked_ = true;
            return;
        }
        const auto woken = get_running_loop().create_future<void>();
        waiters_.push_back(woken);
        try {
            line("before the wait for the lock");
            await(woken);
        } catch (const CancelledError&) {
            std::erase(waiters_, woken);
            if (!is_locked_ && passes_on_) {
                wake([](const Future<void>& waiter) { return !waiter.done(); });
            }
            throw;
        }
        std::erase(waiters_, woken);
        is_locked_ = true;
    }

    void release() {
        is_locked_ = false;
        if (!waiters_.empty() && !waiters_.front().done()) {
            waiters_.front().set_result();
        }
    }

private:
    template <class P>
    void wake(P which) {
        if (const auto next = std::find_if(waiters_.begin(), waiters_.end(), which); next != waiters_.end()) {
            next->set_result();
        }
    }

    bool passes_on_;
    bool is_locked_ = false;
    std::deque<Future<void>> waiters_;
};

void dropped_baton() {
    HandmadeLock lock(false);
    const auto work = [&] {
        lock.acquire();
        lock.release();
    };
    lock.acquire();
    Task<void> first;
    Task<void> second;
    task("first of all");
    spawn("waiters", [&] { first = create_task(work, {.name = "waiter"}); },
          [&] { second = create_task(work, {.name = "waiter"}); });
    task("behind the waiters");
    const int turns = bound("main's turns", 1);
    for (int i = 0; i < turns; ++i) {
        sleep(0s);
    }
    elsewhere("main, before it releases");
    lock.release();
    gather(return_exceptions, first, second);
}

void doubled_baton() {
    HandmadeLock lock(true);
    int inside = 0;
    const auto work = [&] {
        lock.acquire();
        always(++inside == 1, "one task at a time holds the lock");
        line("inside");
        sleep(0s);
        --inside;
        lock.release();
    };
    lock.acquire();
    Task<void> first;
    Task<void> third;
    task("first of all");
    first = create_task(work, {.name = "waiter"});
    const auto second = create_task(work, {.name = "waiter"});
    third = create_task(work, {.name = "waiter"});
    task("behind the waiters");
    const int turns = bound("main's turns", 1);
    for (int i = 0; i < turns; ++i) {
        sleep(0s);
    }
    lock.release();
    second.cancel();
    elsewhere("main, behind the cancellation");
    gather(return_exceptions, first, second, third);
}

/// Hands an item to a waiting getter through its future: gone when the getter is cancelled (bpo-23812).
void queue_handoff() {
    std::deque<int> items;
    std::deque<Future<int>> getters;
    std::size_t received = 0;
    const int puts = bound("items", 2);
    const auto put = [&](int item) {
        while (!getters.empty()) {
            const Future<int> getter = getters.front();
            getters.pop_front();
            if (!getter.done()) {
                getter.set_result(item);
                return;
            }
        }
        items.push_back(item);
    };
    const auto take = [&] {
        line("before it takes");
        if (!items.empty()) {
            items.pop_front();
        } else {
            const auto getter = get_running_loop().create_future<int>();
            getters.push_back(getter);
            await(getter);
        }
        ++received;
    };
    Task<void> first;
    Task<void> second;
    task("first of all");
    spawn("takers", [&] { first = create_task(take, {.name = "first"}); },
          [&] { second = create_task(take, {.name = "second"}); });
    task("behind the takers");
    const auto producer = create_task(
        [&] {
            elsewhere("the producer");
            for (int i = 0; i < puts; ++i) {
                put(i);
            }
        },
        {.name = "producer"});
    gather(return_exceptions, first, second, producer);
    always(received + items.size() == static_cast<std::size_t>(puts), "an item is received, or still in the queue");
}

/// Waits for work with a timeout. Who is cancelled when the work is done loses the result (bpo-37658), or forgets the
/// cancellation (bpo-42130).
template <class F>
int wait_for_by_hand(F work, bool result_wins) {
    const auto task = create_task(work, {.name = "work"});
    const auto waiter = get_running_loop().create_future<void>();
    const auto release = [waiter] {
        if (!waiter.done()) {
            waiter.set_result();
        }
    };
    task.add_done_callback([release](const Future<int>&) { release(); });
    TimerHandle timer = get_running_loop().call_later(1h, release);
    try {
        line("before the wait for the work");
        await(waiter);
    } catch (const CancelledError&) {
        timer.cancel();
        if (result_wins && task.done() && !task.cancelled()) {
            return task.result();
        }
        task.cancel();
        throw;
    }
    timer.cancel();
    return task.result();
}

template <bool result_wins>
void wait_for() {
    int open = 0;
    task("first of all");
    const int handshakes = bound("handshakes", 1);
    const auto worker = create_task(
        [&] {
            line("before it connects");
            wait_for_by_hand(
                [&] {
                    for (int i = 0; i < handshakes; ++i) {
                        sleep(0s);
                    }
                    return ++open;
                },
                result_wins);
            --open;
        },
        {.name = "worker"});
    task("behind the worker");
    sleep(0s);
    elsewhere("main, before it cancels");
    const bool is_asked = worker.cancel();
    gather(return_exceptions, worker);
    if (result_wins) {
        always(worker.cancelled() || !is_asked, "who is cancelled ends as cancelled");
    } else {
        always(open == 0, "every connection is closed");
    }
}

/// A timeout that wins against an answer that is there already.
void timeout_against_answer() {
    const auto answer = get_running_loop().create_future<int>();
    bool was_answered = false;
    const int steps = bound("steps to the answer", 3);
    task("first of all");
    const auto responder = create_task(
        [&] {
            for (int i = 0; i < steps; ++i) {
                sleep(0s);
                line("on the way to the answer");
            }
            was_answered = true;
            if (!answer.done()) {
                answer.set_result(42);
            }
        },
        {.name = "responder"});
    task("behind the responder");
    const auto asker = create_task(
        [&] {
            elsewhere("the asker");
            try {
                mishap::wait_for(answer, 1s);
            } catch (const TimeoutError&) {
                always(was_answered, "a second is more than enough");
            }
        },
        {.name = "asker"});
    gather(asker, responder);
}

}  // namespace

std::vector<Fixture> cancellation_fixtures() {
    return {{"dropped_baton", dropped_baton, {.cancellations = 1}},
            {"doubled_baton", doubled_baton, {}},
            {"queue_handoff", queue_handoff, {.cancellations = 1}},
            {"wait_for_loses_result", wait_for<false>, {}},
            {"wait_for_forgets_cancellation", wait_for<true>, {}},
            {"timeout_against_answer", timeout_against_answer, {.time_passes = 1}}};
}

}  // namespace mishap::edits
