#pragma once

// Programs as data: the language that README.md describes. language.py is the other interpreter of it.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mishap/sim/world.hpp>

namespace mishap::test::language {

struct Operation;
using Body = std::vector<Operation>;

/// What an operation is given besides its name and number: a body, or a task.
struct Part {
    enum class Kind { body, new_task, task };
    Kind kind = Kind::body;
    std::vector<Operation> body;  // of a body or a new task
    std::string task;             // the name of a task of the program
};

/// One operation: `["timeout", 2, [...]]`. What its members mean depends on the kind.
struct Operation {
    std::string kind;
    std::vector<std::string> names;
    std::vector<std::optional<int>> numbers;  // none: `null`, no limit
    std::vector<Part> parts;

    const std::string& name() const { return names.at(0); }
};

/// An object that tasks share, in the form of an operation: `["q", "Queue", 2]`.
struct Object {
    std::string name;
    std::string kind;
    std::string argument;  // the lock of a condition
    int number = 0;
};

struct Program {
    std::vector<Object> objects;
    std::vector<Body> tasks;
};

/// Reads a program from JSON, and writes it in one line.
Program parse(std::string_view json);
std::string to_json(const Program& program);

/// Runs a program in a new calm world and returns its log.
std::vector<std::string> run(const Program& program, const WorldOptions& options);

/// Returns the CRC-32 of lines, each with its newline, in hexadecimal.
std::string checksum(const std::vector<std::string>& lines);

}  // namespace mishap::test::language
