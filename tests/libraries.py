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
