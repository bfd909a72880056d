#include <mishap/primitives/cond_var.hpp>
#include <mishap/primitives/lock.hpp>
#include <mishap/primitives/mutex.hpp>
#include <mishap/primitives/semaphore.hpp>
#include <mishap/primitives/shared.hpp>
#include <mishap/primitives/thread.hpp>

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <mishap/loop/executor.hpp>
#include <mishap/loop/sleep.hpp>
#include <mishap/sim/dpor.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// Makes every run of a body and returns how many there were; each must end well.
template <class F>
std::uint64_t orders_of(F body) {
    const SearchResult result = search_every_order(body);
    CHECK(verdict(result) == "passes");
    return result.runs;
}

}  // namespace

TEST_CASE("two threads of two operations each interleave in six orders") {
    const std::uint64_t orders = orders_of([] {
        Shared<int> a{0, "a"};
        Shared<int> b{0, "b"};
        Thread one([&] { a.fetch_add(1), a.fetch_add(1); });
        Thread two([&] { b.fetch_add(1), b.fetch_add(1); });
        std::vector<Thread> both;
        both.push_back(std::move(one));
        both.push_back(std::move(two));
        join_all(both);
    });
    CHECK(orders == 6);
}

TEST_CASE("joins in turn are operations of their own") {
    const std::uint64_t orders = orders_of([] {
        Shared<int> a{0, "a"};
        Thread one([&] { a.load(); });
        Thread two([&] { a.load(); });
        one.join();
        two.join();
    });
    // one, join, two, join; one, two, join, join; two, one, join, join: the first join can go before or after `two`.
    CHECK(orders == 3);
}

TEST_CASE("a thread starts up at once, as far as it announces nothing") {
    in_a_calm_world([] {
        std::vector<std::string> log;
        Shared<int> n{0, "n"};
        Thread thread([&] {
            log.push_back("starts");
            n.load();
            log.push_back("has loaded");
        });
        log.push_back("main goes on");
        thread.join();
        CHECK(log == std::vector<std::string>{"starts", "main goes on", "has loaded"});
        Thread empty([&] { log.push_back("and ends"); });
        CHECK(log.back() == "and ends");
        empty.join();
    });
}

TEST_CASE("an unlocked counter of two threads loses an update in some order, a locked one in none") {
    const auto count = [](bool locked) {
        return [locked] {
            Shared<int> n{0, "n"};
            Mutex mutex("m");
            const auto add = [&] {
                std::unique_lock<Mutex> guard(mutex, std::defer_lock);
                if (locked) {
                    guard.lock();
                }
                n.store(n.load() + 1);
            };
            Thread one(add, {.name = "one"});
            Thread two(add, {.name = "two"});
            one.join();
            two.join();
            claim(n.load() == 2, "the sum is wrong");
        };
    };
    CHECK(search_every_order(count(false), {.races = Detect::off}).failure->finding.kind == FindingKind::lost_update);
    CHECK(verdict(search_every_order(count(true))) == "passes");
}

TEST_CASE("calmly, a thread goes on until it blocks or ends") {
    in_a_calm_world([] {
        std::string log;
        Shared<int> n{0, "n"};
        const auto thrice = [&](char name) {
            return [&log, &n, name] {
                for (int i = 0; i < 3; ++i) {
                    n.load();
                    log += name;
                }
            };
        };
        Thread one(thrice('1'));
        Thread two(thrice('2'));
        one.join();
        two.join();
        CHECK(log == "111222");
    });
}

TEST_CASE("a mutex excludes, in every order") {
    const std::uint64_t orders = orders_of([] {
        Mutex mutex("m");
        int inside = 0;
        const auto enter = [&] {
            mutex.lock();
            claim(++inside == 1, "two are inside");
            --inside;
            mutex.unlock();
        };
        Thread one(enter);
        Thread two(enter);
        std::vector<Thread> both;
        both.push_back(std::move(one));
        both.push_back(std::move(two));
        join_all(both);
    });
    CHECK(orders == 2);  // who has it first: waiting is no event
}

TEST_CASE("threads that take two mutexes in opposite orders wait for each other in some order") {
    const auto body = [] {
        Mutex a("a");
        Mutex b("b");
        Thread one([&] {
            const std::scoped_lock first(a);
            const std::scoped_lock second(b);
        });
        Thread two([&] {
            const std::scoped_lock first(b);
            const std::scoped_lock second(a);
        });
        one.join();
        two.join();
    };
    const SearchResult result = search_every_order(body);
    REQUIRE(result.failure.has_value());
    CHECK(result.failure->finding.kind == FindingKind::stuck);
}

TEST_CASE("a condition variable hands over without loss in every order, when the predicate is checked under the mutex") {
    orders_of([] {
        Mutex mutex("m");
        CondVar filled("filled");
        bool is_full = false;
        Thread consumer([&] {
            std::unique_lock<Mutex> lock(mutex);
            filled.wait(lock, [&] { return is_full; });
            claim(is_full, "woken for nothing");
        });
        Thread producer([&] {
            {
                const std::lock_guard<Mutex> lock(mutex);
                is_full = true;
            }
            filled.notify_one();
        });
        consumer.join();
        producer.join();
    });
}

TEST_CASE("a notification before the wait is lost") {
    const auto body = [] {
        Mutex mutex("m");
        CondVar told("told");
        Thread waiter([&] {
            std::unique_lock<Mutex> lock(mutex);
            told.wait(lock);
        });
        Thread notifier([&] { told.notify_one(); });
        waiter.join();
        notifier.join();
    };
    const SearchResult result = search_every_order(body);
    REQUIRE(result.failure.has_value());
    CHECK(result.failure->finding.kind == FindingKind::stuck);
}

TEST_CASE("condition variables wake first come first served, and all when asked to") {
    in_a_calm_world([] {
        Mutex mutex("m");
        CondVar told("told");
        std::string log;
        const auto wait = [&](char name) {
            return [&, name] {
                std::unique_lock<Mutex> lock(mutex);
                told.wait(lock);
                log += name;
            };
        };
        Thread a(wait('a'));
        Thread b(wait('b'));
        Thread c(wait('c'));
        Thread notifier([&] {
            told.notify_one();
            told.notify_all();
        });
        a.join();
        b.join();
        c.join();
        notifier.join();
        CHECK(log == "abc");
    });
}

TEST_CASE("a task's operation on what threads share can be overtaken by a thread, but by no task") {
    std::set<std::string> seen;
    const auto body = [&] {
        Shared<int> n{0, "n"};
        std::string log;
        Thread thread([&] {
            n.fetch_add(1);
            log += 't';
        });
        const auto task = create_task([&] { log += 'o'; }, {.name = "other"});
        const auto mine = create_task(
            [&] {
                log += '(';
                n.fetch_add(1);
                log += ')';
            },
            {.name = "mine"});
        await(task);
        await(mine);
        thread.join();
        claim(log.find("(o") == std::string::npos, "a task goes in the middle of another's step");
        seen.insert(log);
    };
    CHECK(verdict(search_every_order(body)) == "passes");
    CHECK(seen.contains("o(t)"));
    CHECK(seen.contains("o()t"));
    CHECK(seen.contains("to()"));
}

TEST_CASE("threads may not await, nor be joined twice, and say so") {
    in_a_calm_world([] {
        Thread thread([] {
            CHECK_THROWS_AS(sleep(1s), UsageError);
            CHECK_FALSE(current_task().is_valid());
        });
        thread.join();
        CHECK_THROWS_AS(thread.join(), UsageError);
    });
}

TEST_CASE("a thread that schedules on the loop is a finding") {
    const auto label = [](auto schedule) {
        const SearchResult result = search_every_order([&] {
            Thread thread([&] { schedule(); });
            thread.join();
        });
        return result.failure.has_value() ? std::string(to_text(result.failure->finding.kind)) : std::string("passes");
    };
    CHECK(label([] { create_task([] {}); }) == "call from the wrong thread");
    CHECK(label([] { get_running_loop().call_soon([] {}); }) == "call from the wrong thread");
    CHECK(label([] {}) == "passes");
}

TEST_CASE("misuse of a mutex is an error that says so") {
    in_a_calm_world([] {
        Mutex mutex("m");
        CHECK_THROWS_AS(mutex.unlock(), UsageError);
        CHECK(mutex.try_lock());
        CHECK_FALSE(mutex.try_lock());
        mutex.unlock();
        CondVar told;
        CHECK_THROWS_AS(told.wait(mutex), UsageError);
    });
}

TEST_CASE("an exception that leaves a thread fails the run") {
    const auto body = [] {
        Shared<int> n{0};
        Thread thread([&] {
            n.load();
            throw std::runtime_error("oh");
        });
        thread.join();
    };
    CHECK(search_every_order(body).failure->finding.kind == FindingKind::exception);
}

TEST_CASE("threads that are left when a run ends are unwound, and their guards with them") {
    int unwound = 0;
    struct Counts {
        int& count;
        ~Counts() { ++count; }
    };
    Mutex mutex("m");  // outlives main, as what threads share must
    in_a_calm_world([&] {
        mutex.lock();
        Thread blocked([&unwound, &mutex] {
            const Counts counts{unwound};
            const std::lock_guard<Mutex> guard(mutex);
        });
        blocked.detach();
    });
    CHECK(unwound == 1);
}

TEST_CASE("without threads, a shared variable asks nothing") {
    CHECK(orders_of([] {
              Shared<int> n{0, "n"};
              const auto a = create_task([&] { n.fetch_add(1); });
              await(a);
          }) == 1);
}

TEST_CASE("threads that nothing orders race for a shared variable, in the calm run already") {
    const auto body = [](bool locked) {
        return [locked] {
            Shared<int> n{0, "n"};
            Mutex mutex("m");
            const auto add = [&] {
                std::unique_lock<Mutex> guard(mutex, std::defer_lock);
                if (locked) {
                    guard.lock();
                }
                n.store(n.load() + 1);
            };
            Thread one(add, {.name = "one"});
            Thread two(add, {.name = "two"});
            one.join();
            two.join();
            n.load();
        };
    };
    const SearchResult racing = search_every_order(body(false), {}, 1);
    REQUIRE(racing.failure.has_value());
    CHECK(racing.failure->finding.kind == FindingKind::race);
    CHECK(racing.failure->finding.label == "n");
    CHECK(racing.failure->finding.tasks == std::vector<std::string>{"main/one", "main/two"});
    CHECK(verdict(search_every_order(body(true))) == "passes");
}

TEST_CASE("a variable that is only ever changed atomically does not race") {
    orders_of([] {
        Shared<int> n{0, "n"};
        Thread one([&] { n.fetch_add(1); });
        Thread two([&] {
            int expected = 0;
            n.compare_exchange(expected, 5);
        });
        one.join();
        two.join();
        n.load();
    });
}

TEST_CASE("a race among threads can be made a note, or be let be") {
    const auto body = [] {
        Shared<int> n{0, "n"};
        Thread one([&] { n.store(1); });
        Thread two([&] { n.store(2); });
        one.join();
        two.join();
    };
    const SearchResult noted = search_every_order(body, {.races = Detect::note});
    CHECK(verdict(noted) == "passes");
    CHECK(noted.notes.size() >= 1);
    const SearchResult silent = search_every_order(body, {.races = Detect::off});
    CHECK(verdict(silent) == "passes");
    CHECK(silent.notes.empty());
}

TEST_CASE("threads, mutexes and condition variables are the operating system's in the real world", "[real]") {
    Mutex mutex("m");
    CondVar changed("changed");
    Shared<int> atomic{0, "atomic"};
    int locked = 0;
    bool may_go = false;
    std::vector<Thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back(
            [&] {
                {
                    std::unique_lock<Mutex> lock(mutex);
                    changed.wait(lock, [&] { return may_go; });
                }
                for (int i = 0; i < 1'000; ++i) {
                    atomic.fetch_add(1);
                    const std::lock_guard<Mutex> guard(mutex);
                    ++locked;
                }
            },
            ThreadOptions{.name = "counter"});
    }
    {
        const std::lock_guard<Mutex> guard(mutex);
        may_go = true;
    }
    changed.notify_all();
    join_all(threads);
    CHECK(atomic.load() == 4'000);
    CHECK(locked == 4'000);
}

TEST_CASE("a mutex of the real world knows who holds it", "[real]") {
    Mutex mutex("m");
    CHECK_THROWS_AS(mutex.unlock(), UsageError);
    mutex.lock();
    CHECK_THROWS_AS(mutex.lock(), UsageError);
    bool was_free = true;
    Thread other([&] {
        was_free = mutex.try_lock();
        CHECK_THROWS_AS(mutex.unlock(), UsageError);
    });
    other.join();
    CHECK_FALSE(was_free);
    mutex.unlock();
    CondVar changed;
    CHECK_THROWS_AS(changed.wait(mutex), UsageError);
}

TEST_CASE("a shared variable can be used by real threads at once, whatever its type", "[real]") {
    Shared<double> sum{0.0};
    Shared<std::string> text{std::string()};
    Shared<bool> flag{false};
    {
        Thread other([&] {
            for (int i = 0; i < 500; ++i) {
                sum.fetch_add(1.0);
                text.store("other");
            }
            flag.exchange(true);
        });
        for (int i = 0; i < 500; ++i) {
            sum.fetch_add(1.0);
            text.store("this");
        }
    }
    CHECK(sum.load() == 1'000.0);
    std::string expected = "neither";
    CHECK_FALSE(text.compare_exchange(expected, "new"));
    CHECK((expected == "this" || expected == "other"));
    CHECK(flag.load());
}

TEST_CASE("a blocking sleep blocks its thread alone, and in a task the whole loop") {
    in_a_calm_world([] {
        std::vector<std::string> log;
        Thread sleeper([&] {
            blocking_sleep(2s);
            log.push_back("thread");
        });
        const auto other = create_task([&] {
            sleep(1s);
            log.push_back("task");
        });
        await(other);
        CHECK(log == std::vector<std::string>{"task"});
        const auto late = create_task([&] { log.push_back("late"); });
        blocking_sleep(3s);
        CHECK(log == std::vector<std::string>{"task", "thread"});
        await(late);
        CHECK(get_running_loop().time().time_since_epoch() == 4s);
        sleeper.join();
    });
}

TEST_CASE("a thread has a name") {
    in_both_worlds([] {
        std::string name;
        Thread thread([&] { name = Thread::current_name(); }, {.name = "worker"});
        thread.join();
        CHECK(name == "worker");
        CHECK(Thread::current_name().empty());
    });
}

TEST_CASE("a semaphore that a thread releases through the loop wakes its waiter, in every order (gevent 2013)") {
    Dpor strategy;
    const SearchResult result = search_with(
        strategy,
        [] {
            EventLoop& loop = get_running_loop();
            Semaphore semaphore(0);
            Thread other([&] { loop.call_soon_threadsafe([&] { semaphore.release(); }); });
            semaphore.acquire();
            other.join();
            claim(semaphore.locked(), "a permit was made");
        },
        {.sharing = Sharing::tracked}, 100'000);
    CHECK(verdict(result) == "passes");
    CHECK(result.is_exhausted);
}

TEST_CASE("tasks of two loops cannot wait for one lock, and are told what to do") {
    in_both_worlds([] {
        Lock lock{"shared"};
        lock.acquire();
        const auto waiter = create_task([&] { lock.acquire(); });
        sleep(0s);
        std::string told;
        Thread other([&] {
            mishap::run([&] {
                try {
                    lock.acquire();
                } catch (const UsageError& error) {
                    told = error.what();
                }
            });
        });
        other.join();
        CHECK(told.find("Lock.acquire on Lock 'shared', on which a task of another loop waits") == 0);
        lock.release();
        await(waiter);
    });
}

TEST_CASE("the counter of two workers loses updates, and with a lock it never does") {
    const auto count = [](bool is_locked) {
        return [is_locked] {
            Shared<int> n{0, "n"};
            Mutex mutex("m");
            const auto add = [&] {
                std::unique_lock<Mutex> guard(mutex, std::defer_lock);
                if (is_locked) {
                    guard.lock();
                }
                n.store(n.load() + 1);
            };
            {
                ThreadPoolExecutor pool(2);
                pool.submit(add);
                pool.submit(add);
            }
            claim(n.load() == 2, "the sum is wrong");
        };
    };
    const WorldOptions options{.sharing = Sharing::tracked, .races = Detect::off};
    {
        Dpor strategy;
        const SearchResult result = search_with(strategy, count(false), options, 100'000);
        REQUIRE(result.failure.has_value());
        CHECK(result.failure->finding.kind == FindingKind::lost_update);
    }
    {
        Dpor strategy;
        const SearchResult result = search_with(strategy, count(true), options, 100'000);
        CHECK(verdict(result) == "passes");
        CHECK(result.is_exhausted);
    }
}
