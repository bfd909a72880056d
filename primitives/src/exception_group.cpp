#include <mishap/primitives/exception_group.hpp>

#include <string_view>
#include <utility>
#include <vector>

namespace mishap {

namespace {

/// Returns the group that an exception is, or null; it lives as long as the exception.
const ExceptionGroup* as_group(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const ExceptionGroup& group) {
        return &group;
    } catch (...) {
        return nullptr;
    }
}

/// Returns what a group was made with: its text without the count that it appends.
std::string message_of(const ExceptionGroup& group) {
    const std::string_view text = group.what();
    return std::string(text.substr(0, text.rfind(" (")));
}

std::exception_ptr group_of(const ExceptionGroup& like, std::vector<std::exception_ptr> exceptions) {
    return exceptions.empty() ? nullptr : std::make_exception_ptr(ExceptionGroup(message_of(like), std::move(exceptions)));
}

void format(const std::exception_ptr& exception, std::string indent, std::string& text) {
    const ExceptionGroup* const group = exception != nullptr ? as_group(exception) : nullptr;
    if (group == nullptr) {
        text += indent + describe_exception(exception) + "\n";
        return;
    }
    text += indent + "ExceptionGroup: " + group->what() + "\n";
    indent += "  ";
    for (const std::exception_ptr& inner : group->exceptions()) {
        format(inner, indent, text);
    }
}

}  // namespace

SplitException split(const std::exception_ptr& exception, const std::function<bool(const std::exception_ptr&)>& matches) {
    if (exception == nullptr) {
        return {};
    }
    const ExceptionGroup* const group = as_group(exception);
    if (group == nullptr) {
        return matches(exception) ? SplitException{exception, nullptr} : SplitException{nullptr, exception};
    }
    std::vector<std::exception_ptr> match;
    std::vector<std::exception_ptr> rest;
    for (const std::exception_ptr& inner : group->exceptions()) {
        SplitException parts = split(inner, matches);
        if (parts.match != nullptr) {
            match.push_back(std::move(parts.match));
        }
        if (parts.rest != nullptr) {
            rest.push_back(std::move(parts.rest));
        }
    }
    return {group_of(*group, std::move(match)), group_of(*group, std::move(rest))};
}

std::string format_exception(const std::exception_ptr& exception) {
    std::string text;
    format(exception, {}, text);
    return text;
}

}  // namespace mishap
