#include <mishap/sim/choose.hpp>

#include <array>

#include <fmt/format.h>
#include <mishap/sim/errors.hpp>
#include <mishap/sim/world.hpp>

namespace mishap {

namespace {

World& running_world(const char* operation) {
    World* const world = detail::current_world();
    if (world == nullptr) {
        throw UsageError(fmt::format("{} was called where no loop runs; call it in a program under test", operation));
    }
    return *world;
}

std::uint32_t ask(World& world, ChoiceKind kind, std::uint32_t classes, std::span<const std::uint32_t> weights,
                  std::string_view label) {
    const std::uint64_t key = label.empty() ? 0 : hash_text(label);
    if (world.is_observing() && key != 0) {
        world.names().put(key, detail::outside_key, std::string(label));
    }
    const std::uint32_t taken = world.choices().decide(kind, classes, weights, world.running(), key);
    world.digest().fold(taken);
    world.observe_answer(taken);
    if (world.is_tracing() && taken != 0) {
        world.tell({.kind = TraceEventKind::mishap, .object = key, .value = taken, .what = to_text(kind)});
    }
    return taken;
}

constexpr std::array<std::uint32_t, 2> fault_weights = {3, 1};

}  // namespace

std::uint32_t choose(std::uint32_t count, std::string_view label) {
    World& world = running_world("choose()");
    if (count == 0) {
        throw UsageError("choose(0) has nothing to choose from; give the number of possibilities, at least 1");
    }
    return ask(world, ChoiceKind::value, count, {}, label);
}

bool chance(Odds odds, std::string_view label) {
    World& world = running_world("chance()");
    if (odds.of == 0 || odds.mishaps > odds.of) {
        throw UsageError(fmt::format("chance({{{}, {}}}) are no odds; give mishaps and cases, as in chance({{1, 50}})",
                                     odds.mishaps, odds.of));
    }
    if (odds.mishaps == 0) {
        return false;
    }
    const std::array<std::uint32_t, 2> weights = {odds.of - odds.mishaps, odds.mishaps};
    return ask(world, ChoiceKind::chance, 2, weights, label) != 0;
}

bool fault(std::string_view name) { return ask(running_world("fault()"), ChoiceKind::fault, 2, fault_weights, name) != 0; }

}  // namespace mishap
