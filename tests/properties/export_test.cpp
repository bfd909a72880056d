// A failure as C++: what is generated is checked in, compiled here, and fails as the failure did.

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <mishap/mishap.hpp>

#include "outcomes.hpp"

namespace mishap {
namespace {

using namespace std::chrono_literals;
using test::contains;

void lost_update() {
    Shared<int> value{0, "counter"};
    const auto add = [&](int sleeps) {
        for (int i = 0; i < sleeps; ++i) {
            sleep(0s);
        }
        const int read = value.load();
        sleep(0s);
        value.store(read + 1);
    };
    const auto one = create_task([&] { add(0); }, {.name = "adder"});
    const auto two = create_task([&] { add(2); }, {.name = "adder"});
    const auto bystander = create_task([] { sleep(0s); });
    gather(one, two, bystander);
}

/// Fails only if a cancellation, an answer, a forced yield and an early tick come together with an order.
void everything_at_once() {
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
    const auto other = create_task([&] { sleep(0s); sleep(0s); order += 'o'; }, {.name = "other"});
    const auto yielding = create_task(
        [&] {
            const int before = static_cast<int>(order.size());
            const auto guard = lock.guard();
            order += before == 0 && order.size() == 1 ? 'y' : 'n';
        },
        {.name = "yielding"});
    await(victim);
    await(yielding);
    await(other);
    timer.cancel();
    always(!(cancelled && overtaken && order == "oy" && choose(3, "number") == 2), "not everything; not at once");
}

void always_wrong() { always(false, "\"never\""); }

ExploreOptions all_mishaps() {
    ExploreOptions options;
    options.name = "export/everything";
    options.cancellations = 1;
    options.forced_yields = 1;
    options.time_passes = 1;
    options.runs_max = 100'000;
    return options;
}

Report explore_named(const std::function<void()>& body, const char* name) {
    ExploreOptions options;
    options.name = name;
    return explore(body, options);
}

/// Returns what the checked-in `file` holds; with MISHAP_UPDATE=1 in the environment, that is `exported` from now on.
std::string checked_in(const std::string& file, const std::string& exported) {
    const std::string path = std::string(MISHAP_EXPORTED_FOLDER) + "/" + file;
    if (std::getenv("MISHAP_UPDATE") != nullptr) {
        std::ofstream(path) << exported;
    }
    const std::ifstream stream(path);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

// What was exported is compiled with functions in the place of test cases, since each is to fail.
#pragma push_macro("TEST_CASE")
#undef TEST_CASE
#define TEST_CASE(name) void exported_lost_update()
#include "exported/lost_update.inc"
#undef TEST_CASE
#define TEST_CASE(name) void exported_everything()
#include "exported/everything.inc"
#undef TEST_CASE
#define TEST_CASE(name) void exported_calm()
#include "exported/calm.inc"
#pragma pop_macro("TEST_CASE")

/// Returns what the exported test fails with.
std::string failure_of(void (*exported)()) {
    try {
        exported();
    } catch (const CheckFailed& failure) {
        return failure.what();
    }
    return "passes";
}

}  // namespace

TEST_CASE("a schedule is exported as the test that is checked in") {
    const Report report = explore_named(lost_update, "export/lost_update");
    REQUIRE_FALSE(report.passed());
    const std::string exported = report.to_cpp_test("lost_update");
    CHECK(exported == checked_in("lost_update.inc", exported));
}

TEST_CASE("every kind of mishap is exported as the test that is checked in") {
    const Report report = explore(everything_at_once, all_mishaps());
    REQUIRE_FALSE(report.passed());
    CHECK(report.mishaps.size() >= 5);
    const std::string exported = report.to_cpp_test("everything_at_once");
    CHECK(exported == checked_in("everything.inc", exported));
}

TEST_CASE("a failure of the calm run is exported as the test that is checked in") {
    const Report report = explore_named(always_wrong, "export/calm");
    REQUIRE_FALSE(report.passed());
    const std::string exported = report.to_cpp_test("always_wrong");
    CHECK(exported == checked_in("calm.inc", exported));
}

TEST_CASE("exported tests fail as what they were exported from") {
    CHECK(contains(failure_of(exported_lost_update), "lost update"));
    CHECK(contains(failure_of(exported_everything), "not everything; not at once"));
    CHECK(contains(failure_of(exported_calm), "never"));
}

TEST_CASE("the script of a report makes the failing run again") {
    for (const auto& [body, options] :
         {std::pair(std::function<void()>(lost_update), ExploreOptions{}), std::pair(std::function<void()>(everything_at_once), all_mishaps())}) {
        const Report report = explore(body, options);
        REQUIRE_FALSE(report.script.empty());
        ExploreOptions scripted = options;
        scripted.script = report.script;
        const Report again = explore(body, scripted);
        REQUIRE_FALSE(again.passed());
        CHECK(again.finding->signature() == report.finding->signature());
    }
}

TEST_CASE("a script holds nothing that the failure does not need") {
    const Report report = explore_named(lost_update, "export/lost_update");
    REQUIRE(report.script.size() == 1);
    CHECK(report.script.front().held.size() == 1);
}

TEST_CASE("when the failure is repaired its exported test passes, even if its schedule is impossible now") {
    const auto repaired = [] {
        Shared<int> value{0, "counter"};
        const auto add = [&] { value.store(value.load() + 1); };
        const auto one = create_task(add, {.name = "adder"});
        const auto two = create_task(add, {.name = "adder"});
        gather(one, two);
    };
    const Report report = explore_named(lost_update, "export/lost_update");
    ExploreOptions options;
    options.script = report.script;
    CHECK_FALSE(explore(repaired, options).passed());
    options.script_fit = ScriptFit::as_far_as_possible;
    const Report again = explore(repaired, options);
    CHECK(again.passed());
    CHECK_FALSE(again.notes.empty());
}

}  // namespace mishap
