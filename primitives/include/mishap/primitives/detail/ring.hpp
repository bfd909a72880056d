#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace mishap::detail {

/// A first-in first-out buffer whose room is a power of two and only grows: once warm, nothing is allocated.
template <class T>
class Ring {
public:
    Ring() = default;
    ~Ring() {
        clear();
        release();
    }
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;

    template <class U>
    void push(U&& item) {
        if (tail_ - head_ == room_) [[unlikely]] {
            grow();
        }
        std::construct_at(at(tail_), std::forward<U>(item));
        ++tail_;
    }

    /// Removes the oldest item of a ring that is not empty.
    T pop() {
        T* const first = at(head_);
        T item = std::move(*first);
        std::destroy_at(first);
        ++head_;
        return item;
    }

    void clear() {
        while (head_ != tail_) {
            std::destroy_at(at(head_++));
        }
    }

private:
    static constexpr std::size_t room_min = 8;

    T* at(std::size_t position) { return items_ + (position & (room_ - 1)); }

    void grow() {
        const std::size_t room = room_ == 0 ? room_min : room_ * 2;
        T* const items = std::allocator<T>().allocate(room);
        const std::size_t count = tail_ - head_;
        for (std::size_t i = 0; i < count; ++i) {
            T* const item = at(head_ + i);
            std::construct_at(items + i, std::move(*item));
            std::destroy_at(item);
        }
        release();
        items_ = items;
        room_ = room;
        head_ = 0;
        tail_ = count;
    }
    void release() {
        if (items_ != nullptr) {
            std::allocator<T>().deallocate(items_, room_);
        }
    }

    // Invariant: head_ and tail_ count all items that ever left and came; they wrap, the room divides their range.
    T* items_ = nullptr;
    std::size_t room_ = 0;
    std::size_t head_ = 0;
    std::size_t tail_ = 0;
};

}  // namespace mishap::detail
