// Makes random programs of the language, runs them, and compares what mishap and CPython make of them; see
// README.md.

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <fstream>
#include <iostream>
#include <map>
#include <stdexcept>

#include "differential/tool/generate.hpp"
#include "differential/tool/reference.hpp"

namespace mishap::test::language {

namespace {

constexpr const char* usage =
    "usage: mishap_differential_programs generate <seed> <count>           prints programs, one a line\n"
    "       mishap_differential_programs run                               prints the logs of the programs "
    "it reads\n"
    "       mishap_differential_programs compare <python> <seed> <count>   runs both and compares; a seed of "
    "0 is drawn\n"
    "       mishap_differential_programs record <python> <seed> <count>    prints checksums of CPython's "
    "logs\n"
    "       mishap_differential_programs check <file> [<count>]            compares with such checksums, or "
    "the first of them\n";

constexpr std::size_t sums_in_a_line = 8;

/// What an older CPython does differently; programs with that word are left out.
struct Difference {
    int fixed_in;  // 3.?
    const char* word;
    const char* what;
};
constexpr std::array<Difference, 8> differences = {{
    {13, "shutdown", "Queue.shutdown does not exist"},
    {13, "as_completed", "as_completed is no asynchronous iterator"},
    {13, "uncancel", "uncancel() leaves a cancellation that is not delivered"},
    {13, "group", "a TaskGroup may lose a cancellation from outside"},
    {13, "Condition", "a cancelled waiter keeps its notification, and the message is lost"},
    {13, "Barrier", "as Condition"},
    {12, "wait_for", "wait_for runs a coroutine in a task of its own"},
    {12, "gather", "gather looks at what is done already an iteration later"},
}};

std::uint64_t number(const std::string& text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        throw std::invalid_argument("not a number: " + text);
    }
    return value;
}

WorldOptions calm(Order order) {
    WorldOptions options;
    options.order = order;
    return options;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
        text += line + '\n';
    }
    return text;
}

/// Returns mishap's log; the calm run of `Order::any` must be the same.
std::vector<std::string> run_both_orders(const Program& program) {
    std::vector<std::string> lines = run(program, calm(Order::fifo));
    if (const std::vector<std::string> any = run(program, calm(Order::any)); any != lines) {
        lines.push_back("but the calm run of Order::any:");
        lines.insert(lines.end(), any.begin(), any.end());
    }
    return lines;
}

int generate_all(std::uint64_t seed, std::uint64_t count) {
    for (std::uint64_t n = 0; n < count; ++n) {
        std::cout << to_json(generate(seed, n)) << '\n';
    }
    return 0;
}

int run_all() {
    for (std::string line; std::getline(std::cin, line);) {
        std::cout << joined(run_both_orders(parse(line))) << std::endl;
    }
    return 0;
}

void print_difference(const std::vector<std::string>& expected, const std::vector<std::string>& found) {
    const auto [here, there] = std::mismatch(found.begin(), found.end(), expected.begin(), expected.end());
    const auto line = [](auto at, const std::vector<std::string>& lines) {
        return at == lines.end() ? std::string("(the end)") : *at;
    };
    std::cout << "--- CPython\n" << joined(expected) << "--- mishap\n" << joined(found);
    std::cout << "--- first difference, line " << here - found.begin() + 1
              << "\nCPython: " << line(there, expected) << "\nmishap:  " << line(here, found) << '\n';
}

/// Returns what keeps a program from being compared with CPython 3.`minor`, or null.
const Difference* difference_in(const Program& program, int minor) {
    const std::string json = to_json(program);
    for (const Difference& difference : differences) {
        if (minor < difference.fixed_in &&
            json.find('"' + std::string(difference.word)) != std::string::npos) {
            return &difference;
        }
    }
    return nullptr;
}

/// Compares live; prints the smallest program that differs.
int compare(const std::string& python, std::uint64_t seed, std::uint64_t count) {
    if (seed == 0) {
        seed = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
    }
    Reference reference(python, MISHAP_LANGUAGE_SCRIPT);
    std::cout << "CPython " << reference.version() << ", seed " << seed << std::endl;
    const auto differs = [&](const Program& candidate) {
        return reference.run(candidate) != run_both_orders(candidate);
    };
    std::map<const Difference*, std::uint64_t> left_out;
    for (std::uint64_t n = 0; n < count; ++n) {
        const Program program = generate(seed, n);
        if (const Difference* const difference = difference_in(program, reference.minor())) {
            ++left_out[difference];
        } else if (differs(program)) {
            const Program smallest = shrink(program, differs);
            std::cout << "program " << n << " of seed " << seed << " differs; the smallest that does:\n"
                      << to_json(smallest) << '\n';
            print_difference(reference.run(smallest), run_both_orders(smallest));
            return 1;
        }
    }
    for (const Difference& difference : differences) {
        if (const auto found = left_out.find(&difference); found != left_out.end()) {
            count -= found->second;
            std::cout << found->second << " programs left out, because of " << difference.word
                      << ": before 3." << difference.fixed_in << " " << difference.what << '\n';
        }
    }
    std::cout << count << " programs agree\n";
    return 0;
}

/// Tells one set of programs from another.
class ProgramSum {
public:
    void add(const Program& program) { sum_ = checksum({sum_, to_json(program)}); }
    const std::string& text() const { return sum_; }

private:
    std::string sum_;
};

/// Prints a line with seed, count and the checksum of the programs, then those of their logs.
int record(const std::string& python, std::uint64_t seed, std::uint64_t count) {
    Reference reference(python, MISHAP_LANGUAGE_SCRIPT);
    ProgramSum programs;
    std::string sums;
    for (std::uint64_t n = 0; n < count; ++n) {
        const Program program = generate(seed, n);
        programs.add(program);
        sums += checksum(reference.run(program)) + (n % sums_in_a_line == sums_in_a_line - 1 ? '\n' : ' ');
    }
    std::cout << seed << ' ' << count << ' ' << programs.text() << '\n' << sums << '\n';
    return 0;
}

int check(const std::string& path, std::uint64_t count_max) {
    std::ifstream file(path);
    std::uint64_t seed = 0;
    std::uint64_t count = 0;
    std::string recorded_programs;
    if (!(file >> seed >> count >> recorded_programs) || count == 0) {
        throw std::runtime_error(path + " holds no checksums");
    }
    const bool is_all = count_max >= count;
    count = std::min(count, count_max);
    ProgramSum programs;
    for (std::uint64_t n = 0; n < count; ++n) {
        const Program program = generate(seed, n);
        programs.add(program);
        std::string sum;
        if (!(file >> sum)) {
            throw std::runtime_error(path + " ends too early");
        }
        const std::vector<std::string> lines = run_both_orders(program);
        if (checksum(lines) != sum) {
            std::cout << "program " << n << " of seed " << seed << " differs:\n"
                      << to_json(program) << "\n--- mishap\n"
                      << joined(lines) << "--- to see CPython's log, and the smallest program that differs:\n"
                      << "mishap_differential_programs compare python3.13 " << seed << ' ' << n + 1 << '\n';
            return 1;
        }
    }
    if (is_all && programs.text() != recorded_programs) {
        std::cout << "these are not the programs whose logs were recorded: the generator has changed\n";
        return 1;
    }
    std::cout << count << " programs agree\n";
    return 0;
}

}  // namespace

}  // namespace mishap::test::language

int main(int argc, char** argv) {
    using namespace mishap::test::language;
    std::ios::sync_with_stdio(false);
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const auto is = [&](const char* command, std::size_t count) {
        return arguments.size() == count + 1 && arguments[0] == command;
    };
    try {
        if (is("generate", 2)) {
            return generate_all(number(arguments[1]), number(arguments[2]));
        }
        if (is("run", 0)) {
            return run_all();
        }
        if (is("record", 3)) {
            return record(arguments[1], number(arguments[2]), number(arguments[3]));
        }
        if (is("check", 1) || is("check", 2)) {
            return check(arguments[1], arguments.size() > 2 ? number(arguments[2]) : ~std::uint64_t{0});
        }
        if (is("compare", 3)) {
            return compare(arguments[1], number(arguments[2]), number(arguments[3]));
        }
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 2;
    }
    std::cerr << usage;
    return 2;
}
