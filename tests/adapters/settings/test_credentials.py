"""credentials.json: how to reach the instance started last."""

import stat
from pathlib import Path

from adapters.settings.credentials import Credentials, read_credentials, write_credentials

CREDENTIALS = Credentials(base_url="http://127.0.0.1:8000", admin_key="gw_admin_x", demo_key="gw_test_x", ledger_id="1")


def test_what_is_written_is_read_again_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    write_credentials(tmp_path, CREDENTIALS)
    assert read_credentials(tmp_path) == CREDENTIALS
    assert stat.S_IMODE((tmp_path / "credentials.json").stat().st_mode) == 0o600


def test_none_or_a_damaged_file_count_as_none(tmp_path: Path) -> None:
    assert read_credentials(tmp_path) is None
    (tmp_path / "credentials.json").write_text("{")
    assert read_credentials(tmp_path) is None
