# @{generated}.
# For OpenROAD-flow-scripts, in its folder flow: make DESIGN_CONFIG=PATH/config.mk
export DESIGN_NICKNAME = @{name}
export DESIGN_NAME     = @{name}
export PLATFORM        = sky130hd

@{name}_FOLDER := @{dollar}(dir @{dollar}(lastword @{dollar}(MAKEFILE_LIST)))
export VERILOG_FILES   = @{make_sources}
export SDC_FILE        = @{dollar}(@{name}_FOLDER)@{name}.sdc

export CORE_UTILIZATION = 40
export PLACE_DENSITY_LB_ADDON = 0.2
