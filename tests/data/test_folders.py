"""Folders of pictures by class."""

import numpy as np
import pytest

from hardwire.core.errors import FormatError, InputError
from hardwire.data import load_dataset
from hardwire.data.folders import read_folder, read_pictures

Image = pytest.importorskip("PIL.Image")
RNG = np.random.default_rng(0)


def draw(path, size=(8, 6), mode="L"):
    path.parent.mkdir(parents=True, exist_ok=True)
    channels = {"L": (), "RGB": (3,), "RGBA": (4,)}[mode]
    Image.fromarray(RNG.integers(0, 256, (size[1], size[0], *channels)).astype(np.uint8)).save(path)


def pets(root, **look):
    for name, suffix in (("cats", "png"), ("dogs", "bmp")):
        for i in range(6):
            draw(root / name / f"{i}.{suffix}", **look)
    return root


def test_one_size_is_kept(tmp_path):
    data = load_dataset(pets(tmp_path / "pets"))
    assert data.classes == ("cats", "dogs") and data.shape == (1, 6, 8) and data.train.x.dtype == np.uint8 and data.name == "pets"
    split = next(s for s in (data.train, data.validation, data.test) if 2 in s.rows)
    with Image.open(tmp_path / "pets/cats/2.png") as picture:
        assert (split.x[split.rows == 2][0].reshape(6, 8) == np.asarray(picture)).all()
    assert data.columns.notes() == ["pictures of 8 x 6 pixels, grey"]


def test_mixed_sizes_and_large_ones_are_resized_by_the_stated_rule(tmp_path):
    root = pets(tmp_path / "pets", mode="RGB")
    draw(root / "cats" / "large.png", (90, 70), "RGBA")
    data = load_dataset(root)
    assert data.shape == (3, 32, 32) and data.columns.notes() == ["pictures resized to 32 x 32 pixels, colour"]
    assert read_folder(pets(tmp_path / "big", size=(100, 100))).shape == (1, 32, 32)


def test_train_and_test_folders_fix_the_split(tmp_path):
    pets(tmp_path / "train")
    pets(tmp_path / "test")
    data = load_dataset(tmp_path)
    assert len(data.test.y) == 12 and len(data.train.y) + len(data.validation.y) == 12
    draw(tmp_path / "test" / "birds" / "1.png")
    with pytest.raises(InputError, match="class 'birds' in one of train and test only"):
        load_dataset(tmp_path)


def test_other_files_are_no_pictures(tmp_path):
    root = pets(tmp_path / "pets")
    (root / "readme.txt").write_text("hello")
    (root / "cats" / "notes.txt").write_text("hello")
    (root / ".hidden").mkdir()
    assert len(read_folder(root).y) == 12
    with pytest.raises(InputError, match="no sub-folders with pictures"):
        read_folder(root / "cats")
    with pytest.raises(InputError, match="its sub-folders as classes"):
        load_dataset(root, label="x")


def test_damaged_pictures_are_named(tmp_path):
    root = pets(tmp_path / "pets")
    whole = (root / "cats" / "1.png").read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"text", whole[:20] + b"\xff" * 9 + whole[29:]):
        (root / "cats" / "1.png").write_bytes(content)
        with pytest.raises(FormatError, match=r"1\.png is no picture, or damaged"):
            read_folder(root)


def test_pictures_of_another_size_are_refused_where_training_resized_none(tmp_path):
    rule = read_folder(pets(tmp_path / "pets")).columns.images
    draw(tmp_path / "new.png", (9, 6))
    with pytest.raises(InputError, match="has 9 x 6 pixels where training had 8 x 6"):
        read_pictures([tmp_path / "new.png"], rule)
