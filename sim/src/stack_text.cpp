#include <mishap/sim/stack_text.hpp>

#include <array>
#include <cstdlib>
#include <memory>
#include <string_view>

#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>

namespace mishap::detail {

std::vector<void*> capture_stack() {
    std::array<void*, 32> frames{};
    const int count = ::backtrace(frames.data(), static_cast<int>(frames.size()));
    return {frames.begin(), frames.begin() + count};
}

std::vector<std::string> describe_stack(const std::vector<void*>& stack) {
    std::vector<std::string> functions;
    for (void* address : stack) {
        Dl_info info{};
        // A return address may lie behind the end of a function that never returns; the call lies before it.
        if (::dladdr(static_cast<char*>(address) - 1, &info) == 0 || info.dli_sname == nullptr) {
            continue;
        }
        int status = 0;
        const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status),
                                                          std::free);
        std::string function = status == 0 ? name.get() : info.dli_sname;
        if (function.find("mishap::detail::") == std::string::npos && function.rfind("mishap::Shared<", 0) != 0 &&
            function.find("mishap::EventLoop::") == std::string::npos) {
            functions.push_back(std::move(function));
        }
    }
    return functions;
}

}  // namespace mishap::detail
