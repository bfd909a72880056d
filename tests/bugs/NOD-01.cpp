// Node.js, fs streams, nodejs/node #25335 (pull request 30837).
//
// `destroy` closes the descriptor although a read is under way in the pool. The number is given to the next
// file that is opened, and the read finds that one.

#include <map>
#include <string>

#include "invariants.hpp"

using namespace mishap;
using namespace std::chrono_literals;
using namespace bugs;

namespace {

const BugRegistration registration(
    {.id = "NOD-01",
     .upstream = "Node.js #25335",
     .title = "fs streams: close overtakes a read, which then reads another file",
     .invariant = Invariant::pairing,
     .pattern = Pattern::close_forgets});

/// Open files by number; a new one gets the lowest that is free, as in POSIX.
class Descriptors {
public:
    int open(const std::string& file) {
        int fd = 3;
        while (files_.count(fd) != 0) {
            ++fd;
        }
        files_[fd] = file;
        return fd;
    }
    void close(int fd) { files_.erase(fd); }
    /// Returns what can be read: here, the file's name.
    std::string read(int fd) const {
        const auto found = files_.find(fd);
        return found == files_.end() ? "EBADF" : found->second;
    }

private:
    std::map<int, std::string> files_;
};

enum class Destroy { closes_at_once, closes_after_the_read };

template <Destroy destroy_closes>
class ReadStream {
public:
    ReadStream(Descriptors& descriptors, const std::string& file)
        : descriptors_(descriptors), fd_(descriptors.open(file)) {}

    std::string read() {
        is_reading_ = true;
        sleep(0s);  // in the pool
        std::string data = descriptors_.read(fd_);
        is_reading_ = false;
        if (is_destroyed_ && destroy_closes == Destroy::closes_after_the_read) {
            descriptors_.close(fd_);
        }
        return data;
    }
    void destroy() {
        is_destroyed_ = true;
        if (destroy_closes == Destroy::closes_at_once || !is_reading_) {
            descriptors_.close(fd_);
        }
    }
    bool is_destroyed() const { return is_destroyed_; }

private:
    Descriptors& descriptors_;
    int fd_;
    bool is_reading_ = false;
    bool is_destroyed_ = false;
};

template <class S>
void read_and_destroy() {
    Descriptors descriptors;
    S stream(descriptors, "a");
    const auto user = create_task(
        [&] {
            stream.destroy();
            descriptors.open("b");
        },
        {.name = "user"});
    const auto reader = create_task(
        [&] {
            if (!stream.is_destroyed()) {
                const std::string data = stream.read();
                claim(data == "a", Invariant::pairing);
            }
        },
        {.name = "reader"});
    join(user, reader);
}

}  // namespace

MISHAP_SCENARIO("NOD-01/buggy") { read_and_destroy<ReadStream<Destroy::closes_at_once>>(); }
MISHAP_SCENARIO("NOD-01/fixed") { read_and_destroy<ReadStream<Destroy::closes_after_the_read>>(); }
