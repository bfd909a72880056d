#pragma once

// What a local minimum is held against: every single edit of a run, listed without the shrinker's help.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <mishap/sim/explorer.hpp>
#include <mishap/sim/shrinker.hpp>

namespace mishap::test {

struct SingleEdit {
    std::string what;
    Tape prefix;
    MishapList rest;
    bool is_always_simpler;  // no more has to be known of it than that it fails alike
};

/// Returns every run that is one deletion, one decrement or one move by a question away, with the answers behind the edit
/// once by position and once by entity.
inline std::vector<SingleEdit> single_edits(const Replayed& run) {
    std::vector<SingleEdit> edits;
    std::size_t m = 0;
    for (std::size_t at = 0; at < run.tape.size(); ++at) {
        const std::uint32_t taken = run.tape[at].taken;
        if (taken == 0) {
            continue;
        }
        const auto add = [&](const char* what, std::size_t to, std::uint32_t becomes, bool is_always_simpler) {
            Tape tape = run.tape;
            tape[at].taken = 0;
            tape[to].taken = becomes;
            const std::string name = std::string(what) + " at " + std::to_string(at);
            edits.push_back({name + ", by position", tape, {}, is_always_simpler});
            tape.resize(std::max(at, to) + 1);
            const MishapList rest(run.mishaps.begin() + static_cast<std::ptrdiff_t>(m) + 1, run.mishaps.end());
            edits.push_back({name + ", by entity", tape, rest, is_always_simpler && becomes == 0});
        };
        MishapList without = run.mishaps;
        without.erase(without.begin() + static_cast<std::ptrdiff_t>(m));
        edits.push_back({"dropped from the list", {}, without, true});
        add("dropped", at, 0, true);
        if (taken > 1) {
            add("one class less", at, taken - 1, true);
        }
        for (const std::size_t to : {at - 1, at + 1}) {
            if (to < run.tape.size()) {  // at - 1 wraps around for the first
                if (run.tape[to].taken == 0) {
                    add("moved", to, taken, false);
                    add("moved, lowest class", to, 1, false);
                } else {
                    Tape tape = run.tape;
                    std::swap(tape[at].taken, tape[to].taken);
                    edits.push_back({"swapped at " + std::to_string(at), tape, {}, false});
                }
            }
        }
        ++m;
    }
    return edits;
}

/// Returns what single edits of `run` show that it is no local minimum; empty: it is one.
inline std::vector<std::string> simpler_by_one_edit(Program& program, World& world, const Replayed& run) {
    std::vector<std::string> simpler;
    for (const SingleEdit& edit : single_edits(run)) {
        const Replayed other = replay(program, world, edit.rest, MishapPlayback::Match::exact, edit.prefix);
        const bool fails_alike = other.finding.has_value() && other.finding->signature() == run.finding->signature();
        if (fails_alike && (edit.is_always_simpler || is_simpler(other, run))) {
            simpler.push_back(edit.what);
        }
    }
    return simpler;
}

}  // namespace mishap::test
