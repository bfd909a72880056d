#include "sim/machine.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

#include <mishap/sim/hash.hpp>

namespace mishap::test {

namespace {

// Frames by size, in steps of 64 bytes. They are never given back: what one machine leaves the next one takes.
constexpr std::size_t frame_step_bytes = 64;
constexpr std::size_t frame_sizes = 64;
struct FreeFrame {
    FreeFrame* next;
};
thread_local FreeFrame* free_frames[frame_sizes];

std::uint64_t key_of(const char* kind, std::size_t index) { return mix(hash_text(kind), index); }

}  // namespace

void* ThreadBody::promise_type::operator new(std::size_t size) {
    const std::size_t slot = (size + frame_step_bytes - 1) / frame_step_bytes;
    if (slot >= frame_sizes) {
        return std::malloc(size);
    }
    if (FreeFrame* const frame = free_frames[slot]) {
        free_frames[slot] = frame->next;
        return frame;
    }
    return std::malloc(slot * frame_step_bytes);
}

void ThreadBody::promise_type::operator delete(void* frame, std::size_t size) {
    const std::size_t slot = (size + frame_step_bytes - 1) / frame_step_bytes;
    if (slot >= frame_sizes) {
        std::free(frame);
    } else {
        free_frames[slot] = new (frame) FreeFrame{free_frames[slot]};
    }
}

Machine::Machine(MachineProgram program, Options options) : program_(std::move(program)), options_(options) {}

bool Machine::play(Strategy& strategy, std::uint64_t number) {
    if (!strategy.begin_run({number})) {
        return false;
    }
    begin(strategy);
    while (!is_over()) {
        list_ready();
        if (ready_.empty() || events_.size() >= options_.steps_max) {
            break;
        }
        std::uint32_t taken = 0;
        if (ready_.size() > 1) {
            question_.source = this;
            if (!ask(ChoiceKind::schedule, static_cast<std::uint32_t>(ready_.size()), taken)) {
                break;
            }
        }
        make_step(ready_[taken], taken);
    }
    end(strategy);
    return true;
}

void Machine::begin(Strategy& strategy) {
    strategy_ = &strategy;
    needs_ = strategy.needs();
    question_ = Question{};
    threads_.clear();
    variables_.clear();
    mutexes_.clear();
    cond_vars_.clear();
    ends_.clear();
    events_.clear();
    touches_.clear();
    created_keys_.clear();
    enabled_keys_.clear();
    disabled_keys_.clear();
    data_.clear();
    blocked_.clear();
    digest_.reset();
    fingerprint_ = 0;
    questions_ = 0;
    tickets_ = 0;
    failed_ = false;
    abandoned_ = false;
    program_.set_up(*this);
    const auto initial = static_cast<std::uint32_t>(threads_.size());
    for (std::uint32_t who = 0; who < initial; ++who) {
        go_on(who);
    }
    for (ThreadState& thread : threads_) {
        thread.is_enabled = can_go(thread);
    }
}

void Machine::end(Strategy& strategy) {
    const bool all_over =
        std::all_of(threads_.begin(), threads_.end(), [](const ThreadState& thread) { return thread.is_over; });
    is_stuck_ = ready_.empty() && !all_over && !abandoned_;
    outcome_ = Outcome::passed;
    if (abandoned_) {
        outcome_ = Outcome::abandoned;
    } else if (failed_) {
        outcome_ = Outcome::check_failed;
    } else if (!all_over) {
        outcome_ = is_stuck_ ? Outcome::stuck : Outcome::over_budget;
    } else if (program_.holds_at_end && !program_.holds_at_end(*this)) {
        outcome_ = Outcome::check_failed;
    }
    if (is_stuck_) {
        for (std::uint32_t who = 0; who < threads_.size(); ++who) {
            const ThreadState& thread = threads_[who];
            if (!thread.is_over) {
                blocked_.push_back({keys_[who], thread.step + 1, pending_of(thread)});
            }
        }
    }
    strategy.end_run({.failed = has_failed() || outcome_ == Outcome::over_budget,
                      .abandoned = abandoned_,
                      .over_budget = outcome_ == Outcome::over_budget,
                      .steps = events_.size(),
                      .digest = digest_.value(),
                      .fingerprint = fingerprint_,
                      .blocked = blocked_});
    strategy_ = nullptr;
}

bool Machine::is_cause(std::size_t before, std::size_t after) const {
    if (events_[before].woke != events_[after].thread) {
        return false;
    }
    for (std::size_t between = before + 1; between < after; ++between) {
        if (events_[between].thread == events_[after].thread) {
            return false;
        }
    }
    return true;
}

Machine::Variable Machine::variable(std::int64_t initial) { return variables(1, initial)[0]; }

Machine::Variables Machine::variables(std::uint32_t count, std::int64_t initial) {
    const auto first = static_cast<std::uint32_t>(variables_.size());
    for (std::uint32_t i = 0; i < count; ++i) {
        variables_.push_back({key_of("variable", first + i), initial});
    }
    return {first};
}

Machine::Mutex Machine::mutex() { return mutexes(1)[0]; }

Machine::Mutexes Machine::mutexes(std::uint32_t count) {
    const auto first = static_cast<std::uint32_t>(mutexes_.size());
    for (std::uint32_t i = 0; i < count; ++i) {
        mutexes_.push_back({key_of("mutex", first + i)});
    }
    return {first};
}

Machine::CondVar Machine::cond_var() {
    cond_vars_.push_back({key_of("condition variable", cond_vars_.size())});
    return {static_cast<std::uint32_t>(cond_vars_.size() - 1)};
}

Machine::Thread Machine::thread(ThreadBody body) {
    const std::size_t index = threads_.size();
    if (keys_.size() == index) {
        keys_.push_back(key_of("thread", index));
    }
    ThreadState& state = threads_.emplace_back();
    state.body = std::move(body);
    state.leaf = state.body.handle();
    ends_.push_back({key_of("end", index)});
    return {static_cast<std::uint32_t>(index)};
}

Machine::Announced Machine::announce(Kind kind, std::uint32_t index, std::int64_t a, std::int64_t b) {
    return {*this, {kind, index, 0, a, b}};
}
Machine::Announced Machine::read(Variable variable) { return announce(Kind::read, variable.index); }
Machine::Announced Machine::write(Variable variable, std::int64_t value) {
    return announce(Kind::write, variable.index, value);
}
Machine::Announced Machine::fetch_add(Variable variable, std::int64_t value) {
    return announce(Kind::fetch_add, variable.index, value);
}
Machine::Announced Machine::cas(Variable variable, std::int64_t expected, std::int64_t desired) {
    return announce(Kind::cas, variable.index, expected, desired);
}
Machine::Announced Machine::acquire(Variable variable) { return announce(Kind::acquire, variable.index, -1); }
Machine::Announced Machine::lock(Mutex mutex) { return announce(Kind::lock, mutex.index); }
Machine::Announced Machine::unlock(Mutex mutex) { return announce(Kind::unlock, mutex.index); }
Machine::Announced Machine::wait(CondVar cond_var, Mutex mutex) {
    return {*this, {Kind::wait, cond_var.index, mutex.index}};
}
Machine::Announced Machine::signal(CondVar cond_var) { return announce(Kind::signal, cond_var.index); }
Machine::Announced Machine::spawn(ThreadBody body) {
    threads_[running_].spawned = std::move(body);
    return announce(Kind::spawn, 0);
}
Machine::Announced Machine::join(Thread thread) { return announce(Kind::join, thread.index); }

std::uint32_t Machine::choose(std::uint32_t classes) {
    std::uint32_t taken = 0;
    if (classes > 1 && !abandoned_) {
        question_.asker = keys_[running_];
        question_.asker_step = threads_[running_].step;
        question_.ordinal = ordinal_++;
        if (ask(ChoiceKind::value, classes, taken)) {
            data_.push_back(taken);
        }
        question_.asker = 0;
    }
    threads_[running_].chain = mix(threads_[running_].chain, taken);
    return taken;
}

bool Machine::ask(ChoiceKind kind, std::uint32_t classes, std::uint32_t& taken) {
    question_.kind = kind;
    question_.classes = classes;
    question_.depth = questions_;
    question_.digest = digest_.value();
    const std::uint32_t answer = strategy_->pick(question_);
    if (answer >= classes) {
        abandoned_ = true;
        return false;
    }
    ++questions_;
    digest_.fold(answer);
    taken = answer;
    return true;
}

/// Says what the thread's next step will begin with.
void Machine::list_operations(ThreadState& thread) {
    const Pending& pending = thread.pending;
    thread.operations_count = 1;
    Operation& first = thread.operations[0];
    switch (pending.kind) {
        case Kind::read: first = {variables_[pending.index].key, Access::read, false}; break;
        case Kind::write: first = {variables_[pending.index].key, Access::write, false}; break;
        case Kind::fetch_add:
        case Kind::cas: first = {variables_[pending.index].key, Access::update, false}; break;
        case Kind::acquire: first = {variables_[pending.index].key, Access::update, true}; break;
        case Kind::lock: first = {mutexes_[pending.index].key, Access::write, true}; break;
        case Kind::unlock: first = {mutexes_[pending.index].key, Access::write, false}; break;
        case Kind::wait:
            first = {mutexes_[pending.other].key, Access::write, false};
            thread.operations[1] = {cond_vars_[pending.index].key, Access::write, false};
            thread.operations_count = 2;
            break;
        case Kind::sleep: first = {cond_vars_[pending.index].key, Access::read, true}; break;
        case Kind::reacquire: first = {mutexes_[pending.other].key, Access::write, true}; break;
        case Kind::signal: first = {cond_vars_[pending.index].key, Access::write, false}; break;
        case Kind::join: first = {ends_[pending.index].key, Access::read, true}; break;
        case Kind::none:
        case Kind::spawn: thread.operations_count = 0; break;
    }
}

bool Machine::can_go(const ThreadState& thread) const {
    switch (thread.pending.kind) {
        case Kind::acquire: return variables_[thread.pending.index].value > 0;
        case Kind::lock: return mutexes_[thread.pending.index].value == 0;
        case Kind::reacquire: return mutexes_[thread.pending.other].value == 0;
        case Kind::join: return threads_[thread.pending.index].is_over;
        case Kind::none:
        case Kind::sleep: return false;
        default: return true;
    }
}

/// Lists who can go: the thread that made the last step first, then cyclically.
void Machine::list_ready() {
    ready_.clear();
    const auto count = static_cast<std::uint32_t>(threads_.size());
    const std::uint32_t first = events_.empty() ? 0 : running_;
    for (std::uint32_t who = first; who < count; ++who) {
        if (threads_[who].is_enabled) {
            ready_.push_back(who);
        }
    }
    for (std::uint32_t who = 0; who < first; ++who) {
        if (threads_[who].is_enabled) {
            ready_.push_back(who);
        }
    }
}

std::span<const Candidate> Machine::candidates() {
    candidates_.clear();
    for (const std::uint32_t who : ready_) {
        const ThreadState& thread = threads_[who];
        candidates_.push_back({.key = keys_[who],
                               .creator = thread.creator,
                               .kind = kind(),
                               .wake = thread.wake,
                               .calm_rank = static_cast<std::uint32_t>(candidates_.size()),
                               .step = thread.step + 1,
                               .enabled_by = thread.enabled_by,
                               .is_pending_known = options_.announces,
                               .pending = pending_of(thread)});
    }
    return candidates_;
}

void Machine::make_step(std::uint32_t who, std::uint32_t taken) {
    const Operation operations[2] = {threads_[who].operations[0], threads_[who].operations[1]};
    const std::uint32_t operations_count = threads_[who].operations_count;
    const WakeReason wake = threads_[who].wake;
    events_.push_back({.thread = who,
                       .first_touch = static_cast<std::uint32_t>(touches_.size()),
                       .first_answer = static_cast<std::uint32_t>(data_.size())});
    ++threads_[who].step;
    ordinal_ = 0;
    affects_others_ = false;
    digest_.fold(keys_[who] + (std::uint64_t{taken} << 8U));
    execute(who);
    digest_.fold(static_cast<std::uint64_t>(threads_[who].result));
    running_ = who;
    look_who_can_go(who);
    const ThreadState& thread = threads_[who];
    question_.previous = step_of(who);
    question_.previous_end = thread.is_over ? StepEnd::finished : StepEnd::parked;
    Event& event = events_.back();
    event.touches = static_cast<std::uint32_t>(touches_.size()) - event.first_touch;
    event.answers = static_cast<std::uint32_t>(data_.size()) - event.first_answer;
    tell_step(who, wake, std::span<const Operation>(operations, operations_count));
}

/// Makes the announced operation happen, and runs the thread up to its next announcement.
void Machine::execute(std::uint32_t who) {
    ThreadState& thread = threads_[who];
    const Pending pending = thread.pending;
    running_ = who;
    thread.result = 0;
    switch (pending.kind) {
        case Kind::read:
            touch(variables_[pending.index], Access::read);
            thread.result = variables_[pending.index].value;
            break;
        case Kind::write:
            touch(variables_[pending.index], Access::write);
            variables_[pending.index].value = pending.a;
            affects_others_ = true;
            break;
        case Kind::fetch_add:
        case Kind::acquire:
            affects_others_ = true;  // they may wait for the variable
            touch(variables_[pending.index], Access::update);
            thread.result = variables_[pending.index].value;
            variables_[pending.index].value += pending.a;
            break;
        case Kind::cas: {
            Object& variable = variables_[pending.index];
            thread.result = variable.value == pending.a ? 1 : 0;
            touch(variable, thread.result == 1 ? Access::update : Access::read);
            variable.value = thread.result == 1 ? pending.b : variable.value;
            affects_others_ = true;
            break;
        }
        case Kind::lock:
            touch(mutexes_[pending.index], Access::write);
            mutexes_[pending.index].value = 1;
            affects_others_ = true;
            break;
        case Kind::unlock:
            touch(mutexes_[pending.index], Access::write);
            mutexes_[pending.index].value = 0;
            affects_others_ = true;
            break;
        case Kind::wait:
            touch(mutexes_[pending.other], Access::write);
            touch(cond_vars_[pending.index], Access::write);
            mutexes_[pending.other].value = 0;
            affects_others_ = true;
            thread.ticket = ++tickets_;
            thread.pending.kind = Kind::sleep;
            list_operations(thread);
            return;
        case Kind::reacquire:
            touch(mutexes_[pending.other], Access::write);
            mutexes_[pending.other].value = 1;
            affects_others_ = true;
            break;
        case Kind::signal:
            touch(cond_vars_[pending.index], Access::write);
            wake_first(pending.index);
            break;
        case Kind::spawn: {
            const std::uint64_t creator = keys_[who];
            const std::uint64_t chain = thread.chain = mix(thread.chain, threads_.size());
            const Thread child = this->thread(std::move(thread.spawned));  // `thread` may have moved from here on
            threads_[child.index].creator = creator;
            threads_[child.index].chain = chain;
            threads_[child.index].enabled_by = step_of(who);
            events_.back().woke = child.index;
            created_keys_.push_back(keys_[child.index]);
            go_on(child.index);
            threads_[child.index].is_enabled = can_go(threads_[child.index]);
            running_ = who;
            threads_[who].result = child.index;
            break;
        }
        case Kind::join: touch(ends_[pending.index], Access::read); break;
        case Kind::none:
        case Kind::sleep: std::abort();  // never ready
    }
    go_on(who);
}

void Machine::go_on(std::uint32_t who) {
    running_ = who;
    threads_[who].pending.kind = Kind::none;
    threads_[who].operations_count = 0;
    threads_[who].leaf.resume();
    ThreadState& thread = threads_[who];
    if (thread.body.is_over()) {
        thread.is_over = true;
        affects_others_ = true;
        if (!events_.empty()) {
            touch(ends_[who], Access::write);
        }
    }
}

void Machine::wake_first(std::uint32_t cond_var) {
    ThreadState* first = nullptr;
    for (ThreadState& thread : threads_) {
        if (thread.pending.kind == Kind::sleep && thread.pending.index == cond_var &&
            (first == nullptr || thread.ticket < first->ticket)) {
            first = &thread;
        }
    }
    if (first != nullptr) {
        first->pending.kind = Kind::reacquire;
        list_operations(*first);
        affects_others_ = true;
        const auto woken = static_cast<std::uint32_t>(first - threads_.data());
        events_.back().woke = woken;
        if (!can_go(*first)) {
            // The mutex is held: the signal is a cause of the thread's next step all the same, and no other tells so.
            enabled_keys_.push_back(keys_[woken]);
        }
    }
}

/// Notes whom the step has enabled and disabled.
void Machine::look_who_can_go(std::uint32_t stepped) {
    ThreadState& self = threads_[stepped];
    self.wake = WakeReason::yield;
    self.enabled_by = step_of(stepped);
    self.is_enabled = can_go(self);
    if (!affects_others_) {
        return;
    }
    for (std::uint32_t who = 0; who < threads_.size(); ++who) {
        ThreadState& thread = threads_[who];
        const bool is_enabled = can_go(thread);
        if (who == stepped || is_enabled == thread.is_enabled) {
            continue;
        }
        thread.is_enabled = is_enabled;
        (is_enabled ? enabled_keys_ : disabled_keys_).push_back(keys_[who]);
        if (is_enabled) {
            thread.enabled_by = step_of(stepped);
            thread.wake = WakeReason::future;
        }
    }
}

void Machine::touch(Object& object, Access access) {
    touches_.push_back({object.key, access});
    if (!needs_.footprints) {
        return;
    }
    std::uint64_t& chain = threads_[running_].chain;
    const std::uint64_t cause = mix(chain, object.write_hash);
    if (access == Access::read) {
        chain = mix(cause, object.key);
        object.reads_sum += chain;
        fingerprint_ += mix(chain, 1);
    } else {
        chain = mix(cause + object.reads_sum, ~object.key);
        object.write_hash = chain;
        object.reads_sum = 0;
        fingerprint_ += mix(chain, 2);
    }
}

void Machine::tell_step(std::uint32_t who, WakeReason wake, std::span<const Operation> pending) {
    if (needs_.steps) {
        const Event& event = events_.back();
        strategy_->after_step({.entity = step_of(who),
                               .kind = kind(),
                               .wake = wake,
                               .end = question_.previous_end,
                               .footprint = footprint(event),
                               .created = created_keys_,
                               .enabled = enabled_keys_,
                               .disabled = disabled_keys_,
                               .data_classes = data_classes(event),
                               .is_pending_known = options_.announces,
                               .pending = options_.announces ? pending : std::span<const Operation>()});
    }
    created_keys_.clear();
    enabled_keys_.clear();
    disabled_keys_.clear();
}

}  // namespace mishap::test
