// Asio's parallel_group, commit 744531a30 (2026).
//
// Operations can be asked to stop in two ways: "partial" (stop if that is easy) and "terminal" (stop,
// whatever it costs). A group passes the first request on to its operations and ignores later ones, also a
// terminal one after a partial one.

#include "invariants.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "ASI-06",
     .upstream = "Asio 744531a30",
     .title = "parallel_group: a terminal request after a partial one is ignored",
     .invariant = Invariant::cancel_honoured,
     .pattern = Pattern::cancellation_miscounted,
     .finding = FindingKind::stuck});

enum class Request { none, partial, terminal };
enum class Remembers { that_it_was_asked, strongest_request };

/// Stops only when it must.
class StubbornOperation {
public:
    void run() const { await(ended_); }
    void cancel(Request request) const {
        if (request == Request::terminal && !ended_.done()) {
            ended_.cancel();
        }
    }

private:
    Future<void> ended_ = get_running_loop().create_future<void>();
};

template <Remembers remembers>
class Group {
public:
    void run() const { operation_.run(); }
    void cancel(Request request) {
        if (remembers == Remembers::that_it_was_asked ? asked_ != Request::none : asked_ >= request) {
            return;
        }
        asked_ = request;
        operation_.cancel(request);
    }

private:
    StubbornOperation operation_;  // one is enough
    Request asked_ = Request::none;
};

/// The user leaves while a connection without traffic is being cleaned up.
template <class G>
void leave() {
    G group;
    const auto session = create_task([&] { group.run(); }, {.name = "session"});
    const auto user = create_task([&] { group.cancel(Request::terminal); }, {.name = "user"});
    const auto cleaner = create_task([&] { group.cancel(Request::partial); }, {.name = "cleaner"});
    join(session, user, cleaner);
}

}  // namespace

MISHAP_SCENARIO("ASI-06/buggy") { leave<Group<Remembers::that_it_was_asked>>(); }
MISHAP_SCENARIO("ASI-06/fixed") { leave<Group<Remembers::strongest_request>>(); }
