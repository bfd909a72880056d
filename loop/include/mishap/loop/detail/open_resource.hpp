#pragma once

#include <string>

namespace mishap {
class EventLoop;
}

namespace mishap::detail {

/// Something that must be closed: a transport, a server, an executor holds one. In debug mode of its loop, a resource that goes,
/// or is there when the loop ends, without having been closed is told as a warning.
///
/// Source:    the ResourceWarning of asyncio's transports, CPython 3.13.
class OpenResource {
public:
    /// Registers it; `what` says what it is, "transport 3".
    OpenResource(EventLoop& loop, std::string what);
    ~OpenResource();
    OpenResource(const OpenResource&) = delete;
    OpenResource& operator=(const OpenResource&) = delete;

    /// Tells that it is closed. Calling it twice does nothing.
    void close();
    /// Tells that it is not, at the end of its loop.
    void tell_unclosed();

private:
    EventLoop* loop_ = nullptr;  // while it is open and somebody watches
    std::string what_;
};

}  // namespace mishap::detail
