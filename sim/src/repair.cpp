#include <mishap/sim/repair.hpp>

#include <algorithm>

#include <mishap/sim/detail/mishap_edits.hpp>
#include <mishap/sim/detail/nearby_search.hpp>
#include <mishap/sim/script_writer.hpp>

namespace mishap {

namespace {

using detail::MishapTexts;

/// Keeps who there is in a run, in order of appearance.
class Inventory final : public Observer {
public:
    void on_event(const TraceEvent& event) override {
        if (event.kind == TraceEventKind::create) {
            add(event.object);
        } else if (event.kind == TraceEventKind::step) {
            add(event.entity.entity);
        }
    }
    std::vector<std::string> paths(const Names& names) const {
        std::vector<std::string> result;
        for (const std::uint64_t key : keys_) {
            result.push_back(names.path(key));
        }
        return result;
    }

private:
    static constexpr std::size_t keys_max = 256;  // more names than a repair has runs for

    void add(std::uint64_t key) {
        if (keys_.size() < keys_max && std::find(keys_.begin(), keys_.end(), key) == keys_.end()) {
            keys_.push_back(key);
        }
    }

    std::vector<std::uint64_t> keys_;
};

class Repair {
public:
    Repair(Program& program, World& world, const MishapTexts& mishaps, std::string_view signature,
           const RepairLimits& limits)
        : program_(program), world_(world), mishaps_(mishaps), signature_(signature), limits_(limits) {}

    Repaired repair() {
        using Match = MishapPlayback::Match;
        const bool is_over = try_positions(mishaps_, Match::exact) || mishaps_.empty() || try_order(mishaps_) ||
                             try_positions(mishaps_, Match::entity) || try_positions(mishaps_, Match::anywhere) ||
                             try_lists(detail::with_moved_steps(mishaps_), limits_.runs_max / 2) ||
                             try_lists(detail::with_other_names(mishaps_, known()), limits_.runs_max * 3 / 4) || search();
        static_cast<void>(is_over);
        return std::move(best_);
    }

private:
    bool has_budget() const { return best_.runs < limits_.runs_max; }

    /// Plays the mishaps at the questions where they were recorded.
    bool try_positions(const MishapTexts& mishaps, MishapPlayback::Match match) {
        Replayed run = replay(program_, world_, without_texts(mishaps), match);
        const std::size_t matched = run.matched;
        return take(std::move(run), matched, moved_in(mishaps));
    }

    /// Plays what the mishaps say about order.
    bool try_order(const MishapTexts& mishaps) {
        PlayedScript played = play_script(program_, world_, detail::as_script(mishaps));
        return take(std::move(played.run), played.met, moved_in(mishaps));
    }

    bool try_lists(const std::vector<MishapTexts>& lists, std::uint64_t runs_max) {
        for (const MishapTexts& mishaps : lists) {
            if (best_.runs + 2 > runs_max) {
                return false;
            }
            if (try_order(mishaps) || try_positions(mishaps, MishapPlayback::Match::anywhere)) {
                return true;
            }
        }
        return false;
    }

    bool search() {
        detail::NearbySearch search(program_, world_, without_texts(mishaps_));
        search.add(detail::as_script(mishaps_), 0);
        search.add({}, 1);
        for (std::size_t dropped = 0; mishaps_.size() > 1 && dropped < mishaps_.size(); ++dropped) {
            MishapTexts fewer = mishaps_;
            fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(dropped));
            search.add(detail::as_script(fewer), 2);
        }
        while (has_budget()) {
            std::optional<Replayed> run = search.next();
            if (!run.has_value()) {
                return false;
            }
            const Found found = compare(*run);
            if (take(std::move(*run), found.matched, found.moved)) {
                best_.by_search = true;
                return true;
            }
        }
        return false;
    }

    struct Found {
        std::size_t matched = 0;
        std::size_t moved = 0;
    };

    /// Returns how many recorded mishaps `run` has too, of the same entity and kind, and how many of them elsewhere.
    Found compare(const Replayed& run) const {
        Found found;
        std::vector<bool> is_taken(run.mishaps.size(), false);
        for (const MishapText& recorded : mishaps_) {
            for (std::size_t i = 0; i < run.mishaps.size(); ++i) {
                const Mishap& mishap = run.mishaps[i];
                if (!is_taken[i] && mishap.kind == recorded.mishap.kind &&
                    mishap.who.entity == recorded.mishap.who.entity) {
                    is_taken[i] = true;
                    ++found.matched;
                    found.moved += mishap.who.step == recorded.mishap.who.step ? 0U : 1U;
                    break;
                }
            }
        }
        return found;
    }

    std::size_t moved_in(const MishapTexts& mishaps) const {
        std::size_t moved = 0;
        for (std::size_t i = 0; i < mishaps.size(); ++i) {
            moved += mishaps[i] == mishaps_[i] ? 0U : 1U;
        }
        return moved;
    }

    /// Keeps a run that is nearer to the recorded failure than the best: the first of all, then one that fails, then one
    /// that fails as recorded. Returns whether it does.
    bool take(Replayed&& run, std::size_t matched, std::size_t moved) {
        const bool fails = run.finding.has_value();
        const bool is_same = fails && (signature_.empty() || is_same_failure(signature_, run.finding->signature()));
        const bool is_nearer = best_.runs == 0 || is_same || (fails && !best_.run.finding.has_value());
        ++best_.runs;
        if (is_nearer) {
            best_.run = std::move(run);
            best_.matched = matched;
            best_.moved = std::min(moved, matched);
            best_.is_same = is_same;
        }
        return is_same;
    }

    /// Returns the paths of all that take part in the calm run.
    std::vector<std::string> known() {
        Inventory inventory;
        replay(program_, world_, MishapList{}, MishapPlayback::Match::exact, {}, &inventory);
        ++best_.runs;
        return inventory.paths(world_.names());
    }

    Program& program_;
    World& world_;
    const MishapTexts& mishaps_;
    std::string_view signature_;
    RepairLimits limits_;
    Repaired best_;
};

}  // namespace

Repaired repair(Program& program, World& world, std::span<const MishapText> mishaps, std::string_view signature,
                const RepairLimits& limits) {
    const MishapTexts copy(mishaps.begin(), mishaps.end());
    return Repair(program, world, copy, signature, limits).repair();
}

}  // namespace mishap
