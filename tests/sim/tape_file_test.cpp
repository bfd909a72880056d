#include <mishap/sim/tape_file.hpp>

#include "sim/tape_samples.hpp"
#include "support/catch.hpp"

#include <mishap/sim/build_name.hpp>

#include <fstream>

using namespace mishap;
using namespace mishap::samples;

namespace {

constexpr const char* counter_text = R"(mishap tape 1
scenario: counter/unsafe
order: any
options: cancel=1
build: mishap 0.1.0, gcc 12.2.0, optimised
found: lost update|balance|main/a
steps: 7
digest: 00000000feedbeef
mishaps: 2
  # main/worker's step 3 instead of main/task#2's step 1
  main/worker#3<main/task#2#1
  # main/a's step 2 begins with a cancellation
  cancel@main/a#2
choices: 7
  s0/2-00000001 s1/2-00000002 s0/3-00000003 s0/2-00000004 c1/2-00000005 s0/2-00000006
  v0/4-deadbeef
crc: c07d1c99
)";

TapeFile counter_file() {
    TapeFile file;
    file.scenario = "counter/unsafe";
    file.options.cancellations = 1;
    file.build = "mishap 0.1.0, gcc 12.2.0, optimised";
    file.found = "lost update|balance|main/a";
    MishapText order;
    order.who = "main/worker";
    order.calm = "main/task#2";
    order.mishap.who = {path_key(order.who), 3};
    order.mishap.calm = {path_key(order.calm), 1};
    MishapText cancel;
    cancel.mishap.kind = ChoiceKind::cancel;
    cancel.who = "main/a";
    cancel.mishap.who = {path_key(cancel.who), 2};
    file.mishaps = {order, cancel};
    file.dense = {{1, 2, 0, ChoiceKind::schedule},      {2, 2, 1, ChoiceKind::schedule},
                  {3, 3, 0, ChoiceKind::schedule},      {4, 2, 0, ChoiceKind::schedule},
                  {5, 2, 1, ChoiceKind::cancel},        {6, 2, 0, ChoiceKind::schedule},
                  {0xdeadbeef, 4, 0, ChoiceKind::value}};
    file.digest = 0xfeedbeef;
    file.steps = 7;
    return file;
}

void check_same(const TapeFile& a, const TapeFile& b) {
    CHECK(a.version == b.version);
    CHECK(a.scenario == b.scenario);
    CHECK(same_options(a.options, b.options));
    CHECK(a.build == b.build);
    CHECK(a.found == b.found);
    CHECK(a.mishaps == b.mishaps);
    CHECK(a.dense == b.dense);
    CHECK(a.digest == b.digest);
    CHECK(a.steps == b.steps);
}

std::string error_of(const std::string& text) {
    return usage_error([&] { parse_tape_file(text, "x.tape"); });
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    return text.replace(text.find(from), from.size(), to);
}

/// Returns `text` with the checksum that fits it, to reach the checks behind the checksum.
std::string with_checksum(const std::string& text) {
    const std::string error = error_of(text);
    const std::string mark = "should be '";
    const std::size_t found = error.find(mark);
    return found == std::string::npos
               ? text
               : text.substr(0, text.rfind("crc: ")) + "crc: " + error.substr(found + mark.size(), 8) + "\n";
}

void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace

TEST_CASE("a tape file reads as the documentation has it") { CHECK(to_text(counter_file()) == counter_text); }

TEST_CASE("a tape file of version 1 is read, whatever is written by now") {
    check_same(parse_tape_file(counter_text, "x.tape"), counter_file());
}

TEST_CASE("random tape files survive being written and read") {
    Prng prng(3);
    for (int i = 0; i < 200; ++i) {
        const TapeFile file = random_file(prng);
        check_same(parse_tape_file(to_text(file), "x.tape"), file);
    }
}

TEST_CASE("comments, blank lines, indentation and line ends are free") {
    std::string text = replaced(counter_text, "order: any", "\n  # found last week\n\torder: any  ");
    std::string with_carriage_returns;
    for (const char c : text) {
        with_carriage_returns += c == '\n' ? "\r\n" : std::string(1, c);
    }
    check_same(parse_tape_file(with_carriage_returns, "x.tape"), counter_file());
}

TEST_CASE("a tape file goes to disk and back, through directories that did not exist") {
    const TemporaryDirectory directory;
    const auto path = directory / "bank/transfer/1.tape";
    write_tape_file(path, {});
    write_tape_file(path, counter_file());
    check_same(read_tape_file(path), counter_file());
    const auto entries = std::filesystem::directory_iterator(path.parent_path());
    CHECK(std::distance(begin(entries), end(entries)) == 1);
}

TEST_CASE("a tape file cut at any place is refused") {
    const std::string text = counter_text;
    for (std::size_t length = 0; length + 1 < text.size(); ++length) {
        CHECK(holds(error_of(text.substr(0, length)), "The tape file 'x.tape' cannot be used"));
    }
}

TEST_CASE("random damage to a tape file is refused or harmless, never fatal") {
    Prng prng(4);
    for (int i = 0; i < 3'000; ++i) {
        std::string text = to_text(random_file(prng));
        for (std::uint32_t count = 1 + prng.below(3); count > 0; --count) {
            text = mutated(text, prng);
        }
        for (const std::string& damaged : {text, with_checksum(text)}) {
            usage_error([&] { parse_tape_file(damaged, "x.tape"); });
        }
    }
}

TEST_CASE("what is no tape file, or one of a later version, is told apart") {
    CHECK(holds(error_of(""), "it is empty"));
    CHECK(holds(error_of(std::string("\x7f") + "ELF\0\1"),
                "it is no tape file, because it begins with '\\x7fELF"));
    CHECK(holds(error_of(std::string(1000, 'a')), "aaa...'"));
    CHECK(holds(error_of("mishap1:bank:any:::12345678"), "a replay line is passed itself"));
    CHECK(holds(error_of("mishap tape 2\nwhatever\n"), "made by a newer mishap: it has format 2"));
    CHECK(holds(error_of("mishap tape one\n"), "its first line is 'mishap tape one'"));
    CHECK(holds(error_of("mishap tape 1\n"), "it is cut short"));
}

TEST_CASE("an edited tape file is told its checksum and, with that, accepted") {
    const std::string edited = replaced(counter_text, "steps: 7", "steps: 8");
    CHECK(holds(error_of(edited), "its checksum is 'c07d1c99' and should be '"));
    CHECK(parse_tape_file(with_checksum(edited), "x.tape").steps == 8);
}

TEST_CASE("a wrong line in a tape file is quoted") {
    const auto error = [](const char* from, const char* to) {
        return error_of(with_checksum(replaced(counter_text, from, to)));
    };
    CHECK(holds(error("order: any", "colour: red"), "the line 'colour: red' stands where 'order:' should"));
    CHECK(holds(error("order: any", "order: lifo"), "'lifo' is no order"));
    CHECK(holds(error("steps: 7", "steps: -7"), "'-7' is no number for 'steps:'"));
    CHECK(holds(error("mishaps: 2", "mishaps: 3"), "'choices: 7' is no mishap"));
    CHECK(holds(error("mishaps: 2", "mishaps: 1"),
                "the line 'cancel@main/a#2' stands where 'choices:' should"));
    CHECK(holds(error("choices: 7", "choices: 18446744073709551615"), "it ends where a choice should stand"));
    CHECK(
        holds(error("choices: 7", "choices: 6"), "there is more than the header announces: 'v0/4-deadbeef'"));
    CHECK(holds(error("choices: 7", "choices: 3"), "it announces 3 choices and has more"));
    CHECK(holds(error("v0/4", "x0/4"), "'x0/4-deadbeef' is no choice"));
    CHECK(holds(error("v0/4", "v4/4"), "'v4/4-deadbeef' is no choice"));
    CHECK(holds(error("v0/4-deadbeef", "v0/4"), "'v0/4' is no choice"));
}

TEST_CASE("a path that leads to no tape file is refused before it fills the memory") {
    const TemporaryDirectory directory;
    const auto error = [](const std::filesystem::path& path) {
        return usage_error([&] { read_tape_file(path); });
    };
    CHECK(
        holds(error(directory / "missing.tape"), "missing.tape': No such file or directory. Check the path"));
    CHECK(holds(error(directory / ""), "Is a directory"));
    CHECK(holds(error("/dev/zero"), "it is no tape file"));
    const auto huge = directory / "huge.tape";
    write_bytes(huge, "");
    std::filesystem::resize_file(huge, std::uintmax_t{1} << 40U);
    CHECK(holds(error(huge), "it is no tape file"));
}

TEST_CASE("a place that cannot be written is told, and nothing is left there") {
    const TemporaryDirectory directory;
    write_bytes(directory / "file", "");
    const auto error = [](const std::filesystem::path& path) {
        return usage_error([&] { write_tape_file(path, {}); });
    };
    CHECK(holds(error(directory / "file/below/1.tape"), "Choose a directory that can be written"));
    std::filesystem::create_directories(directory / "taken/by/files");
    CHECK(holds(error(directory / "taken"), "Is a directory"));
    const auto entries = std::filesystem::directory_iterator(directory / "");
    CHECK(std::distance(begin(entries), end(entries)) == 2);
}

TEST_CASE("the build's name tells library and compiler") {
    CHECK(build_name().substr(0, 7) == "mishap ");
    CHECK((holds(build_name(), "gcc ") || holds(build_name(), "clang ")));
}
