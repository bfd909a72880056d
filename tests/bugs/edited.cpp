// Holds the recorded failures of the corpus against edits of its programs, and prints a table of docs/replay.md.
//
// mishap_bugs_edited                  edits at places that every program has: just before one of its tasks is made; threads
//                                     that are started together can be swapped
// mishap_bugs_edited record           writes down how each program fails
// mishap_bugs_edited replay LABEL     reads that, and replays the programs that are linked to it: copies with an edit in the
//                                     source (edit_sources.py)

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <mishap/mishap.hpp>

#include "bug.hpp"
#include "threads.hpp"

namespace {

using namespace mishap;
using namespace std::chrono_literals;

enum class Edit { log_line, unrelated_task, wait, swapped_threads };
constexpr Edit edits[] = {Edit::log_line, Edit::unrelated_task, Edit::wait, Edit::swapped_threads};
constexpr std::uint32_t places_max = 4;  // of each kind in each program

const char* to_text(Edit edit) {
    switch (edit) {
        case Edit::log_line: return "log line";
        case Edit::unrelated_task: return "unrelated task";
        case Edit::wait: return "wait before a task is made";
        case Edit::swapped_threads: return "swapped threads";
    }
    return "unknown";
}

/// A program that is edited in one place: before it makes its task number `place`, from 0.
class Edited {
public:
    Edited(const Scenario& scenario, Edit edit, std::uint32_t place) : scenario_(scenario), edit_(edit), place_(place) {}

    void run() {
        tasks_ = 0;
        bugs::swapped_role = edit_ == Edit::swapped_threads ? place_ : bugs::no_role;
        bugs::has_swapped = false;
        get_running_loop().set_task_factory(
            [this](EventLoop& loop, TaskMaker& make, const TaskOptions& options) { return make_task(loop, make, options); });
        scenario_.body();
    }
    /// Returns whether the last run came to the place.
    bool is_made() const { return edit_ == Edit::swapped_threads ? bugs::has_swapped : tasks_ > place_; }

private:
    AnyTask make_task(EventLoop& loop, TaskMaker& make, const TaskOptions& options) {
        if (tasks_++ == place_) {
            // In a callback nobody waits, and a step that begins a task eagerly is another task's.
            if (edit_ == Edit::log_line) {
                checkpoint("log line");
            } else if (edit_ == Edit::unrelated_task) {
                loop.set_task_factory(nullptr);
                loop.create_task([] {
                    sleep(0s);
                    sleep(0s);
                });
                loop.set_task_factory([this](EventLoop& again, TaskMaker& maker, const TaskOptions& chosen) {
                    return make_task(again, maker, chosen);
                });
            } else if (edit_ == Edit::wait && current_task().is_valid()) {
                sleep(0s);
            }
        }
        return make(options);
    }

    const Scenario& scenario_;
    Edit edit_;
    std::uint32_t place_;
    std::uint32_t tasks_ = 0;
};

struct Count {
    std::uint64_t all = 0;
    std::uint64_t as_recorded = 0;
    std::uint64_t replays = 0;
    std::uint64_t runs_most = 0;
    std::uint64_t no_bug = 0;

    std::string row(const char* name) const {
        return fmt::format("| {} | {} | {} | {} | {} |\n", name, all, as_recorded, replays, runs_most);
    }
};

/// How a program failed before it was edited.
struct Recorded {
    std::string name;
    std::string line;
    std::string signature;
};

ExploreOptions options_of(const Scenario& scenario) {
    ExploreOptions options = scenario.options;
    options.name = scenario.name;
    options.confirm_in_child = false;
    options.root_cause = false;
    options.fifo_runs_max = 0;
    options.out.clear();
    return options;
}

Recorded record(const Scenario& scenario) {
    bugs::swapped_role = bugs::no_role;
    const Report report = explore(scenario.body, options_of(scenario));
    if (report.passed()) {
        throw std::runtime_error("no failure was found in " + scenario.name);
    }
    return {scenario.name, report.replay_line, report.finding->signature()};
}

/// Replays what is on record in a program that was edited.
void replay_in(const std::function<void()>& body, const Scenario& scenario, const Recorded& recorded, Count& count,
               std::string& lost) {
    ExploreOptions options = options_of(scenario);
    options.found = recorded.signature;
    const Report report = replay(recorded.line, body, options);
    if (report.verdict == ReplayVerdict::same_failure) {
        ++count.all;
        ++count.replays;
        count.as_recorded += report.repair_runs == 0 ? 1U : 0U;
        count.runs_most = std::max(count.runs_most, report.repair_runs);
        return;
    }
    options.shrink = false;
    const Report found = explore(body, options);
    if (!found.passed() && is_same_failure(recorded.signature, found.finding->signature())) {
        ++count.all;
        lost += fmt::format("lost: {}: {}\n", scenario.name, recorded.line);
    } else {
        ++count.no_bug;  // the edit has repaired it: nobody's loss
    }
}

bool has_place(Edited& edited, const Scenario& scenario) {
    ExploreOptions calm = options_of(scenario);
    calm.strategy = Strategy::exhaustive;
    calm.runs_max = 1;
    calm.shrink = false;
    explore([&edited] { edited.run(); }, calm);
    return edited.is_made();
}

std::vector<Scenario> buggy_scenarios() {
    std::vector<Scenario> scenarios = all_scenarios();
    std::erase_if(scenarios, [](const Scenario& scenario) { return scenario.name.find("/buggy") == std::string::npos; });
    return scenarios;
}

bool is_enough(const Count& count) { return count.all != 0 && count.replays * 10 >= count.all * 9; }

int write_records() {
    for (const Scenario& scenario : buggy_scenarios()) {
        const Recorded recorded = record(scenario);
        fmt::print("{}\t{}\t{}\n", recorded.name, recorded.line, recorded.signature);
    }
    return 0;
}

int replay_copies(const char* label) {
    std::map<std::string, Recorded> records;
    Recorded read;
    while (std::getline(std::cin, read.name, '\t') && std::getline(std::cin, read.line, '\t') &&
           std::getline(std::cin, read.signature)) {
        records.emplace(read.name, read);
    }
    Count count;
    std::string lost;
    for (const Scenario& scenario : buggy_scenarios()) {
        replay_in(scenario.body, scenario, records.at(scenario.name), count, lost);
    }
    fmt::print("{}{} edits more have repaired the bug.\n{}", count.row(label), count.no_bug, lost);
    return is_enough(count) ? 0 : 1;
}

int edit_all() {
    Count counts[std::size(edits)];
    Count total;
    std::string lost;
    const std::vector<Scenario> scenarios = buggy_scenarios();
    for (const Scenario& scenario : scenarios) {
        const Recorded recorded = record(scenario);
        for (std::size_t i = 0; i < std::size(edits); ++i) {
            for (std::uint32_t place = 0; place < places_max; ++place) {
                Edited edited(scenario, edits[i], place);
                if (!has_place(edited, scenario)) {
                    break;
                }
                replay_in([&edited] { edited.run(); }, scenario, recorded, counts[i], lost);
            }
        }
    }
    fmt::print("| edit | edits | as recorded | replays | further runs, at most |\n|---|---:|---:|---:|---:|\n");
    for (std::size_t i = 0; i < std::size(edits); ++i) {
        fmt::print("{}", counts[i].row(to_text(edits[i])));
        total.all += counts[i].all;
        total.as_recorded += counts[i].as_recorded;
        total.replays += counts[i].replays;
        total.no_bug += counts[i].no_bug;
        total.runs_most = std::max(total.runs_most, counts[i].runs_most);
    }
    fmt::print("{}\n{} programs; {} edits more have repaired the bug.\n{}", total.row("all"), scenarios.size(), total.no_bug, lost);
    return is_enough(total) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view mode = argc > 1 ? argv[1] : "";
    if (mode == "record") {
        return write_records();
    }
    return mode == "replay" && argc > 2 ? replay_copies(argv[2]) : edit_all();
}
