// Scripts as text, and what can be wrong with one before any run.

#include <mishap/sim/script.hpp>

#include "support/catch.hpp"

namespace mishap {
namespace {

bool has_problem(const Constraint& constraint, const std::string& part) {
    const std::string problem = problem_with({constraint});
    INFO(problem);
    return problem.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a constraint is told as the C++ that makes it") {
    CHECK(to_text(at("main/a", 3).before("main/b", 1)) == R"(at("main/a", 3).before("main/b", 1))");
    CHECK(to_text(at("main/a", "read done").before("main/b", "sent", 2)) ==
          R"(at("main/a", "read done").before("main/b", "sent", 2))");
    CHECK(to_text(at("main/a", "sent", 2).before("main/b", 1).before("main/task#2", 4)) ==
          R"(at("main/a", "sent", 2).before("main/b", 1).before("main/task#2", 4))");
    CHECK(to_text(at("main/a", 2).cancelled()) == R"(at("main/a", 2).cancelled())");
    CHECK(to_text(at("main/a", 2).yields()) == R"(at("main/a", 2).yields())");
    CHECK(to_text(at("main/a", 2).yields(1)) == R"(at("main/a", 2).yields(1))");
    CHECK(to_text(at("main/a", 2).gets("size", 3)) == R"(at("main/a", 2).gets("size", 3))");
    CHECK(to_text(at("main/a", 2).gets("size", 3, 1)) == R"(at("main/a", 2).gets("size", 3, 1))");
    CHECK(to_text(at_tick(2).before("main/a", 1)) == R"(at_tick(2).before("main/a", 1))");
    CHECK(to_text(at_tick(2).makes_further_due(1)) == "at_tick(2).makes_further_due(1)");
}

TEST_CASE("texts become literals that a compiler reads back") {
    CHECK(detail::cpp_literal(R"(say "a\b")") == R"("say \"a\\b\"")");
    CHECK(detail::cpp_literal("a\nb\tc\x01") == R"("a\nb\tc\001")");
}

TEST_CASE("a script that no run could follow is refused with a reason") {
    CHECK(problem_with({}).empty());
    CHECK(problem_with({at("main/a", 1).before("main/b", 1), at("main/a", "here").cancelled()}).empty());
    CHECK(has_problem(at("main/a", 0).before("main/b", 1), "steps are counted from 1"));
    CHECK(has_problem(at("main/a", 1).before("main/b", ""), "a checkpoint without a text"));
    CHECK(has_problem(at("", 1).cancelled(), "without a path"));
    CHECK(has_problem(at("main/a", "x", 0).cancelled(), "occurrences of a checkpoint"));
    CHECK(has_problem(at("main/a", 3).before("main/a", 1), "main/a would wait for itself"));
    CHECK(has_problem(at("main/a", 3).gets("size", 0), "answer 0 is the calm one"));
    CHECK(has_problem(at("main/a", 3).before("time#0", 1), "the clock waits for nobody"));
    CHECK(has_problem(Constraint{.place = {"main/a", 1}}, "say before(...)"));
}

}  // namespace mishap
