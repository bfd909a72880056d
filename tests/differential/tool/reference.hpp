#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include <sys/types.h>

#include "differential/language.hpp"

namespace mishap::test::language {

/// A CPython that runs language.py and answers programs with their logs.
class Reference {
public:
    /// Starts `python` on the script at `script`.
    ///
    /// Throws:    std::runtime_error when it cannot be started or is none.
    Reference(const std::string& python, const std::string& script);
    ~Reference();
    Reference(const Reference&) = delete;
    Reference& operator=(const Reference&) = delete;

    std::vector<std::string> run(const Program& program);

    /// Returns the version in full, and its second number: 13 for 3.13.0.
    const std::string& version() const { return version_; }
    int minor() const { return minor_; }

private:
    std::string read_line();

    pid_t process_ = -1;
    std::FILE* input_ = nullptr;
    std::FILE* output_ = nullptr;
    std::string version_;
    int minor_ = 0;
};

}  // namespace mishap::test::language
