// How does a consumer learn that nothing more will come? A flag that it looks at before it waits comes too late.

#include <vector>

#include <mishap/mishap.hpp>

using namespace mishap;
using namespace std::chrono_literals;

// Calm, the consumer is still busy with the last item when the flag is set.
MISHAP_SCENARIO("producer_consumer/flag", .runs_max = 10'000) {
    Queue<int> queue{1, "queue"};
    std::vector<int> consumed;
    bool is_finished = false;
    const auto producer = create_task(
        [&] {
            queue.put(1);
            queue.put(2);
            sleep(0s);
            is_finished = true;
        },
        {.name = "producer"});
    const auto consumer = create_task(
        [&] {
            while (!is_finished || !queue.empty()) {
                consumed.push_back(queue.get());
                sleep(0s);
            }
        },
        {.name = "consumer"});
    gather(producer, consumer);
    always(consumed == std::vector<int>{1, 2}, "every item is consumed, in order");
}

// The repair: the end goes through the queue itself.
MISHAP_SCENARIO("producer_consumer/shutdown", .strategy = Strategy::exhaustive, .runs_max = 1'000'000) {
    Queue<int> queue{1, "queue"};
    std::vector<int> consumed;
    const auto producer = create_task(
        [&] {
            queue.put(1);
            queue.put(2);
            sleep(0s);
            queue.shutdown();
        },
        {.name = "producer"});
    const auto consumer = create_task(
        [&] {
            try {
                while (true) {
                    consumed.push_back(queue.get());
                    sleep(0s);
                }
            } catch (const QueueShutDown&) {
            }
        },
        {.name = "consumer"});
    gather(producer, consumer);
    always(consumed == std::vector<int>{1, 2}, "every item is consumed, in order");
}
