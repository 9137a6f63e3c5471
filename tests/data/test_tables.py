import numpy as np
import pytest

from hardwire.core.errors import FormatError, HardwireError, InputError
from hardwire.data import load_dataset
from hardwire.data.samples import identifiers
from hardwire.data.tables import read_npz, read_table


def write(tmp_path, text, name="t.csv"):
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", ", "])
@pytest.mark.parametrize("header", ["", "size,weight,kind"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_header_and_delimiter_are_detected(tmp_path, delimiter, header, newline):
    lines = ([header] if header else []) + ["1.5,2,b", "-3,4e1,a", "", "0.25,6,b"]
    s = read_table(write(tmp_path, newline.join(lines).replace(",", delimiter)))
    assert s.x.tolist() == [[1.5, 2], [-3, 40], [0.25, 6]] and s.x.dtype == np.float64
    assert s.classes == ("a", "b") and s.y.tolist() == [1, 0, 1] and s.y.dtype == np.int64
    assert s.features == (("size", "weight") if header else ("x0", "x1"))
    assert s.shape is None and s.source == "table t.csv"


def test_integers_stay_integers(tmp_path):
    s = read_table(write(tmp_path, "1,2.0,0\n-3,1e3,1\n"))
    assert s.x.dtype == np.int64 and s.x.tolist() == [[1, 2], [-3, 1000]]


@pytest.mark.parametrize("label", ["kind", "1", 1, -2])
def test_the_label_column_is_chosen_by_name_or_number(tmp_path, label):
    s = read_table(write(tmp_path, "a,kind,b\n1,7,2\n3,-1,4\n"), label=label)
    assert s.x.tolist() == [[1, 2], [3, 4]] and s.features == ("a", "b")
    assert s.classes == ("-1", "7") and s.y.tolist() == [1, 0]


def test_a_number_as_label_makes_no_header_of_the_first_sample(tmp_path):
    s = read_table(write(tmp_path, "0,5,6\n1,7,8\n"), label="0")
    assert len(s.y) == 2 and s.x.tolist() == [[5, 6], [7, 8]]


def test_texts_become_one_column_each(tmp_path):
    s = read_table(write(tmp_path, 'colour,1st size,y\nred,1,no\n"dark, blue",2,yes\nred,3,"no"\n'))
    assert s.features == ("colour_dark_blue", "colour_red", "x1st_size")
    assert s.x.tolist() == [[0, 1, 1], [1, 0, 2], [0, 1, 3]] and s.x.dtype == np.int64
    assert s.classes == ("no", "yes")


def test_a_table_of_texts_alone(tmp_path):
    body = "a,b,p\nb,b,e\na,a,p\n"
    assert len(read_table(write(tmp_path, body)).y) == 3
    assert read_table(write(tmp_path, "cap,stem,class\n" + body)).features == ("cap_a", "cap_b", "stem_a", "stem_b")


def test_digits_with_underscores_are_texts(tmp_path):
    assert read_table(write(tmp_path, "1_2,0\n1_3,1\n")).features == ("x0_1_2", "x0_1_3")


def test_byte_order_mark_and_labels_in_order_of_value(tmp_path):
    s = read_table(write(tmp_path, "\ufeffa,y\n1,10\n2,9\n3,-1\n"))
    assert s.features == ("a",) and s.classes == ("-1", "9", "10")


def test_a_category_may_look_like_a_number(tmp_path):
    assert read_table(write(tmp_path, "1,0\n2,1\n3+,1\n")).features == ("x0_1", "x0_2", "x0_3_")


NUMBERS = "".join(f"{i},{i % 2}\n" for i in range(30))


@pytest.mark.parametrize(("text", "says"), [
    ("", "is empty"), ("\n \n", "is empty"), ("a,b\n", "single line"), ("1\n2\n", "single column"),
    ("a,b,y\n1,2,0\n3,4,\n", "line 3, column 'y', has no value"), ("a,y\n1,0\n2,nan\n", "line 3, column 'y'"),
    ("a,y\n1,0\n\n2,?\n", "line 4, column 'y'"), ("1,0\ninf,1\n", "line 2, column 'x0'.*finite"),
    ("1,0\n-Infinity,1\n", "finite"), ("1,0\n2,\n", "line 2, column 'x1'"), (",0\n,1\n", "'x0': it has no values"),
    ("1,2,0\n1,2\n3,4,1\n", "line 2 has 2 columns where line 1 has 3"), ("1,0\n2,0.5\n", "line 2.*no integer"),
    (NUMBERS + "oops,1\n", r"line 31, column 'x0', has a text among numbers \('oops'\)"),
    ("".join(f"name{i},{i % 2}\n" for i in range(300)), "its texts all differ"),
    ("1,0\n2,1e300\n", "integers"), ("a\0b,0\n", "zero bytes"),
])
def test_what_cannot_be_read_names_line_and_column(tmp_path, text, says):
    with pytest.raises(HardwireError, match=says):
        read_table(write(tmp_path, text))


def test_other_refusals(tmp_path):
    with pytest.raises(FormatError, match="UTF-8"):
        read_table(write(tmp_path, b"\xff\xfe1,2\n"))
    with pytest.raises(InputError, match="no column 'z'; choose from a, b or 0 to 1"):
        read_table(write(tmp_path, "a,b\n1,2\n"), label="z")
    with pytest.raises(InputError, match="no column 2"):
        read_table(write(tmp_path, "a,b\n1,2\n"), label=2)
    with pytest.raises(InputError, match="2 columns named 'a'"):
        read_table(write(tmp_path, "a,a\n1,2\n"), label="a")
    with pytest.raises(InputError, match="label column only"):
        read_table(write(tmp_path, "a\n1\n2\n", "t.tsv"))


def test_a_table_from_path_to_splits(tmp_path):
    rng = np.random.default_rng(0)
    values = zip(rng.normal(size=200).tolist(), rng.integers(9, size=200))
    rows = [f"{v!r}\t{k}\t{'yes' if v > 0 else 'no'}" for v, k in values]
    data = load_dataset(write(tmp_path, "v\tk\tclass\n" + "\n".join(rows), "my.tsv"), seed=2)
    assert data.name == "my" and data.classes == ("no", "yes") and data.features == ("v", "k")
    for split, n in ((data.train, 144), (data.validation, 16), (data.test, 40)):
        assert len(split.y) == n and ((split.x[:, 0] > 0) == split.y).all()


def test_a_large_table_is_read_exactly(tmp_path):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(20_000, 20))
    x[:, ::2] = np.round(x[:, ::2] * 100)
    lines = [",".join(map(repr, row)) + f",{i % 5}" for i, row in enumerate(x.tolist())]
    s = read_table(write(tmp_path, "\n".join(lines)))
    assert (s.x == x).all() and (s.y == np.arange(20_000) % 5).all()


def test_names_are_unique_identifiers():
    names = identifiers(["a b", "a-b", "a_b_2", "a b", "", "3", "µ", " x ", "x"])
    assert names == ("a_b", "a_b_2", "a_b_2_2", "a_b_3", "x4", "x3", "_", "x", "x_2")
    many = identifiers(["a", "a_2", "a", "a", "a_2"])
    assert len(set(many)) == 5


def save(tmp_path, **arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    return tmp_path / "a.npz"


@pytest.mark.parametrize(("shape", "image", "name"), [
    ((6, 5), None, "x0"), ((6, 4, 5), (1, 4, 5), "pixel_0_0"), ((6, 3, 4, 5), (3, 4, 5), "pixel_0_0_0"),
    ((6, 1, 4, 5), (1, 4, 5), "pixel_0_0"), ((6, 2, 2, 2, 2), None, "x0"),
])
@pytest.mark.parametrize(("given", "kept"), [("u1", "u1"), ("?", "u1"), ("i2", "i8"), ("u4", "i8"), ("f4", "f8"),
                                             (">f8", "f8")])
def test_archives_are_flattened(tmp_path, shape, image, name, given, kept):
    x = np.random.default_rng(0).integers(0, 2, shape).astype(given)
    s = read_npz(save(tmp_path, x=np.asfortranarray(x), y=np.array([4, 4, 7, 7, -1, 4])))
    assert (s.x == x.reshape(6, -1)).all() and s.x.dtype == np.dtype(kept) and s.shape == image
    assert s.classes == ("-1", "4", "7") and s.y.tolist() == [1, 1, 2, 2, 0, 1]
    assert s.features[0] == name and len(set(s.features)) == s.x.shape[1]


def test_archives_may_name_classes_and_hold_a_test_split(tmp_path):
    x = np.arange(8.0).reshape(4, 2)
    s = read_npz(save(tmp_path, x=x, y=[1.0, 0.0, 1.0, 2.0], x_test=x[:2], y_test=[2, 2], classes=["a", "b", "c"]))
    assert s.classes == ("a", "b", "c") and s.y.tolist() == [1, 0, 1, 2] and s.test[1].tolist() == [2, 2]
    assert (s.test[0] == x[:2]).all()
    texts = read_npz(save(tmp_path, x=x, y=["u", "v", "u", "v"], x_test=x[:1], y_test=["v"]))
    assert texts.classes == ("u", "v") and texts.test[1].tolist() == [1]
    assert read_npz(save(tmp_path, x=x, y=[True, False, True, True])).classes == ("0", "1")


GOOD = {"x": np.eye(4), "y": np.array([0, 1, 0, 1])}


@pytest.mark.parametrize(("change", "says"), [
    ({"x": np.zeros(4)}, "shape"), ({"x": np.zeros((0, 3)), "y": np.zeros(0)}, "empty"),
    ({"y": np.array([0, 1, 0])}, "3 labels for 4 samples"), ({"y": np.zeros((4, 1))}, "one label for each sample"),
    ({"y": np.array([0, 1, 0.5, 1])}, "label 0.5 at sample 2"),
    ({"y": np.array([0, np.nan, 0, 1])}, "label nan at sample 1"),
    ({"y": np.array([0, 1, 0, 1j])}, "type complex"), ({"x": np.array([["a"]] * 4)}, "real numbers"),
    ({"x": np.where(np.eye(4), np.nan, 0)}, "nan at sample 0, feature 0"), ({"x": np.full((4, 2), np.inf)}, "inf"),
    ({"x_test": np.eye(4)}, "x_test and y_test"),
    ({"x_test": np.eye(3), "y_test": np.zeros(3, dtype=int)}, "same features"),
    ({"x_test": np.eye(4, dtype=int), "y_test": np.zeros(4, dtype=int)}, "same features"),
    ({"x_test": np.eye(4), "y_test": np.array(list("abcd"))}, "same labels"),
    ({"classes": np.array(["one"])}, "classes"), ({"classes": np.array([["a", "b"]])}, "classes"),
])
def test_archives_that_cannot_be_used(tmp_path, change, says):
    assert len(read_npz(save(tmp_path, **GOOD)).y) == 4
    with pytest.raises(InputError, match=says):
        read_npz(save(tmp_path, **{**GOOD, **change}))


def test_files_that_are_no_archives(tmp_path):
    path = save(tmp_path, x=np.eye(3), z=np.eye(3))
    with pytest.raises(InputError, match="lacks the array 'y' and has x, z"):
        read_npz(path)
    np.savez(path, x=np.array([{}, []], dtype=object), y=np.arange(2))
    with pytest.raises(FormatError, match="plain arrays"):
        read_npz(path)
    np.savez(path, x=np.random.default_rng(0).random((99, 9)), y=np.arange(99))
    content = path.read_bytes()
    for wrong in (b"", b"text", content[:900], content[:-30], content[:2000] + b"\xff" * 9 + content[2009:]):
        path.write_bytes(wrong)
        with pytest.raises(FormatError, match="plain arrays"):
            read_npz(path)
    np.save(tmp_path / "b.npy", np.eye(3))
    (tmp_path / "b.npy").rename(path)
    with pytest.raises(FormatError, match="plain arrays"):
        read_npz(path)
    with pytest.raises(InputError, match="cannot read"):
        read_npz(tmp_path / "absent.npz")


def test_the_label_option_is_for_tables(tmp_path):
    with pytest.raises(InputError, match="labels in y"):
        load_dataset(save(tmp_path, **GOOD), label="y")


# --------------------------------------------------------------------------------------------------- targets and labels

HOUSES = "area,price,rent,rooms\n50.5,1e5,410,2\n80,150000.25,-6,3\n120,2e5,800.5,4\n"


@pytest.mark.parametrize(("label", "names", "y"), [
    ("price", ("price",), [[1e5], [150000.25], [2e5]]), (None, ("rooms",), [[2], [3], [4]]),
    (-3, ("price",), [[1e5], [150000.25], [2e5]]),
    ("rent,price", ("rent", "price"), [[410, 1e5], [-6, 150000.25], [800.5, 2e5]]),
    (["rent", 1], ("rent", "price"), [[410, 1e5], [-6, 150000.25], [800.5, 2e5]]),
    ("2, 1", ("rent", "price"), [[410, 1e5], [-6, 150000.25], [800.5, 2e5]]),
])
def test_targets_are_the_columns_asked_for(tmp_path, label, names, y):
    s = read_table(write(tmp_path, HOUSES), label=label, task="regress")
    assert s.classes == names and s.y.dtype == np.float64 and s.y.tolist() == y
    assert s.features == tuple(c for c in ("area", "price", "rent", "rooms") if c not in names)
    assert s.x.shape == (3, 4 - len(names)) and 50.5 in s.x[0]


def test_targets_of_a_table_without_header(tmp_path):
    s = read_table(write(tmp_path, "1,2,0.5\n3,4,0.25\n"), task="regress")
    assert s.classes == ("x2",) and s.y.tolist() == [[0.5], [0.25]] and s.x.tolist() == [[1, 2], [3, 4]]


def test_labels_are_zero_or_one(tmp_path):
    s = read_table(write(tmp_path, "wet,t,old\n1,20.5,0\n0,3,1.0\n"), label="old,wet", task="multilabel")
    assert s.classes == ("old", "wet") and s.y.tolist() == [[0, 1], [1, 0]] and s.y.dtype == np.float64 and s.features == ("t",)


def test_a_name_with_a_comma_is_one_name(tmp_path):
    path = write(tmp_path, '"a,b",a,b\n1,2,0\n3,4,1\n')
    assert read_table(path, label="a,b", task="regress").classes == ("a,b",)


@pytest.mark.parametrize(("text", "label", "task", "says"), [
    (HOUSES, "price,rent", "classify", "asks for 2 columns.*set task to 'multilabel' or 'regress'"),
    (HOUSES, "price,size", "regress", "no column 'size'; choose from area, price, rent, rooms"),
    (HOUSES, "price,1", "regress", "names column '1' twice"), (HOUSES, [], "regress", "names no column"),
    (HOUSES, "0,1,2,3", "regress", "label columns only"), ("b,a,a\n1,2,3\n4,5,6\n", "1,2", "regress", "two label columns named 'a'"),
    ("a,y\n1,2\n3,high\n", "y", "regress", "line 3, column 'y', has a target that is no number"),
    ("a,y\n1,2\n3,\n", "y", "regress", "line 3, column 'y', has no value"), ("a,y\n1,2\n3,inf\n", "y", "regress", "not finite"),
    ("a,y\n1,1\n3,2\n", "y", "multilabel", r"line 3, column 'y', has a label that is neither 0 nor 1 \('2'\)"),
    ("a,y\n1,1\n3,yes\n", "y", "multilabel", "line 3.*neither 0 nor 1"),
    ("a,y\n1,1\n3,0.5\n", "y", "classify", "set task to 'regress'"),
])
def test_targets_that_cannot_be_read(tmp_path, text, label, task, says):
    with pytest.raises(InputError, match=says):
        read_table(write(tmp_path, text), label=label, task=task)


@pytest.mark.parametrize(("y", "names", "expected"), [
    (np.array([0.5, 1, 2]), None, ("y",)), (np.array([[1, 2], [3, 4], [5, 6]]), None, ("y0", "y1")),
    (np.array([[1.5, 2], [3, 4], [5, 6]]), ["far  out", "near"], ("far out", "near")), (np.array([[7], [8], [9]]), ["a"], ("a",)),
])
def test_archives_of_targets(tmp_path, y, names, expected):
    named = {} if names is None else {"classes": names}
    s = read_npz(save(tmp_path, x=np.eye(3), y=y, x_test=np.eye(3)[:2], y_test=y[:2] + 1, **named), task="regress")
    assert s.classes == expected and s.y.dtype == np.float64 and (s.y == y.reshape(3, -1)).all()
    assert (s.test[1] == y[:2].reshape(2, -1) + 1).all()


def test_archives_of_labels(tmp_path):
    y = np.array([[True, False], [False, False], [True, True]])
    s = read_npz(save(tmp_path, x=np.eye(3), y=y), task="multilabel")
    assert s.y.tolist() == [[1, 0], [0, 0], [1, 1]] and s.classes == ("y0", "y1") and s.test is None


@pytest.mark.parametrize(("task", "change", "says"), [
    ("regress", {"y": np.array([0, np.nan, 1, 2])}, "y has nan at sample 1, output 0; remove or fill it"),
    ("regress", {"y": np.zeros((4, 2, 2))}, r"shape \(4, 2, 2\) for 4 samples"),
    ("regress", {"y": np.zeros(3)}, r"shape \(3, 1\) for 4"),
    ("regress", {"y": np.zeros((4, 0))}, "shape"), ("regress", {"y": np.array(list("abcd"))}, "give numbers for task 'regress'"),
    ("regress", {"classes": np.array(["a", "b"])}, "names the outputs of y, which has 1"),
    ("regress", {"x_test": np.eye(4), "y_test": np.zeros((4, 2))}, "y has 1 outputs and y_test 2"),
    ("multilabel", {"y": np.array([[0, 1], [1, 1], [0, 2], [0, 0]])}, "y has 2 at sample 2, output 1; give 0 or 1"),
    ("multilabel", {"y": np.array([0, 1, np.nan, 0])}, "y has nan at sample 2"),
    ("classify", {"y": np.zeros((4, 2))}, "set task to 'regress' or 'multilabel'"),
    ("classify", {"y": np.array([0, 1.5, 0, 1])}, "label 1.5 at sample 1.*set task to 'regress'"),
])
def test_archives_of_targets_that_cannot_be_used(tmp_path, task, change, says):
    assert read_npz(save(tmp_path, **GOOD), task=task).classes
    with pytest.raises(InputError, match=says):
        read_npz(save(tmp_path, **{**GOOD, **change}), task=task)
