#pragma once

#include <cstddef>
#include <utility>

#include <mishap/loop/detail/block_pool.hpp>

namespace mishap::detail {

[[noreturn]] void stale_handle();

/// A counted reference to a block of one run. Once the run is over it refers to nothing, and use is a UsageError.
template <class T>
class Ref {
public:
    Ref() = default;
    explicit Ref(T* block) : block_(block) {
        if (block_ != nullptr) {
            SlotHeader& header = header_of(block_);
            run_ = header.run;
            ++header.references;
        }
    }
    Ref(const Ref& other) : block_(other.block_), run_(other.run_) {
        if (is_alive()) {
            ++header_of(block_).references;
        }
    }
    Ref(Ref&& other) noexcept : block_(std::exchange(other.block_, nullptr)), run_(other.run_) {}
    Ref& operator=(Ref other) noexcept {
        std::swap(block_, other.block_);
        std::swap(run_, other.run_);
        return *this;
    }
    ~Ref() {
        if (is_alive()) {
            drop(block_);
        }
    }

    /// Drops a reference to a block that lives.
    static void drop(T* block) {
        SlotHeader& header = header_of(block);
        if (--header.references == 0) {
            destroy(block);
        }
    }

    explicit operator bool() const { return block_ != nullptr; }
    bool is_alive() const { return block_ != nullptr && header_of(block_).run == run_; }
    /// Returns the block without looking whether it lives.
    T* get() const { return block_; }
    /// Returns the block; throws UsageError when its run is over or there never was one.
    T& operator*() const {
        if (!is_alive()) [[unlikely]] {
            stale_handle();
        }
        return *block_;
    }
    T* operator->() const { return &**this; }

    friend bool operator==(const Ref& a, const Ref& b) { return a.block_ == b.block_ && a.run_ == b.run_; }

private:
    static void destroy(T* block) {
        void* const payload = static_cast<Block*>(block);
        static_cast<Block*>(block)->~Block();
        block_pool().release(payload);
    }

    T* block_ = nullptr;
    RunSerial run_ = no_run;
};

}  // namespace mishap::detail
