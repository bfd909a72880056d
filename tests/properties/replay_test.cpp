// A report's line repeats its run, in the same build to the last bit and after an edit as far as it still fits.

#include <mishap/properties/explore.hpp>

#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <mishap/primitives/primitives.hpp>
#include <mishap/properties/claims.hpp>
#include <mishap/sim/choose.hpp>
#include <mishap/sim/replay_line.hpp>

#include "outcomes.hpp"

namespace mishap {
namespace {

using namespace std::chrono_literals;
using test::contains;

/// Loses an update if another write comes in between: with `early_sleeps` more yields before, `late_sleeps` in between.
auto counter(int early_sleeps = 0, int late_sleeps = 1, const char* reader = "reader") {
    return [=] {
        int value = 0;
        const auto a = create_task(
            [&] {
                for (int i = 0; i < early_sleeps; ++i) {
                    sleep(0s);
                }
                const int read = value;
                for (int i = 0; i < late_sleeps; ++i) {
                    sleep(0s);
                }
                value = read + 1;
            },
            {.name = reader});
        const auto b = create_task(
            [&] {
                for (int i = 0; i < early_sleeps + 1; ++i) {
                    sleep(0s);
                }
                value = value + 1;
            },
            {.name = "writer"});
        await(a);
        await(b);
        always(value == 2, "no update is lost");
    };
}

class TemporaryFolder {
public:
    TemporaryFolder() : path_(std::filesystem::temp_directory_path() / ("mishap-replay-" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(path_);
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    std::string text() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

/// Every kind of mishap in one program: fails only if all of them come.
void needs_everything() {
    bool cancelled = false;
    bool overtaken = false;
    std::string order;
    Lock lock;
    const auto victim = create_task(
        [&] {
            try {
                sleep(1s);
            } catch (const CancelledError&) {
                cancelled = true;
            }
        },
        {.name = "victim"});
    TimerHandle timer = get_running_loop().call_later(1ns, [&] { overtaken = order.empty(); });
    const auto yielding = create_task(
        [&] {
            sleep(0s);
            const auto guard = lock.guard();
            order += 'y';
        },
        {.name = "yielding"});
    const auto other = create_task([&] { sleep(0s); sleep(0s); order += 'o'; }, {.name = "other"});
    await(victim);
    await(yielding);
    await(other);
    timer.cancel();  // it may be ready, and would come when main's variables are gone
    always(!(cancelled && overtaken && order == "oy" && choose(3, "number") == 2), "not everything at once");
}

}  // namespace

TEST_CASE("a replay of the report's line finds the same and makes the same run") {
    const Report report = explore(counter());
    REQUIRE_FALSE(report.passed());
    const Report again = replay(report.replay_line, counter());
    REQUIRE_FALSE(again.passed());
    CHECK(again.finding->signature() == report.finding->signature());
    CHECK(again.run->digest == report.run->digest);
    CHECK(again.run->tape == report.run->tape);
    CHECK(again.replay_line == report.replay_line);
    CHECK(again.matched == again.wanted);
    CHECK(again.story.size() == report.story.size());
}

TEST_CASE("a line brings its own options, whatever the caller's are") {
    ExploreOptions options;
    options.cancellations = 1;
    options.forced_yields = 1;
    options.time_passes = 1;
    options.runs_max = 100'000;
    const Report report = explore(needs_everything, options);
    REQUIRE_FALSE(report.passed());
    const Report again = replay(report.replay_line, needs_everything);
    REQUIRE_FALSE(again.passed());
    CHECK(again.run->digest == report.run->digest);
    CHECK(again.matched == report.mishaps.size());
}

TEST_CASE("a line of a run without mishaps repeats the calm run") {
    const Report report = explore([] { always(false, "never"); });
    const Report again = replay(report.replay_line, [] { always(false, "never"); });
    REQUIRE_FALSE(again.passed());
    CHECK(again.run->digest == report.run->digest);
}

TEST_CASE("a mishap is found again after sleeps were put in before it") {
    const Report report = explore(counter());
    for (int sleeps = 1; sleeps <= 3; ++sleeps) {
        const Report again = replay(report.replay_line, counter(sleeps));
        INFO(sleeps << "\n" << again.to_text());
        CHECK_FALSE(again.passed());
    }
}

TEST_CASE("a mishap is found again after a sleep was put in where it strikes") {
    const Report report = explore(counter());
    const Report again = replay(report.replay_line, counter(0, 2));
    INFO(again.to_text());
    CHECK_FALSE(again.passed());
}

TEST_CASE("when the program is repaired the replay says that nothing is wrong") {
    const Report report = explore(counter());
    const Report again = replay(report.replay_line, counter(0, 0));
    CHECK(again.passed());
    CHECK(contains(again.to_text(), "nothing wrong"));
}

TEST_CASE("a replay says whether the failure is the recorded one, if it is told which that was") {
    const Report report = explore(counter());
    CHECK(replay(report.replay_line, counter()).verdict == ReplayVerdict::fails);
    ExploreOptions options;
    options.found = report.finding->signature();
    const Report same = replay(report.replay_line, counter(), options);
    CHECK(same.verdict == ReplayVerdict::same_failure);
    CHECK(same.repair_runs == 0);
    CHECK(contains(same.to_text(), "the same failure as recorded; 1 of 1 mishap still fit the program\n"));
    const auto other = [] {
        counter(0, 0)();
        always(false, "something else");
    };
    const Report different = replay(report.replay_line, other, options);
    CHECK(different.verdict == ReplayVerdict::different_failure);
    CHECK(contains(different.to_text(), "a different failure from the one recorded; "));
    const Report none = replay(report.replay_line, counter(0, 0), options);
    CHECK(none.verdict == ReplayVerdict::no_longer_fails);
    CHECK(contains(none.to_text(), "it no longer fails; "));
}

TEST_CASE("a replay goes on past another failure to the recorded one") {
    const Report report = explore(counter());
    ExploreOptions options;
    options.found = report.finding->signature();
    // Now the recorded schedule itself fails in another way; the lost update needs the writer later.
    const auto edited = [] {
        int value = 0;
        bool is_read = false;
        const auto a = create_task(
            [&] {
                const int read = value;
                is_read = true;
                sleep(0s);
                sleep(0s);
                value = read + 1;
                is_read = false;
            },
            {.name = "reader"});
        const auto b = create_task(
            [&] {
                sleep(0s);
                always(!is_read, "nobody has read");
                sleep(0s);
                sleep(0s);
                value = value + 1;
            },
            {.name = "writer"});
        await(a);
        await(b);
        always(value == 2, "no update is lost");
    };
    const Report again = replay(report.replay_line, edited, options);
    INFO(again.to_text());
    CHECK_FALSE(again.passed());
    const bool is_consistent = (again.verdict == ReplayVerdict::same_failure) ==
                               (again.finding->signature() == options.found);
    CHECK(is_consistent);
}

TEST_CASE("at most 500 runs are made to find a failure again") {
    const Report report = explore(counter());
    std::uint64_t runs = 0;
    const Report again = replay(report.replay_line, [&] {
        ++runs;
        std::vector<Task<void>> tasks;
        for (int i = 0; i < 20; ++i) {
            tasks.push_back(create_task([] {
                sleep(0s);
                sleep(0s);
            }));
        }
        gather(tasks);
    });
    CHECK(again.verdict == ReplayVerdict::no_longer_fails);
    CHECK(again.repair_runs < 500);
    CHECK(runs > 100);
    CHECK(runs < 505);
}

TEST_CASE("when the tasks have other names the replay says what no longer fits") {
    const Report report = explore(counter(0, 1, "reader"));
    const Report again = replay(report.replay_line, counter(0, 1, "renamed"));
    CHECK(again.wanted == 1);
    CHECK((again.matched == 0) == contains(again.to_text(), "0 of 1 mishap still fit"));
}

TEST_CASE("a damaged line is refused with a reason") {
    std::string line = explore(counter()).replay_line;
    line[line.size() / 2] = line[line.size() / 2] == 'x' ? 'y' : 'x';
    CHECK_THROWS_AS(replay(line, counter()), UsageError);
    CHECK_THROWS_AS(replay(line.substr(0, line.size() - 4), counter()), UsageError);
    CHECK_THROWS_AS(replay("mishap9" + line.substr(7), counter()), UsageError);
    CHECK_THROWS_AS(replay("/nonexistent/file.tape", counter()), UsageError);
    CHECK_THROWS_AS(replay("", counter()), UsageError);
}

TEST_CASE("a tape file is written when asked for, and replays") {
    const TemporaryFolder folder;
    ExploreOptions options;
    options.name = "replay/file";
    options.out = folder.text();
    const Report report = explore(counter(), options);
    REQUIRE_FALSE(report.tape_path.empty());
    REQUIRE(std::filesystem::exists(report.tape_path));
    const Report again = replay(report.tape_path, counter());
    REQUIRE_FALSE(again.passed());
    CHECK(again.run->digest == report.run->digest);
    CHECK(again.name == "replay/file");
    CHECK(again.verdict == ReplayVerdict::same_failure);
    const Report edited = replay(report.tape_path, counter(2));
    CHECK_FALSE(edited.passed());
    CHECK(edited.verdict == ReplayVerdict::same_failure);
    CHECK(replay(report.tape_path, counter(0, 0)).verdict == ReplayVerdict::no_longer_fails);
}

TEST_CASE("no tape of a run in flight stays behind a search") {
    const TemporaryFolder folder;
    ExploreOptions options;
    options.out = folder.text();
    options.runs_max = 10;
    CHECK(explore([] { await(create_task([] {})); }, options).passed());
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.text())) {
        files += entry.is_regular_file() ? 1U : 0U;
    }
    CHECK(files == 0);
}

TEST_CASE("a replay of a program that is not deterministic says so") {
    const Report report = explore(counter());
    int runs = 0;
    const Report again = replay(report.replay_line, [&] {
        sleep(std::chrono::seconds(++runs));
        counter()();
    });
    CHECK(again.is_divergence());
}

}  // namespace mishap
