#include <mishap/sim/mapped_tape.hpp>

#include "sim/tape_samples.hpp"
#include "support/catch.hpp"

#include <mishap/sim/build_name.hpp>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

using namespace mishap;
using namespace mishap::samples;

namespace {

/// The i-th choice of the runs in these tests.
Choice choice(std::uint32_t i) {
    return {i * 0x9e37'79b9U, 2 + i % 3, i % 2, static_cast<ChoiceKind>(1 + i % 7)};
}

void append(detail::TapeRecorder& recorder, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
        recorder.append(choice(i));
    }
}

std::uint32_t right_choices(const Tape& tape) {
    std::uint32_t count = 0;
    while (count < tape.size() && tape[count] == choice(count)) {
        ++count;
    }
    return count;
}

/// Runs `body` in a child process, waits until that is dead and returns its wait status.
template <class Body>
int in_child(Body body) {
    const pid_t child = ::fork();
    if (child == 0) {
        body();
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

[[noreturn]] void die() {
    ::kill(::getpid(), SIGKILL);
    ::_exit(99);
}

}  // namespace

TEST_CASE("what a killed process recorded is recovered, choice for choice") {
    const TemporaryDirectory directory;
    const auto path = directory / "deep/run.tape";
    const std::uint32_t count = GENERATE(0U, 1U, 1023U, 1024U, 5000U);
    WorldOptions options;
    options.order = Order::fifo;
    options.cancellations = 2;
    const int status = in_child([&] {
        MappedTape tape(path, "bank transfer", options);
        detail::TapeRecorder recorder;
        recorder.use(&tape);
        append(recorder, count);
        die();
    });
    REQUIRE(WIFSIGNALED(status));
    const TapeFile file = recover_mapped_tape(path);
    CHECK(file.dense.size() == count);
    CHECK(right_choices(file.dense) == count);
    CHECK(file.scenario == "bank transfer");
    CHECK(same_options(file.options, options));
    CHECK(file.build == build_name());
    CHECK(parse_tape_file(to_text(file), "x").dense == file.dense);
}

TEST_CASE("a process killed while it records leaves nothing but right choices") {
    const TemporaryDirectory directory;
    const auto path = directory / "run.tape";
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        MappedTape tape(path, "", {});
        detail::TapeRecorder recorder;
        recorder.use(&tape);
        for (std::uint32_t i = 0;; ++i) {
            recorder.append(choice(i));
            if (i == 3000) {
                static_cast<void>(!::write(ends[1], "", 1));
            }
            if (i == 1'000'000) {
                die();
            }
        }
    }
    char byte = 0;
    REQUIRE(::read(ends[0], &byte, 1) == 1);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(ends[0]);
    ::close(ends[1]);
    const TapeFile file = recover_mapped_tape(path);
    CHECK(file.dense.size() > 3000);
    CHECK(right_choices(file.dense) == file.dense.size());
}

TEST_CASE("of several runs only the last one's choices are recovered") {
    const TemporaryDirectory directory;
    in_child([&] {
        MappedTape tape(directory / "run.tape", "", {});
        detail::TapeRecorder recorder;
        recorder.use(&tape);
        append(recorder, 3000);
        recorder.clear();
        append(recorder, 10);
        die();
    });
    CHECK(recover_mapped_tape(directory / "run.tape").dense.size() == 10);
}

TEST_CASE("a search that ends leaves no file") {
    const TemporaryDirectory directory;
    const auto path = directory / "run.tape";
    {
        MappedTape tape(path, "", {});
        CHECK(std::filesystem::exists(path));
    }
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a child or a stranger's tape of the same path does not lose the file of the other") {
    const TemporaryDirectory directory;
    const auto path = directory / "run.tape";
    MappedTape second(path, "second", {});
    {
        MappedTape tape(path, "third", {});
        in_child([&] { tape.~MappedTape(); });
        CHECK(recover_mapped_tape(path).scenario == "third");
    }
    CHECK_FALSE(std::filesystem::exists(path));
    auto first = std::make_unique<MappedTape>(path, "first", WorldOptions{});
    const MappedTape last(path, "last", {});
    first.reset();
    CHECK(recover_mapped_tape(path).scenario == "last");
}

TEST_CASE("a recorder can be given the same tape again") {
    const TemporaryDirectory directory;
    MappedTape tape(directory / "run.tape", "", {});
    detail::TapeRecorder recorder;
    for (int i = 0; i < 3; ++i) {
        recorder.use(&tape);
        append(recorder, 3000);
        CHECK(recover_mapped_tape(tape.path()).dense.size() == 3000);
    }
    recorder.use(nullptr);
}

TEST_CASE("a file that cannot grow ends the record, not the run") {
    const TemporaryDirectory directory;
    const auto path = directory / "run.tape";
    const int status = in_child([&] {
        MappedTape tape(path, "", {});
        detail::TapeRecorder recorder;
        recorder.use(&tape);
        // The limit stands for a full disk.
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit = {30'000, 30'000};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        append(recorder, 10'000);
        const Tape kept(recorder.choices().begin(), recorder.choices().end());
        const bool is_right = kept.size() == 10'000 && right_choices(kept) == 10'000;
        ::_exit(is_right && !tape.is_kept() && !std::filesystem::exists(path) ? 7 : 1);
    });
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 7);
}

TEST_CASE("a place where no tape can be kept is told at once") {
    const TemporaryDirectory directory;
    const auto error = [](const std::filesystem::path& path) {
        return usage_error([&] { MappedTape(path, "", {}); });
    };
    std::ofstream(directory / "file") << "";
    CHECK(holds(error(directory / "file/run.tape"),
                "Choose a directory that can be written and has space left"));
    std::filesystem::create_directories(directory / "taken/by");
    CHECK(holds(error(directory / "taken"), "Cannot make the file"));
    const int status = in_child([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit = {10'000, 10'000};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        ::_exit(holds(error(directory / "full.tape"), "File too large") ? 7 : 1);
    });
    CHECK(WEXITSTATUS(status) == 7);
    CHECK_FALSE(std::filesystem::exists(directory / "full.tape"));
}

TEST_CASE("recovering from what no run left is refused") {
    const TemporaryDirectory directory;
    const auto path = directory / "run.tape";
    const auto error = [&] { return usage_error([&] { recover_mapped_tape(path); }); };
    CHECK(holds(error(), "No such file or directory"));
    std::ofstream(path) << "mishap tape 1\n";
    CHECK(holds(error(), "it is no such file"));
    std::ofstream(path) << "mishapT2" << std::string(100, '\0');
    CHECK(holds(error(), "made by a newer mishap"));
    std::ofstream(path) << "mishapT1" << std::string(100, '\1');
    CHECK(holds(error(), "made on another kind of machine"));
}

TEST_CASE("a damaged file of a run in flight is refused or harmless, never fatal") {
    const TemporaryDirectory directory;
    const auto path = directory / "run.tape";
    std::string bytes;
    {
        MappedTape tape(path, "bank", {});
        detail::TapeRecorder recorder;
        recorder.use(&tape);
        append(recorder, 5);
        std::ifstream file(path, std::ios::binary);
        bytes.assign(std::istreambuf_iterator<char>(file), {});
        recorder.use(nullptr);
    }
    Prng prng(5);
    for (int i = 0; i < 300; ++i) {
        std::string damaged = bytes.substr(0, 4096 + 128);
        for (int count = 0; count < 2; ++count) {
            damaged[prng.below(prng.below(2) == 0 ? 48 : 4096 + 128)] = static_cast<char>(prng.below(256));
        }
        damaged.resize(prng.below(3) == 0 ? prng.below(4096 + 128) : damaged.size());
        std::ofstream(path, std::ios::binary) << damaged;
        usage_error([&] { recover_mapped_tape(path); });
    }
}
