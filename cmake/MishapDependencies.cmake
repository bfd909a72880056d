# Targets found here must be visible to a project that embeds mishap, because they appear in our link interfaces.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)

if(NOT TARGET Boost::context)
    find_package(Boost 1.74 REQUIRED CONFIG COMPONENTS headers context)
endif()
if(NOT TARGET fmt::fmt)
    find_package(fmt REQUIRED)
endif()
if(NOT TARGET CLI11::CLI11)
    find_package(CLI11 REQUIRED)
endif()
find_package(Threads REQUIRED)

# Optional: without it there is no mishap::rapidcheck.
if(NOT TARGET rapidcheck)
    find_package(rapidcheck QUIET)
endif()
