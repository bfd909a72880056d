#include <mishap/sim/script_playback.hpp>

#include <algorithm>

#include <fmt/format.h>

namespace mishap {

namespace {

bool is_programs_question(ChoiceKind kind) {
    return kind == ChoiceKind::value || kind == ChoiceKind::chance || kind == ChoiceKind::fault;
}

std::string place_words(const ScriptPlace& place) {
    if (place.path == detail::clock_path) {
        return fmt::format("tick {} of the clock", place.step);
    }
    if (place.step != 0) {
        return fmt::format("{}'s step {}", place.path, place.step);
    }
    return fmt::format("{}'s checkpoint \"{}\"{}", place.path, place.checkpoint,
                       place.occurrence == 1 ? std::string() : fmt::format(" (number {})", place.occurrence));
}

/// Returns what in the options lets a question of this kind be asked at all.
const char* hint_for(ChoiceKind kind) {
    switch (kind) {
        case ChoiceKind::cancel:
            return "; only a task that was woken by a future it waited for can be (others with `cancel_everywhere`)";
        case ChoiceKind::forced_yield:
            return "; it made no wait there that could have gone on at once";
        case ChoiceKind::sweep:
            return "; an await goes wrong only if the option `sweep` says how";
        case ChoiceKind::tick:
            return "; the clock is asked only if two deadlines lie within `timer_slack`";
        default:
            return "";
    }
}

}  // namespace

ScriptPlayback::ScriptPlayback(const Script& script, ScriptFit fit, Observer* next)
    : script_(script), fit_(fit), next_(next) {}

bool ScriptPlayback::begin_run(const RunInfo& run) {
    const auto place_of = [](const ScriptPlace& place) {
        Place result;
        result.key = path_key(place.path);
        result.checkpoint = place.step == 0 ? hash_text(place.checkpoint) : 0;
        result.left = place.step == 0 ? place.occurrence : place.step;
        return result;
    };
    states_.clear();
    for (const Constraint& constraint : script_) {
        State state;
        state.place = place_of(constraint.place);
        for (const ScriptPlace& held : constraint.held) {
            state.held.push_back(place_of(held));
        }
        states_.push_back(std::move(state));
    }
    lives_.clear();
    life_by_key_.clear();
    gave_up_ = false;
    return run.number == 0;
}

std::uint32_t ScriptPlayback::pick(const Question& question) {
    if (gave_up_) {
        return abandon;
    }
    return question.kind == ChoiceKind::schedule ? pick_candidate(question) : pick_class(question);
}

std::uint32_t ScriptPlayback::pick_candidate(const Question& question) {
    const std::span<const Candidate> candidates = question.candidates();
    std::size_t which = 0;
    while (true) {
        for (std::uint32_t c = 0; c < candidates.size(); ++c) {
            if (holding(candidates[c], which) != nullptr) {
                continue;
            }
            if (candidates[c].kind == EntityKind::time) {
                // Nobody tells of this step: the clock makes none.
                for (State& state : states_) {
                    if (state.place.key == candidates[c].key && state.place.checkpoint == 0 &&
                        state.place.left == candidates[c].step) {
                        state.place.is_reached = true;
                    }
                }
            }
            return c;
        }
        State& state = *holding(candidates.front(), which);
        release(state, which, candidates.front().step, Breach::nobody_else);
        if (fit_ == ScriptFit::whole) {
            gave_up_ = true;
            return abandon;
        }
    }
}

std::uint32_t ScriptPlayback::pick_class(const Question& question) {
    for (std::size_t i = 0; i < states_.size(); ++i) {
        const Constraint& constraint = script_[i];
        State& state = states_[i];
        const bool is_kind = constraint.kind == question.kind ||
                             (constraint.kind == ChoiceKind::value && is_programs_question(question.kind));
        const bool is_place = state.place.key == question.asker &&
                              (state.place.checkpoint == 0 ? state.place.left == question.asker_step : state.place.left == 0);
        const bool is_question =
            (constraint.question == Constraint::any_question || constraint.question == question.ordinal) &&
            (constraint.label.empty() || hash_text(constraint.label) == question.key);
        if (!is_kind || !is_place || !is_question || state.place.is_reached || state.breach != Breach::none) {
            continue;
        }
        if (constraint.answer < question.classes) {
            state.place.is_reached = true;
            return constraint.answer;
        }
        state.breach = Breach::fewer_answers;
        state.classes = question.classes;
        if (fit_ == ScriptFit::whole) {
            gave_up_ = true;
            return abandon;
        }
        return question.classes - 1;
    }
    return 0;
}

bool ScriptPlayback::is_open(const State& state) const {
    return !state.held.empty() && !state.place.is_reached && state.breach == Breach::none;
}

ScriptPlayback::State* ScriptPlayback::holding(const Candidate& candidate, std::size_t& which) {
    for (State& state : states_) {
        if (!is_open(state)) {
            continue;
        }
        for (which = 0; which < state.held.size(); ++which) {
            const Place& held = state.held[which];
            if (held.key == candidate.key && (held.checkpoint == 0 ? held.left == candidate.step : held.left == 0)) {
                return &state;
            }
        }
    }
    return nullptr;
}

void ScriptPlayback::release(State& state, std::size_t which, std::uint32_t step, Breach breach) {
    state.breach = breach;
    state.breached_by = which;
    state.breached_step = step;
    if (const Life* const entity = find_life(state.place.key)) {
        state.then = *entity;
    }
}

void ScriptPlayback::on_event(const TraceEvent& event) {
    switch (event.kind) {
        case TraceEventKind::step:
            note_step(event.entity);
            break;
        case TraceEventKind::note:
            // A thread's beginning runs inside the step of who made it; whose checkpoint it is stands in the event.
            note_checkpoint(event.object != 0 ? event.object : event.entity.entity, hash_text(event.what));
            break;
        case TraceEventKind::create:
            life(event.object);
            break;
        case TraceEventKind::wait:
            life(event.entity.entity).state = "waited in ";
            life(event.entity.entity).operation = event.what;
            break;
        case TraceEventKind::end:
            // Claims that fail are told as ends too, and without an object; whoever made one goes no further.
            life(event.object != 0 ? event.object : event.entity.entity).state = "had ended";
            break;
        default:
            break;
    }
    if (next_ != nullptr) {
        next_->on_event(event);
    }
}

void ScriptPlayback::note_step(EntityStep step) {
    Life& entity = life(step.entity);
    entity.step = step.step;
    entity.state = entity.operation = "";
    for (State& state : states_) {
        for (std::size_t i = 0; i < state.held.size(); ++i) {
            Place& held = state.held[i];
            if (held.key != step.entity || (held.checkpoint == 0 ? held.left != step.step : held.left != 0)) {
                continue;
            }
            held.is_reached = true;
            if (is_open(state)) {
                release(state, i, step.step, Breach::was_forced);
                gave_up_ = gave_up_ || fit_ == ScriptFit::whole;
            }
        }
        if (!state.held.empty() && state.place.key == step.entity && state.place.checkpoint == 0 &&
            state.place.left == step.step) {
            state.place.is_reached = true;  // nobody is asked until the step has been made
        }
    }
}

void ScriptPlayback::note_checkpoint(std::uint64_t entity, std::uint64_t text) {
    const auto come_to = [&](Place& place) {
        if (place.key == entity && place.checkpoint == text && place.left != 0) {
            --place.left;
        }
        return place.checkpoint != 0 && place.left == 0;
    };
    for (State& state : states_) {
        const bool is_passed = come_to(state.place);
        if (!state.held.empty() && is_passed) {
            state.place.is_reached = true;
        }
        for (Place& held : state.held) {
            held.is_reached = come_to(held) || held.is_reached;
        }
    }
}

ScriptPlayback::Life& ScriptPlayback::life(std::uint64_t key) {
    const auto [entry, is_new] = life_by_key_.try_emplace(key, lives_.size());
    if (is_new) {
        lives_.push_back({key, 0, "has not begun", ""});
    }
    return lives_[entry->second];
}

bool ScriptPlayback::is_met(std::size_t constraint) const {
    const State& state = states_[constraint];
    return state.breach == Breach::none && state.place.is_reached &&
           std::all_of(state.held.begin(), state.held.end(), [](const Place& held) { return held.is_reached; });
}

std::size_t ScriptPlayback::met() const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < states_.size(); ++i) {
        count += is_met(i) ? 1U : 0U;
    }
    return count;
}

std::vector<std::string> ScriptPlayback::problems(const Names& names) const {
    std::vector<std::string> result;
    for (std::size_t i = 0; i < states_.size(); ++i) {
        if (!is_met(i)) {
            result.push_back(fmt::format("{}: {}", to_text(script_[i]), why(i, names)));
        }
    }
    return result;
}

std::string ScriptPlayback::why(std::size_t constraint, const Names& names) const {
    const Constraint& wanted = script_[constraint];
    const State& state = states_[constraint];
    const auto at_place = [&](const Life* entity) { return whereabouts(entity, wanted.place.path, names); };
    switch (state.breach) {
        case Breach::nobody_else:
        case Breach::was_forced: {
            const ScriptPlace& held = wanted.held[state.breached_by];
            return fmt::format("{} came first, in its step {}: {}; {}", held.path, state.breached_step,
                               state.breach == Breach::was_forced ? "nothing else could go"
                                                                  : "everything that could go was held back",
                               at_place(state.then.has_value() ? &*state.then : nullptr));
        }
        case Breach::fewer_answers:
            return fmt::format("the question has only {} answers, 0 to {}", state.classes, state.classes - 1);
        case Breach::none:
            break;
    }
    if (!state.place.is_reached) {
        return wanted.kind == ChoiceKind::schedule
                   ? fmt::format("the run never came to {}; {}", place_words(wanted.place), at_place(find_life(state.place.key)))
                   : fmt::format("nothing of the kind was asked at {}{}; {}", place_words(wanted.place),
                                 hint_for(wanted.kind), at_place(find_life(state.place.key)));
    }
    for (std::size_t i = 0; i < state.held.size(); ++i) {
        if (!state.held[i].is_reached) {
            return fmt::format("the run never came to {}; {}", place_words(wanted.held[i]),
                               whereabouts(find_life(state.held[i].key), wanted.held[i].path, names));
        }
    }
    return "it was met";
}

const ScriptPlayback::Life* ScriptPlayback::find_life(std::uint64_t key) const {
    const auto found = life_by_key_.find(key);
    return found == life_by_key_.end() ? nullptr : &lives_[found->second];
}

std::string ScriptPlayback::whereabouts(const Life* entity, const std::string& path, const Names& names) const {
    if (path == detail::clock_path) {
        return "time passes early only within the budget `time_passes`";
    }
    if (entity == nullptr) {
        constexpr std::size_t named_max = 8;
        std::string known;
        for (std::size_t i = 0; i < std::min(lives_.size(), named_max); ++i) {
            known += (known.empty() ? "" : ", ") + names.path(lives_[i].key);
        }
        return fmt::format("there was no {}; there are {}{}", path, known.empty() ? "none" : known,
                           lives_.size() > named_max ? fmt::format(" and {} more", lives_.size() - named_max) : "");
    }
    if (entity->step == 0) {
        return fmt::format("{} had not begun", path);
    }
    return fmt::format("{} had made {} step{}{}", path, entity->step, entity->step == 1 ? "" : "s",
                       *entity->state == '\0' ? std::string() : fmt::format(" and {}{}", entity->state, entity->operation));
}

}  // namespace mishap
