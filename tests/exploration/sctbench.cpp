#include "exploration/sctbench.hpp"

#include <algorithm>
#include <stdexcept>

#include "exploration/sctbench_programs.hpp"

namespace mishap::test {

std::vector<KnownProgram> sctbench() {
    const auto no = std::nullopt;
    // Program; random walk; POS, URW, SURW; preemptions and delays needed, schedules up to the
    // failure.
    return {
        {{"account_bad", account_bad, {}}, 0.333333, 0.3314, 0.3966, 0.3330, 0, 2, 3, 3},
        {{"arithmetic_prog_bad", arithmetic_prog_bad, {}}, 1.0, 1, 1, 1, 0, 0, 1, 1},
        {{"bluetooth_driver_bad", bluetooth_driver_bad, {}},
         0.039062, 0.0668, 0.0151, 0.0417, 1, 1, 5, 4},
        {{"carter01_bad", carter01_bad, {}}, 0.5, 0.4974, 0.6682, 0.7489, 1, 1, 3, 2},
        {{"circular_buffer_bad", circular_buffer_bad, {}},
         0.9375, 0.9364, 0.9539, 0.9399, 1, 2, 9, 10},
        {{"deadlock01_bad", deadlock01_bad, {}}, 0.5, 0.3324, 0.5457, 0.6643, 1, 1, 4, 3},
        {din_phil(2), 0.968750, 0.8888, 0.7810, 0.8254, 0, 0, 1, 1},
        {din_phil(3), 0.929177, 0.7706, 0.5833, 0.7771, 0, 0, 1, 1},
        {din_phil(4), 0.887137, 0.6724, 0.4284, 0.7659, 0, 0, 1, 1},
        {din_phil(5), 1.0, 1, 1, 1, 0, 0, 1, 1},
        {{"lazy01_bad", lazy01_bad, {}}, 0.333333, 0.3325, 0.4147, 0.4323, 0, 0, 1, 1},
        {{"phase01_bad", phase01_bad, {}}, 1.0, 1, 1, 1, 0, 0, 1, 1},
        {{"queue_bad", queue_bad, {}}, no, 0.9998, 1.0, 0.9999, 1, 2, 40, 22},
        {reorder_bad(2, 1), 0.049383, 0.1005, 0.1444, 0.1257, 1, 2, 12, 13},
        {reorder_bad(3, 1), 0.038086, 0.0796, 0.1336, 0.1010, 1, 3, 61, 69},
        {reorder_bad(4, 1), 0.030208, 0.0633, 0.1158, 0.0853, 1, 4, 373, 435},
        {{"stack_bad", stack_bad, {}}, no, 0.6228, 0.7269, 0.6299, 1, 1, 3, 2},
        {{"sync01_bad", sync01_bad, {}}, 1.0, 1, 1, 1, 0, 0, 1, 1},
        {{"sync02_bad", sync02_bad, {}}, 1.0, 1, 1, 1, 0, 0, 1, 1},
        {{"CVE-2009-3547", cve_2009_3547, {}}, 0.5, 0.5024, 0.5023, 0.4995, 0, 1, 2, 2},
        {{"CVE-2015-7550", cve_2015_7550, {}}, 0.5, 0.3327, 0.5722, 0.4598, 1, 1, 3, 2},
        {{"CVE-2017-6346", cve_2017_6346, {}}, 0.450195, 0.4567, 0.7786, 0.6024, 1, 1, 8, 7},
        {lost_update(2, 1), 0.5, 0.3353, 0.6659, 0.6682, 1, 1, 3, 2},
        {lost_update(2, 3), 0.933594, 0.8028, 0.9784, 0.9792, 1, 1, 3, 2},
        {lost_update(3, 1), 0.833333, 0.6646, 0.9345, 0.9326, 1, 1, 7, 2},
        {lost_update(3, 3), 0.998883, 0.9860, 0.9999, 0.9999, 1, 1, 7, 2},
        {min_counter(2, 3), 0.003906, 0.00182, 0.00846, 0.00914, 4, 4, 225, 175},
        {philosophers(2), 0.5, 0.3330, 0.5703, 0.7499, 1, 1, 4, 3},
        {philosophers(3), 0.333333, 0.1997, 0.4161, 0.5283, 1, 2, 23, 24},
        {uneven(5), 0.031250, 0.0305, 0.1660, 0.1681, 0, 0, 1, 1},
        {uneven(10), 0.000977, 0.00098, 0.0902, 0.0902, 0, 0, 1, 1},
        {uneven(25), 2.98e-08, 0, 0.0380, 0.0381, 0, 0, 1, 1},
        {{"lost_wakeup", lost_wakeup, {}}, 0.25, 0.2494, 0.1448, 0.2498, 1, 1, 3, 2},
    };
}

KnownProgram sctbench(const std::string& name) {
    const std::vector<KnownProgram> all = sctbench();
    const auto found = std::find_if(all.begin(), all.end(), [&](const KnownProgram& known) {
        return known.program.name == name;
    });
    if (found == all.end()) {
        throw std::out_of_range("no program is called " + name);
    }
    return *found;
}

}  // namespace mishap::test
