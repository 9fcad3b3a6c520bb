"""What the `cerver` command ends with, by what kept it from its work."""

import pytest

from cerver_core.cli.exits import exit_code_of
from cerver_core.errors import CerverError, Conflict, Forbidden, InvalidInput, PaymentRequired, ProjectKeyRequired


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInput("a word too many"), 2),
        (Conflict("it is paused"), 4),
        (PaymentRequired("the limit is reached"), 4),
        (ProjectKeyRequired("no project is named"), 4),
        (Forbidden("another right is missing"), 1),
    ],
)
def test_a_state_that_forbids_the_work_ends_with_four(error: CerverError, code: int) -> None:
    assert exit_code_of(error) == code
