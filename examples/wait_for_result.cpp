// A connection that nobody closes: wait_for is cancelled when the work is done, and loses the result (bpo-37658).

#include "wait_for_designs.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace wait_for_designs;

namespace {

template <class Design>
void connect_and_cancel() {
    ConnectionPool pool;
    const auto worker = create_task(
        [&] {
            const int connection = Design::wait_for([&] { return pool.connect(); }, 1h);
            pool.close(connection);
        },
        {.name = "worker"});
    sleep(0s);
    worker.cancel();
    gather(return_exceptions, worker);
    always(pool.open() == 0, "every connection is closed");
}

}  // namespace

MISHAP_SCENARIO("wait_for_result/cancel_wins", .runs_max = 10'000) { connect_and_cancel<CancelWins>(); }

MISHAP_SCENARIO("wait_for_result/result_wins", .strategy = Strategy::exhaustive, .runs_max = 1'000'000) {
    connect_and_cancel<ResultWins>();
}

MISHAP_SCENARIO("wait_for_result/work_inline", .strategy = Strategy::exhaustive, .runs_max = 1'000'000) {
    connect_and_cancel<WorkInline>();
}
