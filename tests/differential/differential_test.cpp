// The calm order against asyncio's: the same programs, the same lines.

#include <fstream>
#include <iterator>
#include <map>

#include "differential/program.hpp"
#include "support/catch.hpp"

namespace mishap::test {

namespace {

/// Returns the lines that CPython wrote for a program; a name `a/b` is section `b` of the file `a`.
std::vector<std::string> golden(const std::string& name) {
    const std::size_t slash = name.find('/');
    std::ifstream file(MISHAP_GOLDEN_FOLDER "/" + name.substr(0, slash) + ".txt");
    INFO("golden/" << name.substr(0, slash) << ".txt");
    REQUIRE(file.is_open());
    const std::string section = slash == std::string::npos ? std::string() : "== " + name.substr(slash + 1);
    std::vector<std::string> lines;
    bool is_inside = section.empty();
    for (std::string line; std::getline(file, line);) {
        if (!section.empty() && line.rfind("== ", 0) == 0) {
            is_inside = line == section;
        } else if (is_inside) {
            lines.push_back(line);
        }
    }
    return lines;
}

std::vector<Program> all_programs() {
    std::vector<Program> all;
    for (const auto& part : {task_programs, loop_programs, lock_programs, queue_programs, condition_programs,
                             gather_programs, timeout_programs, group_programs, context_programs, wait_programs,
                             storm_programs}) {
        std::vector<Program> programs = part();
        all.insert(all.end(), std::make_move_iterator(programs.begin()),
                   std::make_move_iterator(programs.end()));
    }
    return all;
}

/// Compares line by line, so that the first difference is what one reads.
void check_against_asyncio(const Program& program, const WorldOptions& options) {
    INFO(program.name);
    const std::vector<std::string> expected = golden(program.name);
    const std::vector<std::string> lines = run_program(program, options);
    for (std::size_t i = 0; i < lines.size() && i < expected.size(); ++i) {
        INFO("line " << i + 1 << (i == 0 ? "" : ", after: " + lines[i - 1]));
        REQUIRE(lines[i] == expected[i]);
    }
    CHECK(lines.size() == expected.size());
}

}  // namespace

TEST_CASE("Order::fifo is asyncio's order, event by event") {
    for (const Program& program : all_programs()) {
        WorldOptions options;
        options.order = Order::fifo;
        check_against_asyncio(program, options);
    }
}

TEST_CASE("The calm run of Order::any is asyncio's order, event by event") {
    for (const Program& program : all_programs()) {
        check_against_asyncio(program, {});
    }
}

}  // namespace mishap::test
