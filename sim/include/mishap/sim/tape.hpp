#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <mishap/sim/choice.hpp>

namespace mishap {

/// Every answer of one run, in order: all that is needed to repeat it with the same build (the dense form).
using Tape = std::vector<Choice>;

/// Returns the number of mishaps on `tape`.
std::size_t mishap_count(std::span<const Choice> tape);

namespace detail {

/// Where a recorder keeps its choices: ordinary memory, or a mapped file that outlives the process.
class TapeStorage {
public:
    virtual ~TapeStorage() = default;

    /// Returns room for at least `count` choices whose beginning holds what was there before.
    virtual std::span<Choice> grow(std::size_t count) = 0;
};

/// Writes down the answers of the run in flight.
///
/// Invariant: the choice after the last one has kind `none`, so that a reader of a mapped file left by a dead
/// process knows where the tape ends; hence one place is always kept free.
class TapeRecorder {
public:
    /// Keeps the tape in ordinary memory.
    TapeRecorder();
    ~TapeRecorder();
    TapeRecorder(const TapeRecorder&) = delete;
    TapeRecorder& operator=(const TapeRecorder&) = delete;

    /// Keeps the tape in `storage` from now on (null: in ordinary memory again), beginning empty.
    void use(TapeStorage* storage);

    void append(const Choice& choice) {
        if (size_ + 1 == room_.size()) [[unlikely]] {
            grow();
        }
        // The kind is stored last, and the fence keeps the compiler from changing that: a process killed anywhere in
        // here leaves neither half a choice nor, behind its last one, the choices of an earlier run.
        Choice* const place = room_.data() + size_;
        place[1].kind = ChoiceKind::none;
        place->digest = choice.digest;
        place->classes = choice.classes;
        place->taken = choice.taken;
        std::atomic_signal_fence(std::memory_order_release);
        place->kind = choice.kind;
        ++size_;
    }
    void clear() {
        size_ = 0;
        room_[0].kind = ChoiceKind::none;
    }
    std::size_t size() const { return size_; }
    std::span<const Choice> choices() const { return room_.first(size_); }

private:
    void grow();

    std::span<Choice> room_;
    std::size_t size_ = 0;
    std::vector<Choice> memory_;
    TapeStorage* storage_ = nullptr;
};

}  // namespace detail
}  // namespace mishap
