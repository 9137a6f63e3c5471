// The loop of a simulation for releases of Verilator before 5.036, whose VPI knows no pending puts; later ones are driven by
// the loop that cocotb brings. cocotb's writes are then made in the read-write phase (COCOTB_TRUST_INERTIAL_WRITES=0).
#include <memory>

#include "Vtop.h"
#include "verilated.h"
#include "verilated_vpi.h"

static vluint64_t now = 0;

double sc_time_stamp() { return now; }

extern "C" void vlog_startup_routines_bootstrap(void);

static bool settle() {
    const bool called = VerilatedVpi::callValueCbs();
    for (bool again = called; again;) again = VerilatedVpi::callValueCbs();
    return called;
}

int main(int argc, char **argv) {
    Verilated::commandArgs(argc, argv);
    const std::unique_ptr<Vtop> top(new Vtop(""));
    Verilated::fatalOnVpiError(false);  // cocotb asks for what a simulator may lack
    vlog_startup_routines_bootstrap();
    VerilatedVpi::callCbs(cbStartOfSimulation);
    settle();
    while (!Verilated::gotFinish()) {
        for (bool again = true; again;) {
            top->eval_step();
            again = settle();
            again |= VerilatedVpi::callCbs(cbReadWriteSynch);
            again |= settle();
        }
        top->eval_end_step();
        VerilatedVpi::callCbs(cbReadOnlySynch);
        const vluint64_t next = VerilatedVpi::cbNextDeadline();
        if (next == ~0ULL) break;
        now = next;
        VerilatedVpi::callCbs(cbNextSimTime);
        settle();
        VerilatedVpi::callTimedCbs();
        settle();
    }
    top->final();
    VerilatedVpi::callCbs(cbEndOfSimulation);
    return 0;
}
