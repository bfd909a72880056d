// uvloop's write queue, uvloop issue 496 (pull request 498).
//
// Transports that have something to send stand in a set, which the loop goes through once an iteration. To send empties
// a buffer, an empty buffer resumes the protocol, and a protocol that writes puts its transport into the set that is
// being gone through.

#include <functional>
#include <set>
#include <stdexcept>
#include <utility>

#include "fake_kernel.hpp"
#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "UVL-02",
                                    .upstream = "uvloop #496",
                                    .title = "flush: a write from resume_writing changes the set that is gone through",
                                    .invariant = Invariant::no_error,
                                    .pattern = Pattern::reentrancy});

/// A set that says so when it is changed while somebody goes through it.
class WatchedSet {
public:
    void insert(int item) {
        if (is_iterated_) {
            throw std::logic_error("set changed size during iteration");
        }
        items_.insert(item);
    }
    template <class F>
    void for_each(const F& f) {
        is_iterated_ = true;
        struct AtEnd {
            bool& is_iterated;
            ~AtEnd() { is_iterated = false; }
        } const at_end{is_iterated_};
        for (const int item : items_) {
            f(item);
        }
    }
    void clear() { items_.clear(); }

private:
    std::set<int> items_;
    bool is_iterated_ = false;
};

enum class Flush { goes_through_the_set, takes_the_set_away };

template <Flush flush>
class WriteQueue : public std::enable_shared_from_this<WriteQueue<flush>> {
public:
    std::function<void(int)> resume_writing;  // of the protocol of that transport

    void write(int transport, int bytes) {
        const int left = bytes - kernel_.send(bytes);
        if (left > 0) {
            waiting_.insert(transport);
            get_running_loop().call_soon([self = this->shared_from_this()] { self->send_all(); });
        }
    }

private:
    void send_all() {
        if (flush == Flush::goes_through_the_set) {
            waiting_.for_each(resume_writing);
            waiting_.clear();
        } else {
            std::exchange(waiting_, {}).for_each(resume_writing);
        }
    }

    FakeKernel kernel_;
    WatchedSet waiting_;
};

template <Flush flush>
void send_pages() {
    const NoLoopErrors errors;
    const auto queue = std::make_shared<WriteQueue<flush>>();
    queue->resume_writing = [pages = 2, weak = std::weak_ptr(queue)](int transport) mutable {
        const auto self = weak.lock();
        if (self != nullptr && --pages > 0) {
            self->write(transport, 2);
        }
    };
    queue->write(1, 2);
    sleep(1s);
    errors.check();
}

}  // namespace

MISHAP_SCENARIO("UVL-02/buggy") { send_pages<Flush::goes_through_the_set>(); }
MISHAP_SCENARIO("UVL-02/fixed") { send_pages<Flush::takes_the_set_away>(); }
