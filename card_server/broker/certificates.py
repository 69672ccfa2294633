"""The school server's own certificate authority: it names the broker, the server and each reader.

Names are the certificates' common names: `card-server` for the server, `<school>/<reader>` for a
reader, which is also the middle of that reader's topics. Keys are EC P-256 (RFC 5480), the profile
is RFC 5280's: an authority, leaves for one use each, and one revocation list.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from card_server.errors import AppError, Code
from schema.topics import CODE

SERVER_NAME = "card-server"
_AUTHORITY_DAYS = 20 * 365
_LEAF_DAYS = 5 * 365
_BACKDATED = timedelta(days=1)
"""A reader's clock may be behind when it first meets its new certificate."""


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, as PEM files."""

    certificate: Path
    key: Path


def authority_files(folder: Path) -> Pair:
    """Where the authority of this folder is."""
    return Pair(folder / "ca.crt", folder / "ca.key")


def revocation_list(folder: Path) -> Path:
    """The file that names the revoked certificates, for the broker."""
    return folder / "revoked.crl"


def broker_files(folder: Path) -> Pair:
    """Where the broker's own certificate is."""
    return Pair(folder / "broker.crt", folder / "broker.key")


def server_files(folder: Path) -> Pair:
    """Where the certificate is by which `card-server` logs in to the broker."""
    return Pair(folder / "card-server.crt", folder / "card-server.key")


def reader_files(folder: Path, school: str, reader: str) -> Pair:
    """Where a reader's certificate is, to be carried to the reader."""
    place = folder / "readers" / school
    return Pair(place / f"{reader}.crt", place / f"{reader}.key")


def create_authority(folder: Path) -> Pair:
    """A new authority with an empty revocation list. Raises AppError(CONFLICT) if there is one."""
    files = authority_files(folder)
    _refuse_to_overwrite(files)
    name = _name("campus card authority")
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=_AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(is_authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    _write_pair(files, key, certificate)
    _write_revocations(folder, [])
    return files


def issue_broker_certificate(folder: Path, hosts: Sequence[str]) -> Pair:
    """A certificate for the broker under these host names and addresses.

    Raises AppError(CONFLICT) if there is one already, NOT_FOUND without an authority.
    """
    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    if not names:
        raise AppError(Code.INVALID, "The broker's certificate needs at least one host name.")
    use = ExtendedKeyUsageOID.SERVER_AUTH
    return _issue(folder, broker_files(folder), "broker", use, names)


def issue_server_certificate(folder: Path) -> Pair:
    """The certificate by which the server's processes log in to the broker.

    Raises AppError(CONFLICT) if there is one already, NOT_FOUND without an authority.
    """
    use = ExtendedKeyUsageOID.CLIENT_AUTH
    return _issue(folder, server_files(folder), SERVER_NAME, use)


def issue_reader_certificate(folder: Path, school: str, reader: str) -> Pair:
    """The certificate of one reader.

    Raises AppError(CONFLICT) if it has one already, NOT_FOUND without an authority.
    """
    if not CODE.fullmatch(school) or not CODE.fullmatch(reader):
        raise AppError(
            Code.INVALID,
            "The codes of schools and readers are lower-case letters, digits and hyphens, "
            "32 at most.",
        )
    use = ExtendedKeyUsageOID.CLIENT_AUTH
    return _issue(folder, reader_files(folder, school, reader), f"{school}/{reader}", use)


def revoke_reader(folder: Path, school: str, reader: str) -> None:
    """Put a reader's certificate on the revocation list and its files out of the way.

    The broker must be restarted to cut the reader off. Afterwards a new one can be issued.
    Raises AppError(NOT_FOUND) if the reader has no certificate.
    """
    files = reader_files(folder, school, reader)
    if not files.certificate.exists():
        raise AppError(Code.NOT_FOUND, f"There is no certificate at {files.certificate}.")
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    path = revocation_list(folder)
    revoked = list(x509.load_pem_x509_crl(path.read_bytes())) if path.exists() else []
    entry = x509.RevokedCertificateBuilder(certificate.serial_number, datetime.now(UTC)).build()
    _write_revocations(folder, [*revoked, entry])
    kept = folder / "revoked"
    kept.mkdir(mode=0o700, exist_ok=True)
    files.certificate.rename(kept / f"{certificate.serial_number:x}.crt")
    files.key.unlink(missing_ok=True)


def expiry(certificate: Path) -> datetime:
    """Until when a certificate is valid, UTC."""
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc


def _issue(
    folder: Path,
    files: Pair,
    common_name: str,
    use: x509.ObjectIdentifier,
    hosts: Sequence[x509.GeneralName] = (),
) -> Pair:
    _refuse_to_overwrite(files)
    authority, authority_key = _load_authority(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(
            min(now + timedelta(days=_LEAF_DAYS), authority.not_valid_after_utc),
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(is_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    _write_pair(files, key, builder.sign(authority_key, SHA256()))
    return files


def _load_authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    files = authority_files(folder)
    if not files.certificate.exists() or not files.key.exists():
        raise AppError(Code.NOT_FOUND, f"There is no authority in {folder}; create it first.")
    key = load_pem_private_key(files.key.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise AppError(Code.INVALID, f"{files.key} is not an elliptic-curve key.")
    return x509.load_pem_x509_certificate(files.certificate.read_bytes()), key


def _write_revocations(folder: Path, revoked: Sequence[x509.RevokedCertificate]) -> None:
    authority, key = _load_authority(folder)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.subject)
        .last_update(now - _BACKDATED)
        # A list past this date would lock every reader out, and nobody renews it but a revocation.
        .next_update(authority.not_valid_after_utc)
    )
    for entry in revoked:
        builder = builder.add_revoked_certificate(entry)
    path = revocation_list(folder)
    new = path.with_suffix(".new")
    new.write_bytes(builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
    new.replace(path)


def _write_pair(
    files: Pair, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
) -> None:
    files.key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # Exclusive: of two that issue at once, one fails instead of spoiling the other's pair.
    with os.fdopen(os.open(files.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(secret)
    files.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))


def _refuse_to_overwrite(files: Pair) -> None:
    for path in (files.certificate, files.key):
        if path.exists():
            raise AppError(
                Code.CONFLICT, f"{path} exists and is kept. Move it away if it shall be replaced."
            )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
