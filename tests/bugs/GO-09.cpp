// cockroachdb/cockroach #13197 and grpc-go #862 (GoBench, GoKer).
//
// A query starts a helper that waits for the end of its context. A query that succeeds returns without ending
// the context, and the helper stays.

#include "go_channel.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "GO-09",
                                    .upstream = "cockroach #13197, grpc-go #862",
                                    .title = "a query that succeeds does not end the context of its helper",
                                    .invariant = Invariant::no_orphan,
                                    .pattern = Pattern::close_forgets,
                                    .finding = FindingKind::stuck});

enum class OnSuccess { leaves_context, ends_context };

template <OnSuccess on_success>
class Transaction {
public:
    void await_done() { context_.receive(); }
    /// Commits if the user has not given up.
    void commit() {
        const bool is_given_up = is_given_up_.fetch_add(0) == 1;
        if (is_given_up || on_success == OnSuccess::ends_context) {
            context_.close();
        }
    }
    void give_up() { is_given_up_.fetch_add(1); }

private:
    ChannelMonitor monitor_;
    SignalChannel context_{monitor_};
    Shared<int> is_given_up_{0, "given up"};
};

template <class T>
void commit_or_give_up() {
    T transaction;
    together({{"helper", [&] { transaction.await_done(); }},
              {"user", [&] { transaction.give_up(); }},
              {"query", [&] { transaction.commit(); }}});
}

}  // namespace

MISHAP_SCENARIO("GO-09/buggy") { commit_or_give_up<Transaction<OnSuccess::leaves_context>>(); }
MISHAP_SCENARIO("GO-09/fixed") { commit_or_give_up<Transaction<OnSuccess::ends_context>>(); }
