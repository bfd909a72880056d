// stdexec's awaitable senders, commit b4a598d6 (#2038, 2026).
//
// Awaiting a sender starts it and then suspends. A sender that completes as stopped inside `start` resumes
// nobody, because nobody is suspended yet; whoever awaits it suspends afterwards, for ever.

#include <functional>

#include "invariants.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "STD-02",
     .upstream = "stdexec #2038",
     .title = "awaiting a sender that completes as stopped at once waits for ever",
     .invariant = Invariant::progress,
     .pattern = Pattern::reentrancy,
     .finding = FindingKind::stuck});

enum class Stopped { resumes_who_waits, is_remembered };

/// Completes as stopped, at once if that was asked before.
class Sender {
public:
    void start(std::function<void()> stopped) {
        if (is_stop_requested_) {
            stopped();
        } else {
            stopped_ = std::move(stopped);
        }
    }
    void request_stop() {
        is_stop_requested_ = true;
        if (stopped_) {
            stopped_();
        }
    }

private:
    bool is_stop_requested_ = false;
    std::function<void()> stopped_;
};

template <Stopped on_stopped>
void await_sender(Sender& sender) {
    Future<void> resumed;
    bool is_stopped = false;
    sender.start([&] {
        is_stopped = true;
        if (resumed.is_valid()) {
            resumed.set_result();
        }
    });
    if (on_stopped == Stopped::resumes_who_waits || !is_stopped) {
        resumed = get_running_loop().create_future<void>();
        await(resumed);
    }
}

template <Stopped on_stopped>
void stop_accepting() {
    Sender accept;
    const auto server = create_task([&] { await_sender<on_stopped>(accept); }, {.name = "server"});
    const auto stopper = create_task([&] { accept.request_stop(); }, {.name = "stopper"});
    join(server, stopper);
}

}  // namespace

MISHAP_SCENARIO("STD-02/buggy") { stop_accepting<Stopped::resumes_who_waits>(); }
MISHAP_SCENARIO("STD-02/fixed") { stop_accepting<Stopped::is_remembered>(); }
