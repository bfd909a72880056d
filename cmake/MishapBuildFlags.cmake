# Flags for mishap's own development. They are set for the whole directory, so that the translation units which
# verify that every header compiles alone get them too.

find_program(MISHAP_CCACHE ccache)
mark_as_advanced(MISHAP_CCACHE)
if(MISHAP_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${MISHAP_CCACHE}")
endif()

add_compile_options(
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Woverloaded-virtual
    # Designated initialisers leave the other members at their defaults on purpose.
    -Wno-missing-field-initializers
    # Places in reports are relative to the root, so that what a build prints does not depend on where it lies.
    "-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=")
if(MISHAP_WERROR)
    add_compile_options(-Werror)
endif()

if(MISHAP_SANITIZE)
    add_compile_options(-fsanitize=${MISHAP_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${MISHAP_SANITIZE})
endif()
