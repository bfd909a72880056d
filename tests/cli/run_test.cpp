// What the commands list, run and replay do with scenarios that behave.

#include "cli/shell.hpp"
#include "support/catch.hpp"

using namespace mishap::test;

TEST_CASE("list names every scenario and its place") {
    const Ended ended = Shell().run("$F list");
    CHECK(ended.code == 0);
    CHECK(contains(line_with(ended.output, "bad/check"), "fixture.cpp:"));
    CHECK(contains(ended.output, "good/ordered"));
}

TEST_CASE("a scenario that passes ends with exit code 0 and says what the claim rests on") {
    const Ended ended = Shell().run("$F run good/ordered");
    CHECK(ended.code == 0);
    CHECK(contains(line_with(ended.output, "good/ordered"), "all 10 orders pass"));
    CHECK(contains(ended.output, "promised: any ready task may go next"));
    CHECK(ended.errors.empty());
}

TEST_CASE("settings and seed are told before the first verdict") {
    const Ended ended = Shell().run("$F run good/ordered --seed 12 --runs 7 --strategy random");
    CHECK(contains(line_with(ended.output, "settings:"), "runs 7"));
    CHECK(contains(line_with(ended.output, "settings:"), "strategy random"));
    CHECK(contains(line_with(ended.output, "good/ordered"), "seed 12 "));
    CHECK(contains(line_with(ended.output, "good/ordered"), "7 runs"));
}

TEST_CASE("two runs of one command say the same but for speed") {
    const std::string command = "$F run 'bad/*' --no-shrink | sed 's|[^ ]* runs/s||'";
    CHECK(Shell().run(command).output == Shell().run(command).output);
}

TEST_CASE("a pattern is a glob, a part of a name, or a whole name") {
    const Shell shell;
    CHECK(contains(shell.run("$F list 'good/*'").output, "good/many"));
    CHECK(contains(shell.run("$F list rdere").output, "good/ordered"));
    CHECK_FALSE(contains(shell.run("$F list bad/check").output, "bad/deadlock"));
}

TEST_CASE("every finding ends with exit code 1 and prints a command that reproduces it") {
    struct Expected {
        const char* scenario;
        const char* text;
    };
    const auto expected = GENERATE(Expected{"bad/check", "check failed: always(\"a is first\") does not hold"},
                                   Expected{"bad/exception", "std::runtime_error: b was first"},
                                   Expected{"bad/deadlock", "deadlock: 2 tasks can never go on"},
                                   Expected{"bad/lost_update", "lost update: "},
                                   Expected{"bad/budget", "needs more than 200 steps"});
    const Shell shell;
    const Ended found = shell.run(std::string("$F run ") + expected.scenario);
    INFO(found.output);
    CHECK(found.code == 1);
    CHECK(contains(line_with(found.output, expected.scenario), "FAIL"));
    CHECK(contains(found.output, expected.text));
    const std::string command = replay_command_in(found.output);
    REQUIRE(contains(command, " replay "));
    const Ended again = shell.run(command);
    CHECK(again.code == 1);
    CHECK(contains(again.output, expected.text));
}

TEST_CASE("a replay prints the failure as a test in C++ when asked to") {
    const Shell shell;
    const std::string command = replay_command_in(shell.run("$F run bad/check").output);
    const Ended exported = shell.run(command + " --export");
    INFO(exported.output);
    CHECK(exported.code == 1);
    CHECK(contains(exported.output, "TEST_CASE(\"bad/check: "));
    CHECK(contains(exported.output, "mishap::check(mishap::scenario_body(\"bad/check\"),"));
    CHECK(contains(exported.output, ".script = {at(\"main/b\", 2).before(\"main/a\", 2)}"));
    CHECK_FALSE(contains(exported.output, "the shortest story"));
}

TEST_CASE("a scenario with a script makes one run, in however many processes") {
    const Ended found = Shell().run("$F run bad/scripted --jobs 4");
    INFO(found.output);
    CHECK(found.code == 1);
    CHECK(contains(line_with(found.output, "bad/scripted"), "FAIL   1 run,"));
    CHECK(contains(found.output, "always(\"a is first\") does not hold"));
}

TEST_CASE("a replay line that would be too long is told as the path of a tape file") {
    const Shell shell;
    const Ended found = shell.run("$F run bad/long_line --no-shrink");
    const std::string command = replay_command_in(found.output);
    CHECK(contains(command, ".mishap/bad/long_line/"));
    CHECK(shell.run(command).code == 1);
}

TEST_CASE("the calm run of a program whose bug needs a mishap is said not to fail") {
    const Shell shell;
    const std::string mended = "mishap1:bad/check:any::";
    const Ended ended = shell.run("$F replay '" + mended + ":00000000'");
    REQUIRE(ended.code == 2);  // and tells the checksum that makes the edited line one
    const std::string mark = "should be '";
    const std::string crc = ended.errors.substr(ended.errors.find(mark) + mark.size(), 8);
    const Ended calm = shell.run("$F replay '" + mended + ":" + crc + "'");
    CHECK(calm.code == 0);
    CHECK(contains(calm.output, "did not fail"));
}

TEST_CASE("the lowest failing run is reported however many processes there are") {
    const Shell shell;
    const std::string command = "$F run bad/check bad/deadlock --strategy random --jobs ";
    const std::string alone = replay_command_in(shell.run(command + "1").output);
    REQUIRE_FALSE(alone.empty());
    CHECK(replay_command_in(shell.run(command + "2").output) == alone);
    CHECK(replay_command_in(shell.run(command + "3").output) == alone);
    CHECK(replay_command_in(shell.run(command + "0").output) == alone);
}

TEST_CASE("processes share the runs of a scenario") {
    const Ended ended = Shell().run("$F run good/many --strategy random --jobs 3");
    CHECK(ended.code == 0);
    CHECK(contains(line_with(ended.output, "good/many"), "50 runs, "));
}

TEST_CASE("a program that is not deterministic ends with exit code 3") {
    const Ended ended = Shell().run("$F run fault/global_state");
    CHECK(ended.code == 3);
    CHECK(contains(ended.output, "the program is not deterministic"));
    CHECK(contains(line_with(ended.output, "fault/global_state"), "FAULT"));
}

TEST_CASE("the worst of several scenarios decides the exit code") {
    CHECK(Shell().run("$F run good/ordered bad/check").code == 1);
    CHECK(Shell().run("$F run good/ordered bad/check fault").code == 3);
}

TEST_CASE("output that goes to a file has neither colours nor carriage returns") {
    const Ended ended = Shell().run("$F run good bad/check");
    CHECK_FALSE(contains(ended.output + ended.errors, "\r"));
    CHECK_FALSE(contains(ended.output + ended.errors, "\x1b"));
}

TEST_CASE("a terminal gets colours unless NO_COLOR is set") {
    const Shell shell;
    CHECK(contains(shell.run_on_terminal("$F run good/ordered"), "\x1b[32mok"));
    CHECK_FALSE(contains(shell.run_on_terminal("NO_COLOR=1 $F run good/ordered"), "\x1b[32m"));
}

TEST_CASE("sweep lists the awaits that a scenario does not survive, and a line that replays each") {
    Shell shell;
    const Ended clean = shell.run("$F sweep sweep/guarded");
    INFO(clean.output << clean.errors);
    CHECK(clean.code == 0);
    CHECK(contains(line_with(clean.output, "sweep/guarded"), "(cancel): all pass"));
    const Ended found = shell.run("$F sweep sweep --kind timeout");
    INFO(found.output << found.errors);
    CHECK(found.code == 1);
    CHECK(contains(line_with(found.output, "sweep/guarded"), "(timeout): all pass"));
    CHECK(contains(found.output, "(timeout): "));
    CHECK(contains(found.output, "1 fail"));
    CHECK(contains(line_with(found.output, "at first sleep at "), "cli/fixture.cpp:"));
    const std::string line = line_with(found.output, "replay 'mishap1:sweep/unguarded:any:sweep=timeout:sweep@main/a#1");
    CHECK(shell.run(line).code == 1);
}
