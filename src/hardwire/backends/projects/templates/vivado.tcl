# @{generated}.
# Out-of-context synthesis, placement and routing of core @{name}: no pins are assigned, and the core is timed alone.
#   vivado -mode batch -source @{name}_vivado.tcl
# Reports and a checkpoint come into the folder vivado beside this file. The exit code is 1 where the clock is missed.

set name @{name}
set part @{device}
set here [file dirname [file normalize [info script]]]
set out [file join $here vivado]
file mkdir $out

foreach source {@{sources}} {
  read_verilog [file join $here $source]
}
read_xdc -mode out_of_context [file join $here $name.xdc]

synth_design -top $name -part $part -mode out_of_context
report_utilization -file [file join $out synthesis_utilization.txt]
opt_design
place_design
phys_opt_design
route_design

write_checkpoint -force [file join $out $name.dcp]
report_utilization -file [file join $out utilization.txt]
report_timing_summary -file [file join $out timing.txt]
report_power -file [file join $out power.txt]

set paths [get_timing_paths -max_paths 1]
if {[llength $paths] == 0} {
  puts "no path is timed"
} else {
  set slack [get_property SLACK [lindex $paths 0]]
  puts "worst slack $slack ns at a period of @{period} ns"
  if {$slack < 0} {
    exit 1
  }
}
