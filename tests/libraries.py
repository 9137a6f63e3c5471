"""Cell libraries for tests: one of a few cells that is written here, and those that may lie on the machine."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
SKY130 = ROOT.parent / "shared" / "liberty" / "sky130hd_tt.lib.xz"

#: Name -> area, input pins, and the function of each output pin.
CELLS = {
    "INV": (2.0, "A", {"Y": "!A"}), "BUF": (3.0, "A", {"Y": "A"}), "NAND": (3.0, "A B", {"Y": "(A B)'"}),
    "NAND_X4": (9.0, "A B", {"Y": "!(A & B)"}), "NOR": (3.5, "A B", {"Y": "!(A+B)"}), "AND": (4.0, "A B", {"Y": "A*B"}),
    "XOR": (7.0, "A B", {"Y": "A^B"}), "AOI21": (4.5, "A B C", {"Y": "!((A&B) | C)"}),
    "MUX": (8.0, "D0 D1 S", {"Y": "(D0 & !S) + D1 S"}),
    "FA": (14.0, "A B CI", {"CO": "(A B)+(CI (A^B))", "S": "A^B^CI"}), "HA": (9.0, "A B", {"S": "A^B", "CO": "A B"}),
}
TIMING = """timing () {{
        related_pin : "{pin}"; timing_sense : non_unate;
        cell_rise (scalar) {{ values ("0.1"); }} rise_transition (scalar) {{ values ("0.1"); }}
        cell_fall (scalar) {{ values ("0.1"); }} fall_transition (scalar) {{ values ("0.1"); }}
      }}"""


def library_text(*without: str, extra: str = "") -> str:
    """Liberty text of ``CELLS`` but those named, and a flip-flop."""
    cells = [cell_text(name, *cell) for name, cell in CELLS.items() if name not in without]
    return f"""/* a library { '{' } of a few cells */
library (tiny) {{
  time_unit : "1ns"; capacitive_load_unit (1, pf);  // units
  define (note, cell, string);
{"".join(cells)}{extra}
  cell (DFF) {{
    area : 20; ff (IQ, IQN) {{ clocked_on : "C"; next_state : "D"; }}
    pin (C) {{ direction : input; clock : true; capacitance : 0.01; }} pin (D) {{ direction : input; capacitance : 0.01; }}
    pin (Q) {{ direction : output; function : "IQ"; }}
  }}
}}
"""


def cell_text(name: str, area: float, inputs: str, outputs: dict[str, str], more: str = "") -> str:
    pins = [f"    pin ({pin}) {{ direction : input; capacitance : 0.01; }}\n" for pin in inputs.split()]
    for pin, function in outputs.items():
        arcs = " ".join(TIMING.format(pin=i) for i in inputs.split())
        pins.append(f'    pin ({pin}) {{ direction : "output"; function : "{function}";\n      {arcs} }}\n')
    return f'  cell ("{name}") {{\n    area : {area}; {more}\n{"".join(pins)}  }}\n'


#: Axes of the tables of `timed_library_text`: nanoseconds and picofarads.
SLEWS, LOADS = (0.01, 0.1, 0.5), (0.001, 0.01, 0.05, 0.2)
THRESHOLDS = " ".join(f"{name} : {value};" for names, value in (
    (("input_threshold_pct_rise", "input_threshold_pct_fall", "output_threshold_pct_rise", "output_threshold_pct_fall"), 50),
    (("slew_lower_threshold_pct_rise", "slew_lower_threshold_pct_fall"), 20),
    (("slew_upper_threshold_pct_rise", "slew_upper_threshold_pct_fall"), 80)) for name in names)
#: Conditions of arcs and the sense of each, where an arc has some.
SENSES = {"XOR": {"A": (("!B", "positive_unate"), ("B", "negative_unate")),
                  "B": (("!A", "positive_unate"), ("A", "negative_unate"))},
          "MUX": {"S": (("", "non_unate"),)}, "FA": {pin: (("", "non_unate"),) for pin in ("A", "B", "CI")},
          "HA": {pin: (("", "non_unate"),) for pin in ("A", "B")}}
INVERTING = {"INV", "NAND", "NAND_X4", "NOR", "AOI21"}


def table_text(kind, template, rng, size, axes="plane"):
    """A table that grows with slew and load, and bends."""
    values = [[size * (1 + 3 * s + 20 * c + 5 * s * c + 0.1 * rng.random()) for c in LOADS] for s in SLEWS]
    if axes == "swapped":
        values = [list(row) for row in zip(*values)]
    elif axes == "slews":
        values = [[row[0] for row in values]]
    rows = ", ".join('"' + ", ".join(f"{v:.6f}" for v in row) + '"' for row in values)
    return f"{kind} ({template}) {{ values ({rows}); }}"


def timed_library_text(*only, seed=0):
    """Liberty text of ``CELLS``, or of some, with tables of delay, slew and power over slew and load."""
    import numpy as np

    rng, cells = np.random.default_rng(seed), []
    for name, (area, inputs, outputs) in CELLS.items():
        if only and name not in only:
            continue
        text = [f"cell ({name}) {{ area : {area}; cell_leakage_power : {area};"]
        first = inputs.split()[0]
        text += [f'leakage_power () {{ when : "{first}"; value : {2 * area}; }}',
                 f'leakage_power () {{ when : "!{first}"; value : {area / 2}; }}']
        for place, pin in enumerate(inputs.split()):
            rise, fall = 0.002 + 0.001 * place, 0.003 + 0.001 * place
            power = (f'internal_power () {{ {table_text("rise_power", "hidden", rng, 0.0004, "slews")} '
                     f'{table_text("fall_power", "hidden", rng, 0.0006, "slews")} }}') if name != "FA" else ""
            text.append(f"pin ({pin}) {{ direction : input; capacitance : {(rise + fall) / 2}; rise_capacitance : {rise}; "
                        f"fall_capacitance : {fall}; {power} }}")
        for pin, function in outputs.items():
            text.append(f'pin ({pin}) {{ direction : output; function : "{function}";')
            for related in inputs.split():
                plain = (("", "negative_unate" if name in INVERTING else "positive_unate"),)
                for when, sense in SENSES.get(name, {}).get(related, plain):
                    condition = f'when : "{when}";' if when else ""
                    swapped = rng.random() < 0.3
                    shape = ("swapped", "swapped") if swapped else ("plane", "plane")
                    tables = " ".join(table_text(kind, shape[0], rng, size * (0.5 + rng.random()), shape[1]) for kind, size in (
                        ("cell_rise", 0.05), ("cell_fall", 0.04), ("rise_transition", 0.06), ("fall_transition", 0.05)))
                    text.append(f'timing () {{ related_pin : "{related}"; timing_sense : {sense}; {condition} {tables} }}')
                text.append(f'internal_power () {{ related_pin : "{related}"; {table_text("rise_power", "energy", rng, 0.003)} '
                            f'{table_text("fall_power", "energy", rng, 0.002)} }}')
            text.append("}")
        cells.append("\n    ".join(text) + "\n  }")
    slews, loads = (", ".join(map(str, axis)) for axis in (SLEWS, LOADS))
    slew, load = (f'variable_{{}} : {name}; index_{{}} ("{axis}");' for name, axis in (
        ("input_net_transition", slews), ("total_output_net_capacitance", loads)))
    energy = slew.replace("input_net_transition", "input_transition_time")
    return f"""library (timed) {{
  delay_model : table_lookup; time_unit : "1ns"; voltage_unit : "1V"; current_unit : "1mA"; pulling_resistance_unit : "1kohm";
  leakage_power_unit : "1nW"; capacitive_load_unit (1, pf); nom_voltage : 1.2; {THRESHOLDS}
  operating_conditions (typical) {{ voltage : 1.2; process : 1; temperature : 25; }}
  default_operating_conditions : typical;
  wire_load ("Some") {{ capacitance : 0.01; resistance : 0.1; slope : 1; fanout_length (1, 1); }}
  default_wire_load : "Some";
  lu_table_template (plane) {{ {slew.format(1, 1)} {load.format(2, 2)} }}
  lu_table_template (swapped) {{ {load.format(1, 1)} {slew.format(2, 2)} }}
  power_lut_template (energy) {{ {energy.format(1, 1)} {load.format(2, 2)} }}
  power_lut_template (hidden) {{ {energy.format(1, 1)} }}
  {chr(10).join(cells)}
}}
"""
