#include <mishap/primitives/shared.hpp>

#include <mishap/primitives/lock.hpp>

#include <string>
#include <vector>

#include <mishap/loop/sleep.hpp>

#include "support/search.hpp"
#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// One reads, waits and writes; another does so too, a little later.
template <class F>
void two_add(F add) {
    const auto a = create_task([&] { add(); }, {.name = "a"});
    const auto b = create_task(
        [&] {
            sleep(0s);
            sleep(0s);
            add();
        },
        {.name = "b"});
    await(a);
    await(b);
}

std::uint64_t digest_of_storing(int value) {
    std::uint64_t digest = 0;
    in_a_calm_world([&] {
        Shared<int> n{0, "n"};
        n.store(value);
        digest = get_running_loop().world().digest().value();
    });
    return digest;
}

}  // namespace

TEST_CASE("a shared variable is a variable") {
    in_both_worlds([] {
        Shared<int> n{1, "n"};
        CHECK(n.load() == 1);
        n.store(2);
        CHECK(n.exchange(3) == 2);
        CHECK(n.fetch_add(4) == 3);
        int expected = 6;
        CHECK_FALSE(n.compare_exchange(expected, 9));
        CHECK(expected == 7);
        CHECK(n.compare_exchange(expected, 9));
        const int value = n;
        CHECK(value == 9);
        n = 10;
        CHECK(n == 10);
        Shared<std::string> text{"a"};
        text.store("b");
        CHECK(text.load() == "b");
    });
}

TEST_CASE("a shared variable works outside a loop") {
    Shared<int> n{1};
    n.store(n.load() + 1);
    in_both_worlds([&] { n.store(n.load() + 1); });
    CHECK(n.load() == 4);
}

TEST_CASE("the digest has the values that were written") {
    CHECK(digest_of_storing(1) == digest_of_storing(1));
    CHECK(digest_of_storing(1) != digest_of_storing(2));
}

TEST_CASE("a lost update is found, and the report says who did what") {
    const auto body = [] {
        Shared<int> n{0, "n"};
        two_add([&] {
            const int value = n.load();
            sleep(0s);
            n.store(value + 1);
        });
        claim(n.load() == 2, "the sum is wrong");
    };
    const SearchResult result = search_every_order(body);
    REQUIRE(result.failure.has_value());
    const Finding& finding = result.failure->finding;
    CHECK(finding.kind == FindingKind::lost_update);
    CHECK(finding.label == "n");
    CHECK(finding.tasks.size() == 1);
    CHECK(finding.details.size() == 3);
    CHECK(finding.place.line != 0);
    CHECK(result.failure->run > 0);  // the calm run passes
}

TEST_CASE("under a lock no update is lost") {
    const auto body = [] {
        Shared<int> n{0, "n"};
        Lock lock;
        two_add([&] {
            const auto guard = lock.guard();
            const int value = n.load();
            sleep(0s);
            n.store(value + 1);
        });
        claim(n.load() == 2, "the sum is wrong");
    };
    CHECK(verdict(search_every_order(body)) == "passes");
}

TEST_CASE("reading and writing in one step loses nothing") {
    CHECK(verdict(search_every_order([] {
              Shared<int> n{0};
              two_add([&] {
                  n.store(n.load() + 1);
                  sleep(0s);
                  n.store(n.load() + 1);
              });
              claim(n.load() == 4, "the sum is wrong");
          })) == "passes");
}

TEST_CASE("whoever looks at what it replaces loses nothing") {
    CHECK(verdict(search_every_order([] {
              Shared<int> n{0};
              two_add([&] {
                  n.load();
                  sleep(0s);
                  n.fetch_add(1);
                  sleep(0s);
                  n.exchange(n.load());
              });
          })) == "passes");
    CHECK(verdict(search_every_order([] {
              Shared<int> n{0};
              two_add([&] {
                  for (int value = n.load();;) {
                      sleep(0s);
                      if (n.compare_exchange(value, value + 1)) {
                          break;
                      }
                  }
              });
              claim(n.load() == 2, "the sum is wrong");
          })) == "passes");
}

TEST_CASE("a task that never read what it writes loses nothing") {
    CHECK(verdict(search_every_order([] {
              Shared<int> n{0};
              two_add([&] {
                  n.store(1);
                  sleep(0s);
                  n.store(2);
              });
          })) == "passes");
}

TEST_CASE("a lost update is found among many readers") {
    const auto body = [](bool reads_again) {
        return [=] {
            Shared<int> n{0, "n"};
            std::vector<Task<void>> readers;
            for (int i = 0; i < 20; ++i) {
                readers.push_back(create_task([&] { n.load(); }));
            }
            const auto writer = create_task([&] {
                n.load();
                sleep(1ms);
                if (reads_again) {
                    n.load();
                }
                n.store(1);
            });
            sleep(0s);
            n.store(2);
            for (const auto& reader : readers) {
                await(reader);
            }
            await(writer);
        };
    };
    const auto kind = [](auto program) {
        const SearchResult result = search_every_order(program, {.order = Order::fifo});
        return result.failure.has_value() ? result.failure->finding.kind : FindingKind::hung;
    };
    CHECK(kind(body(false)) == FindingKind::lost_update);
    CHECK(kind(body(true)) == FindingKind::hung);
}

TEST_CASE("what was read in one run is forgotten in the next") {
    Shared<int> n{0, "n"};
    for (int i = 0; i < 2; ++i) {
        const auto body = [&] {
            n.load();
            await(create_task([&] { n.load(); }));
        };
        CHECK(verdict(search_every_order(body)) == "passes");
    }
}
