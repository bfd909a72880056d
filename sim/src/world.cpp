#include <mishap/sim/world.hpp>

#include <cstdio>
#include <cstdlib>

#include <boost/unordered/unordered_flat_set.hpp>
#include <mishap/sim/detail/invariant_hook.hpp>
#include <mishap/sim/errors.hpp>
#include <mishap/sim/fake_selector.hpp>
#include <mishap/sim/real_clock.hpp>

namespace mishap {

struct World::SeenValues {
    boost::unordered_flat_set<std::uint64_t> seen;  // hashes of variable and value; looked up only
};

World::World(const WorldOptions& options)
    : is_simulated_(true), options_(options) {
    if (options.timer_slack.count() < 0 || options.time_max.count() < 0) {
        throw UsageError("timer_slack and time_max are lengths of time; give 0 or more");
    }
    auto selector = std::make_unique<FakeSelector>();
    fake_selector_ = selector.get();
    selector_ = std::move(selector);
}

World::World(std::unique_ptr<Selector> selector)
    : is_simulated_(false), selector_(std::move(selector)), real_start_ns_(detail::monotonic_now_ns()) {
    options_.order = Order::fifo;
}

World::~World() = default;

void World::begin_run(Strategy* strategy) {
    ++runs_;
    now_ns_ = 0;
    if (fake_selector_ != nullptr) {
        fake_selector_->reset();
    }
    digest_.reset();
    choices_.begin_run(strategy);
    running_entity_ = 0;
    running_step_ = 0;
    chain_ = nullptr;
    between_steps_ = 0;
    steps_ = 0;
    fingerprint_ = values_ = epoch_ = 0;
    reads_ = writes_ = progress_ = 0;
    strategy_ = strategy;
    tearing_down_ = false;
    spent_ = {};
    if (watches_values_) {
        watch_values(false);
    }
    if (swept_.number != 0) {
        swept_ = {};
    }
    if (finding_.has_value()) {
        finding_.reset();
    }
    if (!notes_.empty()) {
        notes_.clear();
    }
    has_left_ready_ = false;
    ended_by_ = 0;
    is_cut_short_ = false;
    has_sampled_amounts_ = false;
    if (!blocked_.empty()) {
        blocked_.clear();
    }
    const Strategy::Needs needs = strategy != nullptr ? strategy->needs() : Strategy::Needs{};
    wants_footprints_ = needs.footprints || needs.steps;
    wants_steps_ = needs.steps;
    observing_ = wants_footprints_ || observer_ != nullptr;
    choices_.keep_data_classes(wants_steps_);
    races_.begin_run();
    if (observing_) {
        names_.clear();
        clear_step();
        constexpr const char* budget_names[] = {"cancellations", "forced_yields", "time_passes", "sweeps"};
        for (std::size_t i = 0; i < std::size(budgets_); ++i) {
            budgets_[i] = {detail::child_key(detail::outside_key, hash_text("budget"), i), 0, 0};
            names_.put(budgets_[i].key, detail::outside_key, std::string("budget of ") + budget_names[i]);
        }
    }
}

void World::move_clock(std::int64_t now_ns) {
    detail::invariant(now_ns >= now_ns_, "virtual time never goes back");
    progress_ += now_ns != now_ns_ ? 1U : 0U;
    now_ns_ = now_ns;
    if (observing_) {
        tell({.kind = TraceEventKind::tick, .value = now_ns});
    }
}

std::int64_t World::real_now_ns() const { return detail::monotonic_now_ns() - real_start_ns_; }

void World::begin_thread(std::uint32_t number) {
    ++activity_.threads;
    if (options_.races == Detect::off) {
        return;
    }
    races_.start();
    races_.fork(number);
    observing_ = true;
}

void World::subscribe(Observer* observer) {
    observer_ = observer;
    observing_ = wants_footprints_ || observer_ != nullptr;
}

void World::tell(TraceEvent event) {
    if (observer_ != nullptr && !tearing_down_) {
        event.time_ns = now_ns_;
        event.entity = running();
        observer_->on_event(event);
    }
}

void World::observe(const Touch& touch, detail::Tracked* object, const char* operation, Place place,
                    std::int64_t value) {
    if (tearing_down_) {
        return;
    }
    ++activity_.touches;
    if (races_.is_active() && touch.relation != Relation::conflict) [[unlikely]] {
        races_.synchronise(touch.object, touch.access);
    }
    if (wants_steps_) {
        footprint_.push_back(touch);
    }
    // The fingerprint: every event is hashed with what came before it in its entity (the chain) and in its object
    // (the last write, and for a write also the reads since). The sum of the events' hashes does not depend on the
    // order of independent events, so runs of one interleaving have one fingerprint.
    if (chain_ != nullptr && touch.relation != Relation::synchronisation) {
        const std::uint64_t cause = mix(*chain_ + epoch_, object->write_hash);
        if (touch.access == Access::read) {
            const std::uint64_t hash = mix(cause, object->key);
            object->reads_sum += hash;
            *chain_ = hash;
            fingerprint_ += mix(hash, 1);
            values_ += mix(hash, static_cast<std::uint64_t>(value));
        } else {
            const std::uint64_t hash = mix(cause + object->reads_sum, object->key ^ 0x5a5a'5a5a'5a5a'5a5aU);
            object->write_hash = hash;
            object->reads_sum = 0;
            *chain_ = hash;
            fingerprint_ += mix(hash, 2);
            values_ += mix(hash, static_cast<std::uint64_t>(value));
        }
    }
    if (observer_ != nullptr) {
        tell({.kind = TraceEventKind::access,
              .access = touch.access,
              .relation = touch.relation,
              .object = touch.object,
              .value = value,
              .what = operation,
              .place = place});
    }
}

void World::observe_answer(std::uint32_t taken) {
    if (observing_ && chain_ != nullptr) {
        *chain_ = mix(*chain_ + epoch_, taken);
        fingerprint_ += mix(*chain_, 3);
    }
}

void World::observe_clock() {
    if (observing_) {
        epoch_ = mix(fingerprint_ + epoch_, static_cast<std::uint64_t>(now_ns_));
        fingerprint_ += mix(epoch_, 4);
    }
}

std::uint64_t World::state() const {
    const std::uint64_t end = finding_.has_value() ? hash_text(finding_->signature()) : 0;
    return mix(values_ + end, static_cast<std::uint64_t>(verdict_.time_ns));
}

void World::watch_values(bool on) {
    if (seen_values_ == nullptr) {
        seen_values_ = std::make_unique<SeenValues>();
    }
    watches_values_ = on;
    seen_values_->seen.clear();
}

void World::watch_value(std::uint64_t object, std::uint64_t value) {
    constexpr std::size_t values_max = 1 << 16;  // a variable with so many has no state that comes again
    const bool is_new = seen_values_->seen.size() == values_max || seen_values_->seen.insert(mix(object, value)).second;
    new_values_ += is_new ? 1U : 0U;
}

void World::clear_step() {
    footprint_.clear();
    created_.clear();
    enabled_.clear();
    disabled_.clear();
    choices_.clear_data_classes();
}

void World::fail(Finding finding) {
    if (is_simulated_ && !tearing_down_ && !finding_.has_value()) {
        finding_ = std::move(finding);
    }
}

void World::note(Note note) {
    if (is_simulated_) {
        notes_.push_back(std::move(note));
    }
}

void World::begin_teardown() {
    tearing_down_ = true;
    observing_ = false;
    wants_steps_ = false;  // steps that only clean up are none of the run's
    choices_.be_calm();
}

namespace detail {

World*& current_world() {
    // The one place that knows it; the current loop has its own (loop/event_loop.hpp).
    static thread_local World* world = nullptr;
    return world;
}

namespace {

InvariantHook invariant_hook = nullptr;

}  // namespace

void set_invariant_hook(InvariantHook hook) noexcept { invariant_hook = hook; }

void invariant_failed(const char* why) {
    std::fprintf(stderr, "mishap bug: this must hold and does not: %s\n", why);
    if (World* const world = current_world()) {
        std::fprintf(stderr, "the tape so far:");
        for (const Choice& choice : world->choices().tape()) {
            std::fprintf(stderr, " %u/%u", choice.taken, choice.classes);
        }
        std::fprintf(stderr, "\n");
    }
    if (invariant_hook != nullptr) {
        invariant_hook();
    }
    std::abort();
}

}  // namespace detail

VirtualClock::time_point VirtualClock::now() {
    World* const world = detail::current_world();
    if (world == nullptr) {
        throw UsageError(
            "VirtualClock::now() was called where no loop runs; call it inside run(), explore() or a task, or use "
            "std::chrono::steady_clock outside of them");
    }
    return time_point(duration(world->now_ns()));
}

}  // namespace mishap
