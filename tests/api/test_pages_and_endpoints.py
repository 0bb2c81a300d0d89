"""What a person can do or read on pages of the own space and of visitors, a program can: each page names its endpoint.

A page without one stands in ``WITHOUT`` with its reason, and in docs/api.md.
"""

from pathlib import Path

from flask import Flask

DOCS = Path(__file__).parents[2] / "docs" / "api.md"

ENDPOINTS = {
    "account": {
        "avatar": "avatar",
        "begin_second_factor": "begin_second_factor",
        "cancel_email_change": "cancel_email_change",
        "cancel_whatsapp_code": "cancel_whatsapp_code",
        "confirm_second_factor": "confirm_second_factor",
        "confirm_whatsapp_number": "confirm_whatsapp_number",
        "create_avatar": "set_avatar",
        "create_consent_withdrawal": "withdraw_consent",
        "create_deletion": "ask_deletion",
        "create_email_change": "request_email_change",
        "create_export": "ask_export",
        "create_new_password": "change_password",
        "create_passkey": "add_passkey",
        "create_recovery_codes": "renew_recovery_codes",
        "create_telegram_link": "link_telegram",
        "create_token": "create_personal_token",
        "create_whatsapp_code": "ask_whatsapp_code",
        "email_change": "email_change",
        "end_avatar": "end_avatar",
        "end_channel": "end_channel",
        "end_device": "end_device",
        "end_other_devices": "end_other_devices",
        "end_passkey": "end_passkey",
        "end_second_factor": "end_second_factor",
        "end_token": "end_personal_token",
        "export_file": "export_file",
        "mark_all_read": "mark_all_read",
        "mark_read": "mark_read",
        "new_deletion": "ask_deletion",
        "notifications": "notifications",
        "open_notification": "mark_read",
        "overview": "security",
        "own_consents": "consents",
        "own_data": "exports",
        "passkey_options": "passkey_creation_challenge",
        "profile": "me",
        "second_factor_page": "second_factor",
        "settings": "settings",
        "tokens": "personal_tokens",
        "update_profile": "update_me",
        "update_settings": "update_settings",
        "whatsapp_number": "channels",
    },
    "auth": {
        "ask_factor_removal": "confirm_lost_factor",
        "confirm_email": "verify_email",
        "confirm_email_link": "confirm_email_change",
        "create_account": "register",
        "create_confirmation": "confirm",
        "create_passkey_confirmation": "confirm_by_passkey",
        "create_passkey_session": "passkey_login",
        "create_password": "reset_password",
        "create_password_link": "forgot_password",
        "create_second_step": "login",
        "create_session": "login",
        "end_session": "logout",
        "passkey_confirmation_options": "passkey_challenge",
        "passkey_login_options": "passkey_challenge",
        "resend_verification": "resend_verification",
        "send_lost_factor_link": "ask_lost_factor_link",
        "stop_factor_removal": "stop_factor_removal",
    },
    "billing": {
        "check_withdrawal": "withdraw_outside",
        "checkout": "my_payment",
        "create_cancellation": "cancel_payment",
        "create_discount": "apply_discount",
        "create_identity": "confirm_identity",
        "create_outside_withdrawal": "withdraw_outside",
        "create_quantity": "set_quantity",
        "create_transaction": "submit_transaction",
        "create_withdrawal": "withdraw",
        "invoice_pdf": "my_invoice_pdf",
        "new_checkout": "new_payment",
        "payment": "my_payment",
        "payments": "my_payments",
        "withdrawal": "my_payment",
    },
    "dashboard": {"change_widget": "arrange_widgets", "show": "widgets"},
    "signals": {"index": "my_signals", "show": "my_signals"},
    "site": {"set_locale": "update_me", "set_theme": "update_settings"},
    "support": {
        "create_message": "visitor_message",
        "create_reading": "read_visitor_room",
        "create_visitor": "new_visitor",
    },
    "training": {
        "agenda": "agenda",
        "formation": "my_sessions",
        "formations": "my_formations",
        "join": "check_in",
        "session": "my_session",
    },
    "trading": {
        "account": "trading_account",
        "accounts": "trading_accounts",
        "breakdown": "breakdowns",
        "choose_currency": "choose_totals_currency",
        "comparison": "comparison",
        "create_account": "new_trading_account",
        "create_archive": "archive_trading_account",
        "create_broker_clock": "set_broker_clock",
        "create_cash_kind": "cash_kind",
        "create_columns": "choose_columns",
        "create_import": "send_statement",
        "create_import_cancellation": "undo_import",
        "create_import_confirmation": "confirm_import",
        "create_import_removal": "give_import_up",
        "create_key": "rotate_trading_key",
        "create_leaderboard_entry": "join_leaderboard",
        "create_leaderboard_removal": "leave_leaderboard",
        "create_mistake": "add_mistake",
        "create_mistake_removal": "remove_mistake",
        "create_name": "rename_trading_account",
        "create_note": "write_journal",
        "create_removal": "remove_trading_account",
        "create_restoration": "archive_trading_account",
        "create_revocation": "revoke_trading_keys",
        "create_screenshot": "add_picture",
        "create_screenshot_removal": "remove_picture",
        "create_sharing": "share",
        "download": "ea_kit",
        "export": "trades_export",
        "follow_up": "follow_up",
        "history": "trades",
        "imports": "imports",
        "installation": "ea_kit",
        "kit": "ea_kit",
        "leaderboard": "leaderboard",
        "mistakes": "mistakes",
        "movements": "trades",
        "portfolio": "portfolio",
        "removal": "trading_account",
        "result_calendar": "calendar",
        "screenshot": "picture",
        "statement_import": "import",
        "statistics": "trading_statistics",
        "trade": "trade",
        "training": "training_effect",
    },
}
"""Pages by area, each with the operation that does or tells the same."""

WITHOUT = {
    "account.create_discord_link",
    "account.finish_discord_link",
    "dashboard.reset_widgets",
    "dashboard.widget",
    "measure.change_opt_out",
    "measure.engagement",
}
"""Pages whose act is no program's; docs/api.md says why."""


def test_each_page_of_the_space_and_each_form_of_visitors_names_its_endpoint(site: Flask) -> None:
    named = {f"{area}.{page}" for area, pages in ENDPOINTS.items() for page in pages}
    pages = {
        rule.endpoint
        for rule in site.url_map.iter_rules()
        if (rule.rule.startswith("/espace") or "POST" in (rule.methods or set()))
        and not rule.rule.startswith(("/admin", "/api/", "/ea/", "/hooks/", "/composants", "/courrier"))
    }

    assert named & WITHOUT == set()
    assert pages == named | WITHOUT


def test_each_endpoint_that_is_named_is_there(site: Flask) -> None:
    named = {f"api.api_{operation}" for pages in ENDPOINTS.values() for operation in pages.values()}

    assert named - set(site.view_functions) == set()


def test_the_documentation_says_which_pages_have_none() -> None:
    told = DOCS.read_text(encoding="utf-8")

    assert [page for page in sorted(WITHOUT) if f"`{page}`" not in told] == []
