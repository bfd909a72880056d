// C++20 coroutines that await each other: what the outermost has checked no longer holds when the innermost acts.

#include <mishap/mishap.hpp>

using namespace mishap;
using namespace std::chrono_literals;

namespace {

struct Account {
    Shared<int> balance{100, "balance"};

    Coro<int> read_balance() {
        co_await sleep(0s);
        co_return balance.load();
    }

    Coro<bool> can_pay(int amount) {
        const int present = co_await read_balance();
        co_return present >= amount;
    }

    Coro<void> pay(int amount) {
        const bool is_covered = co_await can_pay(amount);
        if (is_covered) {
            co_await sleep(0s);  // the receipt is printed
            balance.fetch_add(-amount);
        }
    }

    /// The repair: it looks again where nothing can come between the look and the payment.
    Coro<void> pay_safely(int amount) {
        const bool is_covered = co_await can_pay(amount);
        if (is_covered) {
            co_await sleep(0s);
            if (balance.load() >= amount) {
                balance.fetch_add(-amount);
            }
        }
    }
};

}  // namespace

// Calm, the second payment begins when the first is over.
MISHAP_SCENARIO("coroutine_chain/overdrawn", .runs_max = 10'000) {
    Account account;
    const auto first = create_task(account.pay(80), {.name = "first"});
    sleep(0s);
    sleep(0s);
    const auto second = create_task(account.pay(80), {.name = "second"});
    gather(first, second);
    always(account.balance.load() >= 0, "the account is never overdrawn");
}

MISHAP_SCENARIO("coroutine_chain/checked_again", .strategy = Strategy::exhaustive, .runs_max = 1'000'000) {
    Account account;
    const auto first = create_task(account.pay_safely(80), {.name = "first"});
    sleep(0s);
    sleep(0s);
    const auto second = create_task(account.pay_safely(80), {.name = "second"});
    gather(first, second);
    always(account.balance.load() >= 0, "the account is never overdrawn");
}
