// Wrong use: one paragraph on standard error, with what to do, and exit code 2.

#include <algorithm>

#include "cli/shell.hpp"
#include "support/catch.hpp"

using namespace mishap::test;

namespace {

void check_refused(const std::string& command, const std::string& text) {
    const Ended ended = Shell().run(command);
    INFO(command << "\n" << ended.output << ended.errors);
    CHECK(ended.code == 2);
    CHECK(contains(ended.errors, text));
    CHECK(std::count(ended.errors.begin(), ended.errors.end(), '\n') == 1);
}

}  // namespace

TEST_CASE("a command line without a command says which there are") { check_refused("$F", "list, run, sweep or replay"); }

TEST_CASE("an unknown command is refused with a close one") { check_refused("$F rnu", "Did you mean run?"); }

TEST_CASE("an unknown option is refused with a close one") { check_refused("$F run --rnus 3", "Did you mean --runs?"); }

TEST_CASE("an option without its value is refused") { check_refused("$F run --jobs", "--jobs"); }

TEST_CASE("a value that makes no sense is refused with what would") {
    check_refused("$F run --runs many", "a whole number");
    check_refused("$F run --runs 0", "at least 1 run");
    check_refused("$F run --time 5", "500ms, 60s, 5m");
    check_refused("$F run --strategy randon", "Did you mean random?");
    check_refused("$F run --jobs 100000", "--jobs");
    check_refused("$F run --stack-size 1K", "8 KiB");
    check_refused("$F run good/ordered --out /proc/no", "Choose a directory");
}

TEST_CASE("a kind of sweep that is none is refused with a close one") {
    check_refused("$F sweep sweep/guarded --kind cancle", "Did you mean cancel?");
}

TEST_CASE("a pattern that matches nothing is refused with close names") {
    check_refused("$F run good/orderd", "Did you mean good/ordered?");
}

TEST_CASE("a malformed replay line is refused") {
    check_refused("$F replay 'mishap1:bad/check'", "cut short");
    check_refused("$F replay 'mishap1:bad/check:any::main/b#2<main/a#2:c352ef5b'", "checksum");
    check_refused("$F replay 'mishap9:bad/check:any:::00000000'", "newer mishap");
    check_refused("$F replay ''", "neither a replay line");
    check_refused("$F replay nothing-here", "neither a replay line");
    check_refused("$F replay /etc/hostname", "tape file");
    check_refused("$F replay", "needs the line");
}

TEST_CASE("a replay line of a scenario that is not here is refused with close names") {
    check_refused("$F replay mishap1:bad/chekc:any:::3a315f5a", "Did you mean bad/check?");
}

TEST_CASE("an unknown MISHAP_ variable is refused with a close one") {
    check_refused("MISHAP_RUSN=3 $F list", "Did you mean MISHAP_RUNS");
    check_refused("MISHAP_NOTHING_LIKE_IT=3 $F list", "--help lists");
}

TEST_CASE("a variable whose value makes no sense is refused by its name") {
    check_refused("MISHAP_TIME=soon $F list", "MISHAP_TIME was given 'soon'");
}

TEST_CASE("options overrule the environment") {
    const Shell shell;
    CHECK(contains(line_with(shell.run("MISHAP_RUNS=7 $F run good/many").output, "good/many"), "7 runs"));
    CHECK(contains(line_with(shell.run("MISHAP_RUNS=7 $F run good/many --runs 9").output, "good/many"), "9 runs"));
}

TEST_CASE("an option may stand before or after the command") {
    CHECK(contains(Shell().run("$F --runs 9 run good/many").output, "runs 9"));
}

TEST_CASE("a run nested in a run is wrong use, and is told as such") {
    const Ended ended = Shell().run("$F run usage/nested");
    CHECK(ended.code == 2);
    CHECK(contains(ended.output, "call it from ordinary code"));
}

TEST_CASE("help and version go to standard output") {
    const Ended help = Shell().run("$F --help");
    CHECK(help.code == 0);
    CHECK(contains(help.output, "--strategy"));
    CHECK(Shell().run("$F run --help").code == 0);
    CHECK(contains(Shell().run("$F --version").output, "mishap"));
}

TEST_CASE("every variable in the help is in the documentation") {
    const Ended ended = Shell().run("for v in $($F --help | grep -o 'MISHAP_[A-Z_]*'); do grep -q \"$v\" " MISHAP_SOURCE_DIR
                                    "/docs/environment.md || echo $v; done");
    CHECK(ended.code == 0);
    CHECK(ended.output.empty());
}
