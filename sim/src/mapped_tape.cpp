#include <mishap/sim/mapped_tape.hpp>

#include <mishap/sim/build_name.hpp>
#include <mishap/sim/detail/files.hpp>
#include <mishap/sim/detail/tape_words.hpp>
#include <mishap/sim/errors.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <type_traits>

namespace mishap {

namespace {

static_assert(sizeof(Choice) == 16 && std::is_trivially_copyable_v<Choice>,
              "the file holds choices as memory does");

constexpr std::size_t page_size = 4096;
constexpr std::size_t choices_first = 1024;

/// What the file begins with. Behind it stands the text of a tape file without choices, and then, from a
/// page's beginning, the choices up to the first of kind `none` or the end of the file.
struct Header {
    char magic[8] = {'m', 'i', 's', 'h', 'a', 'p', 'T', '1'};  // the last one is the version
    std::uint32_t byte_order = 0x0102'0304;
    std::uint32_t choice_size = sizeof(Choice);
    std::int64_t process = 0;
    std::uint64_t text_size = 0;
    std::uint64_t choices_at = 0;
};

/// Changes the size of the file so that its space is really there: a store to a mapped hole in a file on a
/// full disk would kill the process. Returns a value of errno.
int reserve(int fd, std::size_t size) {
    int error = EINTR;
    while (error == EINTR) {
        error = ::posix_fallocate(fd, 0, static_cast<off_t>(size));
    }
    if (error == EOPNOTSUPP || error == EINVAL) {
        error = ::ftruncate(fd, static_cast<off_t>(size)) == 0 ? 0 : errno;
    }
    return error;
}

[[noreturn]] void refuse(const std::filesystem::path& path, const char* why) {
    throw UsageError(
        fmt::format("The tape of a run in flight at {} cannot be recovered: {}. Run the scenario again.",
                    detail::in_quotes(path.string()), why));
}

}  // namespace

MappedTape::MappedTape(const std::filesystem::path& path, std::string_view scenario,
                       const WorldOptions& options)
    : path_(path), owner_(::getpid()) {
    TapeFile about;
    about.scenario = scenario;
    about.options = options;
    about.build = build_name();
    const std::string text = to_text(about);
    Header header;
    header.process = owner_;
    header.text_size = text.size();
    choices_at_ = (sizeof(Header) + text.size() + page_size - 1) / page_size * page_size;
    header.choices_at = choices_at_;

    detail::make_directories_for(path_);
    // Never the old file itself: somebody may still have it mapped.
    ::unlink(path_.c_str());
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd_ < 0) {
        detail::refuse_file("make", path_, errno);
    }
    if (const int error = map_file(choices_at_ + choices_first * sizeof(Choice)); error != 0) {
        remove_file();
        detail::refuse_file("make", path_, error);
    }
    std::memcpy(memory_, &header, sizeof header);
    std::memcpy(memory_ + sizeof header, text.data(), text.size());
}

MappedTape::~MappedTape() {
    remove_file();
    if (memory_ != nullptr) {
        ::munmap(memory_, size_);
    }
}

std::span<Choice> MappedTape::grow(std::size_t count) {
    const std::size_t size = choices_at_ + count * sizeof(Choice);
    if (size > size_ && (!is_kept() || map_file(size) != 0)) {
        leave_file(size);
    }
    return {reinterpret_cast<Choice*>(memory_ + choices_at_), (size_ - choices_at_) / sizeof(Choice)};
}

/// Makes file and mapping `size` bytes long and returns 0, or leaves the mapping as it is and returns a value
/// of errno.
int MappedTape::map_file(std::size_t size) {
    if (const int error = reserve(fd_, size); error != 0) {
        return error;
    }
    void* const memory = memory_ == nullptr
                             ? ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0)
                             : ::mremap(memory_, size_, size, MREMAP_MAYMOVE);
    if (memory == MAP_FAILED) {
        return errno;
    }
    memory_ = static_cast<std::byte*>(memory);
    size_ = size;
    return 0;
}

/// Goes on in `size` bytes of ordinary memory.
void MappedTape::leave_file(std::size_t size) {
    void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        throw std::bad_alloc();
    }
    std::memcpy(memory, memory_, size_);
    ::munmap(memory_, size_);
    remove_file();
    memory_ = static_cast<std::byte*>(memory);
    size_ = size;
}

/// Closes the file, and removes it if it is still this one and this process's.
void MappedTape::remove_file() {
    if (fd_ < 0) {
        return;
    }
    struct stat mine = {};
    struct stat there = {};
    const bool is_mine = ::getpid() == owner_ && ::fstat(fd_, &mine) == 0 &&
                         ::stat(path_.c_str(), &there) == 0 && mine.st_dev == there.st_dev &&
                         mine.st_ino == there.st_ino;
    if (is_mine) {
        ::unlink(path_.c_str());
    }
    ::close(fd_);
    fd_ = -1;
}

TapeFile recover_mapped_tape(const std::filesystem::path& path) {
    const Header expected;
    Header header;
    const std::string start = detail::read_file(path, sizeof header);
    if (start.size() < sizeof header || start.compare(0, 7, expected.magic, 7) != 0) {
        refuse(path, "it is no such file");
    }
    std::memcpy(&header, start.data(), sizeof header);
    if (header.magic[7] > expected.magic[7]) {
        refuse(path,
               "it was made by a newer mishap; update to that version, or take the one that made the file");
    }
    if (header.byte_order != expected.byte_order || header.choice_size != expected.choice_size) {
        refuse(path, "it was made on another kind of machine");
    }
    const std::string bytes = detail::read_file(path, std::numeric_limits<std::size_t>::max());
    if (header.choices_at > bytes.size() || header.choices_at < sizeof header ||
        header.text_size > header.choices_at - sizeof header) {
        refuse(path, "it is damaged");
    }
    TapeFile file =
        parse_tape_file(std::string_view(bytes).substr(sizeof header, header.text_size), path.string());
    for (std::size_t at = header.choices_at; at + sizeof(Choice) <= bytes.size(); at += sizeof(Choice)) {
        Choice choice;
        std::memcpy(&choice, bytes.data() + at, sizeof choice);
        if (choice.kind == ChoiceKind::none) {
            break;
        }
        if (choice.kind > ChoiceKind::sweep || choice.classes < 2 || choice.taken >= choice.classes) {
            refuse(path, "it is damaged");
        }
        file.dense.push_back(choice);
    }
    return file;
}

}  // namespace mishap
