"""Settings come from variables, secret files and a TOML file, in this order; a name that means nothing is an error."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.config import SECRETS, Settings, variable
from gateway.contract.settings_page import SECTIONS, page
from gateway.core.errors import BadInput

GATEWAY = str(Path(sys.executable).with_name("gateway"))


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """No setting of this machine."""
    for name in list(os.environ):
        if name.startswith("GATEWAY_") and not name.startswith("GATEWAY_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Writes the settings file and names it."""

    def write(text: str) -> Path:
        file = tmp_path / "gateway.toml"
        file.write_text(text)
        monkeypatch.setenv("GATEWAY_CONFIG", str(file))
        return file

    return write


def test_a_settings_file_is_read_with_lists_spans_and_numbers(config):
    config('http_port = 9000\nhttp_allowed_hosts = ["a.example"]\nsnapshot_every = "1m30s"\n')
    settings = Settings()
    assert settings.http_port == 9000
    assert settings.http_allowed_hosts == ["a.example"]
    assert settings.snapshot_every == timedelta(seconds=90)
    assert settings.model_fields_set == {"http_port", "http_allowed_hosts", "snapshot_every"}


def test_a_variable_wins_over_a_secret_file_and_that_over_the_settings_file(config, monkeypatch, tmp_path):
    config('smtp_url = "smtp://file"\n')
    assert Settings().smtp_url == "smtp://file"
    secret = tmp_path / "smtp"
    secret.write_text("smtp://secret\n")
    monkeypatch.setenv("GATEWAY_SMTP_URL_FILE", str(secret))
    assert Settings().smtp_url == "smtp://secret"
    monkeypatch.setenv("GATEWAY_SMTP_URL", "smtp://variable")
    assert Settings().smtp_url == "smtp://variable"


def test_an_empty_variable_counts_as_not_set(monkeypatch):
    """Compose writes `${SMTP_URL:-}` into the environment whether there is one or not."""
    monkeypatch.setenv("GATEWAY_SMTP_URL", "")
    monkeypatch.setenv("GATEWAY_LINK_SECRET_FILE", "")
    assert Settings().smtp_url is None


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_can_stand_in_a_file(name, monkeypatch, tmp_path):
    secret = {"link_secret": "s" * 32, "smtp_url": "smtp://mail", "mqtt_url": "mqtt://broker"}.get(name, "postgresql:")
    (tmp_path / "secret").write_text(f"{secret}\n")
    monkeypatch.setenv(f"{variable(name)}_FILE", str(tmp_path / "secret"))
    settings = Settings()
    assert getattr(settings, name) == secret
    assert secret not in repr(settings)


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ("GATEWAY_DATABASE_ULR", "did you mean GATEWAY_DATABASE_URL?"),
        ("GATEWAY_SMTP_FILE", "did you mean GATEWAY_SMTP_URL_FILE?"),
        ("GATEWAY_QQQ", ""),
    ],
)
def test_a_variable_that_is_no_setting_is_an_error_that_names_the_nearest(given, nearest, monkeypatch):
    monkeypatch.setenv(given, "x")
    with pytest.raises(BadInput) as refused:
        Settings()
    (problem,) = refused.value.problems
    assert problem == f"{given}: there is no such setting" + (f"; {nearest}" if nearest else "")


def test_variables_of_the_tests_and_of_the_build_are_no_settings(monkeypatch):
    monkeypatch.setenv("GATEWAY_TEST_DATABASE_URL", "postgresql://somewhere")
    monkeypatch.setenv("GATEWAY_NO_WEB", "1")
    Settings()


def schemas_check(*arguments: str, **env: str) -> tuple[int, str]:
    done = subprocess.run(
        [GATEWAY, *arguments, "schemas", "--check"], capture_output=True, text=True, timeout=60, env=os.environ | env
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_every_wrong_name_is_told_at_once_with_exit_code_78(tmp_path):
    file = tmp_path / "gateway.toml"
    file.write_text("http_prt = 9000\n[server]\nhttp_port = 1\n")
    code, text = schemas_check("--config", str(file), GATEWAY_HTTP_HOSTS="[]")
    assert code == 78
    assert "GATEWAY_HTTP_HOSTS: there is no such setting; did you mean GATEWAY_HTTP_HOST?" in text
    assert f"http_prt (in {file}): there is no such setting; did you mean http_port?" in text
    assert f"server (in {file}): there is no such setting" in text


@pytest.mark.parametrize(
    ("file", "env", "expected"),
    [
        ("http_port = -1\n", {}, "GATEWAY_HTTP_PORT: Input should be greater than or equal to 0"),
        ("http_port = \n", {}, "cannot be read: Invalid value (at line 1, column 13)"),
        (None, {}, "cannot be read: [Errno 2] No such file"),
        ("", {"GATEWAY_HTTP_ALLOWED_HOSTS": "a.example"}, 'field "http_allowed_hosts"'),
        ("", {"GATEWAY_SMTP_URL_FILE": "/nowhere/smtp"}, "GATEWAY_SMTP_URL_FILE: /nowhere/smtp cannot be read"),
        ("", {"GATEWAY_SMTP_URL": "mail.example.com"}, "GATEWAY_SMTP_URL: write it as smtp://HOST:PORT"),
    ],
)
def test_what_cannot_be_read_is_one_clear_text_with_exit_code_78(file, env, expected, tmp_path):
    path = tmp_path / "gateway.toml"
    if file is not None:
        path.write_text(file)
    code, text = schemas_check("--config", str(path), **env)
    assert (code, expected in text) == (78, True), text


def test_the_page_of_the_settings_has_each_of_them_once():
    rows = [line for line in page().splitlines() if line.startswith("| `GATEWAY_")]
    assert sorted(row.split("`")[1] for row in rows) == sorted(variable(name) for name in Settings.model_fields)
    assert set(SECTIONS) <= set(Settings.model_fields)


def test_a_sender_is_an_address_that_every_server_takes():
    assert Settings(mail_from="Brenhöld <mail@bücher.example>").mail_from == "Brenhöld <mail@bücher.example>"
    with pytest.raises(ValueError, match="the part before the @ has letters"):
        Settings(mail_from="Support <büro@example.org>")
    with pytest.raises(ValueError, match="cannot exist in the mail system"):
        Settings(mail_from="mail@exa\u2488mple.example")
