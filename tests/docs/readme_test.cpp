#include "support/catch.hpp"

#include <mishap/mishap.hpp>

using namespace mishap;
using namespace std::chrono_literals;

Coro<int> ask() {
    co_await sleep(1ms);
    co_return 42;
}

TEST_CASE("the answer is right") {
    check([]() -> Coro<void> {
        const Task<int> asked = create_task(ask());
        const int answer = co_await asked;
        always(answer == 42, "the answer is right");
    });
}

TEST_CASE("no transfer is lost") {
    check(
        [] {
            Lock lock;
            int balance = 100;
            task_group([&](TaskGroup& group) {
                for (int i = 0; i < 2; ++i) {
                    group.create_task([&] {
                        const auto guard = lock.guard();
                        const int seen = balance;
                        sleep(1ms);
                        balance = seen - 10;
                    });
                }
            });
            always(balance == 80, "both withdrawals count");
        },
        {.name = "bank/withdrawals"});
}
