// tokio-util's CancellationToken, tokio-rs/tokio #5561.
//
// Cancelling a token locks it and then its children; dropping a child locks the child and then its parent, to
// be taken off the list. On two threads each waits for the other. The repair takes the parent's lock first
// everywhere.

#include "invariants.hpp"
#include "threads.hpp"

using namespace mishap;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "TOK-12b",
                                    .upstream = "tokio #5561",
                                    .title = "CancellationToken: parent and child are locked in two orders",
                                    .invariant = Invariant::progress,
                                    .pattern = Pattern::hold_and_wait,
                                    .finding = FindingKind::stuck});

enum class DropLocks { child_first, parent_first };

struct Node {
    Mutex mutex;
    bool is_cancelled = false;
    std::vector<Node*> children;
};

void cancel(Node& parent) {
    const std::lock_guard<Mutex> lock(parent.mutex);
    parent.is_cancelled = true;
    for (Node* child : parent.children) {
        const std::lock_guard<Mutex> child_lock(child->mutex);
        child->is_cancelled = true;
    }
}

template <DropLocks drop_locks>
void drop(Node& child, Node& parent) {
    const bool is_parent_first = drop_locks == DropLocks::parent_first;
    const std::lock_guard<Mutex> outer(is_parent_first ? parent.mutex : child.mutex);
    const std::lock_guard<Mutex> inner(is_parent_first ? child.mutex : parent.mutex);
    std::erase(parent.children, &child);
}

template <DropLocks drop_locks>
void end_request() {
    Node server;
    Node request;
    server.children.push_back(&request);
    together(
        {{"shutdown", [&] { cancel(server); }}, {"request", [&] { drop<drop_locks>(request, server); }}});
}

}  // namespace

MISHAP_SCENARIO("TOK-12b/buggy") { end_request<DropLocks::child_first>(); }
MISHAP_SCENARIO("TOK-12b/fixed") { end_request<DropLocks::parent_first>(); }
