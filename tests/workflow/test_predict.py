"""``hardwire predict``: new samples of a trained run, by the columns that it keeps."""

import csv
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

import hardwire
from hardwire import cli
from hardwire.circuit.engine.packed import PackedEngine
from hardwire.core.errors import FormatError, InputError
from hardwire.data import load_dataset
from hardwire.logic import LogicSettings
from hardwire.logic.record import LOGIC
from hardwire.runs.directory import RunDirectory
from hardwire.runs.experiment import train
from hardwire.workflow.circuits import circuit_of
from hardwire.workflow.logic import lower_run, optimize_run, verify_run
from hardwire.workflow.predict import predict, with_scores
from hardwire.workflow.report import report_run

TINY = {"width": 30, "layers": 1, "levels": 2, "steps": 40, "batch": 16, "evaluate_every": 20}


def people(n=160, seed=0):
    """Rows of a table with every kind of column."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        age, city, smokes = int(rng.integers(18, 80)), rng.choice(["Bern", "Oslo", "Rome"]), rng.choice(["yes", "no"])
        rows.append({"id": str(1000 + i), "age": "" if rng.random() < 0.1 else str(age), "income": f"{1000 + 20 * age + rng.random():.2f}",
                     "city": city, "smokes": smokes, "since": f"20{rng.integers(10, 24)}-0{rng.integers(1, 9)}-15", "band": rng.choice(["low", "medium", "high"]),
                     "kind": "old" if age > 45 else "young"})
    return rows


def write(path, rows, order=None, delimiter=","):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, order or list(rows[0]), delimiter=delimiter, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    root = tmp_path_factory.mktemp("people")
    write(root / "people.csv", people())
    train(LOGIC, LogicSettings(dataset=str(root / "people.csv"), **TINY), root / "run")
    lower_run(root / "run")
    return root / "run"


def answers(text):
    return list(csv.DictReader(text.splitlines()))


def test_a_table_in_any_order_with_what_training_had_not(run, tmp_path, capsys):
    """Columns shuffled, one more, no label; a missing value in a column that lacked some, in one that lacked none; an unseen category."""
    rows = people(8, seed=1)
    rows[0]["city"], rows[1]["income"], rows[2]["age"], rows[3]["income"], rows[4]["smokes"] = "Paris", "", "", "99000", "maybe"
    path = write(tmp_path / "new.csv", [row | {"colour": "red"} for row in rows], ["colour", "band", "smokes", "age", "since", "city", "income"], ";")
    assert cli.main(["predict", str(run), str(path)]) == 0
    out, err = capsys.readouterr()
    told = answers(out)
    assert [row["row"] for row in told] == [str(i) for i in range(1, 9)] and set(told[0]) == {"row", "class", "margin", "probability"}
    assert all(row["class"] in ("old", "young") and float(row["margin"]) >= 0 and 0.4 < float(row["probability"]) <= 1 for row in told)
    assert "8 samples" in err and "ignored, as training had no such columns: 'colour'" in err
    gone = sum(row["age"] == "" for row in rows)
    assert f"column 'age': {gone} cell{'s' * (gone > 1)} without a value, which have a bit of their own" in err
    fill = next(c for c in load_dataset(run.parent / "people.csv").columns.columns if c.name == "income").fill
    assert f"column 'income': 1 cell without a value, which count as {fill:g}, as training lacked none" in err
    assert "column 'city': 1 cell with texts that training did not have ('Paris' x 1), which are none of the categories" in err
    assert "column 'smokes': 1 cell with texts that training did not have ('maybe' x 1), which count as the more frequent of the two" in err
    assert "column 'income': 1 cell outside the trained range" in err
    assert "probabilities are calibrated on 13 validation samples; expected calibration error" in err


def test_a_typo_in_a_header_is_refused_with_the_near_name(run, tmp_path, capsys):
    path = write(tmp_path / "new.csv", people(4))
    path.write_text(path.read_text().replace("income", "incone", 1))
    assert cli.main(["predict", str(run), str(path)]) == 2
    out, err = capsys.readouterr()
    assert "lacks the column 'income'; 'incone' is near 'income': rename it" in err and not out
    path.write_text(path.read_text().replace("incone", "zzz", 1))
    with pytest.raises(InputError, match="lacks the column 'income'; add it, empty cells where it is not known"):
        predict(run, path)


def test_shuffled_columns_give_the_same_answers_as_the_circuit(run, tmp_path):
    rows = people(90, seed=2)
    one = predict(run, write(tmp_path / "a.csv", rows))
    two = predict(run, write(tmp_path / "b.csv", rows, list(rows[0])[::-1], "|"))
    assert one.labels == two.labels and (one.margin == two.margin).all() and (one.probability == two.probability).all()
    data = load_dataset(run.parent / "people.csv")
    circuit = circuit_of(run)
    whole = predict(run, run.parent / "people.csv")
    assert (whole.classes[data.test.rows] == PackedEngine(circuit)(data.test.x.astype(float))[:, 0]).all()
    assert any(note.startswith("right: ") and " of 160 labels in the file" in note for note in whole.notes)


def test_margin_and_probability_are_those_of_the_counts(run):
    counts = PackedEngine(with_scores(circuit_of(run)))(load_dataset(run.parent / "people.csv").test.x.astype(float))[:, 1:].astype(float)
    made = predict(run, run.parent / "people.csv")
    rows = load_dataset(run.parent / "people.csv").test.rows
    assert (made.margin[rows] == np.abs(counts[:, 0] - counts[:, 1])).all()
    b = json.loads((run / "calibration.json").read_text())["inverse_temperature"]
    assert made.probability[rows] == pytest.approx(1 / (1 + np.exp(-b * made.margin[rows])))


@pytest.mark.slow
def test_after_optimisation_the_answers_are_the_same(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    before = predict(run, run.parent / "people.csv")
    optimize_run(tmp_path / "run")
    after = predict(tmp_path / "run", run.parent / "people.csv")
    assert before.to_csv() == after.to_csv()


def test_a_file_is_answered_in_blocks(run, tmp_path, monkeypatch, capsys):
    path = write(tmp_path / "a.csv", people(50, seed=3))
    whole = predict(run, path).to_csv()
    monkeypatch.setattr("hardwire.workflow.unlabelled.BLOCK_ROWS", 7)
    assert cli.main(["predict", str(run), str(path), "--out", str(tmp_path / "out" / "a.csv")]) == 0
    assert (tmp_path / "out" / "a.csv").read_text() == whole and "50 samples ->" in capsys.readouterr().out
    path.write_text(path.read_text() + "1,2\n")
    assert cli.main(["predict", str(run), str(path), "--out", str(tmp_path / "b.csv")]) == 2
    assert "line 52 has 2 columns" in capsys.readouterr().err and sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "out"]


def test_json(run, tmp_path, capsys):
    path = write(tmp_path / "a.csv", people(3))
    assert cli.main(["predict", str(run), str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["samples"] == 3 and [row["row"] for row in told["predictions"]] == ["1", "2", "3"]


@pytest.mark.parametrize(("change", "says"), [
    (lambda row: row.update(age="old"), "line 2, column 'age', has a text where training had numbers"),
    (lambda row: row.update(since="soon"), "line 2, column 'since', has no date"), (lambda row: row.update(income="inf"), "not finite"),
])
def test_cells_that_are_nothing_of_their_kind(run, tmp_path, change, says):
    rows = people(4)
    change(rows[0])
    with pytest.raises(InputError, match=says):
        predict(run, write(tmp_path / "a.csv", rows))


def test_scaled_numbers_are_refused_with_the_remedy(run, tmp_path):
    rows = people(60, seed=5)
    for row in rows:
        row["income"] = f"{(float(row['income']) - 1000) / 1800:.4f}"
        row["age"] = f"{int(row['age'] or 40) / 80:.4f}"
        row["since"] = "2015-03-15"
    path = write(tmp_path / "a.csv", rows)
    with pytest.raises(InputError, match=r"was trained on values from .* or add as_is=True"):
        predict(run, path)
    assert len(predict(run, path, as_is=True)) == 60


def test_frames_and_the_python_api(run):
    pandas = pytest.importorskip("pandas")
    rows = people(20, seed=4)
    frame = pandas.DataFrame(rows).drop(columns="kind")
    made = hardwire.predict(run, frame)
    told = made.to_frame()
    assert list(told.columns) == ["class", "margin", "probability"] and told["class"].tolist() == made.labels and "20 samples" in repr(made)
    with pytest.raises(InputError, match="the frame lacks the column 'age'"):
        hardwire.predict(run, frame.drop(columns="age"))


def test_torch_is_not_imported(run):
    code = f"import sys; from hardwire.cli import main; code = main(['predict', {str(run)!r}, {str(run.parent / 'people.csv')!r}]); print(code, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False" and len(done.stdout.splitlines()) == 162


def before(tmp_path):
    """A run of before columns were kept: its yes and no are two features, its id is one."""
    path = write(tmp_path / "people.csv", [{k: v for k, v in row.items() if k not in ("age", "since")} for row in people(120)])
    settings = LogicSettings(dataset=str(path), **TINY)
    train(LOGIC, settings, tmp_path / "run", data=load_dataset(path, plain=True))
    lower_run(tmp_path / "run")
    for name in ("columns.json", "calibration.json"):
        (tmp_path / "run" / name).unlink()
    return settings, path


def test_a_run_of_before_columns_were_kept(tmp_path):
    settings, path = before(tmp_path)
    made = predict(tmp_path / "run", path)
    assert len(made) == 120 and not np.isnan(made.probability).any() and (tmp_path / "run" / "calibration.json").is_file()
    record = report_run(tmp_path / "run").to_json()
    assert record["accuracy"]["test_hard"] >= 0 and train(LOGIC, settings, tmp_path / "run", resume=True).dataset["features"][0] == "id"
    assert train(LOGIC, settings, tmp_path / "run", data=load_dataset(path, plain=True), resume=True).best_step >= 0


@pytest.mark.slow
def test_a_run_of_before_is_verified_on_its_test_samples(tmp_path):
    before(tmp_path)
    verdicts = verify_run(tmp_path / "run")
    assert "test samples" not in verdicts and all(v.status != "unknown" for v in verdicts.values())


def test_columns_of_another_run_are_refused(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    content = json.loads((run / "columns.json").read_text())
    content["columns"] = content["columns"][:3]
    (tmp_path / "run" / "columns.json").write_text(json.dumps(content))
    with pytest.raises(FormatError, match="features for a network of"):
        predict(tmp_path / "run", run.parent / "people.csv")
    (tmp_path / "run" / "calibration.json").write_text("{}")
    (tmp_path / "run" / "columns.json").write_bytes((run / "columns.json").read_bytes())
    with pytest.raises(FormatError, match=r"calibration\.json lacks or garbles"):
        predict(tmp_path / "run", run.parent / "people.csv")


def test_train_says_what_was_read(tmp_path, capsys):
    path = write(tmp_path / "people.csv", people())
    options = [f"--{name.replace('_', '-')}={value}" for name, value in TINY.items()]
    assert cli.main(["train", str(path), "--out", str(tmp_path / "run"), *options]) == 0
    err = capsys.readouterr().err
    assert "columns: 6 of 7 are used" in err and "left out: 'id', whole numbers that all differ under the name of an id" in err
    assert "'since': date, year first: year, month, weekday" in err and "'band': 3 ranks from low to high" in err
    assert {"columns.json", "calibration.json"} <= {p.name for p in (tmp_path / "run").iterdir()}
    assert cli.main(["predict", str(tmp_path / "run"), str(path)]) == 2
    assert "lower" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------------ other tasks

def test_regression_is_in_the_targets_unit(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 10, (150, 3)).round(2)
    rows = [{"a": str(a), "b": str(b), "c": str(c), "price": f"{1000 + 50 * a:.1f}", "rent": f"{-b:.2f}"} for a, b, c in x]
    path = write(tmp_path / "houses.csv", rows)
    train(LOGIC, LogicSettings(dataset=str(path), task="regress", label="price,rent", **TINY | {"width": 80, "steps": 150}), tmp_path / "run")
    lower_run(tmp_path / "run")
    made = predict(tmp_path / "run", path)
    assert made.header() == ["row", "price", "rent"] and not (tmp_path / "run" / "calibration.json").exists()
    assert 900 < made.values[:, 0].min() < made.values[:, 0].max() < 1700 and made.values[:, 1].max() < 5
    assert any("root mean square error" in note for note in made.notes)


def test_labels_have_a_column_each(tmp_path):
    rng = np.random.default_rng(0)
    rows = [{"t": str(t), "u": str(u), "wet": str(int(t > 5)), "old": str(int(u > 5))} for t, u in rng.integers(0, 11, (120, 2))]
    path = write(tmp_path / "tags.csv", rows)
    train(LOGIC, LogicSettings(dataset=str(path), task="multilabel", label="wet,old", **TINY), tmp_path / "run")
    lower_run(tmp_path / "run")
    told = answers(predict(tmp_path / "run", path).to_csv())
    assert set(told[0]) == {"row", "wet", "old"} and {row["wet"] for row in told} <= {"0", "1"}


# ----------------------------------------------------------------------------------------------------------------- images

@pytest.fixture(scope="module")
def digits_run(tmp_path_factory):
    run = tmp_path_factory.mktemp("digits") / "run"
    train(LOGIC, LogicSettings(dataset="digits", **TINY | {"width": 50}), run)
    lower_run(run)
    return run


def test_arrays_and_archives_of_images(digits_run, digits, tmp_path):
    x, y = digits.test.x, digits.test.y
    made = predict(digits_run, x)
    assert (made.classes == PackedEngine(circuit_of(digits_run))(x.astype(float))[:, 0]).all()
    np.save(tmp_path / "x.npy", x.reshape(-1, 8, 8))
    np.savez(tmp_path / "x.npz", x=x.reshape(-1, 8, 8, 1), y=y)
    one, two = predict(digits_run, tmp_path / "x.npy"), predict(digits_run, tmp_path / "x.npz")
    assert (one.classes == made.classes).all() and (two.classes == made.classes).all()
    assert f"right: {int((made.classes == y).sum())} of {len(y)} labels in the file" in " ".join(two.notes)
    assert predict(digits_run, x[0].reshape(8, 8)).classes == made.classes[:1]
    with pytest.raises(InputError, match="before they were scaled"):
        predict(digits_run, x / 16)
    with pytest.raises(InputError, match="has images of 4 x 16 pixels, but the network was trained on 8 x 8 pixels"):
        predict(digits_run, x.reshape(-1, 4, 16))
    with pytest.raises(InputError, match="has 63 features a sample where the network reads 64"):
        predict(digits_run, x[:, 1:])


def test_a_table_of_pixels_by_name(digits_run, digits, tmp_path):
    order = np.random.default_rng(0).permutation(64)
    lines = [",".join(digits.features[i] for i in order)] + [",".join(map(str, row[order])) for row in digits.test.x[:20]]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    assert (predict(digits_run, tmp_path / "t.csv").classes == predict(digits_run, digits.test.x[:20]).classes).all()


def test_a_folder_of_pictures(tmp_path):
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    for name, base in (("dark", 20), ("light", 200)):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for i in range(12):
            pixels = (base + rng.integers(0, 40, (10, 9 + i % 2))).astype(np.uint8)
            image.fromarray(pixels).save(tmp_path / "pets" / name / f"{i}.png")
    train(LOGIC, LogicSettings(dataset=str(tmp_path / "pets"), **TINY), tmp_path / "run")
    lower_run(tmp_path / "run")
    made = predict(tmp_path / "run", tmp_path / "pets")
    assert made.files[0] == "dark/0.png" and made.labels == ["dark"] * 12 + ["light"] * 12
    assert made.to_csv().splitlines()[1].startswith("1,dark/0.png,dark,")
    assert predict(tmp_path / "run", tmp_path / "pets" / "light" / "3.png").labels == ["light"]
    (tmp_path / "t.csv").write_text("a\n1\n")
    with pytest.raises(InputError, match="is a table, but the network was trained on pictures"):
        predict(tmp_path / "run", tmp_path / "t.csv")


def test_files_that_cannot_be_read(run, digits_run, tmp_path):
    (tmp_path / "t.txt").write_text("a")
    (tmp_path / "e.csv").write_text("age,income\n")
    for given, path, says in ((run, "absent.csv", "does not exist"), (run, "t.txt", "is neither .csv"), (run, "e.csv", "has no samples"), (tmp_path / "no", "t.txt", "does not exist")):
        with pytest.raises(InputError, match=says):
            predict(given, tmp_path / path)
    assert RunDirectory(run).finished
