#include <mishap/sim/detail/tape_words.hpp>

#include <fmt/format.h>
#include <boost/crc.hpp>

#include <chrono>

namespace mishap::detail {

namespace {

struct Unit {
    std::string_view word;
    std::int64_t nanoseconds;
};
constexpr Unit units[] = {{"s", 1'000'000'000}, {"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}};

std::string duration_text(std::chrono::nanoseconds duration) {
    for (const Unit& unit : units) {
        if (duration.count() % unit.nanoseconds == 0) {
            return fmt::format("{}{}", duration.count() / unit.nanoseconds, unit.word);
        }
    }
    return {};
}

std::chrono::nanoseconds read_duration(std::string_view text) {
    const std::size_t digits = text.find_first_not_of("0123456789");
    if (digits != std::string_view::npos) {
        const auto number = read_number<std::int64_t>(text.substr(0, digits));
        for (const Unit& unit : units) {
            std::int64_t nanoseconds = 0;
            if (number && text.substr(digits) == unit.word &&
                !__builtin_mul_overflow(*number, unit.nanoseconds, &nanoseconds)) {
                return std::chrono::nanoseconds(nanoseconds);
            }
        }
    }
    throw Malformed{in_quotes(text) +
                    " is no duration; one is a number below 2^63 nanoseconds with s, ms, us or ns, as 20ms"};
}

Sweep read_sweep(std::string_view text) {
    for (const Sweep sweep : {Sweep::cancel, Sweep::timeout, Sweep::fail}) {
        if (text == to_text(sweep)) {
            return sweep;
        }
    }
    throw Malformed{in_quotes(text) + " is no sweep; one is cancel, timeout or fail"};
}

template <class Number>
Number read_count(std::string_view text) {
    const auto number = read_number<Number>(text);
    if (!number) {
        throw Malformed{in_quotes(text) + " is no count"};
    }
    return *number;
}

}  // namespace

std::string options_text(const WorldOptions& options) {
    const WorldOptions defaults;
    std::string text;
    const auto add = [&text](bool differs, const std::string& word) {
        if (differs) {
            text += text.empty() ? word : "," + word;
        }
    };
    add(options.cancellations != defaults.cancellations, fmt::format("cancel={}", options.cancellations));
    add(options.cancel_everywhere != defaults.cancel_everywhere, "everywhere");
    add(options.forced_yields != defaults.forced_yields, fmt::format("yield={}", options.forced_yields));
    add(options.time_passes != defaults.time_passes, fmt::format("pass={}", options.time_passes));
    add(options.timer_slack != defaults.timer_slack, "slack=" + duration_text(options.timer_slack));
    add(options.sweep != defaults.sweep, fmt::format("sweep={}", to_text(options.sweep)));
    add(options.steps_max != defaults.steps_max, fmt::format("steps={}", options.steps_max));
    add(options.time_max != defaults.time_max, "time=" + duration_text(options.time_max));
    add(options.livelock_steps != defaults.livelock_steps, fmt::format("livelock={}", options.livelock_steps));
    add(options.overtaken_max != defaults.overtaken_max, fmt::format("overtaken={}", options.overtaken_max));
    return text;
}

void read_options(std::string_view text, WorldOptions& options) {
    while (!text.empty()) {
        const std::string_view option = take_until(text, ',');
        std::string_view value = option;
        const std::string_view word = take_until(value, '=');
        if (option == "everywhere") {
            options.cancel_everywhere = true;
        } else if (word == "cancel") {
            options.cancellations = read_count<std::uint32_t>(value);
        } else if (word == "yield") {
            options.forced_yields = read_count<std::uint32_t>(value);
        } else if (word == "pass") {
            options.time_passes = read_count<std::uint32_t>(value);
        } else if (word == "slack") {
            options.timer_slack = read_duration(value);
        } else if (word == "sweep") {
            options.sweep = read_sweep(value);
        } else if (word == "steps") {
            options.steps_max = read_count<std::uint64_t>(value);
        } else if (word == "time") {
            options.time_max = read_duration(value);
        } else if (word == "livelock") {
            options.livelock_steps = read_count<std::uint64_t>(value);
        } else if (word == "overtaken") {
            options.overtaken_max = read_count<std::uint32_t>(value);
        } else {
            throw Malformed{
                in_quotes(option) +
                " is no option; the options are cancel, everywhere, yield, pass, slack, sweep, steps, time, livelock and "
                "overtaken"};
        }
    }
}

const char* order_text(Order order) { return order == Order::fifo ? "fifo" : "any"; }

Order read_order(std::string_view text) {
    for (const Order order : {Order::any, Order::fifo}) {
        if (text == order_text(order)) {
            return order;
        }
    }
    throw Malformed{in_quotes(text) + " is no order; the orders are any and fifo"};
}

std::string checksum(std::string_view text) {
    boost::crc_32_type crc;
    crc.process_bytes(text.data(), text.size());
    return fmt::format("{:08x}", crc.checksum());
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t shown_max = 60;
    std::string result = "'";
    for (const char c : text.substr(0, shown_max)) {
        const bool is_printable = c >= ' ' && c <= '~';
        result += is_printable ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    return result + (text.size() > shown_max ? "...'" : "'");
}

}  // namespace mishap::detail
