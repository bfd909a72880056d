#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

namespace mishap::detail {

/// A queue of plain items, which come and go by the many, in a buffer that goes round, doubles when it is full, and is kept when
/// the queue is emptied.
template <class T>
class BulkRing {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    bool empty() const { return size_ == 0; }
    std::size_t size() const { return size_; }
    T& front() { return items_[first_]; }
    T& back() { return items_[place(size_ - 1)]; }

    void push(const T& item) {
        make_room(1);
        items_[place(size_++)] = item;
    }
    void pop() { drop(1); }

    /// Appends all of `items`.
    void append(std::span<const T> items) {
        make_room(items.size());
        const std::size_t at = place(size_);
        const std::size_t before_end = std::min(items.size(), items_.size() - at);
        copy(items_.data() + at, items.data(), before_end);
        copy(items_.data(), items.data() + before_end, items.size() - before_end);
        size_ += items.size();
    }
    /// Copies the first items to `items`, as many as that has, and drops them.
    void take(std::span<T> items) {
        const std::size_t before_end = std::min(items.size(), items_.size() - first_);
        copy(items.data(), items_.data() + first_, before_end);
        copy(items.data() + before_end, items_.data(), items.size() - before_end);
        drop(items.size());
    }
    void drop(std::size_t count) {
        first_ = place(count);
        size_ -= count;
    }
    /// Drops the last items, so that `count` are left.
    void truncate(std::size_t count) { size_ = count; }
    void clear() { first_ = size_ = 0; }

private:
    std::size_t place(std::size_t offset) const { return (first_ + offset) & (items_.size() - 1); }

    static void copy(T* to, const T* from, std::size_t count) {
        if (count != 0) std::memcpy(to, from, count * sizeof(T));
    }
    void make_room(std::size_t count) {
        if (size_ + count <= items_.size()) return;
        std::size_t room = items_.empty() ? 16 : items_.size();
        while (room < size_ + count) room *= 2;
        std::vector<T> larger(room);
        const std::size_t size = size_;
        if (size != 0) take({larger.data(), size});
        items_.swap(larger);
        first_ = 0;
        size_ = size;
    }

    std::vector<T> items_;  // Invariant: its size is zero or a power of two
    std::size_t first_ = 0;
    std::size_t size_ = 0;
};

}  // namespace mishap::detail
