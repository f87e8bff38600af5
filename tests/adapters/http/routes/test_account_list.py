"""Who has an account: an operator who forgot a name is not stuck."""

import httpx
import pytest

from adapters.inbound.http.routes import admin_accounts
from tests.adapters.http.house import House


def test_accounts_are_listed_page_by_page_oldest_first(
    house: House, admin: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_accounts, "ACCOUNTS_PER_ANSWER", 2)
    for name in ("bob", "cyd"):
        house.open_account(name)
    first = admin.get("/admin/accounts").json()
    assert [(one["username"], one["email"], one["state"]) for one in first["data"]] == [
        ("ada", "ada@example.com", "active"),
        ("bob", "bob@example.com", "active"),
    ]
    second = admin.get("/admin/accounts", params={"after_account": first["next"]}).json()
    assert ([one["username"] for one in second["data"]], second["next"]) == (["cyd"], None)


def test_only_admins_may_see_them(http: httpx.Client) -> None:
    assert http.get("/admin/accounts").status_code == 403
