#include <mishap/primitives/shield.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <mishap/primitives/gather.hpp>
#include <mishap/primitives/wait_for.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

Future<int> new_future() { return get_running_loop().create_future<int>(); }
std::exception_ptr boom() { return std::make_exception_ptr(std::runtime_error("boom")); }
/// Gives way as often as it takes for what happens to arrive.
void settle() {
    for (int i = 0; i < 4; ++i) {
        sleep(0s);
    }
}

/// Collects what the loop's exception handler is told.
class Handled {
public:
    Handled() {
        get_running_loop().set_exception_handler([texts = texts_](EventLoop&, const LoopException& what) {
            texts->push_back(describe_exception(what.exception));
        });
    }
    ~Handled() { get_running_loop().set_exception_handler(nullptr); }
    Handled(const Handled&) = delete;
    Handled& operator=(const Handled&) = delete;
    const std::vector<std::string>& texts() const { return *texts_; }

private:
    std::shared_ptr<std::vector<std::string>> texts_ = std::make_shared<std::vector<std::string>>();
};

const std::vector<std::string> one_boom{"std::runtime_error: boom"};

}  // namespace

TEST_CASE("a shield gives the result of what it shields") {
    in_both_worlds([] {
        const auto inner = new_future();
        const auto outer = shield(inner);
        inner.set_result(42);
        CHECK(await(outer) == 42);
        CHECK(await(shield([] { return std::make_unique<int>(7); })).operator*() == 7);
    });
}

TEST_CASE("a shield throws what it shields throws") {
    in_both_worlds([] {
        const auto inner = new_future();
        const auto outer = shield(inner);
        inner.set_exception(boom());
        CHECK_THROWS_AS(await(outer), std::runtime_error);
    });
}

TEST_CASE("cancelling what is shielded cancels the shield") {
    in_both_worlds([] {
        const auto inner = new_future();
        const auto outer = shield(inner);
        inner.cancel();
        settle();
        CHECK(outer.cancelled());
    });
}

TEST_CASE("cancelling the shield leaves alone what it shields") {
    in_both_worlds([] {
        const auto inner = new_future();
        const auto outer = shield(inner);
        CHECK(outer.cancel());
        CHECK(outer.cancelled());
        CHECK(!outer.cancel());
        settle();
        CHECK(!inner.done());
        inner.set_result(1);
        settle();
        CHECK(outer.cancelled());
    });
}

TEST_CASE("a shield of what is done is that itself") {
    in_both_worlds([] {
        const auto inner = new_future();
        inner.set_result(42);
        CHECK(shield(inner) == inner);
    });
}

TEST_CASE("a cancelled caller leaves a shielded task to run to its end") {
    in_both_worlds([] {
        int proof = 0;
        const auto waiter = new_future();
        const auto inner = [&] {
            await(waiter);
            ++proof;
        };
        const auto outer = create_task([&] {
            await(shield(inner));
            proof += 100;
        });
        settle();
        outer.cancel();
        CHECK(!ended_well(outer));
        waiter.set_result(0);
        settle();
        CHECK(proof == 1);
    });
}

TEST_CASE("a shield protects one await: a task that was cancelled before is cancelled all the same") {
    in_both_worlds([] {
        Task<int> inner;
        const auto outer = create_task([&] {
            inner = create_task([] {
                sleep(1ms);
                return 3;
            });
            current_task().cancel();
            await(shield(inner));
        });
        CHECK(!ended_well(outer));
        CHECK(await(inner) == 3);
    });
}

TEST_CASE("a shielded gather goes on when the shield is cancelled") {
    in_both_worlds([] {
        const auto one = new_future();
        const auto other = new_future();
        const auto parent = gather_future(one, other);
        const auto outer = shield(parent);
        outer.cancel();
        settle();
        CHECK(!parent.done());
        one.set_result(0);
        other.set_result(1);
        CHECK(await(parent) == std::tuple(0, 1));
        CHECK(outer.cancelled());
    });
}

TEST_CASE("a cancelled gather of shields leaves alone what they shield") {
    in_both_worlds([] {
        const auto one = new_future();
        const auto other = new_future();
        const auto inner_one = shield(one);
        const auto inner_other = shield(other);
        const auto parent = gather_future(inner_one, inner_other);
        settle();
        parent.cancel();
        CHECK_THROWS_AS(await(parent), CancelledError);
        CHECK(inner_one.cancelled());
        CHECK(inner_other.cancelled());
        one.set_result(0);
        other.set_result(1);
        settle();
        CHECK(one.result() == 0);
    });
}

TEST_CASE("shielding a function makes it a task of the running loop, and needs one") {
    CHECK_THROWS_AS(shield([] { return 1; }), UsageError);
    in_both_worlds([] {
        CHECK(await(shield([] { return 42; })) == 42);
        EventLoop other;
        CHECK_THROWS_AS(shield(other.create_future<int>()), UsageError);
    });
}

TEST_CASE("with no time left, a shielded task loses only who waits") {
    in_both_worlds([] {
        bool is_cancelled = false;
        const auto task = create_task([&] {
            try {
                sleep(2ms);
            } catch (const CancelledError&) {
                is_cancelled = true;
                throw;
            }
            return 5;
        });
        CHECK_THROWS_AS(wait_for(shield(task), 0s), TimeoutError);
        CHECK(await(task) == 5);
        CHECK(!is_cancelled);
    });
}

TEST_CASE("without a deadline, a shielded task gives its result") {
    in_both_worlds([] {
        const auto task = create_task([] {
            sleep(1ms);
            return 5;
        });
        CHECK(wait_for(shield(task), std::nullopt) == 5);
    });
}

TEST_CASE("a deadline loses only who waits, and the shielded task gives its result later") {
    in_a_calm_world([] {
        const auto task = create_task([] {
            sleep(2s);
            return 5;
        });
        CHECK_THROWS_AS(wait_for(shield(task), 1s), TimeoutError);
        CHECK(!task.done());
        CHECK(wait_for(shield(task), 10s) == 5);
    });
}

TEST_CASE("a task that is shielded again and again keeps nothing of it (bpo-35125, gh-155854)") {
    in_a_calm_world([] {
        const auto inner = new_future();
        const auto task = create_task([&] { return await(inner); });
        sleep(0s);
        const auto callbacks_before = detail::block_pool().live();
        for (int i = 0; i < 100; ++i) {
            shield(task).cancel();
            const auto waiting = create_task([&] { await(shield(task)); });
            sleep(0s);
            waiting.cancel();
            CHECK(!ended_well(waiting));
        }
        settle();
        CHECK(detail::block_pool().live() <= callbacks_before + 2);
        inner.set_result(1);
        CHECK(await(task) == 1);
    });
}

TEST_CASE("who awaits a shield can be seen waiting for the task in it, and only as long as it waits (gh-155854)") {
    in_a_calm_world([] {
        const auto task = create_task([] { sleep(1s); });
        const auto waiting = create_task([&] { await(shield(task)); });
        const auto holders = [&] {
            detail::WaitExplanation explanation;
            if (waiting.task_state().waiting_on != nullptr) {
                waiting.task_state().waiting_on->explain(explanation);
            }
            return explanation.holders;
        };
        sleep(0s);
        CHECK(holders() == std::vector<const detail::TaskBase*>{&task.task_state()});
        waiting.cancel();
        CHECK(!ended_well(waiting));
        CHECK(holders().empty());
        await(task);
    });
}

TEST_CASE("what fails in a shield that was cancelled is reported once (gh-86802)") {
    in_a_calm_world([] {
        const Handled handled;
        {
            const auto waiting = create_task([] {
                await(shield([] {
                    sleep(1s);
                    std::rethrow_exception(boom());
                }));
            });
            sleep(0s);
            waiting.cancel();
            CHECK(!ended_well(waiting));
        }
        sleep(2s);
        CHECK(handled.texts() == one_boom);
    });
}

TEST_CASE("what fails in a shield that was cancelled is not reported when somebody looks at it (gh-156321)") {
    in_a_calm_world([] {
        const Handled handled;
        {
            const auto inner = create_task([] {
                sleep(1s);
                std::rethrow_exception(boom());
            });
            shield(inner).cancel();
            CHECK_THROWS_AS(await(inner), std::runtime_error);
        }
        settle();
        CHECK(handled.texts().empty());
    });
}

TEST_CASE("what fails as its shield is cancelled is not lost") {
    in_a_calm_world([] {
        const Handled handled;
        {
            const auto inner = new_future();
            const auto outer = shield(inner);
            inner.set_exception(boom());  // its callback is on the way
            outer.cancel();
            settle();
            CHECK(outer.cancelled());
        }
        settle();
        CHECK(handled.texts() == one_boom);
    });
}

TEST_CASE("a coroutine awaits a shield") {
    in_both_worlds([] {
        await([]() -> Coro<> {
            const auto task = create_task([]() -> Coro<int> {
                co_await sleep(1ms);
                co_return 4;
            });
            CHECK(co_await shield(task) == 4);
            CHECK(co_await shield([]() -> Coro<int> { co_return 5; }) == 5);
        }());
    });
}

namespace {

/// A shield that hides nothing: cancelling it cancels what it shields.
struct Transparent {
    template <class T>
    static Future<T> shield(const Task<T>& task) {
        return task;
    }
};
/// A shield that lets its caller go on as if nothing had been asked: it waits to the end.
struct Deaf {
    template <class T>
    static Future<T> shield(const Task<T>& task) {
        while (!task.done()) {
            try {
                await(mishap::shield(task));
            } catch (const CancelledError&) {
            }
        }
        return task;
    }
};
struct Ours {
    template <class T>
    static Future<T> shield(const Task<T>& task) {
        return mishap::shield(task);
    }
};

/// A transaction that must not be torn: the caller may be cancelled at any time, what it does is done wholly.
template <class S>
void transaction() {
    int steps = 0;
    bool returned = false;
    const auto work = create_task(
        [&] {
            ++steps;
            sleep(0s);
            ++steps;
            return steps;
        },
        {.name = "work"});
    const auto caller = create_task(
        [&] {
            await(S::shield(work));
            returned = true;
        },
        {.name = "caller"});
    const auto canceller = create_task([&] { caller.cancel(); }, {.name = "canceller"});
    const bool is_well = ended_well(caller);
    ended_well(work);
    await(canceller);
    claim(steps == 2, "the shielded work is torn");
    claim(!returned || is_well, "a cancellation is swallowed");
    claim(caller.cancelling() == 0 || !is_well || returned, "a cancellation got lost");
    claim(caller.cancelling() == 0 || caller.cancelled(), "cancelled, and did not end as cancelled");
}

}  // namespace

TEST_CASE("in every order, what is shielded is whole and who waits for it is cancelled") {
    CHECK(verdict(search_every_order(transaction<Ours>)) == "passes");
    CHECK(verdict(search_every_order(transaction<Transparent>)) == "the shielded work is torn");
    CHECK(verdict(search_every_order(transaction<Deaf>)) == "cancelled, and did not end as cancelled");
}
