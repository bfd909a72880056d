// Boost.Fiber's buffered_channel, issue #256 (pull request 282).
//
// A spinlock guards the buffer. A fiber that waits for room keeps it; the next fiber of the same thread
// spins, and the one that could unlock it never runs again.

#include <deque>

#include "invariants.hpp"
#include "waiters.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "BFI-06",
     .upstream = "Boost.Fiber #256",
     .title = "buffered_channel: a fiber is suspended while it holds a spinlock",
     .invariant = Invariant::progress,
     .pattern = Pattern::hold_and_wait});

enum class WhileWaiting { keeps_spinlock, gives_it_up };

/// Spins without giving way, as a spinlock does. Nobody can unlock it meanwhile: so many turns are as good as
/// for ever.
class Spinlock {
public:
    void lock() {
        for (int turns = 0; is_locked_; ++turns) {
            claim(turns < 1000, Invariant::progress);
        }
        is_locked_ = true;
    }
    void unlock() { is_locked_ = false; }

private:
    bool is_locked_ = false;
};

template <WhileWaiting while_waiting>
class Channel {
public:
    void push(int item) {
        spinlock_.lock();
        while (!items_.empty()) {
            if (while_waiting == WhileWaiting::gives_it_up) {
                spinlock_.unlock();
            }
            not_full_.wait();
            if (while_waiting == WhileWaiting::gives_it_up) {
                spinlock_.lock();
            }
        }
        items_.push_back(item);
        not_empty_.wake_one();
        spinlock_.unlock();
    }
    int pop() {
        spinlock_.lock();
        while (items_.empty()) {
            spinlock_.unlock();
            not_empty_.wait();
            spinlock_.lock();
        }
        const int item = items_.front();
        items_.pop_front();
        not_full_.wake_one();
        spinlock_.unlock();
        return item;
    }

private:
    Spinlock spinlock_;
    std::deque<int> items_;  // at most one
    Waiters not_full_;
    Waiters not_empty_;
};

template <class C>
void transfer() {
    C channel;
    const auto producer = create_task(
        [&] {
            channel.push(1);
            sleep(0s);
            channel.push(2);
        },
        {.name = "producer"});
    const auto consumer = create_task(
        [&] {
            channel.pop();
            channel.pop();
        },
        {.name = "consumer"});
    join(producer, consumer);
}

}  // namespace

MISHAP_SCENARIO("BFI-06/buggy") { transfer<Channel<WhileWaiting::keeps_spinlock>>(); }
MISHAP_SCENARIO("BFI-06/fixed") { transfer<Channel<WhileWaiting::gives_it_up>>(); }
