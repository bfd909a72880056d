#pragma once

// Memory of everything that handles point to: tasks, futures, callbacks, coroutine frames.
//
// Problem: a run makes and drops these by the thousand, handles may outlive the run, and use of such a handle must be
// an error that is told, not undefined behaviour.
//
// Idea: slots of a few sizes, cut from slabs that are never given back to the system while the thread lives. Before each
// payload stands a header that stays readable for ever; it says to which run the slot belongs now. A handle carries
// (run, slot), and a slot whose run differs is somebody else's or nobody's.
//
// Invariants:
// 1. a header is never part of a destroyed object: it outlives every payload.
// 2. header.run is the run of the living payload, or `no_run`.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <mishap/loop/detail/sanitizers.hpp>

#if MISHAP_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace mishap::detail {

/// Numbers the runs of a process, from 1.
using RunSerial = std::uint32_t;
inline constexpr RunSerial no_run = 0;

/// The base of what handles point to; destroyed when the last handle goes, or with its run.
class Block {
public:
    virtual ~Block() = default;

protected:
    Block() = default;
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
};

struct alignas(16) SlotHeader {
    enum class Content : std::uint16_t { nothing, block, raw };

    RunSerial run = no_run;
    std::uint16_t size_class = 0;
    Content content = Content::nothing;
    union {
        std::uint32_t references;
        SlotHeader* next_free = nullptr;  // while nothing lives in the slot
    };
};

inline SlotHeader& header_of(const void* payload) {
    return *(static_cast<SlotHeader*>(const_cast<void*>(payload)) - 1);
}

class BlockPool {
public:
    BlockPool() = default;
    ~BlockPool() = delete;  // it lives as long as its thread, and handles may live longer

    /// Returns room for `size` bytes that belongs to `run`.
    void* allocate(std::size_t size, RunSerial run, SlotHeader::Content content) {
        const std::size_t size_class = (size + granule - 1) / granule;
        if (size_class >= classes || free_[size_class] == nullptr) [[unlikely]] {
            return allocate_slowly(size, run, content);
        }
        return occupy(size_class, run, content);
    }

    /// Gives room back whose payload has been destroyed.
    void release(void* payload) {
        SlotHeader& header = header_of(payload);
        header.run = no_run;
        header.content = SlotHeader::Content::nothing;
        --live_;
        poison(payload, header);
        header.next_free = free_[header.size_class];
        free_[header.size_class] = &header;
    }

    /// Destroys every payload that still belongs to `run`, and gives its room back.
    void end_run(RunSerial run);

    /// Returns how many payloads live, of all runs.
    std::size_t live() const { return live_; }

private:
    // 16 bytes a step, as a million tasks are to take little memory; up to 2 KiB from slabs, what is larger gets memory of
    // its own.
    static constexpr std::size_t granule = 16;
    static constexpr std::size_t classes = 129;
    static constexpr std::size_t slab_bytes = 64 * 1024;

    void* occupy(std::size_t size_class, RunSerial run, SlotHeader::Content content) {
        SlotHeader* const header = free_[size_class];
        free_[size_class] = header->next_free;
        header->run = run;
        header->references = 0;
        header->content = content;
        ++live_;
        unpoison(header + 1, *header);
        return header + 1;
    }
    void* allocate_slowly(std::size_t size, RunSerial run, SlotHeader::Content content);
    static void poison([[maybe_unused]] void* payload, [[maybe_unused]] const SlotHeader& header) {
#if MISHAP_ASAN
        ASAN_POISON_MEMORY_REGION(payload, header.size_class * granule);
#endif
    }
    static void unpoison([[maybe_unused]] void* payload, [[maybe_unused]] const SlotHeader& header) {
#if MISHAP_ASAN
        ASAN_UNPOISON_MEMORY_REGION(payload, header.size_class * granule);
#endif
    }

    struct Slab {
        std::byte* begin = nullptr;
        std::size_t slot_bytes = 0;
        std::size_t slots = 0;
    };
    std::array<SlotHeader*, 4096> free_{};  // by size class; large ones up to 64 KiB are reused as well
    std::vector<Slab> slabs_;
    std::size_t live_ = 0;
};

/// This thread's pool once there is one. Constant-initialised, so that reading it takes no guard.
inline constinit thread_local BlockPool* block_pool_of_thread = nullptr;

BlockPool& make_block_pool();

/// Returns this thread's pool. It is never destroyed: handles in static objects may look at it late.
inline BlockPool& block_pool() {
    BlockPool* const pool = block_pool_of_thread;
    return pool != nullptr ? *pool : make_block_pool();
}

}  // namespace mishap::detail
