# @{generated}.
# Core @{name} is combinational: y follows x within @{period} ns, one period of @{clock} MHz. The clock has no port.
create_clock -name virtual -period @{period}
set_input_delay -clock virtual 0.0 [get_ports {x[*]}]
set_output_delay -clock virtual 0.0 [get_ports {y[*]}]
