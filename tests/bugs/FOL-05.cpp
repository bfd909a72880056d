// folly::coro::collectAll and collectAny, commit 118a39232 (2021).
//
// All children are waited for before the outcome is made. When the parent was asked to stop meanwhile, the
// outcome is a bare cancellation: an error with which a child had ended already is seen by nobody.

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "FOL-05",
                                    .upstream = "folly 118a39232",
                                    .title = "collectAll: a cancellation hides the error of a child",
                                    .invariant = Invariant::delivered_once,
                                    .pattern = Pattern::cancellation_swallowed});

enum class Reports { cancellation_first, errors_first };

/// Waits for a task without cancelling it when the wait is cancelled.
void wait_done(const Task<void>& task) {
    const auto done = get_running_loop().create_future<void>();
    task.add_done_callback([done](const Future<void>&) {
        if (!done.done()) {
            done.set_result();
        }
    });
    await(done);
}

template <Reports reports>
void collect_all(const std::vector<Task<void>>& children) {
    std::exception_ptr cancellation;
    for (const Task<void>& child : children) {
        while (!child.done()) {
            try {
                wait_done(child);
            } catch (const CancelledError&) {
                cancellation = std::current_exception();
                for (const Task<void>& other : children) {
                    other.cancel();
                }
            }
        }
    }
    if (reports == Reports::cancellation_first && cancellation != nullptr) {
        std::rethrow_exception(cancellation);
    }
    for (const Task<void>& child : children) {
        if (!child.cancelled() && child.exception() != nullptr) {
            std::rethrow_exception(child.exception());
        }
    }
    if (cancellation != nullptr) {
        std::rethrow_exception(cancellation);
    }
}

/// Errors are counted where they are made and where they are read.
template <Reports reports>
void stop_service() {
    DeliveredOnce errors;
    const auto service = create_task(
        [&] {
            const auto serve = create_task([] { sleep(2s); }, {.name = "serve"});
            const auto save = create_task(
                [&] {
                    sleep(0s);
                    errors.put(1);
                    throw std::runtime_error("the disk is full");
                },
                {.name = "save"});
            try {
                collect_all<reports>({serve, save});
            } catch (const std::runtime_error&) {
                errors.got(1);
            }
        },
        {.name = "service"});
    sleep(0s);
    service.cancel();
    join(service);
    errors.check();
}

}  // namespace

MISHAP_SCENARIO("FOL-05/buggy") { stop_service<Reports::cancellation_first>(); }
MISHAP_SCENARIO("FOL-05/fixed") { stop_service<Reports::errors_first>(); }
