#include <mishap/sim/detail/percent.hpp>

#include <cstddef>

#include <fmt/format.h>

namespace mishap::detail {

namespace {

bool is_plain(char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    return letter || digit || std::string_view("_-.+*()").find(c) != std::string_view::npos;
}

/// Returns the value of a hexadecimal digit, or -1.
int digit_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::string percent_encoded(std::string_view text, std::string_view also_plain) {
    std::string result;
    result.reserve(text.size());
    for (const char c : text) {
        if (is_plain(c) || also_plain.find(c) != std::string_view::npos) {
            result += c;
        } else {
            result += fmt::format("%{:02x}", static_cast<unsigned char>(c));
        }
    }
    return result;
}

std::string percent_decoded(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool has_two_more = i + 2 < text.size();
        const int high = text[i] == '%' && has_two_more ? digit_value(text[i + 1]) : -1;
        const int low = high >= 0 ? digit_value(text[i + 2]) : -1;
        if (low >= 0) {
            result += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            result += text[i];
        }
    }
    return result;
}

}  // namespace mishap::detail
