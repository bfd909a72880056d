#include <mishap/loop/foreign.hpp>

#include <coroutine>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <mishap/loop/coro.hpp>

#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// A lazy task as many libraries have one; it knows nothing of this library.
class Lazy {
public:
    struct promise_type {
        Lazy get_return_object() { return Lazy(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        auto final_suspend() noexcept {
            struct Final {
                bool await_ready() noexcept { return false; }
                std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
                    return self.promise().waiter;
                }
                void await_resume() noexcept {}
            };
            return Final{};
        }
        void return_value(int value) { result = value; }
        void unhandled_exception() { error = std::current_exception(); }
        std::coroutine_handle<> waiter;
        std::exception_ptr error;
        int result = 0;
    };

    explicit Lazy(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
    Lazy(Lazy&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    ~Lazy() {
        if (handle_) {
            handle_.destroy();
        }
    }

    bool await_ready() const { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) {
        handle_.promise().waiter = waiter;
        return handle_;
    }
    int await_resume() {
        if (handle_.promise().error) {
            std::rethrow_exception(handle_.promise().error);
        }
        return handle_.promise().result;
    }

private:
    std::coroutine_handle<promise_type> handle_;
};

/// An event that resumes its waiter from inside whoever sets it.
class Inline {
public:
    auto operator co_await() {
        struct Awaiter {
            Inline& event;
            bool await_ready() const { return event.is_set_; }
            void await_suspend(std::coroutine_handle<> waiter) { event.waiter_ = waiter; }
            std::string await_resume() const { return "set"; }
        };
        return Awaiter{*this};
    }
    void set() {
        is_set_ = true;
        if (waiter_) {
            std::exchange(waiter_, nullptr).resume();
        }
    }

private:
    bool is_set_ = false;
    std::coroutine_handle<> waiter_;
};

/// Resumes its waiter from a thread of its own.
struct OtherThread {
    std::thread& thread;
    bool await_ready() const { return false; }
    // Not inlined: clang before version 17 may keep locals in the coroutine's frame, which is gone once it is resumed.
    [[gnu::noinline]] void await_suspend(std::coroutine_handle<> waiter) {
        std::thread& where = thread;  // this object lives in the frame, too
        where = std::thread([waiter] { waiter.resume(); });
    }
    int await_resume() const { return 9; }
};

Lazy lazy_sum(int a, int b) { co_return a + b; }
Lazy lazy_failure() {
    throw std::runtime_error("foreign");
    co_return 0;
}

}  // namespace

TEST_CASE("a task and a coroutine await another library's lazy task") {
    in_both_worlds([] {
        CHECK(await(lazy_sum(1, 2)) == 3);
        const auto coroutine = []() -> Coro<int> {
            const int a = co_await lazy_sum(1, 2);
            const int b = co_await lazy_sum(a, 10);
            co_return b;
        };
        CHECK(await(coroutine()) == 13);
    });
}

TEST_CASE("what another library's awaitable throws comes out of the await") {
    in_both_worlds([] {
        CHECK_THROWS_AS(await(lazy_failure()), std::runtime_error);
        const auto coroutine = []() -> Coro<> { co_await lazy_failure(); };
        CHECK_THROWS_AS(await(coroutine()), std::runtime_error);
    });
}

TEST_CASE("an awaitable that resumes from inside another task's step is scheduled, not run there") {
    in_both_worlds([] {
        Inline event;
        std::vector<std::string> log;
        const auto waiter = create_task([&] {
            const std::string result = await(event);
            log.push_back(result);
        });
        const auto coroutine = create_task([&]() {
            sleep(0s);
            event.set();
            log.emplace_back("setter goes on");
        });
        await(coroutine);
        await(waiter);
        CHECK(log == std::vector<std::string>{"setter goes on", "set"});
        CHECK(await(event) == "set");
    });
}

TEST_CASE("in every order, an inline event wakes its waiter") {
    in_every_order([] {
        Inline event;
        const auto waiter = create_task([&]() -> std::string { return await(event); });
        const auto setter = create_task([&] { event.set(); });
        CHECK(await(waiter) == "set");
        await(setter);
    });
}

TEST_CASE("a task that is cancelled while it awaits another library's awaitable leaves it to end alone") {
    in_both_worlds([] {
        Inline event;
        const auto waiter = create_task([&] { await(event); });
        sleep(0s);
        waiter.cancel();
        CHECK_THROWS_AS(await(waiter), CancelledError);
        event.set();
        sleep(0s);
    });
}

TEST_CASE("an awaitable that resumes from another thread reaches the loop's thread", "[real]") {
    mishap::run([] {
        std::thread thread;
        const std::thread::id loop_thread = std::this_thread::get_id();
        CHECK(await(OtherThread{thread}) == 9);
        CHECK(std::this_thread::get_id() == loop_thread);
        thread.join();
        const auto coroutine = [&thread]() -> Coro<int> {
            const int result = co_await OtherThread{thread};
            co_return result;
        };
        CHECK(await(coroutine()) == 9);
        thread.join();
    });
}
