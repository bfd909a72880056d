#include <mishap/sim/detail/wakeup_tree.hpp>

#include <string>
#include <vector>

#include "support/catch.hpp"

namespace mishap {
namespace {

using detail::Footprints;
using detail::Independence;
using detail::PlannedStep;
using detail::WakeupTrees;

/// Wakeup sequences as words: "a1 b2" is a step of a that writes object 1, then one of b that writes object 2.
class Forest {
public:
    void insert(const std::string& words) {
        std::vector<PlannedStep> sequence = steps_of(words);
        trees_.insert(root_, sequence, independence_, false, {});
    }
    /// Takes all paths out, first to last.
    std::vector<std::string> paths() {
        std::vector<std::string> result;
        std::vector<PlannedStep> path;
        while (!root_.empty()) {
            trees_.first_path(root_, path);
            std::string words;
            for (const PlannedStep& step : path) {
                words += (words.empty() ? "" : " ") + std::string(1, static_cast<char>('a' + step.entity)) +
                         std::to_string(footprints_.uses(step.footprint).front().object);
            }
            result.push_back(words);
            trees_.remove_first_path(root_);
        }
        return result;
    }
    bool is_weak_initial(const std::string& step, const std::string& words) {
        std::size_t place = 0;
        return independence_.is_weak_initial(steps_of(step).front(), steps_of(words), place);
    }
    std::size_t capacity() const { return trees_.capacity(); }

private:
    std::vector<PlannedStep> steps_of(const std::string& words) {
        std::vector<PlannedStep> steps;
        for (std::size_t i = 0; i < words.size(); i += 3) {
            const Touch touch{static_cast<std::uint64_t>(words[i + 1]), Access::write};
            PlannedStep& step = steps.emplace_back();
            step.entity = static_cast<std::uint32_t>(words[i] - 'a');
            step.footprint = step.footprint_reading =
                footprints_.intern({.touches = std::span<const Touch>(&touch, 1), .disabled = {}});
            step.is_exact = true;
        }
        return steps;
    }

    Footprints footprints_;
    Independence independence_{footprints_};
    WakeupTrees trees_;
    WakeupTrees::Branches root_;
};

}  // namespace

TEST_CASE("a weak initial is a step that can be moved to the front, or one that nothing in the sequence depends on") {
    Forest forest;
    CHECK(forest.is_weak_initial("a1", "a1 b1"));
    CHECK(forest.is_weak_initial("b2", "a1 b2"));
    CHECK(forest.is_weak_initial("c3", "a1 b2"));
    CHECK_FALSE(forest.is_weak_initial("b1", "a1 b1"));
    CHECK_FALSE(forest.is_weak_initial("c2", "a1 b2"));
}

TEST_CASE("a sequence is added behind those that do not cover it, and shares their beginnings") {
    Forest forest;
    forest.insert("a0 b0");
    forest.insert("b0 a0");
    forest.insert("a0 c0");
    CHECK(forest.paths() == std::vector<std::string>{"a0 b0", "a0 c0", "b0 a0"});
}

TEST_CASE("a sequence whose steps come in another order is covered, if the order does not matter") {
    Forest forest;
    forest.insert("a0 b1 c0");
    forest.insert("b1 a0 c0");
    CHECK(forest.paths() == std::vector<std::string>{"a0 b1 c0"});
}

TEST_CASE("a leaf covers every sequence that can begin with it") {
    Forest forest;
    forest.insert("a0");
    forest.insert("a0 b0 c0");
    forest.insert("b1 c1");  // a0 can be put before it
    CHECK(forest.paths() == std::vector<std::string>{"a0"});
}

TEST_CASE("a sequence that does not fit is refused, and nothing of it is kept") {
    const Footprints footprints;
    const Independence independence(footprints);
    WakeupTrees trees;
    WakeupTrees::Branches root;
    std::vector<PlannedStep> sequence(WakeupTrees::nodes_max + 1);
    CHECK_FALSE(trees.insert(root, sequence, independence, false, {}));
    CHECK(root.empty());
    sequence.resize(2);
    CHECK(trees.insert(root, sequence, independence, false, {}));
    CHECK_FALSE(root.empty());
}

TEST_CASE("what was explored is used again") {
    Forest forest;
    for (int round = 0; round < 100; ++round) {
        forest.insert("a0 b0 c0");
        forest.insert("b0 a0 c0");
        CHECK(forest.paths().size() == 2);
    }
    CHECK(forest.capacity() == 6);
}

}  // namespace mishap
