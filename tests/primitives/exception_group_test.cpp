#include <mishap/primitives/exception_group.hpp>

#include <stdexcept>

#include <mishap/primitives/task_group.hpp>

#include "support/worlds.hpp"

using namespace mishap;
using namespace mishap::test;
using namespace std::chrono_literals;

namespace {

/// What a group throws that has a task which fails, and a group in it with two of other kinds.
std::exception_ptr nested_failure() {
    std::exception_ptr caught;
    in_a_calm_world([&] {
        try {
            task_group([](TaskGroup& outer) {
                outer.create_task([] {
                    try {
                        sleep(1h);
                    } catch (const CancelledError&) {
                        throw std::runtime_error("outer");
                    }
                });
                task_group([](TaskGroup& inner) {
                    inner.create_task([] { throw std::logic_error("first"); });
                    inner.create_task([] { throw std::runtime_error("second"); });
                    sleep(1h);
                });
            });
        } catch (const ExceptionGroup&) {
            caught = std::current_exception();
        }
    });
    return caught;
}

}  // namespace

TEST_CASE("a group of groups is printed as a tree") {
    CHECK(format_exception(nested_failure()) ==
          "ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)\n"
          "  std::runtime_error: outer\n"
          "  ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)\n"
          "    std::logic_error: first\n"
          "    std::runtime_error: second\n");
    CHECK(format_exception(std::make_exception_ptr(std::logic_error("alone"))) == "std::logic_error: alone\n");
}

TEST_CASE("a group of groups is split by type, and what belongs together stays together") {
    const auto [match, rest] = split<std::logic_error>(nested_failure());
    CHECK(format_exception(match) ==
          "ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n"
          "  ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n"
          "    std::logic_error: first\n");
    CHECK(format_exception(rest) ==
          "ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)\n"
          "  std::runtime_error: outer\n"
          "  ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n"
          "    std::runtime_error: second\n");
}

TEST_CASE("a split that leaves nothing on one side says so") {
    const std::exception_ptr failure = nested_failure();
    CHECK(split<std::exception>(failure).rest == nullptr);
    CHECK(split<CancelledError>(failure).match == nullptr);
    const auto alone = std::make_exception_ptr(CancelledError());
    CHECK(split<CancelledError>(alone).match == alone);
    CHECK(split<std::exception>(alone).rest == alone);
    CHECK(split<std::exception>(nullptr).match == nullptr);
}
