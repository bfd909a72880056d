// The workloads on Boost.Asio's C++20 coroutines, one thread, built with BOOST_ASIO_DISABLE_THREADS, which favours it.
// Stackless: a suspended coroutine takes a quarter of a page where a fiber takes a page.

#include <vector>

#include <boost/asio.hpp>
#include <boost/asio/experimental/channel.hpp>

#include "measure.hpp"

namespace bench {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using boost::system::error_code;
using Items = asio::experimental::channel<void(error_code, std::uint64_t)>;
using Token = asio::experimental::channel<void(error_code)>;

awaitable<void> yield_times(std::uint64_t count) {
    for (; count != 0; --count) {
        co_await asio::post(use_awaitable);
    }
}

template <std::uint64_t tasks, std::uint64_t yields, std::uint64_t runs>
Round yields_between() {
    return [] {
        for (std::uint64_t run = 0; run < runs; ++run) {
            asio::io_context loop(1);
            for (std::uint64_t i = 0; i < tasks; ++i) {
                asio::co_spawn(loop, yield_times(yields / tasks), asio::detached);
            }
            loop.run();
        }
        return yields * runs;
    };
}

awaitable<void> count_one(std::uint64_t& sum, bool yields) {
    if (yields) {
        co_await asio::post(use_awaitable);
    }
    ++sum;
}

awaitable<void> spawn_batches(asio::io_context& loop, std::uint64_t& sum, bool yields) {
    Token all_done(loop, 1);
    for (std::uint64_t batch = 0; batch < batches_per_run; ++batch) {
        std::uint64_t left = tasks_per_batch;
        for (std::uint64_t i = 0; i < tasks_per_batch; ++i) {
            asio::co_spawn(loop, count_one(sum, yields), [&left, &all_done](std::exception_ptr) {
                if (--left == 0) {
                    all_done.try_send(error_code{});
                }
            });
        }
        co_await all_done.async_receive(use_awaitable);
    }
}

template <bool yields>
Round spawn_and_join() {
    return [] {
        constexpr std::uint64_t operations = tasks_per_batch * batches_per_run;
        asio::io_context loop(1);
        std::uint64_t sum = 0;
        asio::co_spawn(loop, spawn_batches(loop, sum, yields), asio::detached);
        loop.run();
        require(sum == operations, "every task ran");
        return operations;
    };
}

awaitable<void> produce(Items& items) {
    for (std::uint64_t i = 0; i < items_per_run; ++i) {
        co_await items.async_send(error_code{}, i, use_awaitable);
    }
}

awaitable<void> consume(Items& items, std::uint64_t& sum) {
    for (std::uint64_t i = 0; i < items_per_run; ++i) {
        sum += co_await items.async_receive(use_awaitable);
    }
}

template <std::size_t capacity>
Round through_queue() {
    return [] {
        asio::io_context loop(1);
        Items items(loop, capacity);
        std::uint64_t sum = 0;
        asio::co_spawn(loop, produce(items), asio::detached);
        asio::co_spawn(loop, consume(items, sum), asio::detached);
        loop.run();
        require(sum == items_per_run * (items_per_run - 1) / 2, "every item arrived");
        return items_per_run;
    };
}

/// Asio has no mutex for coroutines: a channel with one token serves.
awaitable<void> use_token(Token& token, std::uint64_t& value, std::uint64_t times) {
    for (; times != 0; --times) {
        co_await token.async_receive(use_awaitable);
        const std::uint64_t read = value;
        co_await asio::post(use_awaitable);
        value = read + 1;
        co_await token.async_send(error_code{}, use_awaitable);
    }
}

Round critical_sections() {
    return [] {
        asio::io_context loop(1);
        Token token(loop, 1);
        token.try_send(error_code{});
        std::uint64_t value = 0;
        for (std::uint64_t i = 0; i < lock_tasks; ++i) {
            asio::co_spawn(loop, use_token(token, value, sections_per_run / lock_tasks), asio::detached);
        }
        loop.run();
        require(value == sections_per_run, "the token excludes");
        return sections_per_run;
    };
}

Round fire_timers() {
    return [] {
        asio::io_context loop(1);
        Amounts delays(7);
        std::uint64_t fired = 0;
        std::vector<asio::steady_timer> all;
        all.reserve(timers);
        // Asio has no virtual time: all deadlines lie in the past.
        const auto now = std::chrono::steady_clock::now();
        for (std::uint64_t i = 0; i < timers; ++i) {
            all.emplace_back(loop, now - std::chrono::nanoseconds(delays.below(delay_max_ns)));
            all.back().async_wait([&fired](error_code) { ++fired; });
        }
        loop.run();
        require(fired == timers, "every timer fired");
        return timers;
    };
}

awaitable<void> yield_four_times(std::uint64_t& value) {
    for (int i = 0; i < 4; ++i) {
        co_await asio::post(use_awaitable);
        ++value;
    }
}

Round fresh_loops() {
    return [] {
        for (std::uint64_t run = 0; run < fresh_runs; ++run) {
            asio::io_context loop(1);
            std::uint64_t value = 0;
            for (int i = 0; i < 3; ++i) {
                asio::co_spawn(loop, yield_four_times(value), asio::detached);
            }
            loop.run();
            require(value == 12, "every task ran to its end");
        }
        return fresh_runs;
    };
}

awaitable<void> wait_for(Token& token) { co_await token.async_receive(asio::as_tuple(use_awaitable)); }

void suspend_tasks(std::uint64_t tasks, const std::function<void()>& measured) {
    asio::io_context loop(1);
    Token never(loop);
    for (std::uint64_t i = 0; i < tasks; ++i) {
        asio::co_spawn(loop, wait_for(never), asio::detached);
    }
    loop.poll();
    measured();
    never.cancel();
    loop.run();
}

constexpr Workload workloads[] = {
    {"W1_2", yields_between<2, yields_per_run, runs_per_round>},
    {"W1_100", yields_between<100, yields_per_run, runs_per_round>},
    {"W1_10000", yields_between<10'000, yields_per_big_run, 1>},
    {"W2", spawn_and_join<false>},
    {"W2y", spawn_and_join<true>},
    {"W3_1", through_queue<1>},
    {"W3_64", through_queue<64>},
    {"W4", critical_sections},
    {"W5_timers", fire_timers},
    {"W6", fresh_loops},
};

}  // namespace
}  // namespace bench

int main(int argument_count, char** arguments) {
    return bench::run(argument_count, arguments, bench::workloads, bench::suspend_tasks);
}
