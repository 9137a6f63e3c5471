"""Columns of a table: kinds by stated rules, fitted on the training split, kept as JSON."""

import json

import numpy as np
import pytest

from hardwire.core.errors import FormatError, InputError
from hardwire.data import Columns, Dataset, load_dataset
from hardwire.data.columns import columns_text, load_columns, save_columns
from hardwire.data.dates import order_of, parts_of
from hardwire.data.kinds import scale_of
from hardwire.data.tables import read_table


def table(tmp_path, columns, label="ab", name="t.csv", delimiter=","):
    """A file of these columns, name -> cells, and a label that alternates."""
    n = len(next(iter(columns.values())))
    lines = [delimiter.join([*columns, "y"])]
    lines += [delimiter.join([*(column[i] for column in columns.values()), label[i % len(label)]]) for i in range(n)]
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n")
    return path


def kinds(samples):
    return {column.name: column.kind for column in samples.columns.columns}


# ------------------------------------------------------------------------------------------------------ missing values

@pytest.mark.parametrize("gone", ["", "?", "NA", "n/a", "NaN", "null"])
def test_missing_numbers_have_a_bit_and_the_median(tmp_path, gone):
    s = read_table(table(tmp_path, {"a": ["1", gone, "5", "9"]}))
    assert s.features == ("a", "a_missing")
    assert s.x.tolist() == [[1, 0], [5, 1], [5, 0], [9, 0]]
    assert "'a': number, missing ones a bit of their own and 5, the median" in s.columns.notes()


def test_missing_texts_have_a_bit(tmp_path):
    s = read_table(table(tmp_path, {"a": ["x", "", "z", "x"]}))
    assert s.features == ("a_x", "a_z", "a_missing") and s.x.tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]]


def test_a_column_without_values_is_left_out_and_named(tmp_path):
    s = read_table(table(tmp_path, {"a": ["1", "2", "3", "4"], "b": ["", "", "?", ""]}))
    assert s.features == ("a",) and "left out: 'b', it has no values" in s.columns.notes()


def test_fill_values_categories_and_ranges_are_those_of_the_training_split(tmp_path):
    rng = np.random.default_rng(0)
    numbers = rng.integers(0, 1000, 300).astype(str)
    numbers[rng.random(300) < 0.2] = ""
    texts = rng.choice([f"t{i:02d}" for i in range(100)], 300)
    path = table(tmp_path, {"n": list(numbers), "t": list(texts)})
    data = load_dataset(path)
    number, category = data.columns.columns
    rows = data.train.rows
    known = np.array([float(v) for v in numbers[rows] if v])
    assert (number.fill, number.low, number.high) == (np.quantile(known, 0.5, method="lower"), known.min(), known.max())
    counts = {t: int((texts[rows] == t).sum()) for t in set(texts[rows])}
    assert category.other and len(category.categories) == 63
    assert min(counts[t] for t in category.categories) >= max(c for t, c in counts.items() if t not in category.categories)
    assert not (set(category.categories) - set(texts[rows]))
    other = data.features.index("t_other")
    assert data.test.x[:, other].tolist() == [float(t not in category.categories) for t in texts[data.test.rows]]


# ---------------------------------------------------------------------------------------------------------------- kinds

def test_dates_are_a_few_numbers(tmp_path):
    """They were a feature for each day."""
    days = [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(61)]
    s = read_table(table(tmp_path, {"when": days}))
    assert s.features == ("when_month", "when_day", "when_weekday")  # the year is always the same
    assert s.x[:2].tolist() == [[1, 1, 0], [2, 2, 4]]
    hours = read_table(table(tmp_path, {"when": [f"2023-05-0{1 + i % 9}T{i % 24:02d}:30:00Z" for i in range(40)]}))
    assert hours.features[-1] == "when_hour" and hours.x[3, -1] == 3


@pytest.mark.parametrize(("cells", "order", "parts"), [
    (["2024-02-29", "2024/3/1"], ("year", True), (2024, 2, 29, 3, None)),
    (["29.02.2024", "1.3.2024"], ("day", True), (2024, 2, 29, 3, None)),
    (["02/29/2024", "3/1/2024"], ("month", True), (2024, 2, 29, 3, None)),
    (["29/02/2024 23:59", "1/3/2024 00:10"], ("day", True), (2024, 2, 29, 3, 23)),
    (["2/1/2024", "3/1/2024"], ("month", False), (2024, 2, 1, 3, None)),
])
def test_dates_tell_their_order(cells, order, parts):
    assert order_of(cells) == order and parts_of(cells[0], order[0]) == parts


@pytest.mark.parametrize("cells", [["2024-02-30"], ["31.4.2024"], ["13/13/2024"], ["2024-1-1", "1.1.2024"], ["2024-01-01 25:00"],
                                   ["12:30"], ["20240101"], []])
def test_no_dates(cells):
    assert order_of(cells) is None


@pytest.mark.parametrize(("texts", "scale"), [
    (["high", "low", "medium"], ["low", "medium", "high"]), (["L", "S", "M", "XL"], ["S", "M", "L", "XL"]),
    (["Feb", "Dec", "Jan"], ["Jan", "Feb", "Dec"]), (["30+", "<10", "10-19", "20-29"], ["<10", "10-19", "20-29", "30+"]),
    (["a", "b"], None), (["1", "2", "3+"], None), (["10-19", "other"], None), (["low"], None),
])
def test_scales(texts, scale):
    assert scale_of(texts) == scale


def test_ordinals_are_ranks_and_booleans_one_bit(tmp_path):
    s = read_table(table(tmp_path, {"size": ["low", "high", "", "medium"], "smokes": ["yes", "No", "YES", ""], "old": ["true", "false", "true", "true"]}))
    assert s.features == ("size", "size_missing", "smokes_yes", "smokes_missing", "old_true")
    assert s.x.tolist() == [[0, 0, 1, 0, 1], [2, 0, 0, 0, 0], [1, 1, 1, 0, 1], [1, 0, 1, 1, 1]]


def test_columns_like_ids_are_left_out_and_named(tmp_path):
    n = 40
    s = read_table(table(tmp_path, {
        "CustomerID": [str(7000 + 3 * i) for i in range(n)], "row_no": [str(i) for i in range(n)], "name": [f"n{i}" for i in range(n)],
        "size": [str(i) for i in range(n)], "grid": [str(i) for i in range(n)], "id_of_shop": [str(i % 7) for i in range(n)]}))
    assert s.features == ("size", "grid", "id_of_shop")
    notes = s.columns.notes()
    assert notes[0] == "columns: 3 of 6 are used (3 numbers): 3 features"
    assert "left out: 'CustomerID', whole numbers that all differ under the name of an id; rename it to keep it" in notes
    assert "left out: 'name', its texts all differ, as those of an id" in notes and any("'row_no'" in line for line in notes)


def test_up_to_64_texts_have_a_bit_each_and_of_more_the_most_frequent(tmp_path):
    cells = [f"c{i % 64:02d}" for i in range(200)]
    assert len(read_table(table(tmp_path, {"c": cells})).features) == 64
    more = cells + ["rare"] * 2 + [f"c{i:02d}" for i in range(62)]
    s = read_table(table(tmp_path, {"c": more}))
    assert len(s.features) == 64 and s.features[-1] == "c_other" and "c_rare" not in s.features
    assert s.x.sum(axis=1).tolist() == [1] * len(more)
    notes = read_table(table(tmp_path, {"c": [f"c{i}" for i in range(150)] * 1 + ["c0"] * 20, "d": ["1"] * 170})).columns.notes()
    assert "left out: 'c', it has 150 different texts in 170 cells" in notes


# ------------------------------------------------------------------------------------------------------ marks in numbers

@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_decimal_commas(tmp_path, delimiter):
    s = read_table(table(tmp_path, {"a": ["1,5", "-2,25", "3", "0,125"], "b": ["1,250", "2,125", "3,375", "4,500"]}, delimiter=delimiter))
    assert s.x.tolist() == [[1.5, 1.25], [-2.25, 2.125], [3, 3.375], [0.125, 4.5]] and s.columns.columns[0].decimal == ","


def test_a_semicolon_file_without_header_is_not_split_at_its_commas(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("1,5;2,5;0\n3,5;4,5;1\n")
    assert read_table(path).x.tolist() == [[1.5, 2.5], [3.5, 4.5]]


@pytest.mark.parametrize(("cells", "says"), [
    (["1,234,567", "2", "3", "4"], "line 2, column 'a', has a number with marks of thousands"), (["1.234,5", "2", "3", "4"], "marks of thousands"),
    (["1'234", "2", "3", "4"], "marks of thousands"), (["1,5", "2.5", "3", "4"], "comma in a number where other numbers of the column have points"),
    (["1,234", "2,345", "3", "4"], "may have decimals or thousands"),
])
def test_marks_of_thousands_are_refused(tmp_path, cells, says):
    with pytest.raises(InputError, match=says):
        read_table(table(tmp_path, {"a": cells}, delimiter=";"))


def test_quoted_cells(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('a,b,y\n"1,5","red, dark",0\n"2,5",blue,1\n')
    s = read_table(path)
    assert s.features == ("a", "b_blue", "b_red_dark") and s.x.tolist() == [[1.5, 0, 1], [2.5, 1, 0]]


# ----------------------------------------------------------------------------------------------------------- kept as JSON

@pytest.fixture
def mixed(tmp_path):
    return load_dataset(table(tmp_path, {
        "n": [str(i % 9) if i % 5 else "" for i in range(60)], "c": [f"c{i % 3}" for i in range(60)], "b": ["yes", "no"] * 30,
        "o": ["low", "high", "medium"] * 20, "d": [f"2024-01-{1 + i % 28:02d}" for i in range(60)], "id": [str(i) for i in range(60)]}))


def test_columns_are_kept_and_read_again(mixed, tmp_path):
    path = tmp_path / "columns.json"
    save_columns(path, mixed.columns)
    assert load_columns(path) == mixed.columns and not list(tmp_path.glob("*.part"))
    again = load_dataset(tmp_path / "t.csv", columns=path)
    assert again.features == mixed.features and (again.train.x == mixed.train.x).all()


@pytest.mark.parametrize(("change", "says"), [
    (lambda c: c.update(version=2), "version"), (lambda c: c.update(format="x"), "format"), (lambda c: c.update(more=1), "more"),
    (lambda c: c["columns"][0].update(fill="a"), r"columns\.0"), (lambda c: c["columns"][0].update(kind="x"), r"columns\.0"),
    (lambda c: c["columns"][3].update(fill=9), "no rank"), (lambda c: c["columns"][4].update(fill=[1]), "other lengths"),
    (lambda c: c["columns"][1].update(categories=[]), "categories"), (lambda c: c.pop("columns") and c.update(columns=3), "columns"),
])
def test_damaged_columns_are_refused_in_a_sentence(mixed, tmp_path, change, says):
    content = json.loads(columns_text(mixed.columns))
    change(content)
    path = tmp_path / "columns.json"
    path.write_text(json.dumps(content))
    with pytest.raises(FormatError, match=f"lacks or garbles .*{says}.*train the network anew"):
        load_columns(path)


@pytest.mark.parametrize("text", ["", "{", "[" * 90 + "]" * 90, '{"a": NaN}'])
def test_no_json_is_refused(tmp_path, text):
    (tmp_path / "columns.json").write_text(text)
    with pytest.raises(FormatError, match="holds no columns"):
        load_columns(tmp_path / "columns.json")
    with pytest.raises(InputError, match="cannot read"):
        load_columns(tmp_path / "absent.json")


def test_tables_that_were_read_before_have_the_same_features(tmp_path):
    """By the rules of before there were kinds, earlier runs find their own data."""
    path = table(tmp_path, {"n": ["1", "2", "3"] * 9, "b": ["yes", "no", "no"] * 9, "id": [str(i) for i in range(27)]})
    plain, now = load_dataset(path, plain=True), load_dataset(path)
    assert plain.features == ("n", "b_no", "b_yes", "id") and now.features == ("n", "b_yes")
    with pytest.raises(InputError, match="line 2, column 'a', has no value"):
        load_dataset(table(tmp_path, {"a": ["", "1", "2"] * 9}), plain=True)


# ---------------------------------------------------------------------------------------------- another table of columns

def test_columns_are_found_by_name_in_any_order(mixed):
    columns = mixed.columns
    names = ["d", "y", "extra", "o", "b", "n", "c"]
    assert columns.places_of(names, 7, "f") == ([5, 6, 4, 3, 0], [1]) and columns.extras(names) == ["extra"]
    assert columns.places_of(["d", "o", "b", "n", "c"], 5, "f")[1] == []


@pytest.mark.parametrize(("names", "says"), [
    (["n", "c", "b", "o", "dd"], "f lacks the column 'd'; add it, empty cells where it is not known"),
    (["N", "c", "b", "o", "d"], "f lacks the column 'n'; 'N' is near 'n': rename it"),
    (["n", "c", "b", "o", "d", "d"], "f has 2 columns named 'd', training had 1"), (["1", "2"], "f has none of the columns"),
])
def test_columns_that_are_not_there(mixed, names, says):
    with pytest.raises(InputError, match=says):
        mixed.columns.places_of(names, len(names), "f")


def test_a_table_without_header_goes_by_place(tmp_path):
    (tmp_path / "t.csv").write_text("".join(f"{i % 2},{i},{i * i % 7}\n" for i in range(30)))
    columns = load_dataset(tmp_path / "t.csv", label="0").columns
    assert not columns.header and columns.places_of(None, 3, "f") == ([1, 2], [0]) and columns.places_of(None, 2, "f") == ([0, 1], [])
    with pytest.raises(InputError, match="f has 4 columns where training had 2 and 1 of labels"):
        columns.places_of(None, 4, "f")


def test_published_tables_have_columns_too():
    data = load_dataset("digits")
    assert data.columns is None and Columns().features == ()


# ------------------------------------------------------------------------------------------------------ arrays and frames

def test_arrays_become_a_dataset_as_their_archive_does(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (60, 6, 5, 3)).astype(np.uint8), rng.choice(["cat", "dog"], 60)
    np.savez(tmp_path / "a.npz", x=x, y=y)
    made, read = Dataset.from_arrays(x, y), load_dataset(tmp_path / "a.npz")
    assert made.shape == read.shape == (3, 6, 5) and made.classes == ("cat", "dog")
    assert (made.train.x == read.train.x).all() and (made.train.x[0].reshape(3, 6, 5) == x[made.train.rows[0]].transpose(2, 0, 1)).all()
    assert Dataset.from_arrays(np.eye(9).tolist(), [[i / 9] for i in range(9)], task="regress", features=[f"f {i}" for i in range(9)]).features[0] == "f_0"
    with pytest.raises(InputError, match="2 names for 9 features"):
        Dataset.from_arrays(np.eye(9), [0, 1, 2] * 3, features=["a", "b"])
    with pytest.raises(InputError, match="y has type object"):
        Dataset.from_arrays(np.eye(9), [{}] * 9)


@pytest.mark.parametrize(("shape", "kept"), [((9, 6, 5), (1, 6, 5)), ((9, 3, 6, 5), (3, 6, 5)), ((9, 6, 5, 3), (3, 6, 5)), ((9, 6, 5, 1), (1, 6, 5)), ((9, 7), None)])
def test_shapes_of_images_are_kept(shape, kept):
    assert Dataset.from_arrays(np.arange(np.prod(shape)).reshape(shape), [0, 1, 2] * 3).shape == kept


def test_frames(tmp_path):
    pandas = pytest.importorskip("pandas")
    n = 40
    frame = pandas.DataFrame({
        "i": range(n), "f": [None if i == 3 else i / 2 for i in range(n)], "b": [True, False] * 20, "t": ["x", "y", None, "z"] * 10,
        "o": pandas.Categorical(["cold", "hot"] * 20, ["hot", "cold"], ordered=True), "when": pandas.date_range("2024-01-01", periods=n, freq="h"),
        "n": pandas.array([1, None] * 20, dtype="Int64"), "y": ["p", "q"] * 20}, index=range(100, 100 + n))
    data = Dataset.from_frame(frame, label="y")
    assert {c.name: c.kind for c in data.columns.columns} == {"i": "number", "f": "number", "b": "boolean", "t": "category", "o": "ordinal", "when": "date", "n": "number"}
    assert data.columns.columns[4].categories == ["hot", "cold"] and data.classes == ("p", "q")
    frame.to_csv(tmp_path / "t.csv", index=False)
    read = load_dataset(tmp_path / "t.csv")
    assert [f for f in read.features if not f.startswith("o_")] == [f for f in data.features if f != "o"]
    with pytest.raises(InputError, match="a list is no DataFrame"):
        Dataset.from_frame([1, 2])
    with pytest.raises(InputError, match="has type complex"):
        Dataset.from_frame(frame.assign(c=1j), label="y")


def test_parquet_is_read_as_its_csv(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    path = table(tmp_path, {"n": [str(i % 9) if i % 5 else "" for i in range(60)], "c": [f"c{i % 3}" for i in range(60)], "d": [f"2024-01-{1 + i % 28:02d}" for i in range(60)]})
    frame = pandas.read_csv(path)
    frame["d"] = pandas.to_datetime(frame["d"])
    frame.to_parquet(tmp_path / "t.parquet")
    one, two = load_dataset(path), load_dataset(tmp_path / "t.parquet")
    assert one.features == two.features and (one.train.x == two.train.x).all() and one.columns.columns == two.columns.columns
    (tmp_path / "t.parquet").write_bytes((tmp_path / "t.parquet").read_bytes()[:200])
    with pytest.raises(FormatError, match="is no Parquet file, or damaged"):
        load_dataset(tmp_path / "t.parquet")
