// Programs of the language against the logs that CPython 3.13 wrote. The tool has more of them, and makes new
// ones.

#include <fstream>

#include "differential/language.hpp"
#include "support/catch.hpp"

namespace mishap::test::language {

namespace {

struct Recorded {
    std::string program;
    std::vector<std::string> log;
};

std::vector<Recorded> recorded_programs() {
    std::ifstream file(MISHAP_GOLDEN_FOLDER "/language.txt");
    REQUIRE(file.is_open());
    std::vector<Recorded> all;
    for (std::string line; std::getline(file, line);) {
        if (line.rfind("== ", 0) == 0) {
            all.push_back({line.substr(3), {}});
        } else {
            all.back().log.push_back(line);
        }
    }
    return all;
}

}  // namespace

TEST_CASE("Random programs run as in CPython 3.13, line by line") {
    const std::vector<Recorded> all = recorded_programs();
    CHECK(all.size() == 200);
    for (const Recorded& recorded : all) {
        INFO(recorded.program);
        for (const Order order : {Order::fifo, Order::any}) {
            WorldOptions options;
            options.order = order;
            CHECK(run(parse(recorded.program), options) == recorded.log);
        }
    }
}

TEST_CASE("A program of the language is the same after it was written and read") {
    for (const Recorded& recorded : recorded_programs()) {
        CHECK(to_json(parse(recorded.program)) == recorded.program);
    }
}

}  // namespace mishap::test::language
