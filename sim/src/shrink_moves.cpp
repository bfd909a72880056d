// The shrink passes that leave as many mishaps as there were: lower classes, other places.

#include <mishap/sim/detail/shrink_passes.hpp>

#include <algorithm>
#include <array>

namespace mishap::detail {

namespace {

constexpr std::size_t move_max = 64;  // questions; further moves are seldom simpler and each costs a run

/// How the answers behind an edit are played.
enum class Rest { by_position, by_entity };
constexpr std::array rests = {Rest::by_entity, Rest::by_position};

/// The best tape with mishap `m`, at position `from`, moved to position `to` with class `taken` (0: dropped).
TapeEdit moved(const ShrinkSession& session, std::size_t m, std::size_t to, std::uint32_t taken, Rest rest) {
    const Replayed& best = session.best();
    const std::vector<std::size_t> at = session.positions();
    TapeEdit edit{best.tape, {}};
    edit.prefix[at[m]].taken = 0;
    edit.prefix[to].taken = taken;
    if (rest == Rest::by_entity) {
        edit.prefix.resize(to + 1);
        for (std::size_t other = 0; other < at.size(); ++other) {
            if (other != m && at[other] > to) {
                edit.rest.push_back(best.mishaps[other]);
            }
        }
    }
    return edit;
}

bool try_moved(ShrinkSession& session, std::size_t m, std::size_t to, std::uint32_t taken) {
    return std::any_of(rests.begin(), rests.end(),
                       [&](Rest rest) { return session.try_edit(moved(session, m, to, taken, rest)); });
}

/// The best tape where the entity of mishap `m` does not go at that question, but as soon as it can be chosen after it.
TapeEdit delayed(const ShrinkSession& session, std::size_t m) {
    const Replayed& best = session.best();
    const std::size_t at = session.positions()[m];
    TapeEdit edit{Tape(best.tape.begin(), best.tape.begin() + static_cast<std::ptrdiff_t>(at) + 1),
                  MishapList(best.mishaps.begin() + static_cast<std::ptrdiff_t>(m), best.mishaps.end()),
                  MishapPlayback::Match::anywhere};
    edit.prefix.back().taken = 0;
    return edit;
}

bool try_delayed(ShrinkSession& session, std::size_t m) {
    return session.best().mishaps[m].kind == ChoiceKind::schedule && session.try_edit(delayed(session, m));
}

/// Smaller classes than `taken` that are worth a run: the smallest, and then ever nearer to it. One less is among them.
std::vector<std::uint32_t> lower_than(std::uint32_t taken) {
    constexpr std::uint32_t smallest = 4;
    std::vector<std::uint32_t> classes;
    for (std::uint32_t lower = 1; lower < taken && lower <= smallest; ++lower) {
        classes.push_back(lower);
    }
    for (std::uint32_t less = taken / 2; less > 0; less /= 2) {
        if (taken - less > smallest) {
            classes.push_back(taken - less);
        }
    }
    return classes;
}

}  // namespace

bool lower_classes(ShrinkSession& session) {
    bool improved = false;
    for (std::size_t m = 0; m < session.best().mishaps.size(); ++m) {
        const std::size_t at = session.positions()[m];
        for (const std::uint32_t lower : lower_than(session.best().tape[at].taken)) {
            if (try_moved(session, m, at, lower)) {
                improved = true;
                break;
            }
        }
    }
    return improved;
}

bool move_later(ShrinkSession& session) {
    bool improved = false;
    for (std::size_t m = 0; m < session.best().mishaps.size(); ++m) {
        const std::vector<std::size_t> at = session.positions();
        const std::size_t next = m + 1 < at.size() ? at[m + 1] : session.best().tape.size();
        for (std::size_t distance = std::min(next - 1 - at[m], move_max); distance > 0; distance /= 2) {
            if (try_moved(session, m, at[m] + distance, 1)) {
                improved = true;
                break;
            }
        }
    }
    return improved;
}

bool move_earlier(ShrinkSession& session) {
    bool improved = false;
    for (std::size_t m = 0; m < session.best().mishaps.size(); ++m) {
        const std::vector<std::size_t> at = session.positions();
        const std::size_t room = at[m] - (m == 0 ? 0 : at[m - 1] + 1);
        for (std::size_t distance = 1; distance <= std::min(room, move_max); distance *= 2) {
            if (try_moved(session, m, at[m] - distance, 1)) {
                improved = true;
                break;
            }
        }
    }
    return improved;
}

bool delay_entities(ShrinkSession& session) {
    bool improved = false;
    for (std::size_t m = 0; m < session.best().mishaps.size(); ++m) {
        while (m < session.best().mishaps.size() && try_delayed(session, m)) {
            improved = true;
        }
    }
    return improved;
}

bool try_single_edits(ShrinkSession& session) {
    for (std::size_t m = 0; m < session.best().mishaps.size(); ++m) {
        const std::vector<std::size_t> at = session.positions();
        const std::uint32_t taken = session.best().tape[at[m]].taken;
        const bool may_go_later = at[m] + 1 < session.best().tape.size();
        const bool may_go_earlier = at[m] > 0;
        // A neighbour that is a mishap too changes places with this one.
        const auto swap_with = [&](std::size_t other) {
            TapeEdit edit{session.best().tape, {}};
            std::swap(edit.prefix[at[m]].taken, edit.prefix[other].taken);
            return session.try_edit(edit);
        };
        if (try_moved(session, m, at[m], 0) || (taken > 1 && try_moved(session, m, at[m], taken - 1)) ||
            (may_go_later && (try_moved(session, m, at[m] + 1, taken) || try_moved(session, m, at[m] + 1, 1))) ||
            (may_go_earlier && (try_moved(session, m, at[m] - 1, taken) || try_moved(session, m, at[m] - 1, 1))) ||
            (may_go_later && swap_with(at[m] + 1)) || try_delayed(session, m)) {
            return true;
        }
    }
    return false;
}

}  // namespace mishap::detail
