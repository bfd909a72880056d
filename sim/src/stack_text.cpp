#include <mishap/sim/stack_text.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string_view>

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <execinfo.h>
#include <link.h>

namespace mishap::detail {

namespace {

/// The functions of a file that was loaded at `base`. The dynamic linker knows those only that are exported; bodies of
/// threads are lambdas, which are not.
class Functions {
public:
    Functions(const char* path, void* base) : base_(base) {
        std::ifstream file(path, std::ios::binary);
        if (!read(file)) {
            functions_.clear();
        }
        std::sort(functions_.begin(), functions_.end(),
                  [](const Function& a, const Function& b) { return a.begin < b.begin; });
    }
    void* base() const { return base_; }

    /// Returns the name of the function around `address`, or null.
    const char* find(const void* address) const {
        const auto offset = reinterpret_cast<std::uintptr_t>(address) - shift_;
        const auto behind = std::upper_bound(functions_.begin(), functions_.end(), offset,
                                             [](std::uintptr_t value, const Function& function) { return value < function.begin; });
        if (behind == functions_.begin() || offset - (behind - 1)->begin >= (behind - 1)->size) {
            return nullptr;
        }
        return names_.c_str() + (behind - 1)->name;
    }

private:
    struct Function {
        std::uintptr_t begin = 0;
        std::uintptr_t size = 0;
        std::size_t name = 0;
    };

    template <class T>
    static bool read_at(std::ifstream& file, std::uint64_t offset, T* into, std::size_t count) {
        file.seekg(static_cast<std::streamoff>(offset));
        file.read(reinterpret_cast<char*>(into), static_cast<std::streamsize>(count * sizeof(T)));
        return file.good();
    }

    bool read(std::ifstream& file) {
        ElfW(Ehdr) header{};
        if (!read_at(file, 0, &header, 1) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
            header.e_shentsize != sizeof(ElfW(Shdr))) {
            return false;
        }
        shift_ = header.e_type == ET_EXEC ? 0 : reinterpret_cast<std::uintptr_t>(base_);
        std::vector<ElfW(Shdr)> sections(header.e_shnum);
        if (!read_at(file, header.e_shoff, sections.data(), sections.size())) {
            return false;
        }
        for (const ElfW(Shdr)& section : sections) {
            if (section.sh_type == SHT_SYMTAB && section.sh_link < sections.size()) {
                return read_symbols(file, section, sections[section.sh_link]);
            }
        }
        return false;
    }

    bool read_symbols(std::ifstream& file, const ElfW(Shdr)& section, const ElfW(Shdr)& texts) {
        std::vector<ElfW(Sym)> symbols(section.sh_size / sizeof(ElfW(Sym)));
        names_.resize(texts.sh_size);
        if (!read_at(file, section.sh_offset, symbols.data(), symbols.size()) ||
            !read_at(file, texts.sh_offset, names_.data(), names_.size())) {
            return false;
        }
        for (const ElfW(Sym)& symbol : symbols) {
            if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_size != 0 && symbol.st_name < names_.size()) {
                functions_.push_back({symbol.st_value, symbol.st_size, symbol.st_name});
            }
        }
        return true;
    }

    void* base_;
    std::uintptr_t shift_ = 0;  // what addresses in the file are moved by
    std::vector<Function> functions_;
    std::string names_;
};

/// Returns whether a function is a reader's own: not of the library, and none that only calls what it was given.
bool is_worth_telling(std::string_view function) {
    for (const std::string_view part : {"mishap::detail::", "mishap::EventLoop::", "mishap::Shared<", "mishap::SharedBase::",
                                        "std::function<", "std::_Function_handler<", "std::__invoke", "std::_Bind"}) {
        if (function.substr(0, function.find('(')).find(part) != std::string_view::npos) {
            return false;
        }
    }
    return function.rfind("_", 0) != 0 && function != "make_fcontext";  // the C library's beginnings
}

std::string readable(const char* name) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status), std::free);
    return status == 0 ? text.get() : name;
}

}  // namespace

std::vector<void*> capture_stack() {
    std::array<void*, 32> frames{};
    const int count = ::backtrace(frames.data(), static_cast<int>(frames.size()));
    // Not in braces: they would make a list of the two iterators, which are pointers, too.
    return std::vector<void*>(frames.data(), frames.data() + count);
}

std::vector<std::string> describe_stack(const std::vector<void*>& stack) {
    std::vector<std::string> functions;
    std::vector<Functions> files;
    for (void* address : stack) {
        // A return address may lie behind the end of a function that never returns; the call lies before it.
        const void* const call = static_cast<char*>(address) - 1;
        Dl_info info{};
        if (::dladdr(call, &info) == 0) {
            continue;
        }
        auto file = std::find_if(files.begin(), files.end(), [&](const Functions& it) { return it.base() == info.dli_fbase; });
        if (file == files.end()) {
            // The program itself is known by what it was called, which need not be a path.
            const bool is_path = std::strchr(info.dli_fname, '/') != nullptr && std::ifstream(info.dli_fname).good();
            files.emplace_back(is_path ? info.dli_fname : "/proc/self/exe", info.dli_fbase);
            file = files.end() - 1;
        }
        const char* const local = file->find(call);
        const char* const name = local != nullptr ? local : info.dli_sname;
        if (name != nullptr) {
            std::string function = readable(name);
            if (is_worth_telling(function)) {
                functions.push_back(std::move(function));
            }
        }
    }
    return functions;
}

}  // namespace mishap::detail
