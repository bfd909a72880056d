#pragma once

#include <exception>
#include <functional>
#include <string>

#include <mishap/loop/errors.hpp>

namespace mishap {

/// The two parts of an exception: what was asked for, and the rest. Null where there is nothing.
struct SplitException {
    std::exception_ptr match;
    std::exception_ptr rest;
};

/// Parts a group of exceptions, and the groups in it, by a question about those that are no groups; what belongs together
/// stays in groups as it was. An exception that is no group goes to one side as a whole.
///
/// Source:    BaseExceptionGroup.split, CPython 3.13.
SplitException split(const std::exception_ptr& exception, const std::function<bool(const std::exception_ptr&)>& matches);

/// As above, by type: `split<std::runtime_error>(std::current_exception())` is what `except*` does.
template <class E>
SplitException split(const std::exception_ptr& exception) {
    return split(exception, [](const std::exception_ptr& one) {
        try {
            std::rethrow_exception(one);
        } catch (const E&) {
            return true;
        } catch (...) {
            return false;
        }
    });
}

/// Returns an exception as text, a line for each, where what is in a group stands below it and further in.
std::string format_exception(const std::exception_ptr& exception);

}  // namespace mishap
