// Bugs of simulated threads.

#include "edits.hpp"

namespace mishap::edits {

namespace {

/// Two threads add to a counter without a lock.
void thread_counter() {
    Shared<int> value{0, "counter"};
    const int times = bound("increments", 1);
    const auto add = [&] {
        for (int i = 0; i < times; ++i) {
            thread_line("before the read");
            const int read = value.load();
            thread_line("after the read");
            value.store(read + 1);
        }
    };
    std::optional<Thread> one;
    std::optional<Thread> two;
    const auto before = thread("first of all");
    spawn("adders", [&] { one.emplace(add, ThreadOptions{"one"}); }, [&] { two.emplace(add, ThreadOptions{"two"}); });
    const auto behind = thread("behind the adders");
    one->join();
    two->join();
    always(value.load() == 2 * times, "every increment counts");
}

/// Two mutexes taken in two orders; the threads have no names.
void thread_lock_order() {
    Mutex one{name("one")};
    Mutex two{name("two")};
    Shared<int> both{0, "both"};
    const auto take = [&](Mutex& first, Mutex& second) {
        thread_line("before both");
        first.lock();
        thread_line("between the two");
        second.lock();
        both.store(both.load() + 1);
        second.unlock();
        first.unlock();
    };
    std::optional<Thread> forward;
    std::optional<Thread> backward;
    const auto before = thread("first of all");
    spawn("takers", [&] { forward.emplace([&] { take(one, two); }); }, [&] { backward.emplace([&] { take(two, one); }); });
    const auto behind = thread("behind the takers");
    forward->join();
    backward->join();
}

/// Looks under a mutex, lets it go, and takes under the mutex again.
void thread_look_then_take() {
    Mutex mutex{name("mutex")};
    Shared<int> left{1, "left"};
    const int looks = bound("looks", 1);
    const auto take = [&] {
        bool is_some = false;
        for (int i = 0; i < looks; ++i) {
            mutex.lock();
            is_some = left.load() > 0;
            mutex.unlock();
        }
        thread_line("between look and take");
        if (is_some) {
            mutex.lock();
            left.fetch_add(-1);
            mutex.unlock();
        }
    };
    std::optional<Thread> one;
    std::optional<Thread> two;
    const auto before = thread("first of all");
    spawn("takers", [&] { one.emplace(take, ThreadOptions{"one"}); }, [&] { two.emplace(take, ThreadOptions{"two"}); });
    const auto behind = thread("behind the takers");
    one->join();
    two->join();
    always(left.load() >= 0, "nobody takes what is not there");
}

/// A flag is set and told without the mutex, between a look at it and the wait.
void thread_missed_signal() {
    Mutex mutex{name("mutex")};
    CondVar changed{name("changed")};
    Shared<bool> is_ready{false, "is_ready"};
    std::optional<Thread> waiter;
    std::optional<Thread> signaller;
    const auto before = thread("first of all");
    spawn("waiter and signaller",
          [&] {
              waiter.emplace(
                  [&] {
                      mutex.lock();
                      while (!is_ready.load()) {
                          changed.wait(mutex);
                      }
                      mutex.unlock();
                  },
                  ThreadOptions{"waiter"});
          },
          [&] {
              signaller.emplace(
                  [&] {
                      thread_line("before it sets the flag");
                      is_ready.store(true);
                      thread_line("before it tells");
                      changed.notify_one();
                  },
                  ThreadOptions{"signaller"});
          });
    const auto behind = thread("behind both");
    waiter->join();
    signaller->join();
}

}  // namespace

std::vector<Fixture> thread_fixtures() {
    return {{"thread_counter", thread_counter, {.races = Detect::off}},
            {"thread_lock_order", thread_lock_order, {}},
            {"thread_look_then_take", thread_look_then_take, {}},
            {"thread_missed_signal", thread_missed_signal, {.races = Detect::off}}};
}

}  // namespace mishap::edits
