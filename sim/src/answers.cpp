#include <mishap/sim/detail/answers.hpp>

#include <mishap/sim/hash.hpp>

namespace mishap::detail {

std::uint32_t Answers::with(std::uint32_t sequence, std::uint32_t place, std::uint32_t answer) {
    if (answer == 0) {
        return sequence;
    }
    if (sequence != calm && entries_[sequence].place > place) {
        const Entry last = entries_[sequence];
        return with(with(last.shorter, place, answer), last.place, last.answer);
    }
    const Entry entry{sequence, place, answer};
    for (std::uint64_t hash = mix(mix(sequence, place), answer);; ++hash) {  // two contents of one hash get neighbours
        const std::uint32_t number = by_content_.number_of(hash) + 1;
        if (number == entries_.size()) {
            entries_.push_back(entry);
            return number;
        }
        if (entries_[number] == entry) {
            return number;
        }
    }
}

std::uint32_t Answers::given(std::uint32_t wanted, std::uint32_t questions) {
    if (wanted == calm || questions == calm) {
        return calm;
    }
    const Entry last = entries_[questions];
    const std::uint32_t answer = at(wanted, last.place);
    return with(given(wanted, last.shorter), last.place, answer < last.answer ? answer : 0);
}

std::uint32_t Answers::at(std::uint32_t sequence, std::uint32_t place) const {
    while (sequence != calm && entries_[sequence].place > place) {
        sequence = entries_[sequence].shorter;
    }
    return sequence != calm && entries_[sequence].place == place ? entries_[sequence].answer : 0;
}

}  // namespace mishap::detail
