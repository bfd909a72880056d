// A timeout of an hour, tested in no time: the clock moves when there is nothing else to do.

#include <mishap/mishap.hpp>

using namespace mishap;
using namespace std::chrono_literals;

MISHAP_SCENARIO("timeout_hour/no_answer", .strategy = Strategy::exhaustive, .runs_max = 1'000) {
    const VirtualTime begin = get_running_loop().time();
    const auto answer = get_running_loop().create_future<int>();
    bool is_timed_out = false;
    try {
        wait_for(answer, 1h);
    } catch (const TimeoutError&) {
        is_timed_out = true;
    }
    always(is_timed_out, "without an answer the wait ends with TimeoutError");
    always(get_running_loop().time() - begin == 1h, "the wait ends after an hour exactly");
}

MISHAP_SCENARIO("timeout_hour/late_answer", .strategy = Strategy::exhaustive, .runs_max = 1'000) {
    const auto answer = get_running_loop().create_future<int>();
    const auto responder = create_task(
        [&] {
            sleep(59min + 59s);
            answer.set_result(42);
        },
        {.name = "responder"});
    const int received = wait_for(answer, 1h);
    always(received == 42, "an answer within the hour is received");
    await(responder);
}
