from sandbox.details import clean


def test_ten_pairs_pass_and_the_eleventh_is_left_out():
    cleaned = clean({"k%02d" % i: i for i in range(11)})
    assert len(cleaned) == 10


def test_the_first_pairs_are_those_kept():
    assert clean({"code": "X"}) == {"code": "X"}


def test_a_key_of_128_characters_passes_and_longer_is_cut():
    assert list(clean({"k" * 128: "v"})) == ["k" * 128]
    assert list(clean({"k" * 129: "v"})) == ["k" * 128]


def test_every_allowed_key_character_passes():
    key = "azAZ09:_-"
    assert list(clean({key: "v"})) == [key]


def test_forbidden_key_characters_become_underscores():
    assert list(clean({"a b.c/é": "v"})) == ["a_b_c__"]
    assert list(clean({"@[`{": "v"})) == ["____"]  # the neighbours of the letters in ASCII
    assert list(clean({"": "v"})) == ["_"]


def test_a_value_of_1024_characters_passes_and_longer_is_cut():
    assert clean({"k": "é" * 1024})["k"] == "é" * 1024
    assert clean({"k": "é" * 1025})["k"] == "é" * 1024


def test_an_empty_value_gets_a_character():
    assert clean({"k": ""}) == {"k": "-"}


def test_control_characters_become_spaces():
    assert clean({"k": "a\nb\tc\0d\x1fe\x7ff\x80g\x9fh"}) == {"k": "a b c d e f g h"}
    assert clean({"k": " ~\xa0ü€"}) == {"k": " ~\xa0ü€"}


def test_values_of_other_types_become_strings():
    given = {"yes": True, "no": False, "n": 5, "none": None, "list": [1]}
    assert clean(given) == {"yes": "true", "no": "false", "n": "5", "none": "None", "list": "[1]"}
