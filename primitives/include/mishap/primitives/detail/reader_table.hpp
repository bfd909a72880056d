#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <boost/unordered/unordered_flat_map.hpp>
#include <mishap/sim/entity.hpp>
#include <mishap/sim/place.hpp>

namespace mishap::detail {

/// Someone's last read of a shared variable.
struct Reader {
    EntityStep who;
    std::uint64_t version = 0;  // how many writes there had been
    Place place;
};

/// Remembers who read a variable and has not written it since. The first few lie in the variable itself.
class ReaderTable {
public:
    void put(const Reader& reader) {
        if (Reader* const known = find(reader.who.entity)) {
            *known = reader;
        } else if (count_ < few_.size()) {
            few_[count_++] = reader;
        } else {
            many_.insert({reader.who.entity, reader});
        }
    }
    Reader* find(std::uint64_t entity) {
        for (std::size_t i = 0; i < count_; ++i) {
            if (few_[i].who.entity == entity) {
                return &few_[i];
            }
        }
        if (many_.empty()) [[likely]] {
            return nullptr;
        }
        const auto found = many_.find(entity);
        return found != many_.end() ? &found->second : nullptr;
    }
    /// Forgets a reader that was found.
    void erase(Reader& reader) {
        if (&reader >= few_.data() && &reader < few_.data() + count_) {
            reader = few_[--count_];
        } else {
            many_.erase(reader.who.entity);
        }
    }
    void clear() {
        count_ = 0;
        if (!many_.empty()) {
            many_.clear();
        }
    }

private:
    std::array<Reader, 6> few_;
    std::size_t count_ = 0;
    boost::unordered_flat_map<std::uint64_t, Reader> many_;  // looked up only
};

}  // namespace mishap::detail
