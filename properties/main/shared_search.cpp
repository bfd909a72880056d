#include "shared_search.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <new>
#include <system_error>

#include <sys/mman.h>

namespace mishap::detail {

namespace {

/// Answers as another strategy does, and keeps the shared search informed.
class SharedStrategy final : public Strategy {
public:
    SharedStrategy(std::unique_ptr<Strategy> strategy, SharedSearch& search, unsigned process,
                   std::vector<std::uint64_t>& digests)
        : strategy_(std::move(strategy)), search_(search), process_(process), digests_(digests) {}
    ~SharedStrategy() override { search_.begin(process_, SharedSearch::none); }

    const char* name() const override { return strategy_->name(); }
    Needs needs() const override { return strategy_->needs(); }
    bool begin_run(const RunInfo& run) override {
        search_.begin(process_, run.number);
        if (search_.is_wanted(run.number) && strategy_->begin_run(run)) {
            return true;
        }
        if (strategy_->is_exhausted() || strategy_->has_diverged()) {
            search_.end_for_all();
        }
        search_.begin(process_, SharedSearch::none);
        return false;
    }
    std::uint32_t pick(const Question& question) override { return strategy_->pick(question); }
    void after_step(const Step& step) override { strategy_->after_step(step); }
    void end_run(const Summary& summary) override {
        strategy_->end_run(summary);
        if (search_.processes() > 1) {
            digests_.push_back(summary.digest);
        }
    }
    bool is_exhausted() const override { return strategy_->is_exhausted(); }
    bool has_diverged() const override { return strategy_->has_diverged(); }
    std::optional<std::uint64_t> interleavings() const override { return strategy_->interleavings(); }
    std::optional<double> next_is_new_max() const override { return strategy_->next_is_new_max(); }

private:
    std::unique_ptr<Strategy> strategy_;
    SharedSearch& search_;
    unsigned process_;
    std::vector<std::uint64_t>& digests_;
};

}  // namespace

SharedSearch::SharedSearch(unsigned processes)
    : processes_(processes), size_bytes_(sizeof(Memory) + processes * sizeof(std::atomic<std::uint64_t>)) {
    void* const memory = ::mmap(nullptr, size_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        throw std::system_error(errno, std::generic_category(), "no memory to share with the processes of a search");
    }
    // Pages of the kernel are zero: positions begin at run 0, and nothing is exhausted.
    memory_ = static_cast<Memory*>(memory);
    memory_->first_failure = none;
}

SharedSearch::~SharedSearch() { ::munmap(memory_, size_bytes_); }

void SharedSearch::fail(std::uint64_t number) {
    std::uint64_t first = memory_->first_failure;
    while (number < first && !memory_->first_failure.compare_exchange_weak(first, number)) {
    }
}

std::unique_ptr<Strategy> SharedPart::share(std::unique_ptr<Strategy> strategy) {
    return std::make_unique<SharedStrategy>(std::move(strategy), search_, process_, digests_);
}

bool SharedPart::is_first_failure(std::uint64_t run) {
    if (run % search_.processes() != process_) {
        return false;  // a calm run, which every process makes
    }
    search_.fail(run);
    search_.begin(process_, SharedSearch::none);
    constexpr timespec pause = {0, 1'000'000};
    for (unsigned process = 0; process < search_.processes(); ++process) {
        while (search_.position(process) <= run && search_.first_failure() == run) {
            ::nanosleep(&pause, nullptr);
        }
    }
    return search_.first_failure() == run;
}

std::vector<std::uint64_t> SharedPart::take_digests() {
    std::sort(digests_.begin(), digests_.end());
    digests_.erase(std::unique(digests_.begin(), digests_.end()), digests_.end());
    return std::move(digests_);
}

}  // namespace mishap::detail
