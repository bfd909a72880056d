// A worker that cannot be stopped: wait_for is cancelled when the work is done, and swallows the cancellation (bpo-42130).

#include "wait_for_designs.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace wait_for_designs;

namespace {

template <class Design>
void cancel_and_expect() {
    ConnectionPool pool;
    const auto worker = create_task(
        [&] {
            const int connection = Design::wait_for([&] { return pool.connect(); }, 1h);
            pool.close(connection);
        },
        {.name = "worker"});
    sleep(0s);
    const bool is_asked = worker.cancel();
    gather(return_exceptions, worker);
    always(worker.cancelled() || !is_asked, "who is cancelled ends as cancelled");
}

}  // namespace

MISHAP_SCENARIO("wait_for_cancel/result_wins", .runs_max = 10'000) { cancel_and_expect<ResultWins>(); }

MISHAP_SCENARIO("wait_for_cancel/cancel_wins", .strategy = Strategy::exhaustive, .runs_max = 1'000'000) {
    cancel_and_expect<CancelWins>();
}

MISHAP_SCENARIO("wait_for_cancel/work_inline", .strategy = Strategy::exhaustive, .runs_max = 1'000'000) {
    cancel_and_expect<WorkInline>();
}
