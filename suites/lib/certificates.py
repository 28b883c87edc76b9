"""Certificates by an authority of a test: right ones and expired ones."""

import hashlib
import ssl
import subprocess


class Certificates:
    """An authority, and certificates by it and by nobody."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self._openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Authority of a test",
                      "-days", "2", "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
        (folder / "index.txt").touch()
        (folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=one\n[one]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\n"
            "policy=any\nunique_subject=no\n[any]\ncommonName=optional\n")

    def _openssl(self, *arguments, **more):
        return subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, **more).stdout

    def issue(self, name, expired=False):
        """A certificate for this name with the chain: its file, key beside it."""
        file = self.folder / f"{name}{'.expired' if expired else ''}.pem"
        if file.exists():
            return file
        (self.folder / "extensions").write_text(f"subjectAltName=DNS:{name}\nbasicConstraints=CA:FALSE\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{file}.key",
                      "-out", "request.pem", "-subj", f"/CN={name}")
        dates = ["20200101000000Z", "20200201000000Z"] if expired else ["20200101000000Z", "20491231000000Z"]
        self._openssl("ca", "-batch", "-config", "ca.cnf", "-notext", "-in", "request.pem", "-out", file, "-cert", "ca.pem",
                      "-keyfile", "ca.key", "-extfile", "extensions", "-startdate", dates[0], "-enddate", dates[1])
        file.write_text(file.read_text() + (self.folder / "ca.pem").read_text())
        return file

    def key_digest(self, file):
        """The SHA-256 of the key, as TLSA `1 1` has it."""
        pem = self._openssl("x509", "-in", file, "-noout", "-pubkey")
        return hashlib.sha256(self._openssl("pkey", "-pubin", "-outform", "DER", input=pem)).hexdigest()

    def authority_digest(self):
        """The SHA-256 of the authority, as TLSA `0 1` has it."""
        return hashlib.sha256(self._openssl("x509", "-in", "ca.pem", "-outform", "DER")).hexdigest()


def context(file):
    """What a server shows with this certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(file, f"{file}.key")
    return made
