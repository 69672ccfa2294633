"""The authority: what it issues, what it never overwrites, what it revokes."""

import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from card_server.broker.certificates import (
    authority_files,
    create_authority,
    issue_broker_certificate,
    issue_reader_certificate,
    issue_server_certificate,
    reader_files,
    revocation_list,
    revoke_reader,
)
from card_server.errors import AppError, Code


def _load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def _common_name(certificate: x509.Certificate) -> str | bytes:
    return certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value


def test_a_reader_is_named_by_its_school_and_code_and_signed_by_the_authority(
    tmp_path: Path,
) -> None:
    create_authority(tmp_path)
    certificate = _load(issue_reader_certificate(tmp_path, "no1", "gate-east").certificate)
    assert _common_name(certificate) == "no1/gate-east"
    certificate.verify_directly_issued_by(_load(authority_files(tmp_path).certificate))
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_the_brokers_certificate_names_hosts_and_addresses(tmp_path: Path) -> None:
    create_authority(tmp_path)
    pair = issue_broker_certificate(tmp_path, ["card.school.example", "10.0.0.5", "::1"])
    names = (
        _load(pair.certificate)
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value
    )
    assert names.get_values_for_type(x509.DNSName) == ["card.school.example"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.5", "::1"]


def test_private_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    keys = [
        create_authority(folder).key,
        issue_broker_certificate(folder, ["localhost"]).key,
        issue_server_certificate(folder).key,
        issue_reader_certificate(folder, "no1", "gate").key,
    ]
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    create_authority(tmp_path)
    issue_reader_certificate(tmp_path, "no1", "gate")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(AppError, match="is kept") as refused:
        create_authority(tmp_path)
    assert refused.value.code is Code.CONFLICT
    with pytest.raises(AppError, match="is kept"):
        issue_reader_certificate(tmp_path, "no1", "gate")
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("code", ["+", "#", "Gate", "a/b", "../x", "", "-a", "门", "a" * 33])
def test_a_code_that_could_mean_more_than_one_reader_gets_no_certificate(
    tmp_path: Path, code: str
) -> None:
    create_authority(tmp_path)
    with pytest.raises(AppError) as refused:
        issue_reader_certificate(tmp_path, "no1", code)
    assert refused.value.code is Code.INVALID
    with pytest.raises(AppError):
        issue_reader_certificate(tmp_path, code, "gate")


def test_a_folder_without_an_authority_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="no authority") as missing:
        issue_server_certificate(tmp_path)
    assert missing.value.code is Code.NOT_FOUND


def test_a_revoked_reader_is_on_the_list_and_may_get_a_new_certificate(tmp_path: Path) -> None:
    create_authority(tmp_path)
    first = _load(issue_reader_certificate(tmp_path, "no1", "gate").certificate)
    other = _load(issue_reader_certificate(tmp_path, "no1", "door").certificate)
    revoke_reader(tmp_path, "no1", "gate")
    second = _load(issue_reader_certificate(tmp_path, "no1", "gate").certificate)
    revoke_reader(tmp_path, "no1", "gate")

    revoked = x509.load_pem_x509_crl(revocation_list(tmp_path).read_bytes())
    assert revoked.get_revoked_certificate_by_serial_number(first.serial_number)
    assert revoked.get_revoked_certificate_by_serial_number(second.serial_number)
    assert revoked.get_revoked_certificate_by_serial_number(other.serial_number) is None
    authority = _load(authority_files(tmp_path).certificate)
    assert revoked.is_signature_valid(authority.public_key())  # type: ignore[arg-type]
    assert not reader_files(tmp_path, "no1", "gate").key.exists()


def test_the_revocation_list_outlives_every_certificate(tmp_path: Path) -> None:
    create_authority(tmp_path)
    reader = _load(issue_reader_certificate(tmp_path, "no1", "gate").certificate)
    listed = x509.load_pem_x509_crl(revocation_list(tmp_path).read_bytes())
    assert listed.next_update_utc
    assert listed.next_update_utc >= reader.not_valid_after_utc
