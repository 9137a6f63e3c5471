# @{generated}.
# west build -b bbc_microbit; west flash
cmake_minimum_required(VERSION 3.20.0)
find_package(Zephyr REQUIRED HINTS $ENV{ZEPHYR_BASE})
project(@{name}_check)
target_sources(app PRIVATE src/main.c)
