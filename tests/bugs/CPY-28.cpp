// asyncio.gather(return_exceptions=True), bpo-32684 (pull request 7209), repaired in CPython 3.8.
//
// Who waits for a gather is cancelled, and so are its children. Their cancellations are results, as asked for; with
// them the gather returns a list, and its own cancellation is forgotten.

#include <exception>
#include <vector>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration({.id = "CPY-28",
                                    .upstream = "bpo-32684",
                                    .title = "gather: with return_exceptions its own cancellation is a result too",
                                    .invariant = Invariant::cancel_honoured,
                                    .pattern = Pattern::cancellation_swallowed});

enum class OnCancel { returns_results, throws };

/// Waits for all tasks and returns what each ended with; null is success.
template <OnCancel on_cancel>
std::vector<std::exception_ptr> gather_results(const std::vector<Task<void>>& tasks) {
    std::exception_ptr cancellation;
    std::vector<std::exception_ptr> results;
    for (const Task<void>& task : tasks) {
        try {
            await(task);
            results.push_back(nullptr);
        } catch (const CancelledError&) {
            results.push_back(std::current_exception());
            if (current_task().cancelling() > 0 && cancellation == nullptr) {
                cancellation = std::current_exception();
                for (const Task<void>& other : tasks) {
                    other.cancel();
                }
                gather(return_exceptions, tasks);
            }
        }
    }
    if (on_cancel == OnCancel::throws && cancellation != nullptr) {
        std::rethrow_exception(cancellation);
    }
    return results;
}

template <OnCancel on_cancel>
void stop_crawler() {
    const auto fetch = [] { sleep(900ms); };
    const auto crawler = create_task(
        [&] {
            CancelHonoured::run([&] {
                gather_results<on_cancel>(
                    {create_task(fetch, {.name = "fetch"}), create_task(fetch, {.name = "fetch"})});
            });
        },
        {.name = "crawler"});
    CancelHonoured cancellations;
    sleep(1s);
    cancellations.cancel(crawler);
    join(crawler);
    cancellations.check();
}

}  // namespace

MISHAP_SCENARIO("CPY-28/buggy", .timer_slack = 200ms) { stop_crawler<OnCancel::returns_results>(); }
MISHAP_SCENARIO("CPY-28/fixed", .timer_slack = 200ms) { stop_crawler<OnCancel::throws>(); }
