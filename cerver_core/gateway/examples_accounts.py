"""Examples of the operations of accounts, projects and vaults; ids, times, names and keys are made up."""

from collections.abc import Mapping

from pydantic import JsonValue

__all__ = ["ACCOUNT_EXAMPLES"]

Pair = tuple[JsonValue, JsonValue]

_AT = "2026-11-22T10:15:00Z"
_NEXT_MONTH = "2026-12-01T00:00:00Z"
_PROJECT: dict[str, JsonValue] = {
    "id": "proj_0123456789abcdef",
    "slug": "web",
    "name": "Web",
    "infisical_config_id": None,
    "api_key_count": 1,
    "session_count_mtd": 12,
    "total_usd_mtd": 0.024,
    "created_at": _AT,
}
_ENVIRONMENT: dict[str, JsonValue] = {
    "id": "env_0123456789abcdef",
    "project_slug": "web",
    "project_name": "Web",
    "slug": "staging",
    "name": "Staging",
    "is_default": True,
    "repo_count": 1,
    "created_at": _AT,
}
_REPO: dict[str, JsonValue] = {
    "id": "rep_0123456789abcdef",
    "environment_id": "env_0123456789abcdef",
    "repo_url": "https://github.com/example/web",
    "repo_ref": "main",
    "is_primary": True,
    "position": 1,
    "created_at": _AT,
}
_VAULT: dict[str, JsonValue] = {
    "id": "ifc_0123456789abcdef",
    "label": "team secrets",
    "provider": "infisical",
    "project_id": "p-1",
    "environment": "prod",
    "is_default": True,
    "created_at": _AT,
    "last_verified_at": _AT,
    "has_credentials": True,
    "last4": "x9Kd",
}
_LIMIT: dict[str, JsonValue] = {
    "enabled": True,
    "limit_usd": 20,
    "is_default": False,
    "spent_usd": 0.024,
    "remaining_usd": 19.976,
    "resets_at": _NEXT_MONTH,
}
_ACCOUNT: dict[str, JsonValue] = {
    "account_id": "acct_0123456789abcdef",
    "email": "ann@example.com",
    "name": "ann",
    "sessions": 12,
    "sandbox_ms_total": 81_000,
    "last_active": _AT,
    "created_at": _AT,
}
_CREDENTIALS: dict[str, JsonValue] = {
    "provider": "vercel",
    "credentials": {"vercel_token": {"last4": "8sKq"}, "vercel_team_id": {"secret": "VERCEL_TEAM_ID"}},
    "updated_at": _AT,
}
_KEY: dict[str, JsonValue] = {
    "key": "ck_EXAMPLE…",
    "label": "ci",
    "project_id": "proj_0123456789abcdef",
    "project_slug": "web",
    "kind": "secret",
    "scopes": ["read", "write"],
}
_LOGGED_IN: dict[str, JsonValue] = {
    "account_id": "acct_0123456789abcdef",
    "api_key": "ck_EXAMPLE…",
    "name": "ann",
    "is_new": True,
}

ACCOUNT_EXAMPLES: Mapping[str, Pair] = {
    "logins.start": (
        {"machine_name": "ann's laptop"},
        {
            "device_code": "8c…",
            "user_code": "BCDF-2345",
            "verification_uri": "https://gateway.example/approve?code=BCDF-2345",
            "expires_in": 900,
            "interval": 5,
        },
    ),
    "logins.poll": (None, {"status": "pending", "error": "authorization_pending"}),
    "logins.email": ({"email": "ann@example.com"}, _LOGGED_IN),
    "logins.trial": (None, {"api_key": "ck_EXAMPLE…"}),
    "account.whoami": (None, {"account_id": "acct_0123456789abcdef", "project_slug": "web", "scope": "project"}),
    "account.list_keys": (
        None,
        {
            "keys": [
                {
                    "key_masked": "ck_0123456789abcdef…x9Kd",
                    "prefix": "ck_0123456789abcdef",
                    "label": "ci",
                    "created_at": _AT,
                    "last_used_at": _AT,
                    "project_slug": "web",
                }
            ]
        },
    ),
    "account.create_key": ({"label": "ci", "project_slug": "web", "scopes": ["read", "write"]}, _KEY),
    "account.billing": (
        None,
        {
            "account_id": "acct_0123456789abcdef",
            "period": {"start": "2026-11-01T00:00:00Z", "end": _AT},
            "totals": {"service_usd": 0.024, "total_usd": 0.024},
            "counts": {"sessions": 12, "compute_ms": 81_000},
            "by_session": [],
            "by_billing": {"api": {"total_usd": 0.024, "sessions": 12}},
            "spending_limit": _LIMIT,
            "subscription": {"active": True, "status": "self_hosted"},
        },
    ),
    "account.usage_series": (
        None,
        {"total_usd": 0.024, "days": [{"date": "2026-11-22", "sessions": 12, "total_usd": 0.024}]},
    ),
    "account.set_spending_limit": ({"limit_usd": 20}, _LIMIT),
    "account.audit": (
        None,
        {
            "entries": [
                {
                    "id": "1",
                    "at": _AT,
                    "action": "key.create",
                    "key": "ck_0123456789abcdef",
                    "target": "ck_fedcba9876543210",
                    "detail": {"label": "ci"},
                }
            ],
            "next_cursor": None,
        },
    ),
    "admin.usage": (None, [_ACCOUNT]),
    "admin.disable": (None, {**_ACCOUNT, "disabled": True}),
    "admin.enable": (None, _ACCOUNT),
    "admin.invite": (
        {"email": "bob@example.com"},
        {"url": "https://gateway.example/invite?token=…", "email": "bob@example.com", "expires_at": _NEXT_MONTH},
    ),
    "projects.list": (None, {"projects": [_PROJECT]}),
    "projects.create": ({"name": "Web"}, {"project": _PROJECT}),
    "projects.update": ({"name": "Web"}, _PROJECT),
    "projects.archive": (None, {**_PROJECT, "archived_at": _AT}),
    "projects.list_environments": (None, {"environments": [_ENVIRONMENT]}),
    "projects.create_environment": ({"slug": "staging", "name": "Staging"}, {"environment": _ENVIRONMENT}),
    "projects.update_environment": ({"is_default": True}, {"environment": _ENVIRONMENT}),
    "projects.archive_environment": (None, {"environment": {**_ENVIRONMENT, "archived_at": _AT}}),
    "projects.list_repos": (None, {"repos": [_REPO]}),
    "projects.add_repo": ({"repo_url": "https://github.com/example/web", "repo_ref": "main"}, {"repo": _REPO}),
    "vaults.list": (None, {"configs": [_VAULT]}),
    "vaults.create": (
        {"provider": "infisical", "label": "team secrets", "project_id": "p-1", "environment": "prod", "token": "st.…"},
        {"id": "ifc_0123456789abcdef"},
    ),
    "vaults.update": ({"label": "team secrets"}, _VAULT),
    "vaults.verify": (None, {"ok": True, "message": "infisical: accepts the credential", "last_verified_at": _AT}),
    "vaults.list_credentials": (None, {"providers": [_CREDENTIALS]}),
    "vaults.set_credentials": (
        {
            "provider": "vercel",
            "credentials": {
                "vercel_token": "a token",
                "vercel_team_id": {"secret": "VERCEL_TEAM_ID"},
                "vercel_project_id": "prj_1",
            },
        },
        _CREDENTIALS,
    ),
}
"""What is sent and what comes back, by the operation's name."""
