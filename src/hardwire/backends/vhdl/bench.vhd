-- @{generated}.
-- Drives @{name} with @{name}_in.hex and compares with @{name}_out.hex; in this folder:
--   ghdl -a --std=08 @{name}.vhd @{name}_tb.vhd && ghdl -e --std=08 @{name}_tb && ghdl -r --std=08 @{name}_tb
-- Prints PASSED, or ends with an exit code other than 0. At every third vector the clock comes without enable and with
-- other inputs, and nothing may move.
library ieee;
use ieee.std_logic_1164.all;
use std.textio.all;

entity @{name}_tb is
end entity @{name}_tb;

architecture bench of @{name}_tb is
  constant VECTORS : natural := @{vectors};
  constant LATENCY : natural := @{latency};
  signal clk : std_logic := '0';
  signal ce : std_logic := '1';
  signal x : std_logic_vector(@{high_x} downto 0) := (others => '0');
  signal y : std_logic_vector(@{high_y} downto 0);
begin
  dut : entity work.@{name} port map (@{clock}x => x, y => y);

  process
    file inputs : text open read_mode is "@{name}_in.hex";
    file outputs : text open read_mode is "@{name}_out.hex";
    variable row : line;
    variable given : std_logic_vector(@{high_x} downto 0);
    variable expected : std_logic_vector(@{high_y} downto 0);
    variable errors : natural := 0;
  begin
    for i in 0 to VECTORS + LATENCY - 1 loop
      if i < VECTORS then
        readline(inputs, row);
        hread(row, given);
        x <= given;
      end if;
      wait for 1 ns;
      if i mod 3 = 1 then
        x <= not given;
        ce <= '0';
        wait for 1 ns;
        clk <= '1';
        wait for 1 ns;
        clk <= '0';
        x <= given;
        ce <= '1';
        wait for 1 ns;
      end if;
      if i >= LATENCY then
        readline(outputs, row);
        hread(row, expected);
        if y /= expected then
          errors := errors + 1;
          report "vector " & integer'image(i - LATENCY) & " differs" severity warning;
        end if;
      end if;
      clk <= '1';
      wait for 1 ns;
      clk <= '0';
    end loop;
    assert errors = 0 report "FAILED " & integer'image(errors) & " vectors" severity failure;
    report "PASSED " & integer'image(VECTORS) & " vectors";
    wait;
  end process;
end architecture bench;
