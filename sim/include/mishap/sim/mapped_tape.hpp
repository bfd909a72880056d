#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include <sys/types.h>

#include <mishap/sim/tape.hpp>
#include <mishap/sim/tape_file.hpp>

namespace mishap {

/// Keeps the tape of the run in flight in a memory-mapped file, so that it survives the death of the process.
///
/// A choice costs a store and no system call; the kernel keeps what was stored, however the process ends (but
/// not what a machine forgets that loses its power). The file is removed when this is destroyed: a file that
/// is still there tells of a run that ended its process. `TapeRecorder::use` takes it, and must let go of it
/// first.
///
/// After `fork` the child still writes to its parent's file; it makes a tape of its own, and never removes
/// this one. If the file cannot grow in the middle of a run, the run matters more: the tape goes on in
/// ordinary memory, the file is removed, and `is_kept` is false from then on.
class MappedTape : public detail::TapeStorage {
public:
    /// Makes the file at `path`, and the directories above it; what was there before is replaced.
    ///
    /// Throws:    UsageError if the file system refuses, as for lack of space.
    MappedTape(const std::filesystem::path& path, std::string_view scenario, const WorldOptions& options);
    ~MappedTape() override;
    MappedTape(const MappedTape&) = delete;
    MappedTape& operator=(const MappedTape&) = delete;

    std::span<Choice> grow(std::size_t count) override;

    /// Returns whether the file still gets every choice.
    bool is_kept() const { return fd_ >= 0; }
    const std::filesystem::path& path() const { return path_; }

private:
    int map_file(std::size_t size);
    void leave_file(std::size_t size);
    void remove_file();

    std::filesystem::path path_;
    int fd_ = -1;
    pid_t owner_;
    std::byte* memory_ = nullptr;
    std::size_t size_ = 0;        // of file and mapping, in bytes
    std::size_t choices_at_ = 0;  // where the choices begin, in bytes
};

/// Returns what a process that died left at `path`: scenario, options, build and the dense tape as far as it
/// got.
///
/// Throws:    UsageError if the file cannot be read or is none that a `MappedTape` of this kind of machine
/// made.
TapeFile recover_mapped_tape(const std::filesystem::path& path);

}  // namespace mishap
