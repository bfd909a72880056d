#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace mishap::detail {

/// Names one arming of a timer. A default one names none.
struct TimerId {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;

    friend bool operator==(const TimerId&, const TimerId&) = default;
};

/// A deadline in nanoseconds and whose it is.
struct TimerEntry {
    std::int64_t when;
    TimerId id;
};

/// A piece of a list of entries; 512 bytes together.
struct TimerChunk {
    TimerChunk* next;
    std::array<TimerEntry, 31> entries;
};

/// Lends chunks to the lists of one heap and takes them back, so that lists that grow and shrink in turn
/// share their memory.
class TimerChunkPool {
public:
    TimerChunk* take() {
        if (free_ == nullptr) grow();
        TimerChunk* chunk = free_;
        free_ = chunk->next;
        chunk->next = nullptr;
        return chunk;
    }
    void give_back(TimerChunk* chunk) {
        chunk->next = free_;
        free_ = chunk;
    }

private:
    void grow();

    TimerChunk* free_ = nullptr;
    std::size_t next_slab_chunks_ = 16;
    std::vector<std::unique_ptr<TimerChunk[]>> slabs_;
};

/// Holds entries in the order in which they were pushed. Without a destructor: its chunks are its pool's.
class TimerEntries {
public:
    bool empty() const { return first_ == nullptr; }

    void push(const TimerEntry& entry, TimerChunkPool& pool) {
        if (end_ == chunk_entries) append_chunk(pool);
        last_->entries[end_++] = entry;
    }
    /// Removes and returns the oldest entry of a list that is not empty.
    TimerEntry pop_front(TimerChunkPool& pool) {
        if (begin_ == 0 && first_->next != nullptr) prefetch(*first_->next);
        const TimerEntry entry = first_->entries[begin_++];
        if (begin_ == (first_ == last_ ? end_ : chunk_entries)) drop_first_chunk(pool);
        return entry;
    }
    /// Calls `f(entry)` for every entry in order.
    template <class F>
    void for_each(F&& f) const {
        std::uint32_t begin = begin_;
        for (const TimerChunk* chunk = first_; chunk != nullptr; chunk = chunk->next) {
            const std::uint32_t end = chunk == last_ ? end_ : chunk_entries;
            for (std::uint32_t i = begin; i < end; ++i) f(chunk->entries[i]);
            begin = 0;
        }
    }
    void clear(TimerChunkPool& pool) {
        while (!empty()) drop_first_chunk(pool);
    }

private:
    static constexpr std::uint32_t chunk_entries = 31;

    /// Starts loading the chunk that is read next: chunks lie anywhere, which defeats the processor's own
    /// guess. A quarter of the time per timer at a million of them.
    static void prefetch(const TimerChunk& chunk) {
        for (std::size_t i = 0; i < chunk_entries; i += 4) __builtin_prefetch(&chunk.entries[i]);
    }

    void append_chunk(TimerChunkPool& pool) {
        TimerChunk* chunk = pool.take();
        if (first_ == nullptr)
            first_ = chunk;
        else
            last_->next = chunk;
        last_ = chunk;
        end_ = 0;
    }
    void drop_first_chunk(TimerChunkPool& pool) {
        TimerChunk* chunk = first_;
        first_ = chunk->next;
        begin_ = 0;
        if (first_ == nullptr) end_ = chunk_entries;
        pool.give_back(chunk);
    }

    TimerChunk* first_ = nullptr;
    TimerChunk* last_ = nullptr;  // meaningless in an empty list
    std::uint32_t begin_ = 0;     // in the first chunk
    std::uint32_t end_ =
        chunk_entries;  // in the last chunk; an empty list looks full, so that a push needs one test only
};

}  // namespace mishap::detail
