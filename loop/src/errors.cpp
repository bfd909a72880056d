#include <mishap/loop/errors.hpp>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <typeinfo>

#include <cxxabi.h>
#include <fmt/format.h>

namespace mishap {

namespace {

std::string type_name(const std::type_info& type) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(type.name(), nullptr, nullptr, &status),
                                                           &std::free);
    return status == 0 ? text.get() : type.name();
}

std::string with_count(const std::string& what, std::size_t count) {
    return fmt::format("{} ({} sub-exception{})", what, count, count == 1 ? "" : "s");
}

}  // namespace

ExceptionGroup::ExceptionGroup(const std::string& what, std::vector<std::exception_ptr> exceptions)
    : std::runtime_error(with_count(what, exceptions.size())), exceptions_(std::move(exceptions)) {}

std::string describe_exception(const std::exception_ptr& exception) {
    if (exception == nullptr) {
        return "no exception";
    }
    try {
        std::rethrow_exception(exception);
    } catch (const CancelledError& error) {
        return error.message().empty() ? "CancelledError" : fmt::format("CancelledError: {}", error.message());
    } catch (const ExceptionGroup& group) {
        std::string text = fmt::format("ExceptionGroup: {}", group.what());
        for (const std::exception_ptr& inner : group.exceptions()) {
            text += fmt::format("; {}", describe_exception(inner));
        }
        return text;
    } catch (const std::exception& error) {
        return fmt::format("{}: {}", type_name(typeid(error)), error.what());
    } catch (...) {
        const std::type_info* const type = abi::__cxa_current_exception_type();
        return type != nullptr ? type_name(*type) : "an exception of unknown type";
    }
}

namespace detail {

namespace {

/// Returns whether what `exception` was thrown with, by `std::throw_with_nested`, is injected.
bool is_nested_injected(const std::exception& exception) {
    const auto* const nested = dynamic_cast<const std::nested_exception*>(&exception);
    return nested != nullptr && nested->nested_ptr() != nullptr && is_injected(nested->nested_ptr());
}

}  // namespace

bool is_injected(const std::exception_ptr& exception) {
    if (exception == nullptr) {
        return false;
    }
    try {
        std::rethrow_exception(exception);
    } catch (const InjectedTimeout&) {
        return true;
    } catch (const InjectedFailure&) {
        return true;
    } catch (const CancelledError& error) {
        return error.message() == injected_message();
    } catch (const ExceptionGroup& group) {
        return std::all_of(group.exceptions().begin(), group.exceptions().end(), is_injected);
    } catch (const std::exception& error) {
        return is_nested_injected(error);
    } catch (...) {
        return false;
    }
}

const std::string& injected_message() {
    static const std::string message = "injected by mishap";
    return message;
}

}  // namespace detail

}  // namespace mishap
