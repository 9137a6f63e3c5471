"""Published tables: how they are read, on small ones; what must be refused."""

import numpy as np
import pytest

from hardwire.core.errors import FormatError
from hardwire.data.fetch import Source
from hardwire.data.sources import SOURCES
from hardwire.data.uci import Table, table_reader


def read(table, **files):
    named = {name.replace("_", "."): content for name, content in files.items()}
    return table_reader(table)(Source("title", ()), lambda file: named[file].encode("latin1"))


SHOES = Table("a.data", "a.test", ("size", "colour", "id", "sold"), "sold", ("colour",), ("id",))
TRAIN = "|comment\n\n40, red, 1, yes\n41, blue, 2, no\n 42,?,3,no\n39, sky blue, 4, yes\n"
TEST = "40, green, 5, no.\n44, red, 6, yes.\n"


def test_categories_are_those_of_the_training_file():
    s = read(SHOES, a_data=TRAIN, a_test=TEST)
    assert s.features == ("size", "colour_blue", "colour_red", "colour_sky_blue") and s.classes == ("no", "yes")
    assert s.x.tolist() == [[40, 0, 1, 0], [41, 1, 0, 0], [39, 0, 0, 1]] and s.x.dtype == np.int64
    assert s.y.tolist() == [1, 0, 1]
    assert s.test[0].tolist() == [[40, 0, 0, 0], [44, 0, 1, 0]] and s.test[1].tolist() == [0, 1]
    assert s.source == "title" and s.shape is None


def test_the_first_line_names_the_columns():
    table = Table("a.tsv", separator="\t", size=(3, 3))
    s = read(table, a_tsv="b\tc\ttarget\n1.0\t2\t10\n3.0\t4\t9\n5\t6\t-1\n")
    assert s.features == ("b", "c") and s.classes == ("-1", "9", "10") and s.y.tolist() == [2, 1, 0] and s.test is None
    assert s.x.tolist() == [[1, 2], [3, 4], [5, 6]] and s.x.dtype == np.int64
    assert read(table, a_tsv="b\tc\ttarget\n1.5\t2\t0\n3.0\t4\t1\n5\t6\t1\n").x.dtype == np.float64


def test_numbers_may_be_categories_and_pixels():
    text = "p\tq\ttarget\n10\t9\t0\n2\t9\t1\n"
    s = read(Table("a.tsv", separator="\t", categories="all"), a_tsv=text)
    assert s.features == ("p_2", "p_10", "q_9") and s.x.tolist() == [[0, 1, 1], [1, 0, 1]]
    image = read(Table("a.tsv", separator="\t", shape=(1, 1, 2)), a_tsv=text)
    assert image.features == ("pixel_0_0", "pixel_0_1") and image.x.dtype == np.uint8 and image.shape == (1, 1, 2)


def test_blanks_separate_the_cells_of_monk():
    content = " 1 1 1 1 1 3 1 data_5\n 0 1 2 1 3 4 2 data_6\n"
    s = SOURCES["monk1"].layouts[0].read(SOURCES["monk1"], lambda _: content.encode())
    assert s.features == ("a1_1", "a2_1", "a2_2", "a3_1", "a4_1", "a4_3", "a5_3", "a5_4", "a6_1", "a6_2")
    assert s.y.tolist() == [1, 0] and s.x[0].tolist() == [1, 1, 0, 1, 1, 0, 1, 0, 1, 0]


@pytest.mark.parametrize(("train", "says"), [
    ("", "no samples"), ("|x\n\n", "no samples"), ("40, red, 1\n", "line 1 has 3 columns, not 4"),
    (TRAIN + "1,2,3,4,5\n", "line 7 has 5 columns"), ("big, red, 1, yes\n", "no number in column 'size'"),
    ("inf, red, 1, yes\n", "no number in column 'size'"), ("4\xe9,red,1,yes\n", "no table of text"),
])
def test_other_tables_are_refused(train, says):
    with pytest.raises(FormatError, match=says):
        read(SHOES, a_data=train, a_test=TEST)


@pytest.mark.parametrize(("text", "says"), [
    ("b\tc\ttarget\n1\t2\t3\n", "1 samples of 3 columns, not the published 2 of 3"),
    ("b\tc\ttarget\n", "no samples"), ("", "no samples"), ("b\tc\td\n1\t2\t3\n1\t2\t3\n", "no samples with a 'target'"),
    ("b\ttarget\n1\t2\n1\t3\n", "2 samples of 2 columns"), ("b\tc\ttarget\n?\t2\t3\n1\t?\t2\n", "unknown values only"),
])
def test_a_table_of_another_size_is_refused(text, says):
    with pytest.raises(FormatError, match=says):
        read(Table("a.tsv", separator="\t", size=(2, 3)), a_tsv=text)
