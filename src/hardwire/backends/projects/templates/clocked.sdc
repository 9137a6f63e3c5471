# @{generated}.
# Clock of core @{name}: @{clock} MHz. Inputs come from registers of the same clock, and outputs go to such.
create_clock -name clk -period @{period} [get_ports clk]
set_input_delay -clock clk 0.0 [get_ports {ce x[*]}]
set_output_delay -clock clk 0.0 [get_ports {y[*]}]
