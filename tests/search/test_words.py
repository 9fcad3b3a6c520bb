"""The forms and the near words of a word."""

from cerver_core.search.words import forms, indexable, kin


def test_a_word_is_found_in_the_forms_it_takes() -> None:
    assert {"bake", "bakes", "baked", "baking"} <= set(forms("baked"))
    assert {"buy", "bought"} <= set(forms("bought"))


def test_a_word_is_found_as_it_is_spelled_on_the_other_side_of_the_atlantic() -> None:
    assert "organized" in forms("organised")
    assert "traveling" in forms("travelling")
    assert "color" in forms("colour")


def test_a_small_number_is_found_in_figures_and_in_words() -> None:
    assert forms("four") == ("four", "4")
    assert forms("4") == ("4", "four")
    assert forms("2026") == ("2026",)


def test_a_kind_leads_to_its_members_and_a_member_to_its_kind() -> None:
    assert "beagle" in kin("breed")
    assert "breed" in kin("beagle")
    assert "beagle" not in kin("poodle")


def test_encoded_data_is_left_out_of_the_index_wherever_it_stands() -> None:
    data = "QUJD" * 50
    assert indexable(f"see {data} there").split() == ["see", "there"]
    assert indexable(data) == " "
    assert indexable("word " * 100 + "x" * 199).split()[-1] == "x" * 199
