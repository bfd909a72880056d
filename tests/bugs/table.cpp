// Prints docs/bugs.md: mishap_bugs_table > docs/bugs.md

#include <cstdio>

#include "bug.hpp"

int main() {
    std::fputs(bugs::bugs_page().c_str(), stdout);
    return 0;
}
