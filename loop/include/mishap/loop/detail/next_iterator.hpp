#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

namespace mishap::detail {

/// Iterates, in a task, over what is had one by one: `source.next_here()` waits for the next item; none ends it.
///
/// The item lives in the iterator until it moves on.
template <class Source, class T>
class NextIterator {
public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    using reference = T&;
    using pointer = T*;

    explicit NextIterator(Source& source) : source_(&source), current_(source.next_here()) {}
    reference operator*() const { return *current_; }
    pointer operator->() const { return &*current_; }
    NextIterator& operator++() {
        current_ = source_->next_here();
        return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const NextIterator& a, std::default_sentinel_t) { return !a.current_.has_value(); }

private:
    Source* source_;
    mutable std::optional<T> current_;
};

}  // namespace mishap::detail
