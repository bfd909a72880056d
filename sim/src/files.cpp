#include <mishap/sim/detail/files.hpp>

#include <mishap/sim/detail/tape_words.hpp>
#include <mishap/sim/errors.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace mishap::detail {

namespace {

/// Owns a file descriptor.
class OpenFile {
public:
    OpenFile(const std::filesystem::path& path, int flags)
        : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
    ~OpenFile() { close(); }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;

    bool is_open() const { return fd_ >= 0; }
    int fd() const { return fd_; }
    /// Returns whether everything written has been taken; some file systems say so only here.
    bool close() {
        const int result = fd_ >= 0 ? ::close(fd_) : 0;
        fd_ = -1;
        return result == 0;
    }

private:
    int fd_;
};

bool write_all(OpenFile& file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(file.fd(), text.data(), text.size());
        if (written >= 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno != EINTR) {
            return false;
        }
    }
    return file.close();
}

}  // namespace

std::string read_file(const std::filesystem::path& path, std::size_t size_max) {
    constexpr std::size_t block_size = std::size_t{1} << 16U;
    OpenFile file(path, O_RDONLY);
    std::string text;
    while (file.is_open() && text.size() < size_max) {
        const std::size_t before = text.size();
        text.resize(std::min(before + block_size, size_max));
        const ssize_t taken = ::read(file.fd(), text.data() + before, text.size() - before);
        const int error = errno;
        text.resize(before + (taken > 0 ? static_cast<std::size_t>(taken) : 0));
        if (taken == 0) {
            return text;
        }
        if (taken < 0 && error != EINTR) {
            refuse_file("read", path, error);
        }
    }
    if (!file.is_open()) {
        refuse_file("read", path, errno);
    }
    return text;
}

void write_aside(const std::filesystem::path& path, std::string_view text) {
    make_directories_for(path);
    std::filesystem::path aside = path;
    aside += fmt::format(".tmp{}", ::getpid());
    OpenFile file(aside, O_WRONLY | O_CREAT | O_TRUNC);
    const bool done = file.is_open() && write_all(file, text) && ::rename(aside.c_str(), path.c_str()) == 0;
    if (!done) {
        const int error = errno;
        ::unlink(aside.c_str());
        refuse_file("write", path, error);
    }
}

void make_directories_for(const std::filesystem::path& path) {
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (error && !path.parent_path().empty()) {
        refuse_file("make the directories for", path, error.value());
    }
}

void refuse_file(const char* action, const std::filesystem::path& path, int error) {
    const bool reads = std::string_view(action) == "read";
    throw UsageError(fmt::format("Cannot {} the file {}: {}. {}", action, in_quotes(path.string()),
                                 std::generic_category().message(error),
                                 reads ? "Check the path; a relative one begins in the current directory."
                                       : "Choose a directory that can be written and has space left."));
}

}  // namespace mishap::detail
