#include <mishap/loop/detail/block_pool.hpp>

#include <mishap/loop/detail/immortal.hpp>

#include <new>

#include <mishap/sim/errors.hpp>

namespace mishap::detail {

void* BlockPool::allocate_slowly(std::size_t size, RunSerial run, SlotHeader::Content content) {
    const std::size_t size_class = (size + granule - 1) / granule;
    if (size_class >= free_.size()) {
        throw UsageError(
            "a task's function, a result or a coroutine's frame needs more than 64 KiB; keep large data on the heap");
    }
    if (free_[size_class] == nullptr) {
        const std::size_t slot_bytes = sizeof(SlotHeader) + size_class * granule;
        const std::size_t slots = size_class < classes ? slab_bytes / slot_bytes : 1;
        auto* const memory = static_cast<std::byte*>(::operator new(slots * slot_bytes, std::align_val_t(alignof(SlotHeader))));
        slabs_.push_back({memory, slot_bytes, slots});
        for (std::size_t i = slots; i-- > 0;) {
            auto* const header = new (memory + i * slot_bytes) SlotHeader;
            header->size_class = static_cast<std::uint16_t>(size_class);
            poison(header + 1, *header);
            header->next_free = free_[size_class];
            free_[size_class] = header;
        }
    }
    return occupy(size_class, run, content);
}

void BlockPool::end_run(RunSerial run) {
    if (live_ == 0) {
        return;
    }
    // Slabs are visited in the order in which they were made, so that destructors run in the same order every time.
    // A destructor may drop further handles of this run; those payloads have gone when the scan comes to them.
    for (std::size_t s = 0; s < slabs_.size(); ++s) {
        for (std::size_t i = 0; i < slabs_[s].slots && live_ != 0; ++i) {
            auto& header = *std::launder(reinterpret_cast<SlotHeader*>(slabs_[s].begin + i * slabs_[s].slot_bytes));
            if (header.run != run) {
                continue;
            }
            void* const payload = &header + 1;
            header.references = 1U << 30U;  // handles dropped by the destructor must not destroy it again
            if (header.content == SlotHeader::Content::block) {
                static_cast<Block*>(payload)->~Block();
            }
            release(payload);
        }
    }
}

BlockPool& make_block_pool() {
    block_pool_of_thread = make_immortal<BlockPool>();
    return *block_pool_of_thread;
}

}  // namespace mishap::detail
