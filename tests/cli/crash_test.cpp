// Scenarios that end their process: nothing is lost, and the others still run.

#include <filesystem>

#include "cli/shell.hpp"
#include "support/catch.hpp"

using namespace mishap::test;

TEST_CASE("a process that dies is a finding whose tape is kept and replays") {
    struct Expected {
        const char* scenario;
        const char* text;
    };
    // Sanitizers turn SIGSEGV into a report and an exit code.
    const auto expected = GENERATE(Expected{"crash/abort", "SIGABRT"}, Expected{"crash/kill", "SIGKILL"},
                                   Expected{"crash/segv", "ended the process"}, Expected{"crash/stack", "crash"});
    const Shell shell;
    Ended found = shell.run(std::string("$F run good/ordered ") + expected.scenario);
    INFO(found.output << found.errors);
    CHECK(found.code == 1);
    CHECK(contains(found.output, "1 of 2 scenarios passed"));
    CHECK(contains(found.output, "crash: "));
    CHECK(contains(found.output, "its tape was recovered"));
    const Ended again = shell.run(replay_command_in(found.output));
    CHECK(again.code == 1);
    CHECK(contains(again.output, "crash: "));
    if (std::string(expected.text) == "SIGABRT" || std::string(expected.text) == "SIGKILL") {
        CHECK(contains(found.output, expected.text));
        CHECK(contains(again.output, expected.text));
    }
}

TEST_CASE("a contradiction in mishap itself is a fault whose tape is kept") {
    const Shell shell;
    const Ended found = shell.run("$F run crash/mishap_bug");
    INFO(found.output << found.errors);
    CHECK(found.code == 3);
    CHECK(contains(found.output, "mishap contradicts itself"));
    CHECK(contains(found.output, "its tape was recovered"));
    CHECK(shell.run("$F run crash/mishap_bug --jobs 0").code == 3);
}

TEST_CASE("output that is lost is a fault") {
    const Shell shell;
    const Ended ended = shell.run("$F list > /dev/full");
    CHECK(ended.code == 3);
    CHECK(contains(ended.errors, "not all of the output could be written"));
}

TEST_CASE("the lowest failing run is reported when it kills its process") {
    const Shell shell;
    const std::string command = "$F run crash/abort --strategy random --jobs ";
    const std::string alone = line_with(shell.run(command + "1").output, "  in run ");
    REQUIRE_FALSE(alone.empty());
    CHECK(line_with(shell.run(command + "3").output, "  in run ") == alone);
}

TEST_CASE("no tape of a run in flight is left behind by processes that have a supervisor") {
    const Shell shell;
    shell.run("$F run good bad crash/abort --no-shrink --jobs 2");
    for (const auto& entry : std::filesystem::recursive_directory_iterator(shell.folder())) {
        CHECK_FALSE(contains(entry.path().filename().string(), "in-flight"));
    }
}

TEST_CASE("the next run recovers the tape of a process that died without a supervisor") {
    const Shell shell;
    CHECK(shell.run("$F run crash/kill --jobs 0").code == 137);
    const Ended next = shell.run("$F run good/ordered");
    CHECK(next.code == 0);
    CHECK(contains(next.output, "died in the middle of a run of crash/kill"));
    const std::string command = line_with(next.output, "recovered-");
    const Ended again = shell.run(command);
    CHECK(again.code == 1);
    CHECK(contains(again.output, "SIGKILL"));
    CHECK_FALSE(contains(shell.run("$F run good/ordered").output, "died in the middle"));
}

TEST_CASE("a tape of a run in flight can be replayed as it lies there") {
    const Shell shell;
    shell.run("$F run crash/kill --jobs 0");
    const Ended again = shell.run("$F replay .mishap/crash/kill/in-flight-*.tape");
    CHECK(again.code == 1);
    CHECK(contains(again.output, "SIGKILL"));
}

TEST_CASE("a damaged tape of a run in flight is set aside with a word", "[leftover]") {
    const Shell shell;
    const Ended next = shell.run("mkdir -p .mishap/x; echo mishapT1 > .mishap/x/in-flight-999999999.tape; $F run good/ordered");
    CHECK(next.code == 0);
    CHECK(contains(next.output, "left nothing to replay"));
    CHECK(std::filesystem::exists(shell.folder() / ".mishap/x/in-flight-999999999.tape.damaged"));
}

TEST_CASE("a step that never returns is stopped, and its tape replays", "[real]") {
    const Shell shell;
    const Ended found = shell.run("$F run hang/step good/ordered");
    CHECK(found.code == 1);
    CHECK(contains(found.errors, "a step never returned (hang/step)"));
    CHECK(contains(line_with(found.output, "hang/step"), "a step never returned"));
    CHECK(contains(found.output, "1 of 2 scenarios passed"));
    const Ended again = shell.run(replay_command_in(found.output));
    CHECK(again.code == 1);
    CHECK(contains(again.output, "a step never returned"));
}

TEST_CASE("an interrupted search leaves neither workers nor tapes of runs in flight", "[real]") {
    const Shell shell;
    const Ended ended = shell.run(
        "$F run good/ordered --strategy random --runs 1000000000 --jobs 2 & sleep 1; kill -TERM $!; wait $!");
    CHECK(ended.code == 143);
    CHECK(contains(ended.errors, "interrupted"));
    CHECK(shell.run("find .mishap -name 'in-flight*'").output.empty());
}
