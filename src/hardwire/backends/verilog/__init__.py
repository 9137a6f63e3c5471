"""Verilog-2001."""
