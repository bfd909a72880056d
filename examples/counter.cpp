// A lost update: two tasks read, wait and write, and one write is forgotten.

#include <mishap/mishap.hpp>

using namespace mishap;
using namespace std::chrono_literals;

namespace {

void increment(Shared<int>& counter) {
    const int seen = counter.load();
    sleep(0s);
    counter.store(seen + 1);
}

}  // namespace

// Calm, second begins a step late and so reads what first has written.
MISHAP_SCENARIO("counter/unsafe", .runs_max = 10'000) {
    Shared<int> counter{0, "counter"};
    const auto first = create_task([&] { increment(counter); }, {.name = "adder"});
    const auto second = create_task(
        [&] {
            sleep(0s);
            increment(counter);
        },
        {.name = "adder"});
    gather(first, second);
    always(counter.load() == 2, "both increments count");
}

MISHAP_SCENARIO("counter/locked", .strategy = Strategy::exhaustive, .runs_max = 100'000) {
    Shared<int> counter{0, "counter"};
    Lock lock{"lock"};
    const auto first = create_task(
        [&] {
            const auto guard = lock.guard();
            increment(counter);
        },
        {.name = "adder"});
    const auto second = create_task(
        [&] {
            sleep(0s);
            const auto guard = lock.guard();
            increment(counter);
        },
        {.name = "adder"});
    gather(first, second);
    always(counter.load() == 2, "both increments count");
}
