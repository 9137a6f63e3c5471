"""FPGA: our cover through Yosys and nextpnr, placed, routed, timed and read back."""
