// Two workers of a thread pool count in one variable: an addition is a load and a store, and another thread may come between.

#include <mishap/mishap.hpp>

using namespace mishap;

namespace {

/// Lets a pool of two workers count to two.
template <class Count>
void count_to_two(Shared<int>& counter, const Count& count) {
    {
        ThreadPoolExecutor pool(2);
        pool.submit(count);
        pool.submit(count);
    }  // waits for the workers
    always(counter.load() == 2, "both workers count");
}

}  // namespace

// The detectors of races and lost updates are off: it is the wrong sum that is found.
MISHAP_SCENARIO("worker_counter/unlocked", .sharing = Sharing::tracked, .races = Detect::off, .lost_updates = Detect::off) {
    Shared<int> counter{0, "counter"};
    count_to_two(counter, [&] { counter.store(counter.load() + 1); });
}

MISHAP_SCENARIO("worker_counter/locked", .sharing = Sharing::tracked, .runs_max = 100'000) {
    Shared<int> counter{0, "counter"};
    Mutex mutex{"mutex"};
    count_to_two(counter, [&] {
        const std::lock_guard<Mutex> guard(mutex);
        counter.store(counter.load() + 1);
    });
}
