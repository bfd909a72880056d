#include <mishap/sim/fake_selector.hpp>

#include <algorithm>

namespace mishap {

namespace {

constexpr std::size_t first_fd = 3;

}  // namespace

int FakeSelector::open() {
    if (descriptors_.size() < first_fd) descriptors_.resize(first_fd);
    auto place = std::find_if(descriptors_.begin() + first_fd, descriptors_.end(),
                              [](const Descriptor& descriptor) { return descriptor.opened == 0; });
    if (place == descriptors_.end()) place = descriptors_.insert(place, Descriptor{});
    *place = {++opened_, false, false};
    return static_cast<int>(place - descriptors_.begin());
}

void FakeSelector::close(int fd) { get_open(fd) = {}; }

void FakeSelector::set_readable(int fd, bool readable) { get_open(fd).readable = readable; }

void FakeSelector::set_writable(int fd, bool writable) { get_open(fd).writable = writable; }

void FakeSelector::reset() {
    registrations_.clear();
    descriptors_.clear();
    woken_.store(false);
}

bool FakeSelector::is_open(int fd) const {
    return fd >= 0 && static_cast<std::size_t>(fd) < descriptors_.size() &&
           descriptors_[static_cast<std::size_t>(fd)].opened != 0;
}

FakeSelector::Descriptor& FakeSelector::get_open(int fd) {
    if (!is_open(fd)) detail::throw_not_open(fd);
    return descriptors_[static_cast<std::size_t>(fd)];
}

bool FakeSelector::was_closed(int fd, const detail::Registrations::Registration& registration) const {
    return !is_open(fd) || descriptors_[static_cast<std::size_t>(fd)].opened != registration.opened;
}

void FakeSelector::register_fd(int fd, Interest interest, std::uint64_t token) {
    registrations_.check_new(fd, interest);
    registrations_.add(fd, {interest, token, get_open(fd).opened});
}

void FakeSelector::modify_fd(int fd, Interest interest, std::uint64_t token) {
    auto& registration = registrations_.get(fd, interest);
    if (was_closed(fd, registration)) detail::throw_closed_while_registered(fd);
    registration.interest = interest;
    registration.token = token;
}

void FakeSelector::unregister_fd(int fd) {
    const bool closed = was_closed(fd, registrations_.get(fd));
    registrations_.remove(fd);
    if (closed) detail::throw_closed_while_registered(fd);
}

void FakeSelector::select(std::optional<std::chrono::nanoseconds> timeout, std::vector<Ready>& ready) {
    ready.clear();
    for (int fd = 0; fd < registrations_.fd_end(); ++fd) {
        const auto* registration = registrations_.find(fd);
        if (registration == nullptr || was_closed(fd, *registration)) continue;
        const Descriptor& descriptor = descriptors_[static_cast<std::size_t>(fd)];
        const bool readable = descriptor.readable && registration->interest.readable;
        const bool writable = descriptor.writable && registration->interest.writable;
        if (readable || writable) ready.push_back({fd, registration->token, readable, writable});
    }
    const bool woken = woken_.exchange(false);
    if (!timeout && ready.empty() && !woken) throw detail::WouldWaitForEver();
}

}  // namespace mishap
