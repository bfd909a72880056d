#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <mishap/sim/choices.hpp>
#include <mishap/sim/digest.hpp>
#include <mishap/sim/trace.hpp>
#include <mishap/sim/finding.hpp>
#include <mishap/sim/path.hpp>
#include <mishap/sim/race_detector.hpp>
#include <mishap/sim/selector.hpp>
#include <mishap/sim/sweep.hpp>
#include <mishap/sim/tracked.hpp>
#include <mishap/sim/virtual_clock.hpp>

namespace mishap {

class FakeSelector;

/// Which of the ready entries may go next.
enum class Order : std::uint8_t {
    any,  // every one: what any fair scheduler might do
    fifo  // only the one that asyncio would run; I/O, timers, threads and faults stay open
};

/// How the tasks of a program share memory: what decides whether two of their steps may be swapped without effect.
enum class Sharing : std::uint8_t {
    unknown,  // also through plain variables, which nobody sees: any two steps of tasks may depend on each other
    tracked   // only through tracked objects (Shared, primitives, futures): the user's promise, which the search tries to refute
};

/// What may happen in a simulated world, beyond the order of steps.
struct WorldOptions {
    Order order = Order::any;
    std::uint32_t cancellations = 0;  // at most so many notified tasks are cancelled before they resume
    bool cancel_everywhere = false;   // first starts and bare yields count as well
    std::uint32_t forced_yields = 0;  // at most so many waits that would not suspend yield
    std::uint32_t time_passes = 0;    // at most so many times the clock moves although entities are ready
    std::chrono::nanoseconds timer_slack{0};  // deadlines so close together may come due together
    Sweep sweep = Sweep::off;  // in which way one await may go wrong, at most one a run
    std::uint64_t steps_max = 100'000;        // per run
    std::chrono::nanoseconds time_max = std::chrono::hours(24 * 365);  // virtual, per run
    Sharing sharing = Sharing::unknown;
    std::uint64_t livelock_steps = 10'000;  // steps from which nothing has come are a livelock; 0: they never are
    std::uint32_t overtaken_max = 0;        // so often in a row a task may be woken in vain; 0: as often as it likes
    Detect races = Detect::finding;         // of simulated threads
    Detect lost_updates = Detect::finding;  // of tasks and threads
};

/// Everything outside the program in one run: clock, choices, selector, and the record of what happens.
///
/// A world is reset between runs, not rebuilt. The loop asks the world and never the operating system.
class World {
public:
    /// Makes a simulated world: virtual clock, fake selector.
    explicit World(const WorldOptions& options);
    /// Makes a real world: monotonic clock, `selector`, calm choices.
    explicit World(std::unique_ptr<Selector> selector);
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    /// Begins a run: clock at zero, nothing happened yet, questions go to `strategy` (null: all calm).
    void begin_run(Strategy* strategy);

    bool is_simulated() const { return is_simulated_; }
    const WorldOptions& options() const { return options_; }
    Selector& selector() { return *selector_; }
    Choices& choices() { return choices_; }
    const Choices& choices() const { return choices_; }
    Digest& digest() { return digest_; }

    /// Returns the time of this world in nanoseconds since the run began.
    std::int64_t now_ns() { return is_simulated_ ? now_ns_ : real_now_ns(); }
    /// Moves the virtual clock; it never goes back.
    void move_clock(std::int64_t now_ns);

    // ---- what happens ------------------------------------------------------------------------------------------

    /// Returns whether anybody wants to know of accesses and events.
    bool is_observing() const { return observing_; }

    /// Returns whether an operation that need not wait is nothing but what it does: nobody observes it, and no search may make
    /// it yield.
    bool is_undisturbed() const { return !observing_ && options_.forced_yields == 0; }
    /// As `touch` with a write, when `is_undisturbed`.
    void count_write() { ++writes_; }

    /// Records that the running step uses `object`.
    void touch(detail::Tracked& object, Access access, const char* operation = "", Place place = {}) {
        count(object, access);
        if (observing_) [[unlikely]] {
            observe({object.key, access, Relation::both, 0, false}, &object, operation, place);
        }
    }
    /// As `touch`, for a read of an object whose key the caller has at hand: it need not be fetched for that.
    void touch_read(detail::Tracked& object, std::uint64_t key) {
        reads_ += key;
        if (observing_) [[unlikely]] {
            observe({key, Access::read, Relation::both, 0, false}, &object, "", {});
        }
    }
    /// As `touch`, for accesses of one order only, commuting ones, or budgets.
    void touch_as(detail::Tracked& object, Touch touch, const char* operation, Place place = {}) {
        count(object, touch.access);
        if (observing_) [[unlikely]] {
            touch.object = object.key;
            observe(touch, &object, operation, place);
        }
    }
    /// As `touch`, of a variable whose value is part of the run: its accesses depend on each other, and order nothing else.
    void touch_value(detail::Tracked& object, Access access, std::int64_t value, const char* operation, Place place) {
        count(object, access);
        if (observing_) [[unlikely]] {
            observe({object.key, access, Relation::conflict, 0, false}, &object, operation, place, value);
        }
    }
    /// Records the answer to a data question of the running step: with another one it is another step.
    void observe_answer(std::uint32_t taken);
    /// Records that the clock has made a step: what was before it and what comes after do not change places.
    void observe_clock();
    /// Tells the observers of an event; the world fills in time and entity.
    void tell(TraceEvent event);

    /// Returns how many accesses of this world were no reads, whether or not anybody observes.
    std::uint64_t writes() const { return writes_; }
    /// Tells of something that does not come again: a task or thread begins or ends, a future is done, an item moves.
    void tell_progress() { ++progress_; }
    std::uint64_t progress() const { return progress_; }
    /// Returns a number that grows whenever something changes that the world can see.
    std::uint64_t changes() const { return writes_ + progress_; }
    /// Returns a sum over all reads of this run: what it grows by tells which objects a step looked at.
    std::uint64_t reads() const { return reads_; }
    /// Tells that a variable got a value. That is progress as long as it is one that it did not have while the world watched.
    void tell_value(std::uint64_t object, std::uint64_t value) {
        if (watches_values_) [[unlikely]] {
            watch_value(object, value);
        }
    }
    /// Begins to watch values, with none seen, or ends it.
    void watch_values(bool on);
    /// Returns how many values were new while the world watched.
    std::uint64_t new_values() const { return new_values_; }

    bool is_tracing() const { return observer_ != nullptr; }
    /// Returns whether anybody is told of steps: observers, or the strategy.
    bool is_observed() const { return is_tracing() || wants_steps_; }
    void subscribe(Observer* observer);
    Names& names() { return names_; }

    /// Begins a step of `who`; `chain` holds the entity's part of the fingerprint across its steps.
    void begin_step(EntityStep who, std::uint64_t* chain) {
        running_entity_ = who.entity;
        running_step_ = who.step;
        chain_ = chain;
        ++steps_;
    }
    /// Ends it: the entity, and with it its chain, may be gone before the next step begins.
    void end_step() { chain_ = &between_steps_; }
    EntityStep running() const { return {running_entity_, running_step_}; }
    std::uint64_t steps() const { return steps_; }
    /// Returns how many runs were begun since this world was made.
    std::uint64_t runs() const { return runs_; }
    std::uint64_t fingerprint() const { return fingerprint_; }
    /// Returns a hash of what the run read and wrote, when, and how it ended: equal for runs with equal fingerprints, as long as
    /// what is not tracked does not matter.
    std::uint64_t state() const;

    bool wants_steps() const { return wants_steps_; }
    /// The running step, filled while it runs when a strategy wants steps.
    std::vector<Touch>& footprint() { return footprint_; }
    std::vector<std::uint64_t>& created() { return created_; }
    std::vector<std::uint64_t>& enabled() { return enabled_; }
    std::vector<std::uint64_t>& disabled() { return disabled_; }
    Strategy* strategy() { return strategy_; }
    void clear_step();

    /// Tells that the program has several threads, numbered from 1 beside the loop's own, 0.
    void begin_thread(std::uint32_t number);
    RaceDetector& races() { return races_; }

    // ---- the verdict -------------------------------------------------------------------------------------------

    /// Tells that an entity can never go on, at the end of a stuck run.
    void tell_blocked(EntityStep who, const Announcement& pending) { blocked_.push_back({who, pending}); }
    struct BlockedEntity {
        EntityStep who;
        Announcement pending;
    };
    const std::vector<BlockedEntity>& blocked() const { return blocked_; }

    /// Fails the run; the first finding stands. Ignored during teardown and in the real world.
    void fail(Finding finding);
    /// Adds a line, for people, to the finding there is.
    void add_to_finding(std::string detail) { finding_->details.push_back(std::move(detail)); }
    /// Takes the finding back: what it says is no fault after all.
    void withdraw_finding() { finding_.reset(); }
    void note(Note note);
    bool has_failed() const { return finding_.has_value(); }
    const std::optional<Finding>& finding() const { return finding_; }
    const std::vector<Note>& notes() const { return notes_; }

    /// Ends the part of the run that counts: digest, steps and time stand from here on.
    void end_verdict() { verdict_ = {digest_.value(), steps_, now_ns_}; }
    struct Verdict {
        std::uint64_t digest = 0;
        std::uint64_t steps = 0;
        std::int64_t time_ns = 0;
    };
    const Verdict& verdict() const { return verdict_; }

    /// Begins teardown: everything is calm and nothing is recorded any more.
    void begin_teardown();
    bool is_tearing_down() const { return tearing_down_; }

    /// Budgets of injected mishaps, spent in one run.
    struct Spent {
        std::uint32_t cancellations = 0;
        std::uint32_t forced_yields = 0;
        std::uint32_t time_passes = 0;
        std::uint32_t sweeps = 0;
    };
    Spent& spent() { return spent_; }
    detail::Tracked& cancellations_budget() { return budgets_[0]; }
    detail::Tracked& forced_yields_budget() { return budgets_[1]; }
    detail::Tracked& time_passes_budget() { return budgets_[2]; }
    detail::Tracked& sweeps_budget() { return budgets_[3]; }

    /// The await that a sweep has let go wrong in this run; `number` is 0 when none has.
    struct SweptAwait {
        std::uint64_t number = 0;  // among the awaits of the run that were asked about, from 1
        EntityStep who;
        std::string task;  // the last part of its path; all of it on replay
        const char* operation = "";
        Place place;
    };
    SweptAwait& swept() { return swept_; }
    const SweptAwait& swept() const { return swept_; }

    /// What the search has seen to be possible, for "a search that asked no choice or never contended says so".
    struct Activity {
        std::uint64_t touches = 0;
        std::uint64_t waits = 0;    // of tasks, on futures
        std::uint64_t threads = 0;  // simulated ones
        std::uint64_t spins = 0;    // steps that were not offered, as they would have been the same once more
    };
    Activity& activity() { return activity_; }

private:
    std::int64_t real_now_ns() const;
    void count(const detail::Tracked& object, Access access) {
        if (access == Access::read) {
            reads_ += object.key;
        } else {
            ++writes_;
        }
    }
    void watch_value(std::uint64_t object, std::uint64_t value);
    void observe(const Touch& touch, detail::Tracked* object, const char* operation, Place place, std::int64_t value = 0);

    // What every step uses comes first, to lie on few cache lines.
    bool is_simulated_;
    bool observing_ = false;
    bool wants_footprints_ = false;
    bool wants_steps_ = false;
    bool tearing_down_ = false;
    std::int64_t now_ns_ = 0;
    Digest digest_;
    Choices choices_{digest_};
    // Apart, so that they are read as they are written: a copy of both at once would wait for the two writes.
    std::uint64_t running_entity_ = 0;
    std::uint32_t running_step_ = 0;
    std::uint64_t* chain_ = nullptr;
    std::uint64_t between_steps_ = 0;  // the chain of what is touched while nobody runs: time that passes, results
    // For the same reason no two of those that grow together are neighbours.
    std::uint64_t steps_ = 0;
    std::uint64_t fingerprint_ = 0;
    std::uint64_t reads_ = 0;
    std::uint64_t values_ = 0;  // of the accesses, summed as the fingerprint is
    std::uint64_t writes_ = 0;
    std::uint64_t epoch_ = 0;  // hash of all that happened before the clock's last step
    std::uint64_t runs_ = 0;
    std::uint64_t progress_ = 0;
    bool watches_values_ = false;
    Strategy* strategy_ = nullptr;
    Observer* observer_ = nullptr;
    Spent spent_;
    SweptAwait swept_;
    Activity activity_;

    WorldOptions options_;
    std::unique_ptr<Selector> selector_;
    FakeSelector* fake_selector_ = nullptr;  // the same, in a simulated world
    std::int64_t real_start_ns_ = 0;
    std::vector<Touch> footprint_;
    std::vector<std::uint64_t> created_;
    std::vector<std::uint64_t> enabled_;
    std::vector<std::uint64_t> disabled_;
    detail::Tracked budgets_[4];
    RaceDetector races_;
    Names names_;
    std::optional<Finding> finding_;
    Verdict verdict_;
    std::vector<Note> notes_;
    std::vector<BlockedEntity> blocked_;
    struct SeenValues;
    std::unique_ptr<SeenValues> seen_values_;  // seen while it watches; null before the first time
    std::uint64_t new_values_ = 0;
};

namespace detail {

/// The world that runs on this thread, or null. Set by the loop for as long as it runs.
World*& current_world();

}  // namespace detail
}  // namespace mishap
