#include "outcome.hpp"

#include <cstring>

#include <mishap/sim/errors.hpp>

namespace mishap::detail {

namespace {

/// Writes numbers and texts one after another; `Reader` takes them in the same order.
class Writer {
public:
    Writer& operator<<(std::uint64_t number) {
        bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
        return *this;
    }
    Writer& operator<<(const std::string& text) {
        *this << text.size();
        bytes_ += text;
        return *this;
    }
    std::string take() { return std::move(bytes_); }

private:
    std::string bytes_;
};

class Reader {
public:
    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    std::uint64_t number() {
        std::uint64_t value = 0;
        std::memcpy(&value, take(sizeof value).data(), sizeof value);
        return value;
    }
    std::string text() { return std::string(take(number())); }

private:
    std::string_view take(std::size_t size) {
        invariant(size <= bytes_.size(), "an outcome is read as it was written");
        const std::string_view taken = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return taken;
    }

    std::string_view bytes_;
};

}  // namespace

ExitCode exit_code_of(const Report& report) {
    if (report.passed()) {
        return exit_clean;
    }
    if (report.is_divergence()) {
        return exit_fault;
    }
    // The program broke one of the library's own rules: it is wrongly written, whatever the schedule.
    const bool is_usage = report.finding->kind == FindingKind::exception && report.finding->label == "mishap::UsageError";
    return is_usage ? exit_usage : exit_findings;
}

Outcome outcome_of(const Report& report, std::string_view replay_command) {
    Outcome outcome;
    outcome.exit_code = exit_code_of(report);
    outcome.run = report.search.failure.has_value() ? report.search.failure->run : 0;
    outcome.runs = report.search.runs;
    outcome.digests = report.search.digests;
    outcome.seed = report.seed;
    outcome.is_exhausted = report.search.is_exhausted;
    outcome.elapsed = report.search.elapsed;
    outcome.headline = report.headline();
    outcome.text = report.to_text(replay_command);
    return outcome;
}

std::string to_bytes(const Outcome& outcome) {
    Writer writer;
    writer << static_cast<std::uint64_t>(outcome.exit_code) << outcome.run << outcome.runs << outcome.digests << outcome.seed
           << std::uint64_t{outcome.is_exhausted} << static_cast<std::uint64_t>(outcome.elapsed.count()) << outcome.headline
           << outcome.text << outcome.all_digests.size();
    for (const std::uint64_t digest : outcome.all_digests) {
        writer << digest;
    }
    return writer.take();
}

Outcome from_bytes(std::string_view bytes) {
    Reader reader(bytes);
    Outcome outcome;
    outcome.exit_code = static_cast<ExitCode>(reader.number());
    outcome.run = reader.number();
    outcome.runs = reader.number();
    outcome.digests = reader.number();
    outcome.seed = reader.number();
    outcome.is_exhausted = reader.number() != 0;
    outcome.elapsed = std::chrono::nanoseconds(static_cast<std::int64_t>(reader.number()));
    outcome.headline = reader.text();
    outcome.text = reader.text();
    outcome.all_digests.resize(reader.number());
    for (std::uint64_t& digest : outcome.all_digests) {
        digest = reader.number();
    }
    return outcome;
}

}  // namespace mishap::detail
