#include "sim/traces.hpp"

#include <algorithm>

namespace mishap::test {

bool do_conflict(std::span<const Touch> a, std::span<const Touch> b) {
    for (const Touch& one : a) {
        for (const Touch& other : b) {
            if (one.object == other.object && (one.access != Access::read || other.access != Access::read)) {
                return true;
            }
        }
    }
    return false;
}

std::string canonical_trace(const Machine& machine) {
    const std::span<const Machine::Event> events = machine.events();
    std::vector<std::size_t> layers(events.size(), 0);
    std::vector<std::pair<std::size_t, std::string>> words;
    std::vector<std::uint32_t> steps(machine.threads(), 0);
    for (std::size_t i = 0; i < events.size(); ++i) {
        for (std::size_t before = 0; before < i; ++before) {
            const bool is_dependent =
                events[before].thread == events[i].thread ||
                machine.is_cause(before, i) ||
                do_conflict(machine.footprint(events[before]), machine.footprint(events[i]));
            if (is_dependent) {
                layers[i] = std::max(layers[i], layers[before] + 1);
            }
        }
        std::string word = std::to_string(events[i].thread) + '.' + std::to_string(++steps[events[i].thread]) + ':';
        for (const Touch& touch : machine.footprint(events[i])) {
            word += std::to_string(touch.object % 9973) + (touch.access == Access::read ? "r " : "w ");
        }
        for (const std::uint32_t answer : machine.data_classes(events[i])) {
            word += '=' + std::to_string(answer);
        }
        words.emplace_back(layers[i], std::move(word));
    }
    std::sort(words.begin(), words.end());
    std::string text;
    for (const auto& [layer, word] : words) {
        text += std::to_string(layer) + '/' + word + '\n';
    }
    return text;
}

}  // namespace mishap::test
