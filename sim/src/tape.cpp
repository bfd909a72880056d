#include <mishap/sim/tape.hpp>

#include <algorithm>

namespace mishap {

std::size_t mishap_count(std::span<const Choice> tape) {
    return static_cast<std::size_t>(
        std::count_if(tape.begin(), tape.end(), [](const Choice& choice) { return choice.is_mishap(); }));
}

namespace detail {

namespace {
constexpr std::size_t room_first = 1024;
}

TapeRecorder::TapeRecorder() { use(nullptr); }
TapeRecorder::~TapeRecorder() = default;

void TapeRecorder::use(TapeStorage* storage) {
    storage_ = storage;
    if (storage_ != nullptr) {
        room_ = storage_->grow(room_first);
    } else {
        memory_.resize(std::max(memory_.size(), room_first));
        room_ = memory_;
    }
    clear();
}

void TapeRecorder::grow() {
    if (storage_ != nullptr) {
        room_ = storage_->grow(room_.size() * 2);
    } else {
        memory_.resize(room_.size() * 2);
        room_ = memory_;
    }
}

}  // namespace detail
}  // namespace mishap
