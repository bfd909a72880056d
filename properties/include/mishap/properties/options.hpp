#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <mishap/sim/explorer.hpp>
#include <mishap/sim/script.hpp>
#include <mishap/sim/world.hpp>

namespace mishap {

/// How a program is explored. Every member has a default, so that `{.runs_max = 1000}` says all there is to say; the
/// default is spelt out even where it is empty, because compilers warn about members that are left out otherwise.
struct ExploreOptions {
    /// Names the program in reports, replay lines and files; the default seed comes from it.
    std::string name = "program";

    // ---- what may happen (see WorldOptions) ----
    Order order = Order::any;
    std::uint32_t cancellations = 0;  // at most so many notified tasks are cancelled before they resume
    bool cancel_everywhere = false;   // first starts and bare yields count as well
    std::uint32_t forced_yields = 0;  // at most so many waits that would not suspend yield
    std::uint32_t time_passes = 0;    // at most so many times the clock moves although entities are ready
    std::chrono::nanoseconds timer_slack{0};  // deadlines so close together may come due together
    Sweep sweep = Sweep::off;                 // at most one await goes wrong in this way; see `sweep()`
    std::uint64_t steps_max = 100'000;        // per run; more is a finding
    std::chrono::nanoseconds time_max = std::chrono::hours(24 * 365);  // virtual, per run; more is a finding

    Sharing sharing = Sharing::unknown;  // tracked: the promise that tasks share nothing beside tracked objects
    std::uint64_t livelock_steps = 10'000;  // so many steps from which nothing comes are a finding; 0: they never are
    std::uint32_t overtaken_max = 0;        // so often in a row a task may be woken in vain; 0: as often as it likes

    std::chrono::nanoseconds step_time_max = std::chrono::seconds(10);  // real, per step; 0: no watchdog

    // ---- how it is searched ----
    Strategy::Kind strategy = Strategy::automatic;
    std::uint64_t runs_max = 10'000;
    std::chrono::nanoseconds time_limit{0};  // real time for the whole search; 0: none
    std::optional<std::uint64_t> seed = std::nullopt;  // default: derived from `name`, never from the clock
    std::uint64_t first_run = 0;             // runs first_run, first_run + stride, ...: for several processes
    std::uint64_t stride = 1;

    /// Not empty: one run is made, calm but for what the script says, instead of a search. It gets the budgets that the
    /// script needs (cancellations, forced yields, time passes) even where the options above have less.
    Script script = {};
    ScriptFit script_fit = ScriptFit::whole;

    // ---- what is done with a finding ----
    bool shrink = true;
    std::uint64_t shrink_runs_max = 20'000;
    std::chrono::nanoseconds shrink_time_max = std::chrono::minutes(1);  // real; 0: no limit
    bool root_cause = true;  // re-roll a shrunk failure to see where it became inevitable
    std::uint64_t root_cause_runs_max = 2'000;
    std::uint64_t fifo_runs_max = 500;  // made to see whether asyncio's own order fails as well; 0: not asked
    bool confirm_in_child = true;     // replay also in a process forked before the first run
    bool leaks_are_findings = false;  // tasks left behind, exceptions never retrieved, what was never awaited or closed
    Detect races = Detect::finding;         // accesses of one Shared by threads that nothing orders
    Detect lost_updates = Detect::finding;  // writes that undo a write their task or thread has not seen
    std::string out = {};             // folder for tape files; empty: none are written

    /// Of a replay: the signature of the recorded failure, with which what is found is compared. Tape files bring theirs;
    /// lines have none.
    std::string found = {};

    // ---- the program ----
    std::function<void()> reset = nullptr;                    // clears the program's own globals before each run
    std::function<void(const Progress&)> progress = nullptr;  // called about ten times a second

    WorldOptions world() const;
    std::uint64_t effective_seed() const;
};

}  // namespace mishap
