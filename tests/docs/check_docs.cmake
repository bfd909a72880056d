# Holds a document to its word: cmake -D DOCUMENT=... -D ROOT=... -D PROGRAMS=... -P check_docs.cmake
#
# In the document, a comment before a fenced block says what the block is:
#   <!-- cut from examples/counter.cpp -->        the block stands in that file, letter by letter
#   <!-- printed by examples run counter -->      the block is what that program of the build prints, run in the root
# Numbers that depend on the machine (runs/s) are not compared, nor is where the build is.
cmake_minimum_required(VERSION 3.25)

file(READ "${DOCUMENT}" text)
set(checked 0)

function(without_speed variable)
    string(REGEX REPLACE "[0-9.]+[kM]? runs/s" "N runs/s" result "${${variable}}")
    string(REGEX REPLACE "[0-9]+\\.[0-9] s\n" "N s\n" result "${result}")
    set(${variable} "${result}" PARENT_SCOPE)
endfunction()

function(check_block kind source block)
    if(kind STREQUAL "cut from")
        file(READ "${ROOT}/${source}" whole)
        set(where "${source}")
    else()
        separate_arguments(command UNIX_COMMAND "${source}")
        list(POP_FRONT command program)
        set(ENV{MISHAP_OUT} "${PROGRAMS}/tapes")
        execute_process(COMMAND "${PROGRAMS}/${program}" ${command} WORKING_DIRECTORY "${ROOT}"
            OUTPUT_VARIABLE whole ERROR_VARIABLE whole)
        set(where "the output of ${source}")
        string(REPLACE "${PROGRAMS}/" "build/release/examples/" whole "${whole}")
        without_speed(whole)
        without_speed(block)
    endif()
    string(FIND "${whole}" "${block}" at)
    if(at EQUAL -1)
        message(FATAL_ERROR "${DOCUMENT}: this block is not in ${where}:\n${block}\n--- which is:\n${whole}")
    endif()
endfunction()

while(text MATCHES "<!-- (cut from|printed by) ([^\n]*) -->\n```[a-z+]*\n")
    set(kind "${CMAKE_MATCH_1}")
    set(source "${CMAKE_MATCH_2}")
    set(header "${CMAKE_MATCH_0}")
    string(FIND "${text}" "${header}" at)
    string(LENGTH "${header}" length)
    math(EXPR at "${at} + ${length}")
    string(SUBSTRING "${text}" ${at} -1 text)
    string(FIND "${text}" "```" end)
    string(SUBSTRING "${text}" 0 ${end} block)
    check_block("${kind}" "${source}" "${block}")
    math(EXPR checked "${checked} + 1")
endwhile()

if(checked EQUAL 0)
    message(FATAL_ERROR "${DOCUMENT}: no block says where it is from")
endif()
message(STATUS "${checked} blocks are true")
