#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <mishap/sim/entity.hpp>
#include <mishap/sim/place.hpp>

namespace mishap {

/// One use of a variable, as the report of a race tells it.
struct RacyAccess {
    EntityStep who;
    Access access = Access::read;
    bool is_atomic = false;
    Place place;
    std::vector<void*> stack;  // return addresses, innermost first; recorded on replay only
};

/// Finds accesses of one variable by different threads that nothing orders.
///
/// Two accesses race when neither happens before the other, at least one writes, and they are not both atomic
/// (`fetch_add`, `exchange`, `compare_exchange`). What orders them is synchronisation: the start and the end of threads,
/// mutexes, futures and primitives; not the accesses themselves, and not the order in which they happened to come. So a
/// race is found in any run in which both accesses are made, whatever the schedule. All tasks and callbacks of a loop are one
/// thread, number 0.
///
/// Source:    Flanagan and Freund, "FastTrack: Efficient and Precise Dynamic Race Detection" (PLDI 2009).
class RaceDetector {
public:
    /// Begins a run in which one thread runs, number 0.
    void begin_run();
    /// Begins to watch: from now on there are several threads.
    void start() { is_active_ = true; }
    bool is_active() const { return is_active_; }

    /// Tells that `child` begins, made by the thread that runs.
    void fork(std::uint32_t child);
    /// Tells who runs from now on.
    void switch_to(std::uint32_t thread) { running_ = thread; }
    std::uint32_t running() const { return running_; }

    /// Tells that the running thread uses a synchronisation object: it comes after whoever wrote it before, and if it writes,
    /// whoever uses it later comes after.
    void synchronise(std::uint64_t object, Access access);

    /// Tells that the running thread accesses a variable; returns the earlier access that it races with.
    std::optional<RacyAccess> access(std::uint64_t variable, const RacyAccess& access);

private:
    using Clock = std::vector<std::uint32_t>;  // per thread, how far it is known to have come

    struct Epoch {
        std::uint32_t thread = 0;
        std::uint32_t time = 0;
        RacyAccess access;
    };
    struct Variable {
        std::optional<Epoch> write;        // the last plain one
        std::vector<Epoch> atomic_writes;  // since then, the last of each thread
        std::vector<Epoch> reads;          // since then, the last of each thread
        std::vector<Epoch> atomic_reads;   // since then, the last of each thread
    };

    Clock& clock_of(std::uint32_t thread);
    bool is_before_now(const Epoch& epoch);
    static void join(Clock& into, const Clock& from);

    bool is_active_ = false;
    std::uint32_t running_ = 0;
    std::vector<Clock> threads_;
    boost::unordered_flat_map<std::uint64_t, Clock> objects_;       // looked up only
    boost::unordered_flat_map<std::uint64_t, Variable> variables_;  // looked up only
};

}  // namespace mishap
