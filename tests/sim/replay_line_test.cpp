#include <mishap/sim/replay_line.hpp>

#include "sim/tape_samples.hpp"
#include "support/catch.hpp"

using namespace mishap;
using namespace mishap::samples;
using namespace std::chrono_literals;

namespace {

constexpr const char* bank =
    "mishap1:bank/transfer:any:cancel=1,slack=20ms:main/worker#3<main/task#2#1,cancel@main/a#2:950388c2";

EntityStep at(const char* path, std::uint32_t step) { return {path_key(path), step}; }

MishapText schedule(const char* who, std::uint32_t who_step, const char* calm, std::uint32_t calm_step) {
    MishapText text;
    text.mishap.who = at(who, who_step);
    text.mishap.calm = at(calm, calm_step);
    text.who = who;
    text.calm = calm;
    return text;
}

MishapText asked(ChoiceKind kind, const char* who, std::uint32_t step) {
    MishapText text;
    text.mishap.kind = kind;
    text.mishap.who = at(who, step);
    text.who = who;
    return text;
}

ReplayLine bank_replay() {
    ReplayLine replay;
    replay.scenario = "bank/transfer";
    replay.options.cancellations = 1;
    replay.options.timer_slack = 20ms;
    replay.mishaps = {schedule("main/worker", 3, "main/task#2", 1), asked(ChoiceKind::cancel, "main/a", 2)};
    return replay;
}

std::string error_of(const std::string& line) {
    return usage_error([&] { parse_replay_line(line); });
}

/// Returns `body` with the checksum that fits it, to reach the checks behind the checksum.
std::string with_checksum(const std::string& body) {
    const std::string error = error_of(body + ":00000000");
    const std::string mark = "should be '";
    const std::size_t found = error.find(mark);
    return found == std::string::npos ? error : body + ":" + error.substr(found + mark.size(), 8);
}

}  // namespace

TEST_CASE("a line reads as the documentation has it") { CHECK(to_line(bank_replay()) == bank); }

TEST_CASE("a line gives back the replay it was made from") {
    const ReplayLine replay = parse_replay_line(bank);
    CHECK(replay.scenario == "bank/transfer");
    CHECK(same_options(replay.options, bank_replay().options));
    CHECK(replay.mishaps == bank_replay().mishaps);
}

TEST_CASE("every kind of mishap has its short form") {
    MishapText yield = asked(ChoiceKind::forced_yield, "main/a", 2);
    yield.mishap.ordinal = 1;
    CHECK(to_text(yield) == "yield@main/a#2.1");
    MishapText value = asked(ChoiceKind::value, "main/a.b", 2);
    value.mishap.taken = 2;
    value.mishap.classes = 5;
    value.label = "a size";
    value.mishap.label = hash_text("a size");
    CHECK(to_text(value) == "value@main/a.b#2=2/5[a%20size]");
    CHECK(to_text(asked(ChoiceKind::tick, "", 3)) == "tick@#3");
    CHECK(to_text(schedule("main/task#2", 3, "main", 1)) == "main/task#2#3<main#1");
}

TEST_CASE("a text that is not the key's is not written, the key is") {
    MishapText wrong = asked(ChoiceKind::cancel, "main/a", 2);
    wrong.mishap.who.entity = 0x12;
    CHECK(to_text(wrong) == "cancel@?0000000000000012#2");
    MishapText label = asked(ChoiceKind::fault, "main/a", 2);
    label.mishap.label = 0x34;
    CHECK(to_text(label) == "fault@main/a#2[?0000000000000034]");
    ReplayLine replay;
    replay.mishaps = {wrong, label};
    const ReplayLine again = parse_replay_line(to_line(replay));
    CHECK(without_texts(again.mishaps) == MishapList{wrong.mishap, label.mishap});
}

TEST_CASE("names give a run's mishaps their texts") {
    Names names;
    names.put(detail::main_key, detail::outside_key, "main");
    names.put(path_key("main/a"), detail::main_key, "a");
    names.put(hash_text("disk full"), detail::outside_key, "disk full");
    Mishap order;
    order.who = at("main/a", 2);
    order.calm = at("main", 1);
    order.taken = 4;  // means nothing for a schedule
    order.classes = 9;
    Mishap fault;
    fault.kind = ChoiceKind::fault;
    fault.who = at("main/a", 2);
    fault.label = hash_text("disk full");
    ReplayLine replay;
    replay.mishaps = with_texts({order, fault}, names);
    CHECK(to_text(replay.mishaps[0]) == "main/a#2<main#1");
    CHECK(to_text(replay.mishaps[1]) == "fault@main/a#2[disk%20full]");
    CHECK(parse_replay_line(to_line(replay)).mishaps == replay.mishaps);
}

TEST_CASE("a calm run has a line too") {
    const ReplayLine replay = parse_replay_line(to_line({}));
    CHECK(replay.scenario.empty());
    CHECK(replay.mishaps.empty());
    CHECK(same_options(replay.options, WorldOptions{}));
}

TEST_CASE("white space and quotes around a line do not matter") {
    for (const std::string& around : {std::string("'"), std::string("\""), std::string("`")}) {
        CHECK(parse_replay_line(" \t" + around + bank + around + "\r\n").mishaps.size() == 2);
    }
}

TEST_CASE("a line is told from a file's path") {
    CHECK(is_replay_line(bank));
    CHECK(is_replay_line("'mishap2:what a later version thinks of'"));
    CHECK_FALSE(is_replay_line(".mishap/bank/transfer/1.tape"));
    CHECK_FALSE(is_replay_line("mishap.tape"));
    CHECK_FALSE(is_replay_line("mishap"));
    CHECK_FALSE(is_replay_line(""));
}

TEST_CASE("random replays survive being written and read") {
    Prng prng(1);
    for (int i = 0; i < 500; ++i) {
        const ReplayLine replay{random_text(prng, 15), random_options(prng), random_mishaps(prng)};
        const std::string line = to_line(replay);
        CAPTURE(line);
        CHECK(line.find_first_of("'\"`$\\! \n\t") == std::string::npos);
        const ReplayLine again = parse_replay_line(line);
        CHECK(again.scenario == replay.scenario);
        CHECK(again.mishaps == replay.mishaps);
        CHECK(same_options(again.options, replay.options));
        CHECK(to_line(again) == line);
    }
}

TEST_CASE("a line cut anywhere is refused") {
    const std::string line = bank;
    for (std::size_t length = 0; length < line.size(); ++length) {
        CHECK(holds(error_of(line.substr(0, length)), "Copy the whole line"));
    }
}

TEST_CASE("a line with any one character changed is refused") {
    for (std::size_t i = 0; i < std::string(bank).size(); ++i) {
        std::string line = bank;
        line[i] = line[i] == 'x' ? 'y' : 'x';
        CHECK(error_of(line) != "");
    }
}

TEST_CASE("random damage to a line is refused or harmless, never fatal") {
    Prng prng(2);
    for (int i = 0; i < 3'000; ++i) {
        const ReplayLine replay{random_text(prng, 8), random_options(prng), random_mishaps(prng)};
        const std::string damaged = mutated(to_line(replay), prng);
        const std::string repaired = with_checksum(damaged.substr(0, damaged.rfind(':')));
        for (const std::string& line : {damaged, repaired}) {
            usage_error([&] { parse_replay_line(line); });
        }
    }
}

TEST_CASE("a changed line is told the checksum that it should have") {
    std::string line = bank;
    line.replace(line.find("cancel=1"), 8, "cancel=2");
    CHECK(holds(error_of(line), "its checksum is '950388c2' and should be '"));
}

TEST_CASE("an empty line, a foreign one and one of a later version are told apart") {
    CHECK(holds(error_of(""), "The replay line is empty"));
    CHECK(holds(error_of("'  '"), "The replay line is empty"));
    CHECK(holds(error_of("reproduce=BcoJm"), "it begins with 'reproduce=BcoJm' and not with 'mishap1:'"));
    CHECK(holds(error_of("mishap2:bank:any:::12345678"), "made by a newer mishap: it has format 2"));
    CHECK(holds(error_of("mishap0:bank:any:::12345678"), "begins with 'mishap0'"));
}

TEST_CASE("a wrong part with a right checksum is quoted") {
    const auto error = [](const std::string& body) { return error_of(with_checksum(body)); };
    CHECK(holds(error("mishap1:a:lifo::"), "'lifo' is no order"));
    CHECK(holds(error("mishap1:a:any:colour=3:"), "'colour=3' is no option"));
    CHECK(holds(error("mishap1:a:any:cancel=-1:"), "'-1' is no count"));
    CHECK(holds(error("mishap1:a:any:slack=3min:"), "'3min' is no duration"));
    CHECK(holds(error("mishap1:a:any:slack=9999999999s:"), "'9999999999s' is no duration"));
    CHECK(holds(error("mishap1:a:any::main"), "'main' is no mishap"));
    CHECK(holds(error("mishap1:a:any::main<main#1"), "'main' is no step"));
    CHECK(holds(error("mishap1:a:any::main#99999999999<main#1"), "'main#99999999999' is no step"));
    CHECK(holds(error("mishap1:a:any::two words#1<main#1"), "'two words' is no path"));
    CHECK(holds(error("mishap1:a:any::panic@main#1"), "'panic' is no kind of mishap"));
    CHECK(holds(error("mishap1:a:any::schedule@main#1"), "'schedule' is no kind of mishap"));
    CHECK(holds(error("mishap1:a:any::value@main#1=3/3"), "'3/3' is no answer that is a mishap"));
    CHECK(holds(error("mishap1:a:any::value@main#1=0/3"), "'0/3' is no answer that is a mishap"));
    CHECK(holds(error("mishap1:a:any::value@main#1.x"), "'main#1.x' has no number behind its last dot"));
    CHECK(holds(error("mishap1:a:any::value@main#1]"), "has ']' without '['"));
    CHECK(holds(error_of("mishap1:a:any::::12345678"), "it has 7 fields instead of 6"));
}
