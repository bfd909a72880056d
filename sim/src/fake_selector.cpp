#include <mishap/sim/fake_selector.hpp>

namespace mishap {

namespace {

constexpr std::size_t first_fd = 3;

}  // namespace

int FakeSelector::open() {
    if (descriptors_.size() < first_fd) descriptors_.resize(first_fd);
    std::size_t number = free_.next(0);
    if (number == detail::NumberSet::none) {
        number = descriptors_.size();
        descriptors_.emplace_back();
    } else {
        free_.erase(number);
    }
    descriptors_[number] = {++opened_, false, false};
    return static_cast<int>(number);
}

void FakeSelector::close(int fd) {
    get_open(fd) = {};
    free_.insert(static_cast<std::size_t>(fd));
    ready_.erase(static_cast<std::size_t>(fd));
}

void FakeSelector::set_readable(int fd, bool readable) {
    Descriptor& descriptor = get_open(fd);
    if (descriptor.readable == readable) return;
    descriptor.readable = readable;
    update(fd);
}

void FakeSelector::set_writable(int fd, bool writable) {
    Descriptor& descriptor = get_open(fd);
    if (descriptor.writable == writable) return;
    descriptor.writable = writable;
    update(fd);
}

void FakeSelector::reset() {
    registrations_.clear();
    descriptors_.clear();
    free_.clear();
    ready_.clear();
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
    update(fd);
}

void FakeSelector::modify_fd(int fd, Interest interest, std::uint64_t token) {
    auto& registration = registrations_.get(fd, interest);
    if (was_closed(fd, registration)) detail::throw_closed_while_registered(fd);
    registration.interest = interest;
    registration.token = token;
    update(fd);
}

void FakeSelector::unregister_fd(int fd) {
    const bool closed = was_closed(fd, registrations_.get(fd));
    registrations_.remove(fd);
    ready_.erase(static_cast<std::size_t>(fd));
    if (closed) detail::throw_closed_while_registered(fd);
}

Ready FakeSelector::look(int fd) const {
    const auto* registration = registrations_.find(fd);
    if (registration == nullptr || was_closed(fd, *registration)) return {};
    const Descriptor& descriptor = descriptors_[static_cast<std::size_t>(fd)];
    return {fd, registration->token, descriptor.readable && registration->interest.readable,
            descriptor.writable && registration->interest.writable};
}

void FakeSelector::update(int fd) {
    const Ready now = look(fd);
    if (now.readable || now.writable) {
        ready_.insert(static_cast<std::size_t>(fd));
    } else {
        ready_.erase(static_cast<std::size_t>(fd));
    }
}

void FakeSelector::select(std::optional<std::chrono::nanoseconds> timeout, std::vector<Ready>& ready) {
    ready.clear();
    for (std::size_t fd = ready_.next(0); fd != detail::NumberSet::none; fd = ready_.next(fd + 1)) {
        ready.push_back(look(static_cast<int>(fd)));
    }
    const bool woken = woken_.exchange(false);
    if (!timeout && ready.empty() && !woken) throw detail::WouldWaitForEver();
}

}  // namespace mishap
