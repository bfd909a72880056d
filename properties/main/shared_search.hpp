#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include <mishap/properties/detail/search_part.hpp>

namespace mishap::detail {

/// How far each process of a search is, in memory that all of them see.
///
/// Run i is made by process i mod n. The lowest failing run is the one to report, whoever is fastest: so the result does not
/// depend on timing, nor (with the random strategy) on the number of processes.
class SharedSearch {
public:
    static constexpr std::uint64_t none = ~std::uint64_t{0};

    explicit SharedSearch(unsigned processes);
    ~SharedSearch();
    SharedSearch(const SharedSearch&) = delete;
    SharedSearch& operator=(const SharedSearch&) = delete;

    unsigned processes() const { return processes_; }
    /// Returns whether anybody still wants run `number`.
    bool is_wanted(std::uint64_t number) const { return number < memory_->first_failure && !memory_->has_ended; }
    /// Notes that `process` begins run `number`, having ended all its earlier ones; `none`: it makes no more.
    void begin(unsigned process, std::uint64_t number) { memory_->position[process] = number; }
    std::uint64_t position(unsigned process) const { return memory_->position[process]; }
    void fail(std::uint64_t number);
    std::uint64_t first_failure() const { return memory_->first_failure; }
    /// Says that no run of anybody could add anything.
    void end_for_all() { memory_->has_ended = true; }

private:
    struct Memory {
        std::atomic<std::uint64_t> first_failure;
        std::atomic<bool> has_ended;
        std::atomic<std::uint64_t> position[1];  // as many as there are processes
    };
    static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "processes share it");

    unsigned processes_;
    std::size_t size_bytes_;
    Memory* memory_;
};

/// One process's part of a shared search.
class SharedPart final : public SearchPart {
public:
    SharedPart(SharedSearch& search, unsigned process) : search_(search), process_(process) {}

    std::unique_ptr<Strategy> share(std::unique_ptr<Strategy> strategy) override;
    bool is_first_failure(std::uint64_t run) override;

    /// Returns the digests of the runs made, each once, sorted; empty when nobody else has a part.
    std::vector<std::uint64_t> take_digests();

private:
    SharedSearch& search_;
    unsigned process_;
    std::vector<std::uint64_t> digests_;
};

}  // namespace mishap::detail
