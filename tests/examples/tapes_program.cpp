// Records tapes of the examples to a file, or replays those of a file and compares their digests:
//   mishap_examples_tapes record <file> <count>
//   mishap_examples_tapes replay <file>
// Exit codes: 0 when every tape gave the run it was recorded from, 1 when one did not, 2 when it was used wrongly.

#include "scenario_runs.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace mishap;
using mishap::test::ScenarioRuns;

/// Returns an address that differs from process to process where address spaces are randomised.
std::uintptr_t some_address() {
    const auto object = std::make_unique<int>(0);
    const auto address = reinterpret_cast<std::uintptr_t>(object.get());
    return address;
}

int record(const char* path, std::uint64_t count) {
    std::ofstream file(path);
    file << some_address() << '\n';
    const std::vector<Scenario> scenarios = all_scenarios();
    for (std::size_t s = 0; s < scenarios.size(); ++s) {
        ScenarioRuns runs(scenarios[s]);
        // Every scenario gets its part, and the remainder is spread over the first ones.
        const std::uint64_t runs_here = count / scenarios.size() + (s < count % scenarios.size() ? 1 : 0);
        for (std::uint64_t number = 0; number < runs_here; ++number) {
            runs.run_at_random(2, number);
            const Tape tape = runs.tape();
            file << scenarios[s].name << ' ' << runs.digest() << ' ' << tape.size();
            for (const Choice& choice : tape) {
                file << ' ' << static_cast<unsigned>(choice.kind) << ' ' << choice.classes << ' ' << choice.taken << ' '
                     << choice.digest;
            }
            file << '\n';
        }
    }
    file.flush();
    if (!file) {
        std::fprintf(stderr, "%s could not be written\n", path);
        return 2;
    }
    return 0;
}

int replay_all(const char* path) {
    std::ifstream file(path);
    std::uintptr_t address = 0;
    if (!(file >> address)) {
        std::fprintf(stderr, "%s could not be read\n", path);
        return 2;
    }
    std::map<std::string, std::unique_ptr<ScenarioRuns>> runs;
    for (const Scenario& scenario : all_scenarios()) {
        runs.emplace(scenario.name, std::make_unique<ScenarioRuns>(scenario));
    }
    std::uint64_t tapes = 0;
    std::uint64_t divergences = 0;
    std::string name;
    std::uint64_t digest = 0;
    std::size_t size = 0;
    while (file >> name >> digest >> size) {
        Tape tape(size);
        for (Choice& choice : tape) {
            unsigned kind = 0;
            file >> kind >> choice.classes >> choice.taken >> choice.digest;
            choice.kind = static_cast<ChoiceKind>(kind);
        }
        const Replayed replayed = runs.at(name)->play(tape);
        ++tapes;
        if (replayed.mismatch.has_value() || replayed.digest != digest) {
            ++divergences;
            std::printf("tape %llu (%s) diverges\n", static_cast<unsigned long long>(tapes), name.c_str());
        }
    }
    std::printf("%llu tapes, %llu divergences; addresses %s those of the recording process\n",
                static_cast<unsigned long long>(tapes), static_cast<unsigned long long>(divergences),
                some_address() == address ? "are" : "differ from");
    return tapes != 0 && divergences == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 4 && std::strcmp(argv[1], "record") == 0) {
        return record(argv[2], std::strtoull(argv[3], nullptr, 10));
    }
    if (argc == 3 && std::strcmp(argv[1], "replay") == 0) {
        return replay_all(argv[2]);
    }
    std::fprintf(stderr, "usage: %s record <file> <count> | replay <file>\n", argv[0]);
    return 2;
}
