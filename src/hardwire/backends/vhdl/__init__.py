"""VHDL-93, with a test bench in VHDL-2008."""
